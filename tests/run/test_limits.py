# SPDX-License-Identifier: Apache-2.0
"""What msspd does when it has no more of what it needs: file descriptors; and that what it takes of them, of the disk
and of memory is what the manual says."""
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
LOG_MIB, BALLAST_MIB, REST_MIB = 80, 4, 1  # of disk, besides journal.max_size
START_MIB, STREAM_KIB, DRAIN_MIB = 18, 10, 40  # of memory


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
        self.assertIn("%d + 2 × `intake.max_requests` + %d × sinks + %d + %d" % (BASE, A_SINK, HTTP, CONTROL),
                      size_table("file descriptors"))
        self.assertIn("; %d with one sink" % (BASE + 2 * 64 + A_SINK + HTTP + CONTROL), size_table("file descriptors"))


def size_table(of):
    with open(os.path.join(harness.ROOT, "docs/OPERATIONS.md"), encoding="utf-8") as f:
        return next(line for line in f if line.startswith("| %s |" % of))


class Room(Scene):
    """Disk and memory, looked at all the time while a backlog grows to its limit, waits, and drains."""
    MAX_MIB = 16

    def scene(self, tenants, alerts, sink, *options, more=""):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", alerts, "--corpus", "bench", *options)
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(tenants), {"siem": sink}) + more)
        return self.msspd

    def disk_mib(self):
        """Of all there is in state_dir, as large as it seems: what is sparse counts."""
        sizes = {}
        for name in os.listdir(self.msspd.state):
            with contextlib.suppress(FileNotFoundError):
                sizes[name] = os.stat(os.path.join(self.msspd.state, name)).st_size / (1 << 20)
        return sizes

    def watch(self, what, seconds, is_over):
        """Until is_over(): the most that all files took, the database alone, and memory."""
        most = [0, 0, 0]
        look = time.monotonic()

        def step():
            nonlocal look
            sizes = self.disk_mib()
            for i, n in enumerate((sum(sizes.values()), sizes.get("journal.db", 0), self.msspd.rss_kib() / 1024)):
                most[i] = max(most[i], n)
            if time.monotonic() < look:
                return False
            look = time.monotonic() + 0.3
            return is_over()

        harness.wait_for(what, seconds, step)
        return most

    def test_disk_is_what_the_manual_says(self):
        siem = harness.SyslogNg(self.run_)
        siem.kill()
        sink = syslog_sink("tcp://127.0.0.1:%d" % siem.octet, framing="octet-counting", confirm_after="200ms")
        self.scene(10, 600, sink, "--page-gzip", "off", more="journal: {max_size: %dMiB}\n" % self.MAX_MIB).start()
        self.mark_up()
        journal = lambda: self.msspd.status()["journal"]
        filled = self.watch("it is full", 180, lambda: journal()["state"] == "paused")
        self.assertGreater(filled[0], 0.8 * self.MAX_MIB, "the limit is reached, in the log at first")
        self.msspd.kill()  # what a kill leaves behind is room taken, too
        self.msspd.start()
        full = self.watch("it is full still", 60, lambda: journal()["state"] == "paused")
        siem.start()
        drained = self.watch("it drains, fills again, and all is there", 120, lambda: len(siem.rows()) >= 6000 and
                             self.msspd.status()["sinks"][0]["backlog"] == 0)
        said = self.MAX_MIB + LOG_MIB + BALLAST_MIB + REST_MIB
        self.assertGreater(drained[1], 0.8 * self.MAX_MIB, "and then in the database")
        for most in (filled, full, drained):
            self.assertLessEqual(most[1], self.MAX_MIB, "the database alone")
            self.assertLessEqual(most[0], said)
        self.assertIn("`journal.max_size` + %d MiB + %d MiB + %d MiB" % (LOG_MIB, BALLAST_MIB, REST_MIB), size_table("disk"))
        self.assert_all_arrived(self.graph, self.msspd, siem, seconds=120)
        self.assertEqual(self.msspd.stop()[1], 0)

    def test_memory_is_what_the_manual_says(self):
        if harness.SLOW != 1:
            self.skipTest("other variants have their own memory")
        n = 200
        said = START_MIB + n * STREAM_KIB / 1024
        self.scene(n, 4, {"type": "file", "path": self.run_.path("out"), "format": "cef"}).start()
        sink = lambda: self.msspd.status()["sinks"][0]
        harness.wait_for("all is read and written", 60, lambda: sink()["accepted"] >= 4 * n)
        self.msspd.stop()
        self.msspd.start()  # what is there without a past
        harness.wait_for("all are read", 60, lambda: all(t["polls"] > 3 for t in self.msspd.status()["tenants"]))
        self.assertLessEqual(self.msspd.rss_kib() / 1024, said)
        self.graph.ask("/_control/story", {"tenant": "*", "make": 50})
        drained = self.watch("a backlog drains", 120, lambda: sink()["accepted"] >= 50 * n and not sink()["backlog"])
        self.assertLessEqual(drained[2], said + DRAIN_MIB)
        self.assertIn("%d MiB, and %d KiB a tenant and stream" % (START_MIB, STREAM_KIB), size_table("memory"))
        self.assertIn("about %d MiB more" % DRAIN_MIB, size_table("memory"))
        self.assertEqual(self.msspd.stop()[1], 0)


if __name__ == "__main__":
    unittest.main()
