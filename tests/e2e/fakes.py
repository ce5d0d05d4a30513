# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers of a few lines that misbehave as they are told, on loopback."""

import socket
import ssl
import threading


class Fake:
    """Listens, and does one thing with each connection."""

    def __init__(self, lab, handle, context=None, backlog=16,
                 addr="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET6 if ":" in addr
                                    else socket.AF_INET)
        self.socket.bind((addr, 0))
        self.socket.listen(backlog)
        lab.sockets.append(self.socket)
        self.port = self.socket.getsockname()[1]
        self.handle = handle
        self.context = context
        if handle:
            threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(c,), daemon=True).start()

    def one(self, c):
        try:
            if self.context:
                c = self.context.wrap_socket(c, server_side=True)
            self.handle(c)
            if self.handle is not reset:
                drain(c)
        except (OSError, ValueError, IndexError):
            pass
        finally:
            c.close()


def drain(c):
    """A close with unread data would be a reset."""
    try:
        c.settimeout(0.2)
        while c.recv(4096):
            pass
    except OSError:
        pass


def says(answer):
    """Reads a request, says @answer, closes."""
    def handle(c):
        if c.recv(4096):
            c.sendall(answer)
    return handle


def stall(c):
    c.settimeout(20)
    while c.recv(4096):
        pass


def close(c):
    c.recv(4096)


def reset(c):
    c.recv(4096)
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                 b"\1\0\0\0\0\0\0\0")


def context(lab, cert, alpn=None):
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(lab.cert(cert + ".pem"), lab.cert(cert + ".key"))
    if alpn:
        ctx.set_alpn_protocols(alpn)
    return ctx


def full(lab):
    """A port that takes no connection more: like one behind a black hole."""
    f = Fake(lab, None, backlog=0)
    for _ in range(3):
        s = socket.socket()
        s.setblocking(False)
        s.connect_ex(("127.0.0.1", f.port))
        lab.sockets.append(s)
    return f.port
