# SPDX-License-Identifier: Apache-2.0
"""The SIEM dies, hangs and comes back, connections are cut anywhere: nothing is lost, nothing torn."""
import sys
import time
import unittest

import harness
from proxy import CuttingProxy
from scene import Scene, syslog_sink


class Siem(Scene):
    interval_ms = 2000
    rounds = 50 if harness.SOAK else 10

    def start(self, sink, pki=None, tenants=5, alerts=300, rate=4):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", alerts, "--rate", rate)
        self.msspd = harness.Msspd(self.run_, harness.config(
            self.graph, harness.tenants(tenants), {"siem": sink}, poll_interval="2s", overlap="60s",
            budget=1000))
        self.msspd.start()
        self.mark_up()

    def finish(self, *receivers, torn_ok=False):
        """torn_ok: rows that the receiver itself had not written to their end when it was killed."""
        self.graph.stop_story()
        delivered = self.assert_all_arrived(self.graph, self.msspd, *receivers, seconds=400, torn_ok=torn_ok)
        self.assertEqual(delivered.unequal(), {}, "torn on the way")
        print("%d events, %d repeats" % (len(delivered.events), delivered.repeats()), file=sys.stderr)
        _, code = self.msspd.stop()
        self.assertEqual(code, 0)

    def test_killed_and_frozen(self):
        rng = harness.rng(self.id())
        siem = harness.SyslogNg(self.run_)
        self.start(syslog_sink("tcp://127.0.0.1:%d" % siem.lf, confirm_after="10s"))
        lost = []
        for n in range(self.rounds):
            # Whoever is sent nothing has nothing to lose; whoever dies before he confirms is sent less and less.
            harness.wait_for("msspd sends again", 120, lambda: harness.unread(siem.lf))
            if n % 2 == 0:
                before = self.sink()["accepted"]
                harness.wait_for("it is believed", 60, lambda: self.sink()["accepted"] > before, interval=0.3)
            time.sleep(rng.uniform(0.2, 3))
            if n % 4 == 0 or rng.random() < 0.3:
                siem.freeze()
                time.sleep(rng.uniform(1, 8 if harness.SOAK else 4))
                lost.append(sum(harness.unread(siem.lf)))
            siem.kill()
            time.sleep(rng.uniform(0, 1))
            siem.start()
        print("%d kills, with so much unread when frozen: %s" % (self.rounds, lost), file=sys.stderr)
        self.assertGreater(4 * sum(n > 0 for n in lost), len(lost))
        self.finish(siem, torn_ok=True)

    def test_cut_at_random_bytes(self):
        rng = harness.rng(self.id())
        siem = harness.SyslogNg(self.run_)
        proxy = CuttingProxy(siem.octet, rng, 1, 500000)
        self.addCleanup(proxy.close)
        self.start(syslog_sink("tcp://127.0.0.1:%d" % proxy.port, framing="octet-counting",
                               confirm_after="2s"), alerts=20, rate=10)
        harness.wait_for("connections were cut", 120 + 20 * self.rounds, lambda: proxy.cuts >= self.rounds)
        proxy.is_cutting = False
        self.finish(siem)

    def test_tls_cut_at_random_bytes(self):
        rng = harness.rng(self.id())
        pki = harness.Pki(self.run_)
        siem = harness.Rsyslog(self.run_, pki=pki)
        proxy = CuttingProxy(siem.tls, rng, 1, 500000)
        self.addCleanup(proxy.close)
        self.start(syslog_sink("tls://localhost:%d" % proxy.port, confirm_after="2s", tls=tls(pki)),
                   alerts=20, rate=10)
        harness.wait_for("connections were cut", 120 + 20 * self.rounds, lambda: proxy.cuts >= self.rounds)
        proxy.is_cutting = False
        self.finish(siem)

    def test_client_certificate_refused(self):
        """An alarm that says what to do, nothing counted as delivered; all of it once it is mended."""
        pki = harness.Pki(self.run_)
        siem = harness.SyslogNg(self.run_, pki=pki)
        self.start(syslog_sink("tls://localhost:%d" % siem.tls, tls=tls(pki, "intruder"),
                               confirm_after="1s"), tenants=2, alerts=50, rate=1)
        harness.wait_for("the refusal is seen", 30, lambda: self.sink()["link"] == "refused")
        time.sleep(3)
        self.assertEqual(self.sink()["accepted"], 0)
        self.assertIn("certificate", self.sink()["trouble"])
        self.assertEqual(siem.rows(), [])
        self.msspd.configure(harness.config(self.graph, harness.tenants(2), {
            "siem": syslog_sink("tls://localhost:%d" % siem.tls, tls=tls(pki), confirm_after="1s")}))
        self.msspd.hup()
        self.finish(siem)

    def test_server_with_another_name_is_refused(self):
        pki = harness.Pki(self.run_)
        siem = harness.SyslogNg(self.run_, pki=pki)
        self.start(syslog_sink("tls://localhost:%d" % siem.tls,
                               tls=dict(tls(pki), server_name="siem.example"), confirm_after="1s"),
                   tenants=1, alerts=5, rate=0)
        harness.wait_for("the refusal is seen", 30, lambda: self.sink()["link"] == "refused")
        self.assertIn("siem.example", self.sink()["trouble"])
        self.assertEqual(self.sink()["accepted"], 0)
        self.assertEqual(siem.rows(), [])

    def test_failover_and_failback(self):
        one, two = harness.SyslogNg(self.run_, "one"), harness.SyslogNg(self.run_, "two")
        self.start(syslog_sink("tcp://127.0.0.1:%d" % one.lf, "tcp://127.0.0.1:%d" % two.lf,
                               confirm_after="1s", failback="2s"))
        harness.wait_for("the first server gets alerts", 30, one.rows)
        one.kill()
        harness.wait_for("the second server takes over", 30, two.rows)
        one.start()
        before = len(one.rows())
        harness.wait_for("the first server is used again", 30, lambda: len(one.rows()) > before)
        self.finish(one, two, torn_ok=True)

    def sink(self):
        return self.msspd.status()["sinks"][0]


def tls(pki, client="client"):
    return {"ca_file": pki("ca.crt"), "certificate_file": pki(client + ".crt"),
            "key_file": pki(client + ".key")}


if __name__ == "__main__":
    unittest.main()
