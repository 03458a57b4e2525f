# SPDX-License-Identifier: Apache-2.0
"""Sick tenants among healthy ones, and many tenants in one process: everybody is polled on time."""
import itertools
import json
import sys
import time
import unittest

import harness
from scene import Scene

SICK = {1: ("429=60",), 2: ("noconsent",), 3: ("latency=30000",), 4: ("hang",), 5: ("garbage",)}


def lateness_ms(requests, interval_ms, indexes, since):
    """How much later than one interval after the last one each poll came, sorted. A poll that has not come
    is as late as it is when the last of all polls comes."""
    late, until = [], max(p for t in requests["tenants"] for p in t["polls"] + [since])
    for t in requests["tenants"]:
        if t["index"] in indexes:
            polls = [p for p in t["polls"] if p >= since]
            late += [max(0, b - a - interval_ms) for a, b in zip(polls, polls[1:] + [until])]
            if not polls:
                late.append(until - since)
    return sorted(late)


def p99(values):
    return values[int(len(values) * 0.99)] if values else None


class Tenants(Scene):
    def poll_for(self, n, interval, seconds, faults, settle=5):
        """Polls n tenants; returns (requests as fake-graph saw them, since when, msspd)."""
        options = [o for index, kinds in faults.items() for kind in kinds for o in ("--fault", "%d:%s" % (index, kind))]
        graph = harness.FakeGraph(self.run_, "--tenants", n, "--alerts", 2, *options, name="graph%d" % len(faults))
        sinks = {"out": {"type": "file", "path": self.run_.path("out%d.cef" % len(faults)), "format": "cef"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(n), sinks,
                                                        poll_interval="%ds" % interval),
                              name="msspd%d" % len(faults)).start()
        time.sleep(settle)
        since = time.monotonic() * 1000
        time.sleep(seconds)
        return graph, json.loads(graph.ask("/_control/requests")), since, msspd

    def test_the_sick_do_not_delay_the_healthy(self):
        interval, seconds = 2, 60 if harness.SOAK else 14
        healthy = set(range(6, 106))
        late = {}
        for name, faults in (("without", {}), ("with", SICK)):
            graph, requests, since, msspd = self.poll_for(105, interval, seconds, faults)
            values = lateness_ms(requests, interval * 1000, healthy, since)
            self.assertGreater(len(values), 100 * (seconds / interval - 3))
            late[name] = p99(values)
            if faults:
                self.check_states(msspd.status())
                self.assertEqual(requests["bearer_elsewhere"], 0)
            _, code = msspd.stop()
            self.assertEqual(code, 0)
            graph.child.terminate()
            graph.child.wait()
        print("p99 delay of the healthy: %d ms without the sick, %d ms with them"
              % (late["without"], late["with"]), file=sys.stderr)
        self.assertLess(late["with"], late["without"] + 1000 * harness.SLOW)
    test_the_sick_do_not_delay_the_healthy.alone = True

    def check_states(self, status):
        states = {t["tenant"]: t for t in status["tenants"]}
        self.assertEqual(states["t001"]["state"], "throttled")
        self.assertEqual(states["t002"]["state"], "not onboarded")
        self.assertEqual(states["t005"]["state"], "garbled")
        self.assertTrue(all(states[t]["trouble"] for t in ("t001", "t002", "t005")))
        self.assertEqual({states["t%03d" % i]["state"] for i in range(6, 106)}, {"healthy"})

    def test_many_that_hang_delay_nobody(self):
        """More than could hold a place or room for a page if waiting were enough for that."""
        interval, seconds = 2, 10
        faults = {i: ("hang",) for i in range(1, 41)}
        healthy = set(range(41, 106))
        _, requests, since, msspd = self.poll_for(105, interval, seconds, faults, settle=0)
        late = lateness_ms(requests, interval * 1000, healthy, since)
        self.assertGreater(len(late), len(healthy) * (seconds / interval - 2))
        self.assertLess(p99(late), 500 * harness.SLOW)
        _, code = msspd.stop()
        self.assertEqual(code, 0)
    test_many_that_hang_delay_nobody.alone = True

    def test_many_that_begin_to_hang_at_once(self):
        """All at the same moment, as many as there are places: the others go on within seconds."""
        interval = 2
        graph = harness.FakeGraph(self.run_, "--tenants", 130, "--alerts", 2)
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(130), sinks,
                                                        poll_interval="%ds" % interval)).start()
        time.sleep(6)
        since = time.monotonic() * 1000
        for i in range(1, 81):
            graph.fault("%d:hang" % i)
        time.sleep(12)
        late = lateness_ms(json.loads(graph.ask("/_control/requests")), interval * 1000, set(range(81, 131)), since)
        print("%d polls beside 80 that began to hang: latest %d ms late, p99 %d ms" % (
            len(late), late[-1], p99(late)), file=sys.stderr)
        self.assertGreater(len(late), 50 * 2)
        self.assertLess(late[-1], 5500 * harness.SLOW)
        self.assertEqual(msspd.stop()[1], 0)

    def test_nothing_is_sent_while_retry_after_lasts(self):
        faults = {1: ("429=14:for=1",), 2: ("429=date:for=1",), 3: ("429=none:for=1",), 4: ("429=absurd:for=1",)}
        graph, requests, since, msspd = self.poll_for(5, 1, 24, faults, settle=0.5)
        polls = {t["index"]: t["polls"] for t in requests["tenants"]}
        self.assertGreaterEqual(polls[1][1] - polls[1][0], 13900)
        self.assertGreater(len(polls[1]), 2, "it came back by itself")
        # Longer than the wait where none is told; fifteen seconds from when it was written, in whole ones.
        self.assertGreaterEqual(polls[2][1] - polls[2][0], 13900)
        self.assertLess(polls[3][1] - polls[3][0], 13900 * harness.SLOW)
        self.assertGreaterEqual(polls[3][1] - polls[3][0], 9900, "none is no leave to ask at once")
        self.assertGreater(len(polls[3]), 1)
        self.assertEqual(len(polls[4]), 1, "an absurd wait is long")
        self.assertGreater(len(polls[5]), 8)
        msspd.stop()

    def test_a_cap_over_all_tenants(self):
        """No more requests a minute than that, whoever makes them; who is due goes before a backlog, and nobody starves."""
        cap, seconds = 600, 8
        graph = harness.FakeGraph(self.run_, "--tenants", 20, "--alerts", 1, "--history", 80000)
        graph.ask("/_control/story", {"tenant": 1, "make": 3000})
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        tenants = harness.tenants(20)
        tenants["t001"].update(page_size=5, budget=10000)  # 600 pages
        text = harness.config(graph, tenants, sinks, poll_interval="3s")
        msspd = harness.Msspd(self.run_, text + "intake: {requests_per_minute: %d}\n" % cap).start()
        self.assertNotIn("will be late", self.run_.read(msspd.log))
        time.sleep(3)
        since, before = time.monotonic() * 1000, graph.requests()
        time.sleep(seconds)
        after = graph.requests()
        now = time.monotonic() * 1000
        made = sum(b["requests"] - a["requests"] for a, b in zip(before["tenants"], after["tenants"]))
        self.assertLess(made, (now - since) / 60000 * cap + cap / 10 + 2)
        self.assertGreater(made, seconds * cap / 60 * 0.7, "what it allows is used")
        late = lateness_ms(after, 3000, set(range(2, 21)), since)
        self.assertGreater(len(late), 19)
        self.assertLess(p99(late), 3000 * harness.SLOW, "the others do not wait for the 600 pages")
        # Less than the polls alone need: it is said, and all wait alike; one start of four is the backlog's.
        msspd.configure(text + "intake: {requests_per_minute: 200}\n")
        msspd.hup()
        harness.wait_for("a warning", 20, lambda: "polled 400 times a minute, so that all will be late" in self.run_.read(msspd.log))
        since, before = time.monotonic() * 1000, graph.requests()
        time.sleep(seconds * 2)
        after = graph.requests()
        made = {b["index"]: b["requests"] - a["requests"] for a, b in zip(before["tenants"], after["tenants"])}
        self.assertLess(sum(made.values()), (time.monotonic() * 1000 - since) / 60000 * 200 + 20 + 2)
        self.assertTrue(all(made[i] >= 1 for i in range(2, 21)), made)
        self.assertTrue(sum(made.values()) / 8 < made[1] < sum(made.values()) / 3, made)
        self.assertEqual(msspd.stop()[1], 0)

    def test_500_tenants_are_polled_on_time(self):
        n, interval = 500, 15
        seconds = 600 if harness.SOAK else 180
        faults = {100: ("hang",), 200: ("429=5",), 300: ("garbage",), 400: ("503",), 500: ("403",)}
        graph, requests, since, msspd = self.poll_for(n, interval, seconds, faults, settle=interval + 5)
        healthy = set(range(1, n + 1)) - set(faults)
        late = lateness_ms(requests, interval * 1000, healthy, since)
        polls = len(late)
        # Nobody was forgotten: who has none in the end is late.
        self.assertGreater(polls, len(healthy) * (seconds / interval - 1))
        rss = msspd.rss_kib() / 1024
        print("500 tenants: %d polls, latest %d ms late, p99 %d ms, %.1f MiB resident"
              % (polls, late[-1], p99(late), rss), file=sys.stderr)
        self.assertLess(late[-1], 5000)
        if harness.SLOW == 1:
            self.assertLess(rss, 30)
        _, code = msspd.stop()
        self.assertEqual(code, 0)

    def test_hostile_servers(self):
        """Whatever a server sends: no token goes elsewhere, no alert of another tenant gets out, the rest is read."""
        kinds = ("foreign-nextlink", "same-nextlink", "redirect", "wrong-tenantid", "206", "html", "cut", "garbage",
                 "notjson-value", "huge=80", "bomb", "reset", "401", "500", "token-html", "token-429", "noroles")
        faults = {i: (kind,) for i, kind in enumerate(kinds, 1)}
        n = len(kinds) + 2
        graph = harness.FakeGraph(self.run_, "--tenants", n, "--alerts", 260, *[
            o for i, k in faults.items() for o in ("--fault", "%d:%s" % (i, k[0]))])
        out = self.run_.path("out.cef")
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(n), {
            "out": {"type": "file", "path": out, "format": "cef"}})).start()
        time.sleep(12)
        requests = json.loads(graph.ask("/_control/requests"))
        self.assertEqual(requests["bearer_elsewhere"], 0)
        states = {t["tenant"]: t for t in msspd.status()["tenants"]}
        self.assertEqual({states["t%03d" % i]["state"] for i in (n - 1, n)}, {"healthy"})
        wrong = kinds.index("wrong-tenantid") + 1
        with open(out, encoding="utf-8") as f:
            alerts = [line for line in f if "/health:" not in line]
        self.assertEqual([a for a in alerts if "cs3=%s " % graph.tenant_id(wrong) in a], [])
        self.assertGreater(states["t%03d" % wrong]["quarantined"], 0)
        self.assertLess(msspd.rss_kib(), 200 * 1024 * harness.SLOW)
        # All faults over: everybody recovers, and nothing is missing.
        graph.ask("/_control/fault", {"clear": True})
        msspd.stop()
        msspd.start()
        self.mark_up()
        from test_receivers import FileRows
        self.assert_all_arrived(graph, msspd, FileRows(out), seconds=120)
        msspd.stop()


