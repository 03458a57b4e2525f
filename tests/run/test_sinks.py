# SPDX-License-Identifier: Apache-2.0
"""Fifty customers, each with a SIEM of its own, during a storm and reloads: no foreign record anywhere."""
import json
import socket
import threading
import time
import unittest

import harness
from scene import Scene, syslog_sink
from truth import Delivered, Truth, compare


class Collector:
    """Fifty listeners in one process: LF framing, one connection or many, rows by port."""

    def __init__(self, n):
        self.rows_by_port, self.lock = {}, threading.Lock()
        self.listeners = [socket.create_server(("127.0.0.1", 0), backlog=16) for _ in range(n)]
        self.ports = [s.getsockname()[1] for s in self.listeners]
        for s, port in zip(self.listeners, self.ports):
            self.rows_by_port[port] = []
            threading.Thread(target=self.accept, args=(s, port), daemon=True).start()

    def accept(self, listener, port):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self.read, args=(connection, port), daemon=True).start()

    def read(self, connection, port):
        try:
            with connection, connection.makefile("rb") as f:
                for line in f:
                    text = line.decode("utf-8", "replace")
                    if not text.endswith("\n"):
                        return  # the connection ended in the middle: not a frame
                    start = text.index("CEF:")
                    with self.lock:
                        self.rows_by_port[port].append({"msg": text[start:-1], "header": text[:start]})
        except (OSError, ValueError):
            pass

    def close(self):
        for s in self.listeners:
            s.close()


class ManySinks(Scene):
    customers = 50
    seconds = 60 if harness.SOAK else 15

    def configuration(self, graph, collector, generation):
        names = ["t%03d" % i for i in range(1, self.customers + 1)]
        sinks = {"siem-" + n: syslog_sink("tcp://127.0.0.1:%d" % port, only=[n], confirm_after="1s",
                                          # every reload changes half of the sinks
                                          app_name="msspd-%d" % (generation if i % 2 else 0))
                 for i, (n, port) in enumerate(zip(names, collector.ports))}
        tenants = {n: {"id": harness.FakeGraph.tenant_id(i + 1), "sinks": ["siem-" + n]}
                   for i, n in enumerate(names)}
        return harness.config(graph, tenants, sinks, sinks=["siem-t001"], overlap="20s")

    def test_no_foreign_record(self):
        graph = harness.FakeGraph(self.run_, "--tenants", self.customers, "--alerts", 60, "--rate", 3,
                                  "--hostile", 6)
        collector = Collector(self.customers)
        self.addCleanup(collector.close)
        msspd = harness.Msspd(self.run_, self.configuration(graph, collector, 0)).start()
        harness.wait_for("all were read", 60, lambda: all(t["polls"] > 0 for t in msspd.status()["tenants"]))
        self.mark_up()
        end, generation = time.monotonic() + self.seconds, 0
        while time.monotonic() < end:
            time.sleep(1.5)
            generation += 1
            msspd.configure(self.configuration(graph, collector, generation))
            msspd.hup()
        graph.stop_story()
        self.assert_all_arrived(graph, msspd, AllRows(collector), seconds=150)
        _, code = msspd.stop()
        self.assertEqual(code, 0)
        for i, port in enumerate(collector.ports):
            mine = harness.FakeGraph.tenant_id(i + 1)
            rows = collector.rows_by_port[port]
            self.assertTrue(rows)
            foreign = [r for r in rows if "cs3=%s " % mine not in r["msg"] + " "
                       or "MicrosoftDefenderEventId=%s/" % mine not in r["msg"]]
            self.assertEqual(foreign, [])

    def test_routing_to_a_stranger_is_an_error(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 0)
        sinks = {"one": syslog_sink("udp://127.0.0.1:9", only=["t001"])}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2), sinks))
        done = msspd.call("-n")
        self.assertEqual(done.returncode, 78)
        self.assertIn("t002", done.stderr)

    def test_a_dead_sink_stops_no_other(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 100, "--rate", 3)
        siem = harness.SyslogNg(self.run_)
        hole = socket.create_server(("127.0.0.1", 0))  # accepts, never reads
        self.addCleanup(hole.close)
        sinks = {"good": syslog_sink("tcp://127.0.0.1:%d" % siem.lf, confirm_after="1s"),
                 "nobody": syslog_sink("tcp://127.0.0.1:%d" % harness.free_port()),
                 "hole": syslog_sink("tcp://127.0.0.1:%d" % hole.getsockname()[1])}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(3), sinks)).start()
        harness.wait_for("all were read", 60, lambda: all(t["polls"] > 0 for t in msspd.status()["tenants"]))
        self.mark_up()
        nobody = lambda: next(s for s in msspd.status()["sinks"] if s["sink"] == "nobody")
        harness.wait_for("more than there was at the start waits for nobody", 60, lambda: nobody()["backlog"] > 310, 0.2)
        graph.stop_story()
        self.assert_all_arrived(graph, msspd, siem)
        self.assertEqual(nobody()["link"], "down")
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 1.2 * harness.SLOW)

    def test_match_chooses(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 80, "--rate", 5)
        def out(name):
            return self.run_.path(name + ".cef")
        matches = {"high": {"severity": ["high"]}, "one": {"tenants": ["t001"]},
                   "resolved": {"events": ["resolved"]}, "nothigh": {"not": {"severity": ["high"]}},
                   "gold": {"labels": {"tier": "gold"}}, "all": None}
        sinks = {}
        for name, match in matches.items():
            sinks[name] = {"type": "file", "path": out(name), "format": "cef"}
            if match:
                sinks[name]["match"] = match
        text = harness.config(graph, {"t001": dict(id=graph.tenant_id(1), customer="c1"),
                                      "t002": dict(id=graph.tenant_id(2)), "t003": dict(id=graph.tenant_id(3))},
                              sinks)
        text += "customers: %s\n" % json.dumps({"c1": {"name": "C 1", "labels": {"tier": "gold"}}})
        msspd = harness.Msspd(self.run_, text).start()
        self.mark_up()
        time.sleep(8)
        graph.stop_story()
        from test_receivers import FileRows
        self.assert_all_arrived(graph, msspd, FileRows(out("all")))
        msspd.stop()
        events = {}
        for name in matches:
            delivered = Delivered(FileRows(out(name)).rows())
            self.assertEqual(delivered.wrong, [])
            events[name] = delivered.fields
        everything = events["all"]
        expect = {"high": lambda h, f: h["severity"] in ("8", "Unknown"), "one": lambda h, f: f["cs3"].endswith("1"),
                  "resolved": lambda h, f: f["act"] in ("resolved", "unreadable"),
                  "nothigh": lambda h, f: h["severity"] != "8", "gold": lambda h, f: f["cs4"] == "C 1"}
        for name, rule in expect.items():
            want = {e for e, (_, h, f) in everything.items() if rule(h, f)}
            self.assertEqual(set(events[name]), want, name)


class AllRows:
    def __init__(self, collector):
        self.collector = collector

    def rows(self):
        with self.collector.lock:
            return [row for rows in self.collector.rows_by_port.values() for row in rows]


if __name__ == "__main__":
    unittest.main()
