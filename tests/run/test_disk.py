# SPDX-License-Identifier: Apache-2.0
"""A full disk: polling pauses, the sinks drain, polling resumes, nothing is lost."""
import os
import subprocess
import time
import unittest

import harness
from scene import Scene, syslog_sink
from truth import Delivered


class FullDisk(Scene):
    def mount(self, mib):
        if os.geteuid() != 0:
            self.skipTest("root is needed to mount a small file system")
        image, place = self.run_.path("disk.img"), self.run_.path("disk")
        os.mkdir(place)
        with open(image, "wb") as f:
            f.truncate(mib << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        done = subprocess.run(["mount", "-o", "loop", image, place], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            self.skipTest("no loop mounts here: " + done.stderr)
        self.addCleanup(subprocess.run, ["umount", "-l", place], check=False)
        return place

    def scene(self, siem_port, place, alerts, *options):
        graph = harness.FakeGraph(self.run_, "--tenants", 10, "--alerts", alerts, "--corpus", "bench", *options)
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % siem_port, framing="octet-counting",
                                     confirm_after="1s", health="daemon")}
        config = harness.config(graph, harness.tenants(10), sinks) + "health: {settle: 1s}\n"
        msspd = harness.Msspd(self.run_, config,
                              state=os.path.join(place, "state"))
        return graph, msspd

    @staticmethod
    def told_of_msspd(siem):
        return [header["class_id"] for header, fields in Delivered(siem.rows()).health if fields["cs3"] == "msspd"]

    def test_journal_fills_a_small_disk(self):
        self.fill(64, "--page-gzip", "off")  # 20,000 alerts of 5.2 KB: 100 MB

    def test_packed_pages_fill_a_smaller_one(self):
        self.fill(24)

    def fill(self, mib, *options):
        place = self.mount(mib)
        siem = harness.SyslogNg(self.run_)
        siem.kill()
        graph, msspd = self.scene(siem.octet, place, 2000, *options)
        msspd.start()
        self.mark_up()
        harness.wait_for("polling pauses", 120, lambda: msspd.status()["journal"]["state"] == "paused")
        self.assertTrue(any(t["state"] == "paused" for t in msspd.status()["tenants"]))
        self.assertIn("no new alerts are taken", self.run_.read(msspd.log))
        time.sleep(3 * harness.SLOW)  # health.settle and two looks: what is told must have lasted
        siem.start()
        self.assert_all_arrived(graph, msspd, siem, seconds=240)
        harness.wait_for("the journal goes on", 30, lambda: msspd.status()["journal"]["state"] == "ok")
        for word in ("health.paused", "health.down"):
            harness.wait_for(word, 30, lambda word=word: word in self.told_of_msspd(siem))
        _, code = msspd.stop()
        self.assertEqual(code, 0)

    def test_somebody_else_fills_the_disk(self):
        """Not our file but the file system is full: what is there still drains, then all goes on."""
        place = self.mount(64)
        siem = harness.SyslogNg(self.run_)
        siem.kill()
        graph, msspd = self.scene(siem.octet, place, 300)
        msspd.start()
        self.mark_up()
        harness.wait_for("a backlog", 60, lambda: msspd.status()["journal"]["entries"] > 200)
        hog = os.path.join(place, "hog")
        with open(hog, "wb", buffering=0) as f:
            try:
                while True:
                    f.write(b"\0" * 65536)
            except OSError:
                pass
        graph.ask("/_control/story", {"tenant": 1, "make": 400})
        time.sleep(5)
        before = msspd.status()["journal"]["entries"]
        siem.start()
        harness.wait_for("the backlog drains on a full disk", 60,
                         lambda: msspd.status()["sinks"][0]["accepted"] >= min(before, 200))
        os.unlink(hog)
        self.assert_all_arrived(graph, msspd, siem, seconds=150)
        _, code = msspd.stop()
        self.assertEqual(code, 0)


if __name__ == "__main__":
    unittest.main()
