# SPDX-License-Identifier: Apache-2.0
"""What msspd tells a service manager (sd_notify), and when."""
import contextlib
import os
import signal
import socket

import harness
from scene import Scene


class Notify(Scene):
    def setUp(self):
        super().setUp()
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(self.manager.close)
        self.manager.bind(self.run_.path("manager"))
        self.manager.setblocking(False)
        self.told = []
        self.graph = harness.FakeGraph(self.run_, "--alerts", 5)
        self.config = harness.config(self.graph, harness.tenants(1), {
            "out": {"type": "file", "path": self.run_.path("out"), "format": "raw"}})
        self.msspd = harness.Msspd(self.run_, self.config)

    def start(self):
        env = dict(os.environ, NOTIFY_SOCKET=self.run_.path("manager"), WATCHDOG_USEC="400000")
        self.msspd.child = self.run_.start(self.msspd.argv(), log=self.msspd.log, env=env)

    def lines(self):
        """All that was told so far, line by line."""
        with contextlib.suppress(BlockingIOError):
            while True:
                self.told += self.manager.recv(4096).decode().splitlines()
        return self.told

    def wait_for(self, *lines):
        """These, in this order, after all that was waited for before."""
        def are_there():
            rest = iter(self.lines())
            return all(line in rest for line in lines)
        harness.wait_for("%s: %s" % (lines, self.told), 60, are_there)
        del self.told[:len(self.told) - self.told[::-1].index(lines[-1])]

    def test_ready_is_said_when_polling_can_begin(self):
        journal = os.path.join(self.msspd.state, "journal.db")
        os.mkdir(journal)
        self.start()
        self.assertNotEqual(self.msspd.child.wait(60 * harness.SLOW), 0)
        self.assertNotIn("READY=1", self.lines(), "no journal, nothing to be ready for")
        os.rmdir(journal)
        self.told.clear()
        self.start()
        self.wait_for("READY=1", "STATUS=Reading 1 tenant into 1 sink")
        self.assertEqual(self.msspd.status()["tenants"][0]["tenant"], "t001")
        harness.wait_for("it is read", 60, lambda: self.run_.read("out").count("\n") == 5)
        self.wait_for("WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1")

    def test_a_reload_is_told_from_its_beginning_to_its_end(self):
        self.start()
        self.wait_for("READY=1")
        self.msspd.hup()
        self.wait_for("RELOADING=1", "READY=1")
        self.msspd.configure(self.config.replace('"poll_interval"', '"pol_interval"'))
        self.msspd.hup()
        self.wait_for("RELOADING=1", "READY=1")
        harness.wait_for("the status has it", 60, lambda: any("the last reload failed" in line for line in self.lines()))
        self.msspd.child.send_signal(signal.SIGTERM)
        self.wait_for("STOPPING=1")
        self.assertEqual(self.msspd.child.wait(60 * harness.SLOW), 0)
        self.assertNotIn("READY=1", self.lines())
