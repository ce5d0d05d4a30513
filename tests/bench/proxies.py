# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies for nodes: SOCKS5 for TCP and UDP, HTTP CONNECT within TLS, and a
web server behind them. Small, but what they say is real."""

import asyncio
import os
import socket
import ssl
import subprocess
import sys

from bench_lib import FAR, HERE


def start(lab, *args):
    """This file as a server of its own; returns its port."""
    s = lab.run([sys.executable, "-B", os.path.join(HERE, "proxies.py"),
                 *args], stdout=subprocess.PIPE, text=True)
    return int(s.stdout.readline())


def web_peer(lab, *cert_and_key):
    return start(lab, "web", *cert_and_key)


def socks_peer(lab):
    return start(lab, "socks")


def connect_peer(lab, chain, key):
    return start(lab, "connect", chain, key)


def node_lines(count, scheme, port, more=""):
    """Users tell the nodes apart; nobody asks for them."""
    return "\n".join(f"n{i}: '{scheme}://u{i}:p@{FAR[0]}:{port}{more}'"
                     for i in range(count))


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except (OSError, RuntimeError, NotImplementedError):
        pass


async def join(a, b):
    """Two (reader, writer) pairs until both have said all."""
    try:
        await asyncio.gather(pump(a[0], b[1]), pump(b[0], a[1]))
    finally:
        a[1].close()
        b[1].close()


async def serve_web(r, w):
    await r.readuntil(b"\r\n\r\n")
    w.write(b"HTTP/1.1 204 No Content\r\nServer: peer\r\n"
            b"Content-Length: 0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
            b"Connection: close\r\n\r\n")
    await w.drain()
    w.close()


async def serve_connect(r, w):
    head = await r.readuntil(b"\r\n\r\n")
    host, _, port = head.split()[1].decode().rpartition(":")
    far = await asyncio.open_connection(host.strip("[]"), int(port))
    w.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
    await join((r, w), far)


class Relay(asyncio.DatagramProtocol):
    """UDP ASSOCIATE: each datagram from the client goes on without its
    header, each answer comes back with it."""

    def __init__(self):
        self.client = None

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        if self.client in (None, peer):
            self.client = peer
            size, family = ((4, socket.AF_INET) if data[3] == 1 else
                            (16, socket.AF_INET6))
            host = socket.inet_ntop(family, data[4:4 + size])
            port = int.from_bytes(data[4 + size:6 + size], "big")
            self.transport.sendto(data[6 + size:], (
                host if size == 16 else "::ffff:" + host, port))
            return
        self.transport.sendto(b"\0\0\0" + address(*peer[:2]) + data,
                              self.client)


def address(host, port):
    """As SOCKS5 spells it."""
    host = host.removeprefix("::ffff:")
    kind, family = ((4, socket.AF_INET6) if ":" in host else
                    (1, socket.AF_INET))
    return (bytes([kind]) + socket.inet_pton(family, host) +
            port.to_bytes(2, "big"))


def answer(w, port):
    return b"\5\0\0" + address(w.get_extra_info("sockname")[0], port)


async def read_target(r):
    kind = (await r.readexactly(4))[1:4:2]
    if kind[1] == 3:
        host = await r.readexactly((await r.readexactly(1))[0])
        host = host.decode()
    else:
        family, size = {1: (socket.AF_INET, 4), 4: (socket.AF_INET6, 16)}[
            kind[1]]
        host = socket.inet_ntop(family, await r.readexactly(size))
    return kind[0], host, int.from_bytes(await r.readexactly(2), "big")


async def serve_socks(r, w):
    methods = await r.readexactly((await r.readexactly(2))[1])
    method = 0 if 0 in methods else 2
    w.write(bytes([5, method]))
    if method:
        await r.readexactly((await r.readexactly(2))[1])
        await r.readexactly((await r.readexactly(1))[0])
        w.write(b"\1\0")
    command, host, port = await read_target(r)
    if command == 1:
        far = await asyncio.open_connection(host, port)
        w.write(answer(w, port))
        await join((r, w), far)
        return
    loop = asyncio.get_running_loop()
    relay, _ = await loop.create_datagram_endpoint(
        Relay, sock=dual(socket.SOCK_DGRAM))
    w.write(answer(w, relay.get_extra_info("sockname")[1]))
    await r.read()
    relay.close()
    w.close()


class NameServer(asyncio.DatagramProtocol):
    """Every name has one address of the kind asked for: FAR's."""

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, peer):
        end = data.index(b"\0", 12) + 5
        kind = data[end - 4:end - 2]
        host = FAR[1] if kind == b"\0\x1c" else FAR[0]
        rdata = socket.inet_pton(socket.AF_INET6 if ":" in host else
                                 socket.AF_INET, host)
        self.transport.sendto(
            data[:2] + b"\x81\x80\0\1\0\1\0\0\0\0" + data[12:end] +
            b"\xc0\x0c" + kind + b"\0\1\0\0\0\x3c" +
            len(rdata).to_bytes(2, "big") + rdata, peer)


def dual(kind, port=0):
    """A socket for both families, on every address of this host."""
    s = socket.socket(socket.AF_INET6, kind)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("::", port))
    return s


def guarded(serve):
    """What a client breaks off is its own affair."""
    async def one(r, w):
        try:
            await serve(r, w)
        except (OSError, asyncio.IncompleteReadError,
                asyncio.LimitOverrunError):
            w.close()
    return one


async def main(what, *files):
    serve, context = {"web": serve_web, "socks": serve_socks,
                      "connect": serve_connect}[what], None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
    server = await asyncio.start_server(
        guarded(serve), sock=dual(socket.SOCK_STREAM), ssl=context,
        backlog=1024)
    port = server.sockets[0].getsockname()[1]
    if what == "web":
        await asyncio.get_running_loop().create_datagram_endpoint(
            NameServer, sock=dual(socket.SOCK_DGRAM, port))
    print(port, flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
