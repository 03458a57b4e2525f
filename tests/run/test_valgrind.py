# SPDX-License-Identifier: Apache-2.0
"""msspd under valgrind: what it takes it gives back, and it reads nothing that was never written."""
import os
import time
import unittest
from unittest import mock

import harness
from scene import Scene, syslog_sink
from test_siem import tls

# The exit code of a run in which valgrind found something; msspd has no such code.
FOUND = 9
VALGRIND = ("valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect "
            "--show-leak-kinds=definite,indirect --num-callers=30 --error-exitcode=%d" % FOUND)


class Valgrind(Scene):
    """Valgrind makes msspd twenty times slower: the waits of the run grow with it."""

    def setUp(self):
        if harness.is_sanitized():
            self.skipTest("valgrind cannot run what a sanitizer is built into")
        super().setUp()
        for change in (mock.patch.dict(os.environ, MSSPD_WRAP=VALGRIND),
                       mock.patch.object(harness, "SLOW", harness.SLOW * 6)):
            change.start()
            self.addCleanup(change.stop)

    def test_polls_delivers_reloads_and_stops_without_a_leak(self):
        pki = harness.Pki(self.run_)
        siem = harness.SyslogNg(self.run_, pki=pki)
        graph = harness.FakeGraph(
            self.run_, "--tenants", 6, "--alerts", 30, "--rate", 2, "--hostile", 10, "--fault", "2:noconsent",
            "--fault", "3:garbage", "--fault", "4:cut:for=2", "--fault", "5:429=2:for=1",
            "--tls-cert", pki("server.crt"), "--tls-key", pki("server.key"))
        sinks = {"siem": syslog_sink("tls://localhost:%d" % siem.tls, tls=tls(pki), confirm_after="1s"),
                 "out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"},
                 "nobody": syslog_sink("tcp://127.0.0.1:%d" % harness.free_port())}
        msspd = harness.Msspd(self.run_, self.configuration(graph, pki, sinks, 6)).start()
        harness.wait_for("alerts arrive", 30, lambda: len(siem.rows()) > 60)
        del sinks["out"]
        sinks["siem"]["hostname"] = "again-{tenant}"
        msspd.configure(self.configuration(graph, pki, sinks, 5))
        self.assertEqual(msspd.ctl("reload").returncode, 0)
        harness.wait_for("the new configuration is at work", 30, lambda: any(
            row["host"].startswith("again-") for row in siem.rows()))
        msspd.configure("nonsense: 1\n")
        self.assertEqual(msspd.ctl("reload").returncode, 1)
        time.sleep(1)
        _, code = msspd.stop()
        self.assertEqual(code, 0, self.run_.read(msspd.log)[-8000:])

    def configuration(self, graph, pki, sinks, n):
        text = harness.config(graph, harness.tenants(n), sinks)
        return text.replace('"login_url"', '"ca_file": "%s", "login_url"' % pki("ca.crt"))

    def test_calls_that_end_by_themselves(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 5)
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        text = harness.config(graph, harness.tenants(2), sinks)
        msspd = harness.Msspd(self.run_, text)
        for options in (("--once", "--timeout", "60s"), ("--dry-run", "--timeout", "60s"), ("-n",), ("-L",)):
            with self.subTest(options[0]):
                done = msspd.call(*options)
                self.assertEqual(done.returncode, 0, done.stderr[-8000:])
        msspd.configure(text.replace('"app"', '"ap"') + "tenants: {x: [y\n")
        done = msspd.call("-n")
        self.assertEqual(done.returncode, 78, done.stderr[-8000:])


if __name__ == "__main__":
    unittest.main()
