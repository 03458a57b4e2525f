# SPDX-License-Identifier: Apache-2.0
"""The life of the deb: run inside the container that test_packages boots."""
import contextlib
import json
import os
import sqlite3
import subprocess
import sys
import unittest

import harness
from host import UNIT, configure, journal, show, systemctl
from truth import Delivered

JOURNAL = "/var/lib/msspd/journal.db"


def dpkg(*words):
    done = subprocess.run(["dpkg"] + list(words), env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError("dpkg %s: %s%s" % (" ".join(words), done.stdout, done.stderr))


def newer(deb):
    """The same package under the next version, with a program that understands alerts in another way."""
    place, out = "/tmp/newer", "/tmp/newer.deb"
    subprocess.run(["dpkg-deb", "-R", deb, place], check=True)
    subprocess.run(["install", "-m", "755", "/opt/msspd-revised", place + "/usr/sbin/msspd"], check=True)
    subprocess.run(["sed", "-i", "s/^Version: .*/&+upgrade/", place + "/DEBIAN/control"], check=True)
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", place, out], check=True, stdout=subprocess.DEVNULL)
    return out


@contextlib.contextmanager
def journal_db():
    db = sqlite3.connect(JOURNAL, isolation_level=None, timeout=30)
    try:
        yield db
    finally:
        db.close()


def revisions():
    """Of the programs that made what is remembered of alerts (struct seen, without the mark of MDE's)."""
    with journal_db() as db:
        return {int.from_bytes(seen[34:36], sys.byteorder) & 0x7fff for seen, in db.execute("SELECT seen FROM memory")}


class Packaged(unittest.TestCase):
    def settled(self):
        harness.wait_for("all is accepted", 60, lambda: len(self.events()) >= 100 and '"backlog": 0' in self.status())

    def status(self):
        return subprocess.run(["msspctl", "status", "--json"], capture_output=True, text=True, check=False).stdout

    def events(self):
        return Delivered(self.siem.rows()).events

    def test_a_life(self):
        run = harness.Run()
        self.addCleanup(run.close)
        self.siem = harness.SyslogNg(run)
        # All of them are so new that whoever starts lists them again.
        self.graph = harness.FakeGraph(run, "--tenants", 2, "--alerts", 50, "--history", 300)

        dpkg("-i", "/opt/msspd.deb")
        self.assertEqual(show("ActiveState"), "inactive")  # nothing is configured
        self.assertEqual(os.stat("/etc/msspd").st_mode & 0o777, 0o750)
        self.assertTrue(os.path.exists("/usr/share/man/man8/msspd.8.gz"))
        configure(self.graph, self.siem)
        systemctl("start", UNIT)
        self.settled()
        inode, pid = os.stat(JOURNAL).st_ino, show("MainPID")
        was = revisions()

        dpkg("-i", newer("/opt/msspd.deb"))
        self.assertEqual(show("ActiveState"), "active", journal())
        self.assertNotEqual(show("MainPID"), pid)  # it is the new one that runs
        self.assertEqual(os.stat(JOURNAL).st_ino, inode)
        self.nothing_comes_twice()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 5})
        harness.wait_for("what is new", 60, lambda: len(self.events()) == 105)
        self.assertEqual(revisions(), was | {99})

        systemctl("enable", "--now", "msspd-backup.timer")
        dpkg("-r", "msspd")
        self.assertEqual(systemctl("is-active", "msspd-backup.timer", check=False).stdout, "inactive\n")
        self.assertEqual(os.stat(JOURNAL).st_ino, inode)
        dpkg("-i", "/opt/msspd.deb")  # back to where it was
        systemctl("start", UNIT)
        self.nothing_comes_twice()
        self.refuses_what_a_newer_one_wrote()

        dpkg("--purge", "msspd")
        self.assertFalse(os.path.exists("/var/lib/msspd"))
        self.assertTrue(os.path.exists("/etc/msspd/msspd.yaml"))  # that is the administrator's
        self.assertFalse(os.path.exists("/usr/sbin/msspd"))

    def nothing_comes_twice(self):
        """Each tenant was read since the start, all of it was known, and nothing of it came again."""
        tenants = lambda: json.loads(self.status() or "{}").get("tenants", [])
        harness.wait_for("polls", 60, lambda: [t["state"] == "healthy" and t["alerts"] + t["repeats"] >= 100 for t in tenants()]
                         == [True, True])
        self.assertEqual([t["forwarded"] for t in tenants()], [0, 0])
        self.assertEqual({n for n in self.events().values()}, {1})

    def refuses_what_a_newer_one_wrote(self):
        systemctl("stop", UNIT)
        inode = os.stat(JOURNAL).st_ino
        with journal_db() as db:
            known = db.execute("PRAGMA user_version").fetchone()[0]
            db.execute("PRAGMA user_version = 99")
        systemctl("start", UNIT, check=False)
        harness.wait_for("both are named", 30, lambda: "its tables are of version 99, made by a newer msspd; "
                         "this one knows version %d" % known in journal())
        systemctl("stop", UNIT, check=False)
        self.assertEqual(os.stat(JOURNAL).st_ino, inode)  # and let it be
        with journal_db() as db:
            self.assertEqual(db.execute("PRAGMA user_version").fetchone()[0], 99)
            self.assertEqual(db.execute("SELECT count(*) FROM memory").fetchone()[0], 105)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
