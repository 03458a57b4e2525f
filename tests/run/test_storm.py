# SPDX-License-Identifier: Apache-2.0
"""Everything at once: odd servers, faults, reloads in the midst of pages, kills. The end state must arrive."""
import time
import unittest

import harness
from scene import Scene, syslog_sink


class Storm(Scene):
    tenants = 12
    rounds = 60 if harness.SOAK else 12
    policies = ("2:paging=none", "3:paging=skip", "4:orderby=ignore", "5:orderby=refuse", "6:filter=ignore",
                "7:orderby=refuse", "7:paging=skip", "8:orderby=ignore", "8:paging=none")
    faults = ("*:429:share=5", "*:500:share=5", "*:503:share=3", "*:cut:share=5", "*:reset:share=3",
              "*:html:share=3", "9:null-tenantid:share=30")

    def text(self, rng, calm=False):
        """A configuration of the moment; state is kept by GUID and sink name, so all of it is the same place."""
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.octet, framing="octet-counting",
                                     confirm_after=rng.choice(("0s", "200ms", "1s")), app_name=rng.choice(("a", "b")))}
        everybody = harness.tenants(self.tenants)
        if not calm:
            for name in rng.sample(sorted(everybody), 2):
                del everybody[name]
            if rng.random() < 0.5:
                sinks["spare"] = {"type": "file", "path": self.run_.path("spare.cef"), "format": "cef"}
        for tenant in everybody.values():
            tenant["page_size"] = rng.choice((7, 20, 50))
            tenant["id"] = rng.choice((tenant["id"], tenant["id"].upper()))
        return harness.config(self.graph, everybody, sinks, overlap="1m")

    def test_storm(self):
        rng = harness.rng(self.id())
        options = [o for p in self.policies for o in ("--policy", p)]
        self.graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 150, "--rate", 1,
                                       "--hostile", 6, "--same-stamp", 60, "--future", 3, "--max-top", 30, *options)
        self.siem = harness.SyslogNg(self.run_)
        for fault in self.faults:
            self.graph.fault(fault)
        msspd = harness.Msspd(self.run_, self.text(rng)).start()
        for _ in range(self.rounds):
            for _ in range(rng.randrange(1, 6)):
                msspd.configure(self.text(rng))
                msspd.hup()
                time.sleep(rng.uniform(0, 0.3) * harness.SLOW)
            time.sleep(rng.uniform(0, 1) * harness.SLOW)
            if rng.random() < 0.3:
                msspd.kill()
                msspd.start()
        self.graph.stop_story()
        self.graph.ask("/_control/fault", {"clear": True})
        msspd.configure(self.text(rng, calm=True))
        msspd.kill()
        msspd.start()
        self.assert_all_arrived(self.graph, msspd, self.siem, seconds=120)
        self.assertEqual(msspd.stop()[1], 0)
        self.assertNotIn("configuration not changed", self.run_.read(msspd.log))


if __name__ == "__main__":
    unittest.main()