class Paging(Scene):
    """Every kind of server is read whole."""

    def read_whole(self, name, paging, orderby, filter_):
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 450, "--same-stamp", 230, "--rate", 20,
                                  "--paging", paging, "--orderby", orderby, "--filter", filter_, "--future", 2,
                                  name="graph-" + name)
        out = self.run_.path(name + ".cef")
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(3), {
            "out": {"type": "file", "path": out, "format": "cef"}}), name=name).start()
        self.up = []
        self.mark_up()
        time.sleep(4)
        graph.stop_story()
        from test_receivers import FileRows
        # Ground to stand on: whole reads while alerts move take longer than one interval.
        self.interval_ms = 3000
        self.assert_all_arrived(graph, msspd, FileRows(out), seconds=60)
        msspd.stop()
        graph.child.terminate()
        graph.child.wait()


def reads_whole(*kind):
    return lambda self: self.read_whole("-".join(kind), *kind)


for how in itertools.product(("skiptoken", "skip", "none"), ("honour", "ignore", "refuse"), ("honour", "ignore")):
    # An unordered list without links can be read by nobody beyond $skip.
    if how[0] != "none" or how[1] == "honour":
        setattr(Paging, "test_%s_orderby_%s_filter_%s" % how, reads_whole(*how))


if __name__ == "__main__":
    unittest.main()
