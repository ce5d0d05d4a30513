#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many bytes of TCP, or large UDP segments.

product_bulk.py serve PORT        counts what comes, says so
product_bulk.py send ADDR PORT N  prints what the far side has counted
product_bulk.py segments ADDR PORT N SIZE  UDP, calls of N bytes cut by SIZE
"""

import socket
import sys
import threading

UDP_SEGMENT = 103
SEGMENTED_CALLS = 20


def count(conn):
    total = 0
    with conn:
        size = int(conn.recv(16, socket.MSG_WAITALL))  # comes before the rest, filled up
        while total < size:
            data = conn.recv(1 << 20)
            if not data:
                break
            total += len(data)
        conn.sendall(b"%d\n" % total)


def serve(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6,
                                    dualstack_ipv6=True)
    while True:
        conn, _ = listener.accept()
        threading.Thread(target=count, args=(conn,), daemon=True).start()


def send(addr, port, size):
    conn = socket.create_connection((addr, port), timeout=10)
    conn.sendall(b"%-16d" % size)
    block = bytes(100000)
    while size > 0:
        conn.sendall(block[:size])
        size -= min(size, len(block))
    print(conn.makefile().readline().strip())


def segments(addr, port, size, each):
    family = socket.AF_INET6 if ":" in addr else socket.AF_INET
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.connect((addr, port))
    s.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, each)
    for _ in range(SEGMENTED_CALLS):
        try:
            s.send(bytes(size))
        except ConnectionRefusedError:
            pass  # of the one before: nobody listens there


if sys.argv[1] == "serve":
    serve(int(sys.argv[2]))
elif sys.argv[1] == "send":
    send(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
else:
    segments(sys.argv[2], *(int(a) for a in sys.argv[3:]))
