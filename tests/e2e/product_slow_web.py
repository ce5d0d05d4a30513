#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""A web server that writes down each request and answers after a while.

usage: product_slow_web.py ADDRESS PORT MILLISECONDS FILE"""

import http.server
import sys
import time

ADDRESS, PORT, MS, FILE = sys.argv[1:5]
LOG = open(FILE, "a", buffering=1, encoding="ascii")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        LOG.write(f"{self.path} {time.time():.3f}\n")
        time.sleep(int(MS) / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_args):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 256


Server((ADDRESS, int(PORT)), Handler).serve_forever()
