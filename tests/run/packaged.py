"""The life of the deb: run inside the container that test_packages boots."""
import os
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
    """The same package under the next version."""
    place, out = "/tmp/newer", "/tmp/newer.deb"
    subprocess.run(["dpkg-deb", "-R", deb, place], check=True)
    subprocess.run(["sed", "-i", "s/^Version: .*/&+upgrade/", place + "/DEBIAN/control"], check=True)
    subprocess.run(["dpkg-deb", "-b", "--root-owner-group", place, out], check=True, stdout=subprocess.DEVNULL)
    return out


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
        graph = harness.FakeGraph(run, "--tenants", 2, "--alerts", 50)

        dpkg("-i", "/opt/msspd.deb")
        self.assertEqual(show("ActiveState"), "inactive")  # nothing is configured
        self.assertEqual(os.stat("/etc/msspd").st_mode & 0o777, 0o750)
        self.assertTrue(os.path.exists("/usr/share/man/man8/msspd.8.gz"))
        configure(graph, self.siem)
        systemctl("start", UNIT)
        self.settled()
        inode, pid = os.stat(JOURNAL).st_ino, show("MainPID")

        dpkg("-i", newer("/opt/msspd.deb"))
        self.assertEqual(show("ActiveState"), "active", journal())
        self.assertNotEqual(show("MainPID"), pid)  # it is the new one that runs
        self.assertEqual(os.stat(JOURNAL).st_ino, inode)
        self.wait_for_polls()

        dpkg("-r", "msspd")
        self.assertEqual(os.stat(JOURNAL).st_ino, inode)
        dpkg("-i", "/tmp/newer.deb")
        systemctl("start", UNIT)
        self.wait_for_polls()
        self.assertEqual({n for n in self.events().values()}, {1})  # nothing came twice

        dpkg("--purge", "msspd")
        self.assertFalse(os.path.exists("/var/lib/msspd"))
        self.assertTrue(os.path.exists("/etc/msspd/msspd.yaml"))  # that is the administrator's
        self.assertFalse(os.path.exists("/usr/sbin/msspd"))

    def wait_for_polls(self):
        """Each tenant was read since the start."""
        harness.wait_for("polls", 60, lambda: self.status().count('"state": "healthy"') >= 2)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
