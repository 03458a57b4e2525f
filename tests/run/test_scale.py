"""A thousand tenants, each with all its streams, in one process: on time, in little memory."""
import json
import sys
import time
import unittest

import harness
from scene import Scene
from test_tenants import lateness_ms, p99


class Scale(Scene):
    tenants, streams = 1000, ["alerts", "incidents", "mde-alerts"]

    def test_a_thousand_tenants(self):
        interval, seconds = (60, 600) if harness.SOAK else (15, 30)
        graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 5, "--incidents", 3, "--mde-only", 2)
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(self.tenants), sinks, streams=self.streams,
                                                        poll_interval="%ds" % interval)).start()
        time.sleep(interval + 5)
        since, cpu = time.monotonic() * 1000, msspd.cpu_s()
        time.sleep(seconds)
        cpu, rss = msspd.cpu_s() - cpu, msspd.rss_kib() / 1024
        requests = json.loads(graph.ask("/_control/requests"))
        late = lateness_ms(requests, interval * 1000, set(range(1, self.tenants + 1)), since)
        status = msspd.status()
        print("%d tenants, %d streams: %d polls seen, latest %d ms late, p99 %d ms; %.1f MiB resident, %.1f %% of a core" % (
            self.tenants, len(self.streams), len(late), late[-1], p99(late), rss, 100 * cpu / seconds), file=sys.stderr)
        self.assertGreater(len(late), self.tenants * (seconds / interval - 1) * 0.9)
        self.assertLess(late[-1], 5000 * harness.SLOW)
        self.assertEqual({t["state"] for t in status["tenants"]}, {"healthy"})
        if not harness.is_sanitized():
            self.assertLess(rss, 48)
        self.assertEqual(msspd.stop()[1], 0)


if __name__ == "__main__":
    unittest.main()
