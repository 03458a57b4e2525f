# SPDX-License-Identifier: Apache-2.0
"""Alerts that are listed late, for days that pass in a minute: the clocks of msspd and of fake-graph are set on together,
by hours, by libfaketime. And alerts that change while the page is read that they stand at the end of."""
import collections
import glob
import os
import time
import unittest

import harness
from scene import Scene
from test_receivers import FileRows
from truth import Delivered, Truth, event_id

HOUR, DAY = 3600, 86400


class Late(Scene):
    step = 3 * HOUR
    late_ms = 6 * DAY * 1000

    def setUp(self):
        super().setUp()
        found = glob.glob(os.path.join(harness.ROOT, "build/faketime/usr/lib*/**/libfaketimeMT.so.1"), recursive=True)
        if not found:
            self.skipTest("no libfaketime below build/faketime: run 'make deps'")
        self.ahead = 0
        self.set_on(0)
        self.env = dict(os.environ, LD_PRELOAD=found[0], FAKETIME_TIMESTAMP_FILE=self.run_.path("now"), FAKETIME_NO_CACHE="1")

    def set_on(self, seconds):
        """All clocks of both, at once: as if both machines had slept."""
        self.ahead += seconds
        self.run_.write("now.new", "+%d\n" % self.ahead)
        os.rename(self.run_.path("now.new"), self.run_.path("now"))

    def start(self, graph_options, tenants=2, **defaults):
        with_clock = self.run_.start
        self.run_.start = lambda argv, **more: with_clock(argv, **dict(more, env=self.env))
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--late-ms", self.late_ms, *graph_options)
        self.out = FileRows(self.run_.path("out.cef"))
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(tenants), {
            "out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}, poll_interval="60s", first_lookback="1h"))
        self.msspd.start()

    def polls(self):
        return [t["polls"] for t in self.msspd.status()["tenants"]]

    def go_on(self, seconds):
        """So much time passes, and every tenant is read in it; sweeps that are due follow."""
        before = self.polls()
        self.set_on(seconds)
        harness.wait_for("all are read", 150, lambda: all(b > a for a, b in zip(before, self.polls())))
        last, quiet = -1, time.monotonic()
        while time.monotonic() - quiet < 0.3 * harness.SLOW:
            now = self.graph.requests()["tenants"]
            if sum(t["requests"] for t in now) != last:
                last, quiet = sum(t["requests"] for t in now), time.monotonic()
            time.sleep(0.05)

    def missing(self):
        """Last versions that a record was to tell of, and none did."""
        seen = Delivered(self.out.rows())
        lasts = {}
        for alert in Truth(self.graph.truth_file).alerts.values():
            looks = sorted(alert.values(), key=lambda v: v["updated"])
            lasts[event_id(looks[-1])] = {event_id(v) for v in looks if v["state"] == looks[-1]["state"]}
        return [name for name, same in lasts.items() if not same & set(seen.events)], seen

    def test_up_to_six_days(self):
        """Alerts that become visible so late, and changes that do: each arrives, as new once, and no version twice."""
        self.start(["--alerts", 0])
        days = 8 if harness.SOAK else 2
        for _ in range(int(days * DAY / self.step)):
            self.graph.ask("/_control/story", {"tenant": "*", "make": 2, "change": 2})
            self.go_on(self.step)
        self.graph.stop_story()
        shown = Truth(self.graph.truth_file)
        behind = [v for v in shown.versions() if v["visible_from"] - ms_of(v["updated"]) > 5 * DAY * 1000]
        self.assertGreater(len(behind), 2, "some were over five days late")
        for _ in range(int(7.5 * DAY / (2 * self.step))):
            self.go_on(2 * self.step)
        missing, seen = self.missing()
        self.assertEqual(missing, [], self.run_.read(self.msspd.log)[-2000:])
        self.assertGreater(sum(t["sweep_found"] for t in self.msspd.status()["tenants"]), 10, "sweeps found them")
        self.check_news(seen)
        self.assertEqual(self.msspd.stop()[1], 0)

    def check_news(self, seen):
        self.assertEqual(seen.repeats(), 0)
        news = collections.Counter(name.rsplit("/", 1)[0] for name, (_, _, fields) in seen.fields.items()
                                   if fields.get("act") == "new")
        self.assertEqual([name for name, n in news.items() if n > 1], [])

    def test_an_idle_tenant_says_nothing_for_weeks(self):
        """Nothing that is known comes again as new, however often it is swept over."""
        self.late_ms = 0
        self.start(["--alerts", 40, "--history", 3000])
        harness.wait_for("all are told", 30, lambda: len(self.out.rows()) >= 80)
        for _ in range(100 if harness.SOAK else 28):
            self.go_on(12 * HOUR)
        self.assertEqual([row["msg"] for row in self.out.rows()[80:]], [])
        self.assertEqual(self.msspd.stop()[1], 0)


class Border(Scene):
    """Alerts that change exactly while the page is read that they stand at the end of, over many intervals. The
    overlap is short beside what there is to read: the next read does not find by itself what this one passed over."""

    def read_over(self, *options, latency_ms=20, polls=12, **tenant):
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 60, "--rate", 4, "--history", 3000,
                                  "--fault", "*:border:share=70", "--fault", "*:latency=%d" % latency_ms, *options)
        out = FileRows(self.run_.path("out.cef"))
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2, **dict({"overlap": "30s"}, **tenant)), {
            "out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}, budget=10000)).start()
        self.mark_up()
        harness.wait_for("many intervals", 60, lambda: all(t["polls"] >= polls for t in msspd.status()["tenants"]))
        graph.ask("/_control/fault", {"clear": True})
        graph.stop_story()
        versions = list(Truth(graph.truth_file).versions())
        self.assertGreater(sum(v["version"] > 3 for v in versions), 10, "they change again and again")
        # A version that stood while a whole read lasts; pages are many, and each is late.
        self.interval_ms = 3000
        delivered = self.assert_all_arrived(graph, msspd, out)
        self.assertEqual(delivered.repeats(), 0)
        self.assertEqual(msspd.stop()[1], 0)

    def test_small_pages(self):
        self.read_over(page_size=3)

    def test_pages_on_one_stamp(self):
        """The page's end lies among alerts that share their stamp."""
        self.read_over("--same-stamp", 20, page_size=5)

    def test_links_and_no_order(self):
        """Where $orderby is refused, links are followed, and pages shift under them. A read takes longer than the overlap."""
        self.read_over("--paging", "skip", "--orderby", "refuse", page_size=10, latency_ms=500, polls=12, overlap="2s")


def ms_of(text):
    from test_streams import ms_of as of
    return of(text)


if __name__ == "__main__":
    unittest.main()
