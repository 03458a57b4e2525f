# SPDX-License-Identifier: Apache-2.0
"""msspd is killed at random moments while its tenants change: nothing may be lost."""
import sys
import time
import unittest

import harness
from scene import Scene, now_ms, syslog_sink


class KillMsspd(Scene):
    kills = 50 if harness.SOAK else 10
    tenants = 20
    alerts = 500

    def test_kill_9_at_random_moments(self):
        rng = harness.rng(self.id())
        graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", self.alerts,
                                  "--rate", 2, "--hostile", 12, "--late-ms", 800, "--touches", 10)
        siem = harness.SyslogNg(self.run_)
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % siem.octet, framing="octet-counting",
                                     confirm_after="1s")}
        # What changed in ten minutes is everything here: no machine reads that again each second under a sanitizer.
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(self.tenants), sinks, overlap="60s"))
        self.sessions = []
        for n in range(self.kills):
            if n == self.kills // 2:
                # From here on everything there was is read: what stands for two intervals must arrive.
                self.fill(msspd)
            began = now_ms()
            msspd.start(wait=False)
            if n >= self.kills // 2:
                self.mark_up()
            time.sleep(rng.choice((0.02, 0.1, 0.3, 1, 3)) * rng.uniform(0.5, 1.5) * harness.SLOW)
            msspd.kill()
            self.mark_down()
            self.sessions.append((began, now_ms()))
        msspd.start()
        self.mark_up()
        time.sleep(3 * harness.SLOW)
        graph.stop_story()
        delivered = self.assert_all_arrived(graph, msspd, siem, seconds=120)
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 1.5 * harness.SLOW)
        print("%d kills: %d events, %d repeats, %.1f a kill" % (
            self.kills, len(delivered.events), delivered.repeats(), delivered.repeats() / self.kills), file=sys.stderr)
        self.assertEqual(delivered.unequal(), {})
        self.assertEqual(self.repeats_of_the_accepted(delivered, confirm_s=1), [])
        self.assert_no_secret_in_logs(msspd.log)

    def repeats_of_the_accepted(self, delivered, confirm_s):
        """Repeats may only be what was accepted in the last second before a kill, and what was not accepted
        yet. A second of grace: for looking at what is acknowledged, and for a busy machine."""
        durable_s = (confirm_s + 1 + 1) * harness.SLOW
        wrong = []
        for name, times in delivered.received.items():
            for first, again in zip(times, times[1:]):
                ended = [to / 1000 for frm, to in self.sessions if frm / 1000 <= first <= to / 1000]
                if ended and ended[0] < again and ended[0] - first > durable_s:
                    wrong.append("%s came %.1f s before a kill and again after it" % (name, ended[0] - first))
        return wrong

    def fill(self, msspd):
        began = now_ms()
        msspd.start()
        harness.wait_for("everything there was is read", 120, lambda: all(
            t["state"] == "healthy" and t["polls"] > 1 for t in msspd.status()["tenants"]))
        msspd.kill()
        self.sessions.append((began, now_ms()))


if __name__ == "__main__":
    unittest.main()
