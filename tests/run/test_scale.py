# SPDX-License-Identifier: Apache-2.0
"""A thousand tenants, each with all its streams, in one process on one core: on time, in little memory. And millions of
alerts that are remembered."""
import json
import os
import re
import subprocess
import sys
import time
import unittest

import harness
from scene import Scene
from test_tenants import lateness_ms, p99


def pin(pid):
    """All its threads, and those that they start, to one processor; returns which."""
    cpu = max(os.sched_getaffinity(0))
    for tid in os.listdir("/proc/%d/task" % pid):
        os.sched_setaffinity(int(tid), {cpu})
    return cpu


class Scale(Scene):
    tenants, streams = 1000, ["alerts", "incidents", "mde-alerts"]

    def test_a_thousand_tenants(self):
        interval, seconds = (60, 600) if harness.SOAK else (15, 30)
        graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 5, "--incidents", 3, "--mde-only", 2)
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(self.tenants), sinks, streams=self.streams,
                                                        poll_interval="%ds" % interval)).start()
        cpu = pin(msspd.child.pid)
        time.sleep(interval + 5)
        for tid in os.listdir("/proc/%d/task" % msspd.child.pid):
            self.assertEqual(os.sched_getaffinity(int(tid)), {cpu}, "one core is all it has")
        since, used = time.monotonic() * 1000, msspd.cpu_s()
        time.sleep(seconds)
        used, rss = msspd.cpu_s() - used, msspd.rss_kib() / 1024
        requests = json.loads(graph.ask("/_control/requests"))
        late = lateness_ms(requests, interval * 1000, set(range(1, self.tenants + 1)), since)
        status = msspd.status()
        print("%d tenants, %d streams: %d polls seen, latest %d ms late, p99 %d ms; %.1f MiB resident, %.1f %% of a core" % (
            self.tenants, len(self.streams), len(late), late[-1], p99(late), rss, 100 * used / seconds), file=sys.stderr)
        self.assertGreater(len(late), self.tenants * (seconds / interval - 1) * 0.9)
        self.assertLess(late[-1], 5000 * harness.SLOW)
        # Of each stream, by msspd's own account, since its start.
        self.assertLess(max(t["max_late_ms"] for t in status["tenants"]), 5000 * harness.SLOW)
        self.assertEqual({t["state"] for t in status["tenants"]}, {"healthy"})
        if not harness.is_sanitized():
            self.assertLess(rss, 48)
        self.assertEqual(msspd.stop()[1], 0)


class Memory(unittest.TestCase):
    """What is remembered of an alert costs no more than this, however many are."""

    rows, most_us = (3000000, 5) if harness.SOAK else (300000, 5)
    apart = "disk"

    @unittest.skipIf(harness.is_sanitized(), "measures")
    def test_what_a_remembered_alert_costs(self):
        # In memory where that can be: what is measured is our CPU, and not how a disk is doing.
        place = "/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"
        done = subprocess.run([os.path.join(harness.BIN, "plain/bench/bench_journal"), "2000", "1", str(self.rows)],
                              env=dict(os.environ, TMPDIR=place), capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        found = dict(re.findall(r"^(\w+) +\d+ entries \d+ sinks: +([\d.]+) us CPU", done.stdout, re.M))
        print("%d remembered: %s" % (self.rows, ", ".join("%s %s us" % x for x in found.items())), file=sys.stderr)
        for what in ("remember", "again", "update"):
            self.assertLessEqual(float(found[what]), self.most_us * harness.SLOW, done.stdout)


if __name__ == "__main__":
    unittest.main()
