# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers to probe, and the program that probes them (see probe_once.c)."""

import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.environ.get("DAE_BUILD", ".")
SOURCE = os.environ["DAE_SOURCE"]
PEERS = os.path.join(
    os.path.dirname(os.environ.get("DAE_DEPS",
                                   "/var/cache/dae-supervisor-deps/current")),
    "peers")
PROBE = os.path.join(BUILD, "tests/harness/probe_once")


def skip(why):
    print("skipped:", why)
    sys.exit(77)


def peer(name):
    path = os.path.join(PEERS, name)
    if not os.access(path, os.X_OK):
        skip(f"{name} is not built: tests/harness/peers")
    return path


def system(name):
    path = shutil.which(name)
    if not path:
        skip(f"{name} is not installed")
    return path


def stop(server):
    """In good order, so that its children end too, or else all at once."""
    server.terminate()
    try:
        server.wait(2)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


class Lab:
    """A folder with certificates, servers that end with it, and a score."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="quic-e2e-")
        os.chmod(self.dir, 0o755)
        self.certs = os.path.join(self.dir, "certs")
        subprocess.run([os.path.join(SOURCE, "tests/harness/certs"),
                        self.certs], check=True)
        self.servers = []
        self.sockets = []
        self.failed = 0
        self.count = 0

    def __enter__(self):
        return self

    def __exit__(self, *args):
        for s in self.servers:
            stop(s)
        for s in self.sockets:
            s.close()
        shutil.rmtree(self.dir)

    def cert(self, name):
        return os.path.join(self.certs, name)

    def run(self, argv, user=None, **kw):
        """A server as another user, since some touch the system as root."""
        if user and os.getuid() == 0:
            p = pwd.getpwnam(user)
            kw.update(user=p.pw_uid, group=p.pw_gid, extra_groups=[])
        kw.setdefault("stdout", subprocess.DEVNULL)
        kw.setdefault("stderr", subprocess.DEVNULL)
        s = subprocess.Popen(argv, stdin=subprocess.DEVNULL, cwd=self.dir,
                             start_new_session=True, **kw)
        self.servers.append(s)
        return s

    def quicpeer(self, *flags, cert="good"):
        """Starts one; returns its port."""
        s = self.run([peer("quicpeer"), "serve", "-cert",
                      self.cert(cert + ".pem"), "-key",
                      self.cert(cert + ".key"), *flags],
                     stdout=subprocess.PIPE, text=True)
        line = s.stdout.readline()
        if not line:
            raise RuntimeError("quicpeer did not start")
        return int(line)

    def udp(self, family=socket.AF_INET, addr="127.0.0.1"):
        """A bound socket of our own."""
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind((addr, 0))
        self.sockets.append(s)
        return s

    def free_port(self):
        """For UDP and TCP, of those that nobody is given unasked."""
        for _ in range(1000):
            port = random.randrange(20000, 32000)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, \
                    socket.socket(socket.AF_INET, socket.SOCK_STREAM) as t:
                try:
                    u.bind(("0.0.0.0", port))
                    t.bind(("0.0.0.0", port))
                    return port
                except OSError:
                    continue
        raise RuntimeError("no port is free")

    def probe(self, kind, port, *args, sni="probe.test", addr="127.0.0.1",
              deadline=5000):
        """The result of one probe, as a dictionary."""
        argv = [PROBE, "--kind", kind, "--to", f"{addr}:{port}",
                "--ca", self.cert("ca.pem"), "--sni", sni,
                "--host", f"probe.test:{port}",
                "--deadline", str(deadline), *args]
        p = subprocess.run(argv, stdout=subprocess.PIPE, text=True,
                           timeout=60)
        try:
            return json.loads(p.stdout)
        except ValueError:
            return {"outcome": f"exit {p.returncode}: {p.stdout!r}"}

    def wait_for(self, kind, port, *args, **kw):
        """Until a server that says nothing when it is ready answers."""
        end = time.monotonic() + 20
        while True:
            r = self.probe(kind, port, *args, deadline=500, **kw)
            if r["outcome"] not in ("refused", "quic_timeout"):
                return
            if time.monotonic() > end:
                raise RuntimeError(f"no server on port {port}: {r}")
            time.sleep(0.05)

    def wait_for_tcp(self, port):
        end = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.05)

    def expect(self, what, result, **want):
        """Every key of want, and of library memory nothing left behind."""
        want.setdefault("leaked", 0)
        wrong = {k: result.get(k) for k, v in want.items()
                 if result.get(k) != v}
        self.count += 1
        if wrong:
            self.failed += 1
            print(f"FAILED {what}: {wrong}, wanted {want}\n  {result}")
        else:
            print(f"ok     {what}")

    def check(self, what, is_true, shown=""):
        self.count += 1
        if not is_true:
            self.failed += 1
        print("ok    " if is_true else "FAILED", what, "" if is_true else shown)

    def score(self):
        print(f"{self.count - self.failed} of {self.count}")
        return 1 if self.failed or not self.count else 0
