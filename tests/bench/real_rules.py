# SPDX-License-Identifier: GPL-2.0-or-later
"""1,000 rules with lists of real size, made of one seed. Run by itself:
real_rules.py FOLDER writes geosite.dat, geoip.dat, and the rules twice, in files
rules.0 and rules.1, which differ in where they lead."""

import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../harness"))
import geodat  # noqa: E402

NAMES, PREFIXES = (5000, 10000) if "--short" in sys.argv else (150000, 300000)
SITES, COUNTRIES = 500, 250


def make_names(rnd):
    """Most below names of few labels, some in two lists, as in the real one."""
    lists = [[] for _ in range(SITES)]
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    for i in range(NAMES):
        word = "".join(rnd.choices(letters, k=rnd.randint(4, 14)))
        name = f"{word}{i % 97}.{rnd.choice(('com', 'net', 'org', 'cn', 'io'))}"
        if rnd.random() < 0.2:
            name = f"{rnd.choice(('www', 'api', 'cdn', 'img'))}.{name}"
        kind = geodat.FULL if rnd.random() < 0.08 else geodat.ROOT
        item = geodat.domain(kind, name, ("cn",) if i % 100 == 0 else ())
        # a few lists are large, most are small
        at = int(SITES * rnd.random() ** 3)
        lists[at].append(item)
        if rnd.random() < 0.05:
            lists[rnd.randrange(SITES)].append(item)
    for i in range(160):
        lists[i].append(geodat.domain(geodat.REGEX, rf"^x{i}-\d+\.ads\."))
        lists[i].append(geodat.domain(geodat.KEYWORD, f"tracker{i}"))
    return [geodat.entry(f"SITE-{i}", items) for i, items in enumerate(lists)]


def make_prefixes(rnd):
    """One behind the other, neighbours often of one country."""
    lists = [[] for _ in range(COUNTRIES)]
    at4, at6, country = 1 << 24, 0x2001 << 112, 0
    for i in range(PREFIXES):
        if rnd.random() < 0.6:
            country = int(COUNTRIES * rnd.random() ** 2)
        if i % 10 < 7:
            length = rnd.choice((19, 20, 21, 22, 22, 23, 24, 24, 24, 24))
            size = 1 << 32 - length
            at4 = (at4 + size - 1) // size * size
            lists[country].append(geodat.cidr(at4.to_bytes(4, "big"), length))
            at4 += size * rnd.choice((1, 1, 1, 2, 3))
        else:
            length = rnd.choice((32, 32, 36, 40, 44, 48, 48))
            size = 1 << 128 - length
            at6 = (at6 + size - 1) // size * size
            lists[country].append(geodat.cidr(at6.to_bytes(16, "big"),
                                              length))
            at6 += size
    return [geodat.entry(f"C{i}", items) for i, items in enumerate(lists)]


def make_rules(site="direct", country="block", rest="g", count=1000):
    rules = []
    for i in range(SITES):
        rules.append(f"    domain(geosite:site-{i}) -> {site}")
    for i in range(COUNTRIES):
        rules.append(f"    dip(geoip:c{i}) -> {country}")
    for i in range(count - SITES - COUNTRIES):
        rules.append(f"    dport({1000 + i}) && dip(10.{i}.0.0/16) -> {rest}")
    return "\n".join(rules)


def write_lists(folder):
    rnd = random.Random(20261125)
    geodat.write(os.path.join(folder, "geosite.dat"), make_names(rnd))
    geodat.write(os.path.join(folder, "geoip.dat"), make_prefixes(rnd))


def main(folder):
    write_lists(folder)
    for i, to in enumerate((("direct", "block", "block"),
                            ("block", "direct", "direct"))):
        with open(os.path.join(folder, f"rules.{i}"), "w") as f:
            f.write(make_rules(*to, count=997) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
