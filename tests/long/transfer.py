#!/usr/bin/python3 -B
# SPDX-License-Identifier: GPL-2.0-or-later
"""Moves bytes over TCP and says whether all of them came, from whom, and what
the sender's kernel found out about the path.

usage: transfer.py serve PORT
       transfer.py up|down ADDRESS PORT BYTES [SECONDS]"""

import hashlib
import socket
import struct
import sys
import threading
import time

CHUNK = bytes(range(256)) * 256
TCP_INFO_MSS, TCP_INFO_PMTU = 16, 60


def send_all(sock, size):
    digest = hashlib.sha256()
    while size > 0:
        part = CHUNK[:min(size, len(CHUNK))]
        sock.sendall(part)
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()


def read_all(stream, size):
    digest = hashlib.sha256()
    while size > 0:
        part = stream.read(min(size, len(CHUNK)))
        if not part:
            raise EOFError(f"{size} bytes are missing")
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()


def answer(sock, peer):
    try:
        stream = sock.makefile("rb")
        way, size = stream.readline(64).split()
        sock.sendall(peer.removeprefix("::ffff:").encode() + b"\n")
        if way == b"up":
            digest = read_all(stream, int(size))
        else:
            digest = send_all(sock, int(size))
        sock.sendall(digest.encode() + b"\n")
    except (OSError, EOFError, ValueError):
        pass
    sock.close()


def serve(port):
    server = socket.create_server(("::", port), family=socket.AF_INET6,
                                  dualstack_ipv6=True)
    while True:
        sock, peer = server.accept()
        threading.Thread(target=answer, args=(sock, peer[0]),
                         daemon=True).start()


def move(way, address, port, size, seconds):
    began = time.monotonic()
    sock = socket.create_connection((address, port), timeout=seconds)
    stream = sock.makefile("rb")
    sock.sendall(f"{way} {size}\n".encode())
    peer = stream.readline(64).decode().strip()
    if way == "up":
        mine = send_all(sock, size)
    else:
        mine = read_all(stream, size)
    if stream.readline(128).decode().strip() != mine:
        raise EOFError("what came is not what was sent")
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    mss, = struct.unpack_from("=I", info, TCP_INFO_MSS)
    pmtu, = struct.unpack_from("=I", info, TCP_INFO_PMTU)
    print(f"whole {peer} mss={mss} pmtu={pmtu} "
          f"ms={round((time.monotonic() - began) * 1000)}")


if sys.argv[1:2] == ["serve"]:
    serve(int(sys.argv[2]))
try:
    move(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]),
         float((sys.argv[5:] or ["60"])[0]))
except (OSError, EOFError) as e:
    sys.exit(f"broken: {e}")
