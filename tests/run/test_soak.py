"""Every fault at random, one after the other and several at once; then what was delivered is what existed."""
import os
import signal
import sys
import time
import unittest

import harness
from scene import Scene, syslog_sink

# What goes wrong for a while. Waits that outlast the run (429=absurd) are of test_tenants.
FAULTS = ("latency=2000", "hang", "reset", "cut", "slow=5", "clock=90", "clock=-90", "html", "garbage", "redirect", "401",
          "challenge", "nolicence", "403", "404", "429=1", "429=none", "429=date-past", "500", "502", "503", "503=1",
          "504", "206", "204", "notjson-value", "huge=40", "bomb=100", "fat=60", "foreign-nextlink", "same-nextlink",
          "empty-page-next", "wrong-tenantid", "foreign-alert", "null-tenantid", "noroles", "moreroles", "foreign-tid",
          "noconsent", "badsecret", "oldsecret", "wrongcloud", "blocked", "transient", "token-latency=1500", "token-hang",
          "token-reset", "token-cut", "token-garbage", "token-html", "token-429=1", "token-503")


class Soak(Scene):
    tenants = 12
    seconds = int(os.environ.get("MSSPD_SOAK_SECONDS", "600" if harness.SOAK else "45"))

    def text(self, rng):
        everybody = harness.tenants(self.tenants)
        for tenant in everybody.values():
            tenant["page_size"] = rng.choice((10, 25, 50))
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.octet, framing="octet-counting",
                                     confirm_after="500ms")}
        return harness.config(self.graph, everybody, sinks, overlap="30m") + "intake: {request_timeout: 8s}\n"

    def go_wrong(self, rng):
        """One of the things that happen."""
        what = rng.random()
        if what < 0.80:
            who = rng.choice(("*", str(rng.randint(1, self.tenants)), "%d-%d" % (rng.randint(1, 5), rng.randint(6, 12))))
            how = rng.choice((":share=%d" % rng.choice((5, 20, 50)), ":for=%d" % rng.randint(1, 9), ""))
            # What all have without an end would leave nothing to be seen.
            if who == "*" and how == "":
                how = ":share=20"
            self.graph.fault("%s:%s%s" % (who, rng.choice(FAULTS), how))
        elif what < 0.88:
            self.msspd.configure(self.text(rng))
            self.msspd.hup()
        elif what < 0.92:
            self.msspd.kill()
            self.msspd.start()
        elif what < 0.96:
            self.siem.kill()
            self.siem.start()
        else:
            self.msspd.child.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 2))
            self.msspd.child.send_signal(signal.SIGCONT)

    def test_every_fault_at_random(self):
        rng = harness.rng(self.id())
        self.graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 60, "--rate", 0.5,
                                       "--hostile", 4, "--late-ms", 2000)
        self.siem = harness.SyslogNg(self.run_)
        self.msspd = harness.Msspd(self.run_, self.text(rng)).start()
        end, done = time.monotonic() + self.seconds, 0
        while time.monotonic() < end:
            for _ in range(rng.randint(1, 4)):
                self.go_wrong(rng)
                done += 1
            time.sleep(rng.uniform(0.2, 3))
            if rng.random() < 0.5:
                self.graph.ask("/_control/fault", {"clear": True})
        self.graph.ask("/_control/fault", {"clear": True})
        # Parked tenants are tried at once, and the story goes on: now every version that stands must come.
        self.msspd.kill()
        self.msspd.start()
        harness.wait_for("all are well", 60, lambda: {
            t["state"] for t in self.msspd.status()["tenants"]} <= {"healthy", "behind"})
        time.sleep(3)
        self.mark_up()
        time.sleep(6 * harness.SLOW)
        self.graph.stop_story()
        delivered = self.assert_all_arrived(self.graph, self.msspd, self.siem, seconds=120, torn_ok=True)
        print("%d things went wrong in %d s" % (done, self.seconds), file=sys.stderr)
        self.assertEqual(self.msspd.stop()[1], 0)
        self.assert_no_secret_in_logs(self.msspd.log)
        return delivered


if __name__ == "__main__":
    unittest.main()
