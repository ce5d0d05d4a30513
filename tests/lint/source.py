# SPDX-License-Identifier: GPL-2.0-or-later
"""What the lint tests that read C share: files, findings, comments."""

import os
import re
import sys

PARTS = ("common", "supervisor", "worker", "bpf", "tests")


class Lint:
    """Collects findings, FILE:LINE: what, and ends with their verdict."""

    def __init__(self):
        args = sys.argv[1:]
        here = os.path.dirname(os.path.abspath(__file__))
        self.root = os.environ.get("DAE_SOURCE") or f"{here}/../.."
        if args[:1] == ["--root"]:
            self.root = args[1]
        self.findings = 0

    def found(self, path, line, what):
        print(f"{path}:{line}: {what}")
        self.findings += 1

    def files(self, suffixes, parts=PARTS):
        for part in parts:
            for folder, _, names in sorted(os.walk(f"{self.root}/{part}")):
                for name in sorted(names):
                    path = os.path.relpath(f"{folder}/{name}", self.root)
                    if name.endswith(suffixes) and "/corpus/" not in path:
                        yield path

    def read(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as f:
            return f.read()

    def finish(self):
        if self.findings:
            print(f"{self.findings} found")
        sys.exit(1 if self.findings else 0)


def without_comments(text):
    """The text with comments, strings and characters blanked, lines kept."""

    def blank(match):
        token = match.group(0)
        if token[0] == "/":
            return re.sub(r"[^\n]", " ", token)
        return token[0] + "_" * (len(token) - 2) + token[0]

    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank, text, flags=re.S)
