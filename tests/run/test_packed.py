# SPDX-License-Identifier: Apache-2.0
"""A backlog that was stored as Microsoft's server packed it is delivered whole, also after a kill."""
import os
import sqlite3
import unittest

import harness
from scene import Scene, syslog_sink


class Packed(Scene):
    def ask(self, msspd, sql):
        with sqlite3.connect(os.path.join(msspd.state, "journal.db")) as db:
            return db.execute(sql).fetchone()[0]

    def test_a_packed_backlog_outlives_a_kill(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 300, "--hostile", 12)
        siem = harness.SyslogNg(self.run_)
        siem.kill()
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % siem.octet, framing="octet-counting",
                                     confirm_after="1s")}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2), sinks))
        msspd.start()
        self.mark_up()
        harness.wait_for("everything is stored", 60, lambda: all(
            t["state"] == "healthy" and t["polls"] > 2 for t in msspd.status()["tenants"]))
        damaged = msspd.status()["journal"]["quarantine"]
        msspd.kill()
        self.assertGreaterEqual(self.ask(msspd, "SELECT count(*) FROM pack"), 2)
        self.assertGreater(self.ask(msspd, "SELECT count(*) FROM entry WHERE body IS NULL"), 400)
        text, packed = (self.ask(msspd, "SELECT sum(%s) FROM %s" % it)
                        for it in (("len", "entry"), ("length(body)", "pack")))
        self.assertLess(packed * 3, text)
        siem.start()
        msspd.start()
        self.assert_all_arrived(graph, msspd, siem)
        self.assertEqual(msspd.status()["journal"]["quarantine"], damaged)
        self.assertEqual(msspd.stop()[1], 0)


if __name__ == "__main__":
    unittest.main()
