# SPDX-License-Identifier: Apache-2.0
"""A copy of the journal, made while it is written; another host goes on from it."""
import os
import shutil
import sqlite3
import subprocess
import time
import unittest

import harness
from scene import Scene, syslog_sink
from truth import Delivered

EX_OK, EX_USAGE = 0, 64


class Backup(Scene):
    def scene(self, rate):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 5, "--alerts", 100, "--rate", rate)
        self.siem = harness.SyslogNg(self.run_)
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.octet, framing="octet-counting",
                                     confirm_after="200ms")}
        self.config = harness.config(self.graph, harness.tenants(5), sinks)
        return harness.Msspd(self.run_, self.config, name="first")

    def ids(self):
        return Delivered(self.siem.rows()).events

    def test_another_host_goes_on_from_it(self):
        first = self.scene(rate=3).start()
        self.mark_up()
        harness.wait_for("the first alerts", 60, lambda: len(self.ids()) > 520)
        copy, before = self.run_.path("copy.db"), self.ids()  # the copy knows all of those
        done = first.ctl("backup", copy)
        self.assertEqual((done.returncode, done.stdout.strip()), (EX_OK, copy), done.stderr)
        self.assertEqual(os.stat(copy).st_mode & 0o777, 0o600)
        self.assertEqual([f for f in os.listdir(self.run_.dir) if f.startswith("copy.db")], ["copy.db"])
        harness.wait_for("what the copy does not know", 60, lambda: len(self.ids()) > len(before) + 15)
        first.kill()
        self.mark_down()
        between = set(self.ids()) - set(before)
        self.assertGreater(len(between), 15)  # most of it what the copy does not know

        second = harness.Msspd(self.run_, self.config + "instance: stand-by\n", name="second")
        shutil.copy(copy, os.path.join(second.state, "journal.db"))
        second.start()
        self.mark_up()
        time.sleep(3)
        self.graph.stop_story()
        delivered = self.assert_all_arrived(self.graph, second, self.siem)
        again = {name for name, n in delivered.events.items() if n > 1}
        # Again comes what the copy does not know, or did not know as accepted: a second's worth.
        self.assertLess(len(again - between), 60)
        sent_by = {name: delivered.fields[name][2].get("msspdInstance") for name in set(delivered.events) - set(before) - between}
        self.assertEqual(set(sent_by.values()), {"stand-by"}, "each record says which msspd sent it")
        known = {name.rsplit("/", 1)[0] for name in before}
        for name in set(delivered.events) - set(before):
            if name.rsplit("/", 1)[0] in known:
                self.assertNotEqual(delivered.fields[name][2]["act"], "new", name)
        second.stop()

    def on_a_terminal(self, msspd, *words):
        """What a person sees of it while it goes on."""
        master, slave = os.openpty()
        done = subprocess.run([os.path.join(harness.BIN, "msspctl"), "-s", msspd.socket] + list(words), stdout=subprocess.PIPE,
                              stderr=slave, timeout=60 * harness.SLOW, check=False)
        os.close(slave)
        seen = os.read(master, 65536).decode()
        os.close(master)
        return done.returncode, seen

    def test_what_is_said_of_it(self):
        first = self.scene(rate=0).start()
        harness.wait_for("alerts", 60, lambda: len(self.ids()) == 500)
        done = first.ctl("backup", "daily.db")
        self.assertEqual(done.returncode, EX_OK, done.stderr)
        copy = os.path.join(first.state, "backup", "daily.db")
        self.assertEqual(done.stdout.strip(), copy)
        with sqlite3.connect("file:%s?mode=ro&immutable=1" % copy, uri=True) as db:
            self.assertGreater(db.execute("SELECT count(*) FROM memory").fetchone()[0], 0)
        self.assertEqual(first.ctl("backup", "daily.db").returncode, EX_OK)  # takes the place of the one before
        code, seen = self.on_a_terminal(first, "backup", "daily.db")
        self.assertEqual(code, EX_OK)
        self.assertRegex(seen, r"^\r%s: \d+ %%" % copy)
        for name, said in (("/nowhere/at/all.db", "cannot make /nowhere/at/all.db"), ("a/b.db", "whole path"),
                           ("../x", "whole path"), (".x", "begins with no dot"),
                           (os.path.join(first.state, "journal.db"), "the journal's own"),
                           (os.path.join(first.state, "backup", "..", "journal.db-wal"), "the journal's own")):
            done = first.ctl("backup", name)
            self.assertNotEqual(done.returncode, EX_OK)
            self.assertIn(said, done.stderr)
        self.assertEqual(first.ctl("backup", "a", "b").returncode, EX_USAGE)
        self.assertIn("the journal was copied to " + copy, self.run_.read(first.log))
        first.stop()


if __name__ == "__main__":
    unittest.main()
