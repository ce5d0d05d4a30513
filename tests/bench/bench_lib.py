# SPDX-License-Identifier: GPL-2.0-or-later
"""What the benchmarks share: a network of their own, the daemon as it is
shipped, what its processes use, and how a value is told."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("DAE_SOURCE", os.path.join(HERE, "../.."))
sys.path.insert(0, os.path.join(HERE, "../e2e"))
from quic_lib import BUILD, Lab, peer, skip, stop, system  # noqa: E402,F401

SHORT = "--short" in sys.argv
FAR = "192.0.2.1", "2001:db8::1"  # what the default routes lead to
TICK = os.sysconf("SC_CLK_TCK")
INSIDE = "DAE_BENCH_INSIDE"
# Ours on one core, the servers on the other, if there are two.
OURS, SERVERS = ({0}, {1}) if os.cpu_count() > 1 else ({0}, {0})

median = statistics.median


def tell(name, value, unit, goal=None, met=None):
    """One value; with a goal it is met if it is not above it."""
    if goal is not None and met is None:
        met = value <= goal
    print(json.dumps(dict(name=name, value=round(value, 3), unit=unit,
                          goal=goal, met=met)), flush=True)


def built(path):
    path = os.path.join(BUILD, path)
    if not os.access(path, os.X_OK):
        raise RuntimeError(f"{path} is not built")
    return path


def enter_own_network():
    """Namespaces of network and mounts that end with this process."""
    if os.getuid() != 0:
        skip("needs root")
    if INSIDE not in os.environ:
        os.environ[INSIDE] = "1"
        os.execvp("unshare", ["unshare", "--net", "--mount", sys.executable,
                              "-B", *sys.argv])
    ip("link set lo up",
       "link add up0 type veth peer name up1",
       "addr add 192.0.2.2/24 dev up0",
       "addr add 2001:db8::2/64 dev up0 nodad",
       "link set up0 up", "link set up1 up",
       f"route add default via {FAR[0]}",
       f"route add default via {FAR[1]}")


def ip(*lines, prefix=()):
    for line in lines:
        subprocess.run([*prefix, "ip", *line.split()], check=True)


class FarLab(Lab):
    """A lab whose servers are on a host of their own, beyond up0."""

    def __init__(self):
        super().__init__()
        self.prefix = []
        s = self.run(["unshare", "--net", "sh", "-c", "echo; exec sleep 9999"],
                     stdout=subprocess.PIPE)
        s.stdout.readline()
        self.prefix = ["nsenter", f"--net=/proc/{s.pid}/ns/net"]
        ip(f"link set up1 netns {s.pid}")
        ip("link set lo up", f"addr add {FAR[0]}/24 dev up1",
           f"addr add {FAR[1]}/64 dev up1 nodad", "link set up1 up",
           prefix=self.prefix)

    def run(self, argv, user=None, **kw):
        return super().run([*self.prefix, *argv], user, **kw)


def bytes_of_up0():
    """Both ways, headers of IP included and those of the link not."""
    p = subprocess.run(["ip", "-s", "-j", "link", "show", "up0"],
                       stdout=subprocess.PIPE, check=True)
    stats = json.loads(p.stdout)[0]["stats64"]
    return sum(stats[way]["bytes"] - 14 * stats[way]["packets"]
               for way in ("rx", "tx"))


@contextlib.contextmanager
def own_cgroup():
    """The daemon hangs its hooks on the cgroup it finds itself in: on one of
    ours, below the one we were started in."""
    with open("/proc/self/mounts") as f:
        root = next((m.split()[1] for m in f if m.split()[2] == "cgroup2"),
                    None)
    with open("/proc/self/cgroup") as f:
        here = next((c[3:].strip() for c in f if c.startswith("0::")), None)
    if not root or not here:
        skip("needs a cgroup v2")
    outer = root + here.rstrip("/")
    mine = f"{outer}/dae-bench.{os.getpid()}"
    os.mkdir(mine)
    try:
        move_to(mine)
        yield
    finally:
        move_to(outer)
        remove_cgroup(mine)


def move_to(cgroup):
    with open(f"{cgroup}/cgroup.procs", "w") as f:
        f.write(str(os.getpid()))


def remove_cgroup(path):
    for _ in range(50):
        try:
            os.rmdir(path)
            return
        except OSError:
            time.sleep(0.1)
    print(f"{path} could not be removed", file=sys.stderr)


def put_first(pid):
    """nice(2) counts within a session alone, where sessions are groups."""
    with contextlib.suppress(OSError):
        with open(f"/proc/{pid}/autogroup", "w") as f:
            f.write("-19")


def cpu_s(pid):
    """User and system time so far, in seconds."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def memory_kb(pid):
    """What of it is resident: all (as ps shows it), anonymous, its share."""
    m = {}
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            key, _, rest = line.partition(":")
            if rest.endswith("kB\n"):
                m[key] = int(rest.split()[0])
    with open(f"/proc/{pid}/status") as f:
        rss = next(int(x.split()[1]) for x in f if x.startswith("VmRSS"))
    return {"rss": rss, "anon": m["Anonymous"], "pss": m["Pss"]}


def tell_memory(name, m, goal_mb=None):
    tell(f"{name}_rss", m["rss"] / 1024, "MiB", goal_mb)
    tell(f"{name}_anon", m["anon"] / 1024, "MiB")
    tell(f"{name}_pss", m["pss"] / 1024, "MiB")


def wait_until(what, is_so, limit=20.0, step=0.1):
    end = time.monotonic() + limit
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"{what} did not come about")
        time.sleep(step)


