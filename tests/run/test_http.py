# SPDX-License-Identifier: Apache-2.0
"""Metrics, health and status over HTTP, asked of the real daemon."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import socket
import time
import unittest

import harness
from scene import Scene

EX_OK, EX_CONFIG = 0, 78
METRIC = re.compile(r'^([a-z_][a-z0-9_]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (-?[0-9.]+)$')


def samples(text):
    """{(name, labels): number} of an exposition; fails at a line that is none."""
    out = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        found = METRIC.match(line)
        assert found, "not a sample: %r" % line
        key = (found.group(1), found.group(2) or "")
        assert key not in out, "twice: %r" % (key,)
        out[key] = float(found.group(3))
    return out


class Http(Scene):
    def scene(self, tenants=3, graph_options=(), start=True, names=None, sinks=None, named=None):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", 4, *graph_options)
        self.port = harness.free_port()
        self.sinks = sinks or {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        self.config = harness.config(self.graph, named or harness.tenants(tenants), self.sinks)
        self.config += "http: %s\n" % json.dumps({"listen": "127.0.0.1:%d" % self.port, "names": names or []})
        self.msspd = harness.Msspd(self.run_, self.config)
        if start:
            self.msspd.start()
            harness.wait_for("it listens", 30, lambda: harness.is_open(self.port))
        return self.msspd

    def ask(self, path, method="GET", **headers):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 * harness.SLOW)
        try:
            c.request(method, path, headers=headers)
            reply = c.getresponse()
            return reply.status, reply.headers, reply.read().decode("utf-8")
        finally:
            c.close()

    def send(self, data, seconds=10):
        """Raw bytes; what came back until the end or the timeout."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds * harness.SLOW) as s:
            got = b""
            try:
                s.sendall(data)
                while True:
                    piece = s.recv(65536)
                    if not piece:
                        return got
                    got += piece
            except (TimeoutError, ConnectionError):
                return got

    def is_alive(self):
        with contextlib.suppress(OSError):
            return self.ask("/healthz")[0] == 200

    def metrics(self):
        status, headers, text = self.ask("/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return samples(text)

    def test_metrics_tell_what_happened(self):
        self.scene(graph_options=("--fault", "3:noconsent"))
        harness.wait_for("alerts were accepted and the third is parked", 30, lambda: self.metrics().get(
            ("msspd_sink_accepted_total", 'sink="out",type="file"'), 0) >= 8 and self.metrics()[
            ("msspd_tenants", 'state="not onboarded"')] == 1)
        m = self.metrics()
        one, bad = 'tenant="t001",customer="t001"', 'tenant="t003",customer="t003"'
        for name, labels, value in (
                ("msspd_tenants", 'state="healthy"', 2), ("msspd_sinks", 'link="up"', 1),
                ("msspd_tenant_alerts_total", one, 4), ("msspd_tenant_forwarded_total", one, 4),
                ("msspd_tenant_health", one, 0), ("msspd_tenant_health", bad, 2),
                ("msspd_tenant_parked", one, 0), ("msspd_tenant_parked", bad, 1),
                ("msspd_tenant_state", bad + ',state="not onboarded"', 1),
                ("msspd_sweep_found_total", one, 0), ("msspd_journal_state", 'state="ok"', 1),
                ("msspd_sink_backlog_entries", 'sink="out",type="file"', 0),
                ("msspd_sink_delivery_delay_seconds_count", 'sink="out",type="file"', 8),
                ("msspd_sink_delivery_delay_seconds_bucket", 'sink="out",type="file",le="+Inf"', 8),
                ("msspd_ready", "", 1), ("msspd_config_good", "", 1)):
            with self.subTest(name + labels):
                self.assertEqual(m[(name, labels)], value)
        self.assertGreater(m[("msspd_requests_total", 'class="2xx"')], 3)
        self.assertGreaterEqual(m[("msspd_requests_total", 'class="4xx"')], 1)
        self.assertLess(m[("msspd_tenant_lag_seconds", one)], 5 * harness.SLOW)
        self.assertGreater(m[("msspd_tenant_repeats_total", one)], 0)
        self.assertGreater(m[("msspd_poll_duration_seconds_count", 'stream="alerts"')], 0)
        self.assertGreater(m[("process_resident_memory_bytes", "")], 1 << 20)
        self.msspd.stop()

    def test_every_metric_is_documented_and_typed(self):
        self.scene()
        text = self.ask("/metrics")[2]
        with open(os.path.join(harness.ROOT, "docs/METRICS.md"), encoding="utf-8") as f:
            documented = set(re.findall(r"^\| `([a-z_]+)`", f.read(), flags=re.M))
        typed = dict(re.findall(r"^# TYPE ([a-z_]+) (counter|gauge|histogram)$", text, flags=re.M))
        self.assertEqual(documented, set(typed))
        self.assertEqual(set(typed), set(re.findall(r"^# HELP ([a-z_]+) \S", text, flags=re.M)))
        for name, _ in samples(text):
            base = re.sub(r"_(bucket|sum|count)$", "", name)
            self.assertTrue(name in typed or typed.get(base) == "histogram", name)
        self.msspd.stop()

    def test_there_are_only_so_many_series(self):
        """What is above 2000 tenants and 200 sinks has none of its own, is counted in the sums, and it is said how many."""
        sinks = {"s%03d" % i: {"type": "file", "path": self.run_.path("s%03d" % i)} for i in range(203)}
        self.scene(tenants=1, named=harness.tenants(2005, poll_interval="1h"), sinks=sinks, start=False)
        self.msspd.configure(self.config.replace(json.dumps(sorted(sinks)), '["s000"]'))
        self.msspd.start()
        harness.wait_for("it listens", 60, lambda: harness.is_open(self.port))
        found = self.metrics()
        for name, most, all_of_them in (("tenant", 2000, 2005), ("sink", 200, 203)):
            own = {re.search(r'(?:^|,)%s="([^"]*)"' % name, labels).group(1) for metric, labels in found
                   if metric.startswith("msspd_%s_" % name)}
            self.assertEqual(len(own), most)
            self.assertEqual(found["msspd_left_out", 'of="%ss"' % name], all_of_them - most)
            self.assertEqual(sum(n for (metric, _), n in found.items() if metric == "msspd_%ss" % name), all_of_them)
        self.msspd.stop()

    def test_a_failed_reload_is_seen(self):
        self.scene()
        self.msspd.configure(self.config.replace('"poll_interval"', '"pol_interval"'))
        self.msspd.hup()
        harness.wait_for("the failed reload is counted", 20,
                         lambda: self.metrics()[("msspd_reload_failures_total", "")] == 1)
        time.sleep(1.1)
        self.assertEqual(self.metrics()[("msspd_config_good", "")], 0)
        self.assertEqual(self.ask("/readyz")[0], 200, "what runs goes on")
        self.msspd.stop()

    def test_ready_says_why_not(self):
        self.scene(tenants=1, graph_options=("--fault", "1:noconsent"), sinks={
            "siem": {"type": "syslog", "servers": "tcp://127.0.0.1:%d" % harness.free_port()}})
        self.assertEqual(self.ask("/healthz")[::2], (200, "alive\n"))
        harness.wait_for("both reasons are said", 20, lambda: self.ask("/readyz")[2].count("\n") == 2
                         and "no tenant can be read" in self.ask("/readyz")[2])
        status, _, text = self.ask("/readyz")
        self.assertEqual(status, 503)
        self.assertIn("no sink can be reached", text)
        self.assertEqual(self.metrics()[("msspd_ready", "")], 0)
        self.msspd.stop()

    def test_status_is_that_of_msspctl(self):
        self.scene()
        status, headers, text = self.ask("/status.json")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        mine, theirs = json.loads(text), self.msspd.status()
        self.assertEqual(set(mine), set(theirs))
        self.assertEqual([set(t) for t in mine["tenants"]], [set(t) for t in theirs["tenants"]])
        self.msspd.stop()

    def test_only_reading_and_only_by_our_names(self):
        self.scene(names=["status.example"])
        address = "127.0.0.1:%d" % self.port
        for host, status in ((address, 200), ("localhost:%d" % self.port, 200), ("[::1]", 200), ("status.example", 200),
                             ("STATUS.example:80", 200), ("10.1.2.3:9464", 200), ("evil.example", 421),
                             ("localhost.evil.example", 421), ("127.0.0.1.evil.example", 421), ("[evil]", 421),
                             ("evil.example:9464", 421), ("127.1", 421), ("localhost.", 421)):
            with self.subTest(host):
                self.assertEqual(self.ask("/metrics", Host=host)[0], status)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
            with self.subTest(method):
                self.assertEqual(self.ask("/metrics", method)[0], 405)
        status, headers, body = self.ask("/metrics", "HEAD")
        self.assertEqual((status, body), (200, ""))
        self.assertGreater(int(headers["Content-Length"]), 1000)
        for path in ("/metrics/", "//metrics", "/../metrics", "/status", "/%6detrics"):
            with self.subTest(path):
                self.assertIn(self.ask(path)[0], (404, 421))
        self.assertEqual(self.ask("/healthz?x=1")[0], 200)
        for name, value in (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"),
                            ("Cross-Origin-Resource-Policy", "same-origin"), ("X-Frame-Options", "DENY")):
            self.assertEqual(headers[name], value)
        self.assertIsNone(headers["Access-Control-Allow-Origin"])
        self.msspd.stop()

    def test_nonsense_is_refused_and_forgotten(self):
        self.scene()
        head = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        for data, want in ((head + b"Content-Length: 5\r\n\r\nhello", b"413"),
                           (head + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"413"),
                           (b"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n", b"413"),
                           (b"GET /healthz HTTP/1.1\r\n\r\n", b"400"),
                           (b"GET http://evil.example/healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
                            b"421"),
                           # What came with one read more than it waits for is taken: so much is never one read.
                           (head + b"X: " + b"x" * 200000 + b"\r\n\r\n", b""),
                           (b"\0" * 3000 + b"\r\n\r\n", b""), (b"GET\r\n\r\n", b""), (b"\r\n" * 5000, b"")):
            got = self.send(data, 3 if not want else 10)
            with self.subTest(data[:60]):
                self.assertNotIn(b" 200 ", got)
                self.assertIn(want, got[:20])
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.msspd.stop()

    def test_slow_clients_hold_up_nobody(self):
        """More than may be connected, none of them finishing: neither alerts nor later askers suffer for ever."""
        self.scene(graph_options=("--rate", 3))
        slow = []
        try:
            for _ in range(28):
                s = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                s.sendall(b"GET /metrics HT")
                slow.append(s)
            began = time.monotonic()
            self.assertEqual(self.ask("/healthz")[0], 200)
            self.assertLess(time.monotonic() - began, 2 * harness.SLOW)
            for _ in range(30):  # the rest wait in the kernel
                s = socket.create_connection(("127.0.0.1", self.port), timeout=10)
                slow.append(s)
            before = self.msspd.status()["sinks"][0]["accepted"]
            harness.wait_for("alerts are sent meanwhile", 20,
                             lambda: self.msspd.status()["sinks"][0]["accepted"] > before)
            fds = len(os.listdir("/proc/%d/fd" % self.msspd.child.pid))
            self.assertLess(fds, 90)
        finally:
            for s in slow:
                s.close()
        harness.wait_for("all are served again", 20, lambda: self.ask("/healthz")[0] == 200)
        self.msspd.stop()

    def test_a_stop_while_somebody_reads_slowly(self):
        """What is left unsent at the end; a sanitizer sees whose memory it is."""
        self.scene(tenants=300)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            s.connect(("127.0.0.1", self.port))
            s.sendall(b"GET /status.json HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 40)
            time.sleep(1.5)
            self.assertEqual(self.ask("/healthz")[0], 200)
            self.msspd.stop()

    def test_many_at_once_cost_one(self):
        self.scene(tenants=200)
        before = self.msspd.cpu_s()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda _: self.ask("/metrics")[2], range(400)))
        took = self.msspd.cpu_s() - before
        self.assertLess(took / 400, 0.003 * harness.SLOW, "CPU seconds a scrape")
        self.assertLess(len(set(texts)), 40)
        self.msspd.stop()

    def test_where_it_listens_follows_the_configuration(self):
        self.scene()
        old, self.port = self.port, harness.free_port()
        self.msspd.configure(self.config.replace(str(old), str(self.port)))
        self.assertEqual(self.msspd.ctl("reload").returncode, 0)
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.assertFalse(harness.is_open(old))
        self.msspd.configure(re.sub("(?m)^http:.*$", "", self.config))
        self.assertEqual(self.msspd.ctl("reload").returncode, 0)
        self.assertFalse(harness.is_open(self.port))
        with socket.create_server(("127.0.0.1", old)):
            self.msspd.configure(self.config)
            self.assertEqual(self.msspd.ctl("reload").returncode, 0)
            harness.wait_for("the taken address is reported", 10, lambda: re.search(
                r"http\.listen 127.*Address already in use.*tried again", self.run_.read(self.msspd.log)))
        self.port = old
        harness.wait_for("it is tried again", 25, self.is_alive)
        self.msspd.stop()

    def test_configuration_is_checked(self):
        self.scene(start=False)
        good = "127.0.0.1:%d" % self.port
        for listen, code, word in ((good, EX_OK, ""), ("[::1]:9464", EX_OK, ""), ("0.0.0.0:9464", EX_OK, "sign in"),
                                   ("[::]:9464", EX_OK, "sign in"), ("192.0.2.1:80", EX_OK, "sign in"),
                                   ("localhost:9464", EX_CONFIG, "not an address"), ("9464", EX_CONFIG, "not an address"),
                                   ("127.0.0.1", EX_CONFIG, "not an address"), ("127.0.0.1:99999", EX_CONFIG, "address"),
                                   ("127.0.0.1:0", EX_CONFIG, "not an address"), ("::1:9464", EX_CONFIG, "address")):
            self.msspd.configure(self.config.replace(good, listen))
            done = self.msspd.call("-n")
            with self.subTest(listen):
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(word, done.stderr)
                self.assertEqual("sign in" in done.stderr, word == "sign in")


if __name__ == "__main__":
    unittest.main()
