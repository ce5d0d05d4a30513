#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Two tun devices in two network namespaces, joined: what goes into the one
comes out of the other. product_tunnel.py NETNS-FILE NAME NETNS-FILE NAME"""

import ctypes
import fcntl
import os
import select
import struct
import sys

TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
CLONE_NEWNET = 0x40000000


def open_tun(netns, name):
    with open(netns, "rb") as f:
        if ctypes.CDLL(None).setns(f.fileno(), CLONE_NEWNET) < 0:
            sys.exit("setns " + netns)
    fd = os.open("/dev/net/tun", os.O_RDWR)
    request = struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI)
    fcntl.ioctl(fd, TUNSETIFF, request)
    return fd


def copy(source, sink):
    try:
        os.write(sink, os.read(source, 65536))
    except OSError:
        pass  # a device that is down takes nothing


def main():
    a = open_tun(sys.argv[1], sys.argv[2])
    b = open_tun(sys.argv[3], sys.argv[4])
    while True:
        for fd in select.select([a, b], [], [])[0]:
            copy(fd, b if fd == a else a)


main()
