# SPDX-License-Identifier: Apache-2.0
"""What msspd does when it has no more of what it needs: file descriptors; and that what it takes is what the manual says."""
import contextlib
import os
import re
import resource
import socket
import time
import unittest

import harness
from scene import Scene, syslog_sink

# OPERATIONS.md, "Size"; who changes one changes both.
BASE, A_SINK, HTTP, CONTROL = 40, 4, 32, 32


class Descriptors(Scene):
    def scene(self, tenants, *options, more="", sinks=None, **defaults):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", 4, *options)
        self.siem = harness.SyslogNg(self.run_)
        self.port = harness.free_port()
        url = "tcp://127.0.0.1:%d" % self.siem.lf
        config = harness.config(self.graph, harness.tenants(tenants), sinks or {
            "siem": syslog_sink(url, confirm_after="200ms")}, **defaults)
        config += "http: {listen: '127.0.0.1:%d'}\n" % self.port + more
        self.msspd = harness.Msspd(self.run_, config)
        return self.msspd

    def allow(self, n):
        resource.prlimit(self.msspd.child.pid, resource.RLIMIT_NOFILE, (n, 4096))

    def fds(self):
        return len(os.listdir("/proc/%d/fd" % self.msspd.child.pid))

    def wait_until_read(self, tenants):
        harness.wait_for("all are read", 60, lambda: sum(
            t["state"] == "healthy" for t in self.msspd.status()["tenants"]) == tenants)

    def knock(self):
        """Who wants to come in, over HTTP and the control socket, and cannot."""
        for _ in range(5):
            yield socket.create_connection(("127.0.0.1", self.port), timeout=10)
            s = socket.socket(socket.AF_UNIX)
            s.connect(self.msspd.socket)
            yield s

    def cpu_of(self, seconds):
        before = self.msspd.cpu_s()
        time.sleep(seconds)
        return self.msspd.cpu_s() - before

    def test_with_none_left_it_goes_on_and_does_not_spin(self):
        self.scene(30, "--rate", 0.5).start()
        self.wait_until_read(30)
        usual = self.cpu_of(3)
        self.allow(3)  # what is open stays so; nothing more can be opened
        with contextlib.ExitStack() as waiting:
            for s in self.knock():
                waiting.enter_context(s)
            before = len(self.siem.rows())
            self.assertLess(self.cpu_of(3), usual * 2 + 0.3 * harness.SLOW, "CPU seconds of 3, and %f before" % usual)
            harness.wait_for("alerts on what is open", 30, lambda: len(self.siem.rows()) > before)
            self.siem.stop()
            self.siem.start()
            harness.wait_for("the sink says what is missing", 30, lambda: re.search(
                r"sink siem: .*Too many open files; next try in", self.run_.read(self.msspd.log)))
            self.assertLess(self.cpu_of(3), usual * 2 + 0.3 * harness.SLOW)
            said = self.run_.read(self.msspd.log)
            self.assertLessEqual(said.count("http.listen cannot take a client: Too many open files"), 8, "repeats are counted")
            self.assertLessEqual(said.count("control_socket cannot take a client: Too many open files"), 1)
            self.assertNotIn("libevent", said)
        self.allow(1024)
        harness.wait_for("it answers again", 30, self.msspd.status)
        self.graph.stop_story()
        self.assert_all_arrived(self.graph, self.msspd, self.siem)
        self.assertEqual(self.msspd.stop()[1], 0)

    def test_with_few_nobody_is_blamed(self):
        """More tenants are read at a time than there are descriptors for: some wait, and it is told why."""
        self.scene(60, "--rate", 0.2, "--fault", "*:latency=300")
        self.msspd.start()
        self.allow(self.fds() + 8)
        harness.wait_for("trouble is told", 30, lambda: "Too many open files" in self.run_.read(self.msspd.log))
        harness.wait_for("alerts of some", 30, lambda: len(self.siem.rows()) > 20)
        time.sleep(3)
        self.allow(1024)
        self.graph.stop_story()
        said = self.run_.read(self.msspd.log)
        for wrong in ("credentials refused", "msspctl reload"):
            self.assertNotIn(wrong, said)
        self.assertEqual(self.msspd.ctl("poll", "--all").returncode, 0)
        self.assert_all_arrived(self.graph, self.msspd, self.siem)
        self.assertEqual(self.msspd.stop()[1], 0)

    def test_no_more_are_open_than_the_manual_says(self):
        requests, sinks = 20, 10
        self.scene(80, "--fault", "*:latency=200", more="intake: {max_requests: %d}\n" % requests)
        url = "tcp://127.0.0.1:%d" % self.siem.lf
        self.msspd.configure(harness.config(self.graph, harness.tenants(80), {
            "s%d" % i: syslog_sink(url, "tcp://127.0.0.1:%d" % harness.free_port()) for i in range(sinks)})
            + "http: {listen: '127.0.0.1:%d'}\nintake: {max_requests: %d}\n" % (self.port, requests))
        self.msspd.start()
        most = 0
        end = time.monotonic() + 5
        with contextlib.ExitStack() as guests:
            for _ in range(40):
                guests.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=10))
                s = guests.enter_context(socket.socket(socket.AF_UNIX))
                s.connect(self.msspd.socket)
            while time.monotonic() < end:
                most = max(most, self.fds())
                time.sleep(0.02)
        self.assertGreater(most, requests + sinks, "the scene is busy")
        self.assertLessEqual(most, BASE + 2 * requests + A_SINK * sinks + HTTP + CONTROL)
        self.msspd.stop()
        with open(os.path.join(harness.ROOT, "docs/OPERATIONS.md"), encoding="utf-8") as f:
            self.assertIn("%d + 2 × `intake.max_requests` + %d × sinks + %d + %d" % (BASE, A_SINK, HTTP, CONTROL), f.read())


if __name__ == "__main__":
    unittest.main()
