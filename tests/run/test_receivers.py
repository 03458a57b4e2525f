# SPDX-License-Identifier: Apache-2.0
"""What real syslog-ng and real rsyslog understand of every transport, header and framing."""
import os
import unittest

import harness
from scene import Scene, syslog_sink
from test_siem import tls
from truth import Delivered, Truth, compare


class Receivers(Scene):
    def sinks(self, ng, rs, pki):
        ng_tls = dict(tls=tls(pki), confirm_after="1s")
        return {
            "ng-lf": syslog_sink("tcp://127.0.0.1:%d" % ng.lf, confirm_after="1s", header="rfc5424"),
            "ng-3164": syslog_sink("tcp://127.0.0.1:%d" % ng.lf3164, confirm_after="1s", header="rfc3164"),
            "ng-octet": syslog_sink("tcp://127.0.0.1:%d" % ng.octet, framing="octet-counting",
                                    confirm_after="1s"),
            "ng-tls": syslog_sink("tls://localhost:%d" % ng.tls, **ng_tls),
            "ng-udp": syslog_sink("udp://127.0.0.1:%d" % ng.udp),
            "ng-unix": syslog_sink("unix://%s" % ng.unix, header="rfc3164"),
            "ng-udp3164": syslog_sink("udp://127.0.0.1:%d" % ng.udp3164, header="rfc3164",
                                      time_zone="Europe/Berlin"),
            "rs-lf": syslog_sink("tcp://127.0.0.1:%d" % rs.tcp, confirm_after="1s", framing="lf"),
            "rs-octet": syslog_sink("tcp://127.0.0.1:%d" % rs.tcp, framing="octet-counting",
                                    confirm_after="1s"),
            "rs-3164": syslog_sink("tcp://127.0.0.1:%d" % rs.tcp, header="rfc3164", confirm_after="1s"),
            "rs-tls": syslog_sink("tls://localhost:%d" % rs.tls, tls=tls(pki), confirm_after="1s"),
            "rs-udp": syslog_sink("udp://127.0.0.1:%d" % rs.udp),
        }

    def test_everything_arrives_as_it_was(self):
        """One sink at a time, so that each transport's rows are its own."""
        pki = harness.Pki(self.run_)
        ng, rs = harness.SyslogNg(self.run_, pki=pki), harness.Rsyslog(self.run_, pki=pki)
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 60, "--hostile", 44, "--same-stamp", 5)
        for name, sink in sorted(self.sinks(ng, rs, pki).items()):
            with self.subTest(name):
                receiver = ng if name.startswith("ng") else rs
                before = len(receiver.rows())
                msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(3), {"siem": sink}),
                                      name="msspd-" + name)
                done = msspd.call("--once", "--timeout", "60s")
                self.assertEqual(done.returncode, 0, done.stderr[-3000:])
                self.check(graph, receiver, before, name)

    def check(self, graph, receiver, before, name):
        truth = Truth(graph.truth_file)
        count = len(truth.alerts)
        harness.wait_for("all rows of " + name, 30, lambda: len(receiver.rows()) - before >= count)
        rows = receiver.rows()[before:]
        for row in rows:
            # A header without a tag makes strict RFC 3164 readers take "CEF" for one.
            if not row["msg"].startswith("CEF:") and row.get("app") == "CEF":
                row["msg"] = "CEF:" + row["msg"].lstrip()
            row["msg"] = row["msg"].lstrip(" ")
        delivered = Delivered(rows)
        self.assertEqual(compare(truth, delivered, 1000, []), [])
        self.assertEqual(delivered.torn, 0)
        if "udp" not in name:
            self.assertEqual(delivered.repeats(), 0)
        for event, (row, _, fields) in delivered.fields.items():
            self.assertEqual(row["host"], fields["cs4"], event)  # hostname: "{tenant}"
            self.assertIn(int(row["pri"]) >> 3, (20,), event)  # local4
            if "3164" not in name and "unix" not in name:
                self.assertEqual(row["app"], "msspd", event)


class Files(Scene):
    def test_file_sink_cef_and_raw_and_reopen(self):
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 20, "--rate", 2)
        out = self.run_.path("alerts.cef")
        raw = self.run_.path("alerts.raw")
        sinks = {"cef": {"type": "file", "path": out, "format": "cef"},
                 "raw": {"type": "file", "path": raw, "format": "raw"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2), sinks)).start()
        self.mark_up()
        harness.wait_for("the file is there", 30, lambda: os.path.exists(out) and os.path.getsize(out))
        os.rename(out, out + ".1")
        msspd.hup()
        harness.wait_for("the file is opened anew", 30, lambda: os.path.exists(out) and os.path.getsize(out))
        graph.stop_story()
        reader = FileRows(out + ".1", out)
        self.assert_all_arrived(graph, msspd, reader)
        msspd.stop()
        self.assertEqual(len(reader.rows()), len(open(raw, encoding="utf-8").read().splitlines()))
        self.assertEqual(os.stat(out).st_mode & 0o007, 0)


class FileRows:
    """Files of CEF lines, read as a receiver is."""

    def __init__(self, *paths):
        self.paths = paths

    def rows(self):
        rows = []
        for path in self.paths:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as f:
                    rows += [{"msg": line.rstrip("\n")} for line in f if line.endswith("\n")]
        return rows


if __name__ == "__main__":
    unittest.main()
