#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make bench: what msspd costs, from one run, beside a client that only downloads the pages.

CPU time, not wall time, is what a shared machine tells truthfully; ratios say more than either.
"""
import glob
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "run"))
import harness  # noqa: E402  (the path first)
from harness import ROOT  # noqa: E402

TENANTS, ALERTS = 50, 2000


class CountingSink:
    """A TLS receiver of our own that counts messages and says when each came."""

    def __init__(self, pki=None):
        self.count, self.bytes, self.stamps = 0, 0, {}
        self.context = None
        if pki:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(pki("server.crt"), pki("server.key"))
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.read, args=(connection,), daemon=True).start()

    def read(self, connection):
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
            tail = b""
            while True:
                data = connection.recv(1 << 18)
                if not data:
                    return
                now = time.time()
                self.bytes += len(data)
                text = tail + data
                self.count += text.count(b" CEF:0|")
                if self.stamps is not None and len(self.stamps) < 100000:
                    self.stamp(text, now)
                tail = text[-6:]
        except OSError:
            pass

    def stamp(self, text, now):
        """Ids that are cut by a read are left out of the latency."""
        at = text.find(b"MicrosoftDefenderEventId=")
        while at >= 0:
            end = text.find(b" ", at)
            if end < 0:
                return
            self.stamps.setdefault(text[at + 25:end].decode(), now)
            at = text.find(b"MicrosoftDefenderEventId=", end)


def row(what, value, bound=""):
    print("%-58s %14s  %s" % (what, value, bound), flush=True)


def aim(what, value, bound, unit):
    """What is to be explained, but is no condition."""
    row(what, "%.2f %s" % (value, unit), "%s: aim %g" % ("good" if value <= bound else "MISSED", bound))


# With three million remembered alerts, each of the rows of the memory is to cost at most 5 us.
ARGUMENTS = {"bench_journal": ["20000", "1", "3000000"]}


def stages(gate):
    print("\nCPU per stage, in processes of their own")
    for program in sorted(glob.glob(os.path.join(ROOT, "build/plain/bench/bench_*"))):
        if program.endswith("bench_download") or not os.access(program, os.X_OK):
            continue
        more = ARGUMENTS.get(os.path.basename(program), [])
        done = subprocess.run([program] + more, capture_output=True, text=True, cwd=ROOT, check=False)
        print("".join("  " + line + "\n" for line in (done.stdout or done.stderr).splitlines()), end="")
        for what, us in re.findall(r"^(remember|again|update) .*? ([\d.]+) us CPU", done.stdout, re.M):
            gate(row, "  a remembered alert of 3 million, %s" % what, float(us), 5, "us")


def download(graph, pki):
    """CPU per alert of a client that does nothing else."""
    client = [os.path.join(ROOT, "build/plain/bench/bench_download"), graph.url,
              "6f0c8a5e-0000-4000-8000-000000000001", graph.SECRET, pki("ca.crt"), str(TENANTS)]
    for _ in range(2):  # the first one warms the server's cache of compressed pages
        done = subprocess.run(client, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return float(done.stdout.split()[2]) / (TENANTS * ALERTS) * 1e6


def whole_way(run, gate):
    pki = harness.Pki(run)
    graph = harness.FakeGraph(run, "--tenants", TENANTS, "--alerts", ALERTS, "--corpus", "bench",
                              "--tls-cert", pki("server.crt"), "--tls-key", pki("server.key"))
    total = TENANTS * ALERTS
    bare = download(graph, pki)
    sink = CountingSink(pki)
    sink.stamps = None
    text = harness.config(graph, harness.tenants(TENANTS), {"siem": {
        "type": "syslog", "servers": "tls://localhost:%d" % sink.port, "hostname": "{customer}",
        "tls": {"ca_file": pki("ca.crt")}}}, poll_interval="60s", budget=1000)
    text = text.replace('"secret_file"', '"ca_file": "%s", "secret_file"' % pki("ca.crt"))
    msspd = harness.Msspd(run, text)
    began = time.monotonic()
    msspd.start()
    peak = 0
    while sink.count < total:
        peak = max(peak, msspd.rss_kib())
        assert msspd.child.poll() is None, run.read(msspd.log)
        assert time.monotonic() - began < 600, "%d of %d\n%s" % (sink.count, total, run.read(msspd.log)[-3000:])
        time.sleep(0.02)
    harness.wait_for("all is accepted", 120, lambda: msspd.status()["sinks"][0]["backlog"] == 0, 0.5)
    took, cpu = time.monotonic() - began, msspd.cpu_s() / total * 1e6
    print("\nThe whole way: %d alerts of 5.2 KB, %d tenants, TLS and gzip in, journalled, CEF over TLS out"
          % (total, TENANTS))
    row("bare client: download and decompress only", "%.1f us/alert" % bare)
    gate(row, "msspd: CPU per alert", cpu, 45, "us/alert")
    row("  as a ratio to the bare client", "%.2f" % (cpu / bare))
    row("  wall time, until all was accepted", "%.1f s" % took, "with confirm_after 10 s")
    gate(row, "resident while draining 100,000 alerts", peak / 1024, 64, "MiB")
    row("bytes out per alert", "%.0f" % (sink.bytes / total))
    time.sleep(1)
    stop, _ = msspd.stop()
    gate(row, "stop with all state saved", stop, 1.0, "s")
    assert sink.count == total, "%d events for %d alerts" % (sink.count, total)
    graph.child.terminate()


def of_threads(pid, begins):
    """Seconds of CPU of those threads of a process whose names begin so."""
    spent = 0
    for task in glob.glob("/proc/%d/task/*" % pid):
        with open(task + "/comm", encoding="ascii") as name, open(task + "/schedstat", encoding="ascii") as stat:
            if name.read().startswith(begins):
                spent += int(stat.read().split()[0]) / 1e9
    return spent


def fan_out_run(run, graph, pki, broker, sinks):
    """What one alert costs on its way to those sinks: CPU in all, CPU of librdkafka's threads, bytes stored by
    the broker; and what is resident at the end."""
    total = TENANTS * ALERTS
    text = harness.config(graph, harness.tenants(TENANTS), sinks, poll_interval="60s", budget=1000)
    text = text.replace('"secret_file"', '"ca_file": "%s", "secret_file"' % pki("ca.crt"))
    msspd = harness.Msspd(run, text, name="fan-" + sinks["lake"]["topic"])
    msspd.start()
    harness.wait_for("all is accepted", 300, lambda: all(
        s["accepted"] >= total and s["backlog"] == 0 for s in msspd.status()["sinks"]), 0.5)
    cpu, theirs = msspd.cpu_s(), of_threads(msspd.child.pid, "rdk:")
    resident = msspd.rss_kib() / 1024
    msspd.stop()
    return cpu / total * 1e6, theirs / total * 1e6, broker.stored(sinks["lake"]["topic"]) / total, resident


def fan_out(run, gate):
    """The same way to a real Kafka broker, alone and beside the SIEM; and what its compression costs and saves."""
    import kafka
    broker = kafka.Kafka(run)
    pki = broker.pki
    graph = harness.FakeGraph(run, "--tenants", TENANTS, "--alerts", ALERTS, "--corpus", "bench", "--tls-cert",
                              pki("server.crt"), "--tls-key", pki("server.key"), name="fan")
    siem = CountingSink(pki)
    siem.stamps = None
    syslog = {"type": "syslog", "servers": "tls://localhost:%d" % siem.port, "hostname": "{customer}",
              "tls": {"ca_file": pki("ca.crt")}}
    print("\nFan-out: the same alerts, TLS and gzip in, journalled, to a real Kafka broker")
    row("bare client: download and decompress only", "%.1f us/alert" % download(graph, pki))
    fan_out_run(run, graph, pki, broker, {"lake": kafka.sink(broker, "warm")})  # a JVM is slow to answer at first
    for name, topic, sinks, bound in (("OCSF to Kafka", "alone", {}, 60),
                                      ("CEF to syslog and OCSF to Kafka", "beside", {"siem": syslog}, 75)):
        cpu, theirs, _, resident = fan_out_run(run, graph, pki, broker, dict(sinks, lake=kafka.sink(broker, topic)))
        gate(row, name + ": CPU per alert", cpu, bound, "us/alert")
        row("  of it librdkafka's own threads", "%.1f us/alert" % theirs)
        row("  resident at the end", "%.1f MiB" % resident)
    row("bytes in the broker's log per alert", "%.0f" % (broker.stored("alone") / (TENANTS * ALERTS)), "not compressed")
    for kind in ("lz4", "zstd"):
        lake = kafka.sink(broker, kind, rdkafka={"compression.type": kind})
        cpu, theirs, stored, _ = fan_out_run(run, graph, pki, broker, {"lake": lake})
        row("  with compression.type %s: CPU per alert" % kind, "%.1f us/alert" % cpu, "%.1f of it theirs" % theirs)
        row("    bytes in the broker's log per alert", "%.0f" % stored)
    graph.child.terminate()
    broker.kill()


def steady(run, gate):
    """70,000 remembered alerts are read again and again: what a repeat costs."""
    graph = harness.FakeGraph(run, "--tenants", 35, "--alerts", 2000, "--corpus", "bench", name="steady")
    text = harness.config(graph, harness.tenants(35), {"out": {"type": "file", "path": "/dev/null",
                                                              "format": "cef"}},
                          poll_interval="5s", overlap="1d", budget=1000)
    msspd = harness.Msspd(run, text, name="steady")
    msspd.start()
    harness.wait_for("the first read", 300, lambda: sum(t["forwarded"] for t in msspd.status()["tenants"]) >= 70000)
    time.sleep(6)
    seen = lambda: 2000 * sum(t["polls"] for t in msspd.status()["tenants"])
    a0, c0 = seen(), msspd.cpu_s()
    time.sleep(25)
    a1, c1 = seen(), msspd.cpu_s()
    print("\nSteady state: 70,000 remembered alerts, all read again at every poll (plain HTTP, gzip)")
    row("CPU per alert that is known", "%.1f us/alert" % ((c1 - c0) / max(1, a1 - a0) * 1e6))
    row("alerts read again", "%d" % (a1 - a0))
    row("resident", "%.1f MiB" % (msspd.rss_kib() / 1024))
    msspd.stop()
    graph.child.terminate()


def idle(run, gate):
    graph = harness.FakeGraph(run, "--tenants", 500, "--alerts", 0, name="idle")
    text = harness.config(graph, harness.tenants(500), {"out": {"type": "file", "path": run.path("idle.out"),
                                                               "format": "cef"}}, poll_interval="60s")
    msspd = harness.Msspd(run, text, name="idle")
    began = time.monotonic()
    msspd.start(wait=False)
    first = harness.wait_for("the first poll", 10, lambda: first_poll(graph), 0.005)
    gate(row, "start to first poll", max(0, first - began), 0.2, "s")
    time.sleep(62)  # every tenant has a token and was read once
    c0, t0 = msspd.cpu_s(), time.monotonic()
    time.sleep(60)
    share = (msspd.cpu_s() - c0) / (time.monotonic() - t0) * 100
    print("\nIdle: 500 tenants at 60 s, plain HTTP with keep-alive")
    aim("CPU of one core", share, 0.2, "%")
    gate(row, "resident", msspd.rss_kib() / 1024, 30, "MiB")
    msspd.stop()
    graph.child.terminate()


def first_poll(graph):
    import json
    times = [t["first_ms"] for t in json.loads(graph.ask("/_control/requests"))["tenants"] if t.get("first_ms")]
    return min(times) / 1000 if times else None


def latency(run, gate):
    """From the poll that could see it to the SIEM."""
    graph = harness.FakeGraph(run, "--tenants", 20, "--alerts", 5, "--rate", 5, name="fresh")
    sink = CountingSink()
    text = harness.config(graph, harness.tenants(20), {"siem": {"type": "syslog", "framing": "lf",
                          "servers": "tcp://127.0.0.1:%d" % sink.port}}, poll_interval="1s")
    msspd = harness.Msspd(run, text, name="fresh")
    msspd.start()
    time.sleep(25)
    graph.stop_story()
    time.sleep(2)
    from truth import Truth, event_id
    late = []
    for v in Truth(graph.truth_file).versions():
        got = sink.stamps.get(event_id(v))
        if got is not None and v["event"] == "new" and v["visible_from"] / 1000 > time.time() - 26:
            late.append(got - v["visible_from"] / 1000)
    late.sort()
    msspd.stop()
    graph.child.terminate()
    if not late:
        row("fresh alert to SIEM", "nothing measured")
        return
    p99 = late[int(len(late) * 0.99)]
    print("\nFreshness: 20 tenants polled every second, %d fresh alerts" % len(late))
    row("alert visible to SIEM, p99", "%.0f ms" % (p99 * 1000))
    aim("  apart from the poll interval", max(0, (p99 - 1) * 1000), 150, "ms")


def main():
    failed = []

    def gate(say, what, value, bound, unit):
        ok = value <= bound
        say(what, "%.2f %s" % (value, unit), "%s: at most %g" % ("good" if ok else "MISSED", bound))
        if not ok:
            failed.append(what)

    parts = {"stages": lambda run: stages(gate), "way": lambda run: whole_way(run, gate),
             "fan-out": lambda run: fan_out(run, gate),
             "steady": lambda run: steady(run, gate), "idle": lambda run: idle(run, gate),
             "latency": lambda run: latency(run, gate)}
    for name in sys.argv[1:] or parts:
        run = harness.Run()
        try:
            parts[name](run)
        finally:
            run.close(keep=os.environ.get("MSSPD_KEEP") == "1")
    if failed:
        print("\nmissed: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