class Daemon:
    """dae-supervisor with its workers, as they are shipped, on OURS."""

    def __init__(self, lab, config, name="d", prefix=()):
        self.dir = os.path.join(lab.dir, name)
        os.makedirs(self.dir, exist_ok=True)
        path = os.path.join(self.dir, "config.dae")
        with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC,
                          0o600), "w") as f:
            f.write(config.replace("@CA@", lab.cert("ca.pem")))
        self.socket = os.path.join(self.dir, "run/control.sock")
        self.log = os.path.join(self.dir, "log")
        libexec = os.path.join(self.dir, "libexec")
        os.makedirs(libexec, exist_ok=True)
        for program in ("worker/dae-worker", "supervisor/compile/dae-compile"):
            link = os.path.join(libexec, os.path.basename(program))
            if not os.path.lexists(link):
                os.symlink(built(program), link)
        with open(self.log, "w") as log:
            self.process = subprocess.Popen(
                [*prefix, built("supervisor/dae-supervisor"), "-c", path,
                 "--runtime-dir", self.dir + "/run",
                 "--state-dir", self.dir + "/state",
                 "--bpf-dir", os.path.join(lab.dir, "bpf", name),
                 "--libexec", libexec],
                stdin=subprocess.DEVNULL, stderr=log, stdout=log,
                start_new_session=True)
        os.sched_setaffinity(self.process.pid, OURS)
        put_first(self.process.pid)
        self.pid = self.process.pid

    def __enter__(self):
        try:
            wait_until("the daemon", self.is_ready)
        except RuntimeError:
            self.__exit__()
            with open(self.log) as log:
                print(log.read(), file=sys.stderr)
            raise
        return self

    def __exit__(self, *args):
        stop(self.process)

    def is_ready(self):
        if self.process.poll() is not None:
            raise RuntimeError("the daemon ended")
        try:
            return len(self.workers()) > 0
        except subprocess.CalledProcessError:
            return False

    def daectl(self, *args):
        """The data of its answer; some have none."""
        p = subprocess.run(
            [built("supervisor/ctl/daectl"), "--socket", self.socket,
             *args, "--json"], stdout=subprocess.PIPE, text=True, check=True,
            stderr=subprocess.DEVNULL, timeout=30)
        return json.loads(p.stdout)["data"] if p.stdout.strip() else None

    def workers(self):
        return [w["pid"] for w in self.daectl("workers")
                if w["pid"] and w["state"] == "ready"]

    def checks(self):
        return self.daectl("status")["checks"]

    def wait_results(self, count, limit=240):
        wait_until(f"{count} results",
                   lambda: self.checks()["results"] >= count, limit)

    def must_be_clean(self):
        """No figure counts if a check has failed."""
        bad = [m["name"] for m in self.daectl("monitors")
               if any(c["fail_total"] or c["ours_total"]
                      for c in m["checks"])]
        if bad:
            raise RuntimeError(f"checks have failed: {bad[:5]}")


def monitors(count, url, interval="100ms", more="", name="m"):
    """@count of them; {i} in the URL is the number."""
    return "\n".join(f"{name}{i}: '{url.format(i=i)}' "
                     f"[interval: {interval}{more}]" for i in range(count))


def observe(lines, at_once=2000):
    """A configuration that only watches, as fast as it is told to."""
    return ("supervisor {\nmode: observe\nca_file: '@CA@'\nadaptive: off\n"
            f"max_concurrent: {at_once}\nprobe_rate: 100000\n"
            f"workers: 1\n{lines}\n}}\n")


@contextlib.contextmanager
def bench(kind=Lab):
    """The lab, with the network and the cgroup around it. What else the
    machine does is not to be measured: everything of ours goes first."""
    enter_own_network()
    with contextlib.suppress(OSError):
        os.nice(-19)
    put_first(os.getpid())
    with own_cgroup(), kind() as lab:
        bpf = os.path.join(lab.dir, "bpf")
        os.mkdir(bpf)
        subprocess.run(["mount", "-t", "bpf", "bpf", bpf], check=True)
        try:
            yield lab
        finally:
            subprocess.run(["umount", bpf], check=True)


def pin_servers(lab):
    for s in lab.servers:
        os.sched_setaffinity(s.pid, SERVERS)
        put_first(s.pid)


def pinned(cpus, argv):
    return ["taskset", "-c", ",".join(map(str, cpus)), *argv]


def bare_probes(lab, port, n, *args, at_once=20, deadline=20000, kind="h3"):
    """The probe alone in one process, neither sandbox nor supervisor."""
    p = subprocess.run(
        pinned(OURS, [built("tests/harness/probe_bench"), "--kind", kind,
                      "--to", f"127.0.0.1:{port}", "--ca",
                      lab.cert("ca.pem"), "--sni", "probe.test", "--host",
                      f"probe.test:{port}", "--deadline", str(deadline),
                      "--repeat", str(n), "--at-once", str(at_once), *args]),
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        timeout=300)
    return json.loads(p.stdout)


def quic_go(lab, port, n, close=True):
    """The peer: a client of quic-go, the same question to the same server."""
    p = subprocess.run(
        pinned(OURS, [peer("quicpeer"), "client", "-addr",
                      f"127.0.0.1:{port}", "-url",
                      f"https://probe.test:{port}/", "-ca",
                      lab.cert("ca.pem"), "-n", str(n), "-c", "20",
                      f"-close={str(close).lower()}"]),
        stdout=subprocess.PIPE, text=True, check=True, timeout=300,
        env={**os.environ, "GOMAXPROCS": "1"})
    r = json.loads(p.stdout)
    if r["ok"] != n:
        raise RuntimeError(f"quic-go's probes failed: {r}")
    return r


def dns_peer(lab, *args):
    """A name server that answers everything; returns its port."""
    s = lab.run([built("tests/harness/dns_peer"), *args],
                stdout=subprocess.PIPE, text=True)
    return int(s.stdout.readline())
