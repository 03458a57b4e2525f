# SPDX-License-Identifier: Apache-2.0
"""The installed msspd under a real systemd: run inside the container that test_systemd boots."""
import json
import os
import pwd
import subprocess
import sys
import time
import unittest

import harness
from host import UNIT, configure, journal, put, show, systemctl
from truth import Delivered

DROP_IN = "/run/systemd/system/%s.d/test.conf" % UNIT


def run_as(user, group, *argv):
    """As a user in that group and no other."""
    return subprocess.run(["setpriv", "--reuid", user, "--regid", group, "--clear-groups"] + list(argv),
                          capture_output=True, text=True, check=False)


class Booted(unittest.TestCase):
    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.clean)
        self.siem = harness.SyslogNg(self.run_)
        self.graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 50, "--rate", 2)
        self.configure()

    def clean(self):
        systemctl("stop", UNIT, check=False)
        systemctl("reset-failed", UNIT, check=False)
        if os.path.exists(DROP_IN):
            os.unlink(DROP_IN)
            systemctl("daemon-reload")
        subprocess.run(["rm", "-rf", "/var/lib/msspd"], check=True)
        self.run_.close()

    def configure(self, more=""):
        configure(self.graph, self.siem, more)

    def drop_in(self, text):
        put(DROP_IN, "[Service]\n" + text)
        systemctl("daemon-reload")

    def ids(self):
        return {event for event in Delivered(self.siem.rows()).events}

    def wait_for_alerts(self, atleast):
        harness.wait_for("%d versions in the SIEM" % atleast, 60, lambda: len(self.ids()) >= atleast)

    def test_the_whole_way_of_an_alert(self):
        systemctl("start", UNIT)
        self.assertEqual(show("ActiveState"), "active")
        self.assertEqual(show("StatusText"), "Reading 2 tenants into 1 sink")
        self.assertEqual(show("User"), "msspd")
        owner = os.stat("/proc/" + show("MainPID")).st_uid
        self.assertNotEqual(pwd.getpwnam("msspd").pw_uid, 0)
        self.assertIn(owner, (0, pwd.getpwnam("msspd").pw_uid))  # 0: it let nobody look into it
        self.wait_for_alerts(110)  # what was there, and what changed since
        self.assertEqual(os.stat("/var/lib/msspd").st_mode & 0o777, 0o700)
        self.assertEqual(os.stat("/var/lib/msspd/journal.db").st_mode & 0o777, 0o600)

    def test_the_journal_has_fields(self):
        put("/etc/msspd/conf.d/stranger.yaml", "tenants: {stranger: {id: 99999999-0000-4000-8000-000000000001}}\n")
        self.addCleanup(os.unlink, "/etc/msspd/conf.d/stranger.yaml")
        systemctl("start", UNIT)
        entries = harness.wait_for("an entry of the tenant", 30, lambda: subprocess.run(
            ["journalctl", "MSSPD_TENANT=stranger", "--no-pager", "-o", "json"], capture_output=True, text=True,
            check=True).stdout.splitlines())
        entry = json.loads(entries[0])
        self.assertIn("tenant stranger: ", entry["MESSAGE"])
        self.assertEqual((entry["PRIORITY"], entry["_SYSTEMD_UNIT"]), ("4", UNIT))

    def test_who_may_ask(self):
        systemctl("start", UNIT)
        member = run_as("nobody", "msspd", "msspctl", "status")
        self.assertEqual(member.returncode, 0, member.stderr)
        self.assertIn("t001", member.stdout)
        stranger = run_as("nobody", "nogroup", "msspctl", "status")
        self.assertNotEqual(stranger.returncode, 0)
        self.assertIn("group", stranger.stderr)

    def test_a_reload_says_how_it_went(self):
        systemctl("start", UNIT)
        pid = show("MainPID")
        self.configure("mssp: {name: Another}\n")
        systemctl("reload", UNIT)
        self.configure("sinc: 1\n")
        bad = systemctl("reload", UNIT, check=False)
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn("did you mean", journal())
        self.assertEqual(show("ActiveState"), "active")
        self.assertIn("the last reload failed", show("StatusText"))
        self.configure()
        systemctl("reload", UNIT)
        self.assertEqual(show("StatusText"), "Reading 2 tenants into 1 sink")
        self.assertEqual(show("MainPID"), pid)

    def test_a_loop_that_hangs_is_started_again(self):
        self.drop_in("WatchdogSec=1s\nRestartSec=100ms\nTimeoutAbortSec=2s\n")
        systemctl("start", UNIT)
        self.wait_for_alerts(100)
        time.sleep(3)  # a loop that runs is left alone
        self.assertEqual(show("NRestarts"), "0")
        pid = show("MainPID")
        os.kill(int(pid), 19)
        harness.wait_for("the restart", 30, lambda: show("NRestarts") == "1" and show("ActiveState") == "active")
        self.assertNotEqual(show("MainPID"), pid)
        before = len(self.ids())
        self.wait_for_alerts(before + 3)

    def test_a_wrong_configuration_is_said_once(self):
        """Starting again does not mend it; and only what has failed is seen by OnFailure= and by monitoring."""
        self.configure("sinc: 1\n")
        self.assertNotEqual(systemctl("start", UNIT, check=False).returncode, 0)
        harness.wait_for("its end", 20, lambda: show("ActiveState") == "failed")
        self.assertEqual((show("ExecMainStatus"), show("NRestarts")), ("78", "0"))
        self.configure()
        systemctl("start", UNIT)

    def test_what_the_machine_refuses_is_tried_again(self):
        os.makedirs("/var/lib/msspd/journal.db")  # no file
        self.assertNotEqual(systemctl("start", UNIT, check=False).returncode, 0)
        harness.wait_for("another try", 30, lambda: int(show("NRestarts")) > 0)
        self.assertIn("cannot start", journal())
        os.rmdir("/var/lib/msspd/journal.db")
        self.wait_for_alerts(100)
        self.assertEqual(show("ActiveState"), "active")

    def test_stop_within_a_second(self):
        systemctl("start", UNIT)
        self.wait_for_alerts(100)
        began = time.monotonic()
        systemctl("stop", UNIT)
        took = time.monotonic() - began
        self.assertLess(took, 1.0 * harness.SLOW + 0.5)  # systemctl's own way included
        self.assertEqual((show("Result"), show("ExecMainStatus")), ("success", "0"))
        self.assertIn("stopped, everything is saved", journal())

    def test_an_encrypted_credential(self):
        self.drop_in("LoadCredential=\nLoadCredentialEncrypted=graph-secret:/etc/msspd/graph-secret.cred\n")
        subprocess.run(["systemd-creds", "encrypt", "--with-key=host", "--name=graph-secret",
                        "/etc/msspd/graph-secret", "/etc/msspd/graph-secret.cred"], check=True)
        os.unlink("/etc/msspd/graph-secret")
        systemctl("start", UNIT)
        self.wait_for_alerts(100)

    def test_a_backup_by_its_unit(self):
        systemctl("start", UNIT)
        self.wait_for_alerts(100)
        systemctl("start", "msspd-backup.service")
        self.assertGreater(os.stat("/var/lib/msspd/backup/daily.db").st_size, 100000)
        systemctl("start", "msspd-backup.timer")
        systemctl("stop", "msspd-backup.timer")

    def test_nothing_starts_before_it_is_configured(self):
        os.unlink("/etc/msspd/msspd.yaml")
        systemctl("start", UNIT)
        self.assertEqual((show("ActiveState"), show("ConditionResult")), ("inactive", "no"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
