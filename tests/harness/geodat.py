# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of geo data for tests: geosite.dat and geoip.dat from what they say.
Run by itself: geodat.py FOLDER writes a small pair for the whole product."""

import ipaddress
import os
import sys

KEYWORD, REGEX, ROOT, FULL = range(4)


def varint(n):
    out = bytearray()
    while n > 0x7f:
        out.append(n & 0x7f | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def number_field(number, value):
    return varint(number << 3) + varint(value) if value else b""


def domain(kind, value, attributes=()):
    return field(2, number_field(1, kind) + field(2, value.encode()) +
                 b"".join(field(3, field(1, a.encode()) + number_field(2, 1))
                          for a in attributes))


def cidr(packed, length):
    return field(2, field(1, packed) + number_field(2, length))


def prefix(text):
    net = ipaddress.ip_network(text)
    return cidr(net.network_address.packed, net.prefixlen)


def entry(code, items):
    return field(1, field(1, code.encode()) + b"".join(items))


def write(path, entries):
    """In one step, as whoever updates them should."""
    with open(path + ".new", "wb") as f:
        for e in entries:
            f.write(e)
    os.replace(path + ".new", path)


def main():
    folder = sys.argv[1]
    write(os.path.join(folder, "geosite.dat"), [
        entry("LAB", [domain(ROOT, "lab.example", ("ads",)),
                      domain(FULL, "only.example"),
                      domain(KEYWORD, "track"),
                      domain(REGEX, r"^r[0-9]+\.")]),
        entry("OTHER", [domain(ROOT, "other.example")])])
    write(os.path.join(folder, "geoip.dat"), [
        entry("LAB", [prefix(p) for p in sys.argv[2:]]),
        entry("PRIVATE", [prefix("10.0.0.0/8")])])


if __name__ == "__main__":
    main()
