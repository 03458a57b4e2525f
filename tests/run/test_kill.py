"""msspd is killed at random moments while its tenants change: nothing may be lost."""
import sys
import time
import unittest

import harness
from scene import Scene, syslog_sink


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
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(self.tenants), sinks))
        killed_unaccepted = 0
        for _ in range(self.kills):
            msspd.start(wait=False)
            self.mark_up()
            time.sleep(rng.choice((0.02, 0.1, 0.3, 1, 3)) * rng.uniform(0.5, 1.5) * harness.SLOW)
            msspd.kill()
            self.mark_down()
        msspd.start()
        self.mark_up()
        time.sleep(3 * harness.SLOW)
        graph.stop_story()
        delivered = self.assert_all_arrived(graph, msspd, siem, seconds=120)
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 1.5 * harness.SLOW)
        distinct, repeats = len(delivered.events), delivered.repeats()
        print("%d kills: %d events, %d repeats, %.1f a kill" % (self.kills, distinct, repeats,
                                                                repeats / self.kills), file=sys.stderr)
        # Each kill repeats at most what was accepted in its last second and what was not accepted
        # yet; with confirm_after 1 s no more than the first fill and the changes of some seconds.
        most = self.tenants * (self.alerts + 12 + 1) + self.kills * self.tenants * 2 * 10
        self.assertLess(repeats, most + killed_unaccepted)
        self.assert_no_secret_in_logs(msspd.log)


if __name__ == "__main__":
    unittest.main()
