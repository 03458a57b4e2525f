# SPDX-License-Identifier: Apache-2.0
"""Does a sink work? Test records that a person asks for, and canaries that come by themselves, against real receivers."""
import json
import os
import socket
import unittest
import urllib.request

import harness
from harness import wait_for
from mailbox import PYTHON, MailServer
from scene import Scene, syslog_sink


class Canaries(Scene):
    def start(self, sinks, *options, alerts=20, more="", **conf):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--history", 3600, "--alerts", alerts, *options)
        self.more = more
        self.conf = conf
        self.msspd = harness.Msspd(self.run_, self.config(sinks))
        return self.msspd.start()

    def config(self, sinks):
        return harness.config(self.graph, harness.tenants(1), sinks, **self.conf) + self.more

    def sink(self, name):
        return next(s for s in self.msspd.status()["sinks"] if s["sink"] == name)

    def try_sink(self, *words, status=0):
        """What msspctl test-sink answers, as JSON."""
        answer = self.msspd.ctl("test-sink", *words, "--json")
        self.assertEqual(answer.returncode, status, answer.stdout + answer.stderr)
        return json.loads(answer.stdout)


class TestSink(Canaries):
    def test_syslog_and_its_troubles(self):
        siem = harness.SyslogNg(self.run_)
        dead = "tcp://127.0.0.1:%d" % harness.free_port()
        deaf = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        deaf.bind(("127.0.0.1", 0))
        self.addCleanup(deaf.close)
        self.start({"siem": syslog_sink("tcp://127.0.0.1:%d" % siem.lf, confirm_after="300ms"),
                    "udp": syslog_sink("udp://127.0.0.1:%d" % deaf.getsockname()[1]),
                    "gone": syslog_sink(dead)})
        wait_for("all alerts", 60, lambda: self.sink("siem")["backlog"] == 0 and self.sink("siem")["accepted"] >= 20)
        before = self.sink("siem")

        with self.subTest("accepted and acknowledged, and there"):
            answer = self.try_sink("siem")
            self.assertTrue(answer["accepted"] and answer["acknowledged"])
            self.assertGreaterEqual(answer["took_ms"], 300)
            self.assertIn("confirm_after", answer["means"])
            wait_for("it is at the receiver", 30, lambda: answer["event_id"] in self.run_.read(siem.out))
            line = next(x for x in self.run_.read(siem.out).splitlines() if answer["event_id"] in x)
            self.assertIn("|msspd|msspd|", line)
            self.assertIn("|canary|msspd test record for sink siem", line)
        with self.subTest("no figure of alerts knows of it"):
            after = self.sink("siem")
            for name in ("accepted", "retried", "rejected", "dead_letters", "backlog", "last_accepted"):
                self.assertEqual(after[name], before[name], name)
        with self.subTest("UDP: nobody can know"):
            answer = self.try_sink("udp")
            self.assertTrue(answer["accepted"] and not answer["acknowledged"])
            self.assertIn("nobody can know", answer["means"])
            text = self.msspd.ctl("test-sink", "udp").stdout
            self.assertIn("udp: accepted, without acknowledgement", text)
        with self.subTest("down: why, and what to do"):
            answer = self.try_sink("gone", status=69)
            self.assertEqual((answer["result"], answer["link"], answer["took_ms"]), ("no-link", "down", None))
            self.assertIn("refused", answer["why"])
            self.assertIn("receiver", answer["do"])
            self.assertIn("NOT sent", self.msspd.ctl("test-sink", "gone").stdout)
        with self.subTest("no answer within the time"):
            answer = self.try_sink("siem", "--timeout", "200ms", status=75)
            self.assertEqual(answer["result"], "unanswered")
        with self.subTest("paused"):
            self.msspd.ctl("pause", "sink", "siem")
            self.assertEqual(self.try_sink("siem", status=69)["result"], "paused")
        with self.subTest("no such sink, no such option"):
            self.assertIn("there is no sink 'nobody'", self.msspd.ctl("test-sink", "nobody").stderr)
            self.assertIn("no recipients", self.msspd.ctl("test-sink", "udp", "--to", "a@b.example").stderr)
            self.assertEqual(self.msspd.ctl("test-sink", "udp", "--timeout", "soon").returncode, 64)

    def test_files_in_each_format(self):
        formats = ("cef", "leef", "ocsf", "ecs", "raw")
        sinks = {f: {"type": "file", "path": self.run_.path(f + ".out"), "format": f} for f in formats}
        self.start(sinks, alerts=3)
        lines = {}
        for name in formats:
            answer = self.try_sink(name)
            self.assertTrue(answer["accepted"] and answer["acknowledged"], answer)
            found = [x for x in self.run_.read(name + ".out").splitlines() if answer["event_id"] in x]
            self.assertEqual(len(found), 1)
            lines[name] = found[0]
        self.assertIn("|msspd|msspd|", lines["cef"])
        self.assertIn("|canary|msspd test record for sink cef, sent because a person asked for it|0|", lines["cef"])
        self.assertIn("|canary|", lines["leef"])
        ocsf, ecs, raw = (json.loads(lines[name]) for name in ("ocsf", "ecs", "raw"))
        self.assertEqual((ocsf["class_uid"], ocsf["status_detail"]), (0, "test"))
        self.assertEqual(ecs["event"]["dataset"], "msspd.canary")
        self.assertEqual((raw["canary"]["sink"], raw["canary"]["purpose"]), ("raw", "test"))
        self.assertNotIn("alert", raw)


@unittest.skipUnless(os.path.exists(PYTHON), "aiosmtpd is not in build/readers: tools/deps.sh readers")
class TestMail(Canaries):
    def test_one_mail_to_one_recipient(self):
        mx = MailServer(self.run_, harness.Pki(self.run_))
        rules = [{"to": ["oncall@soc.example", "{contacts.it}"], "match": {"severity": ["high"]}, "digest": "1h"}]
        customers = {"contoso": {"name": "Contoso Ltd", "contacts": {"it": ["It <it@contoso.example>"]}}}
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 0)
        tenants = harness.tenants(1, customer="contoso")
        self.msspd = harness.Msspd(self.run_, harness.config(
            self.graph, tenants, {"mail": mx.sink(rules, subject="{title}: none of your business")})
            + "customers: %s\n" % json.dumps(customers)).start()
        for to, words in (("ONCALL@soc.example", "msspd: Test message"), ("it@contoso.example", "Contoso Ltd: Test message")):
            answer = self.try_sink("mail", "--to", to)
            self.assertTrue(answer["accepted"] and answer["acknowledged"])
            mail = next(m for m in mx.mails() if m["X-Msspd-Event-Id"] == answer["event_id"])
            self.assertEqual(mail.to.lower(), to.lower())
            self.assertTrue(mail["Subject"].startswith("[Test] " + words), mail["Subject"])
            self.assertIn("Nothing happened", mail.text())
            self.assertEqual(mail["X-Msspd-Type"], "canary")
        self.assertEqual(mx.count(), 2)
        self.assertIn("say to whom", self.msspd.ctl("test-sink", "mail").stderr)
        self.assertIn("oncall@soc.example, it@contoso.example", self.msspd.ctl("test-sink", "mail").stderr)
        self.assertIn("know no recipient", self.msspd.ctl("test-sink", "mail", "--to", "ceo@else.example").stderr)
        mx.faults(rcpt={"oncall": "550 5.1.1 nobody of that name"})
        answer = self.try_sink("mail", "--to", "oncall@soc.example", status=76)
        self.assertEqual(answer["result"], "rejected")
        self.assertIn("nobody of that name", answer["why"])
        self.assertEqual(self.sink("mail")["dead_letters"], 0)
        mx.kill()
        answer = self.try_sink("mail", "--to", "oncall@soc.example", status=75)
        self.assertEqual(answer["result"], "cut")


class ByThemselves(Canaries):
    def canary(self, name="siem"):
        return self.sink(name)["canary"]

    def records(self, name, words):
        """Lines of a file sink that have all the words."""
        return [x for x in self.run_.read(name).splitlines() if all(w in x for w in words)]

    def test_the_whole_way_and_when_it_is_not_open(self):
        siem = harness.SyslogNg(self.run_)
        own, port = self.run_.path("own.out"), harness.free_port()

        def metric(name):
            with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port) as answer:
                text = answer.read().decode()
            return [float(x.split()[-1]) for x in text.splitlines() if x.startswith(name + '{sink="siem"')]

        self.start({"siem": syslog_sink("tcp://127.0.0.1:%d" % siem.lf, confirm_after="200ms", canary="1s",
                                        canary_within="2s", match={"severity": ["high"], "events": ["new"]}),
                    "own": {"type": "file", "path": own, "health": "daemon", "match": {"events": ["health"]}},
                    "all": {"type": "file", "path": self.run_.path("all.out")}},
                   more="health: {settle: 1s}\nhttp: {listen: \"127.0.0.1:%d\"}\n" % port)
        with self.subTest("accepted, whatever match says, and in no figure of alerts"):
            wait_for("canaries", 60, lambda: self.canary()["accepted"] >= 3)
            wait_for("alerts", 60, lambda: self.sink("all")["accepted"] >= 20)
            lines = self.records(siem.out, ["|canary|msspd canary for sink siem|0|"])
            self.assertGreaterEqual(len(lines), 3)
            alerts = self.records(siem.out, ["MicrosoftDefenderEventId", "/alert:"])
            self.assertEqual(self.sink("siem")["accepted"], len(alerts))
            self.assertIsNone(self.sink("all")["canary"])
            self.assertEqual(self.records("all.out", ["canary"]), [])
            self.assertEqual((self.canary()["state"], self.canary()["ok"]), ("accepted", True))
            self.assertEqual(metric("msspd_canary_overdue"), [0])
            self.assertGreaterEqual(metric("msspd_canary_accepted_total")[0], 3)
        with self.subTest("overdue: said once, told, and shown"):
            siem.kill()
            wait_for("overdue", 60, lambda: self.canary()["state"] == "overdue")
            wait_for("it is told", 60, lambda: self.records("own.out", ["Sink siem: canary overdue"]))
            self.assertEqual(metric("msspd_canary_overdue"), [1])
            text = self.msspd.ctl("sink", "siem").stdout
            self.assertIn("overdue", text)
            self.assertIn("was not accepted within 2s", " ".join(text.split()))
            self.assertIn("canary overdue", self.msspd.ctl("status").stdout)
            self.assertEqual(self.sink("siem")["backlog"], 1, "they do not pile up")
        with self.subTest("the same one still is, after a kill"):
            self.msspd.kill()
            self.msspd.start()
            wait_for("overdue", 60, lambda: self.canary()["state"] == "overdue")
            self.assertEqual(self.sink("siem")["backlog"], 1)
        with self.subTest("the all-clear"):
            siem.start()
            wait_for("accepted", 60, lambda: self.canary()["state"] == "accepted")
            wait_for("it is told", 60, lambda: self.records("own.out", ["Sink siem: canary accepted"]))
            # The kill may repeat what was accepted just before it: the same event, by its id.
            told = self.records("own.out", ["Sink siem: canary overdue"])
            self.assertEqual(len({x.split("MicrosoftDefenderEventId=")[1].split()[0] for x in told}), 1)
            log = self.run_.read(self.msspd.log)
            self.assertIn("accepts canaries again", log)

    def test_mail_only_when_asked_for(self):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 0)
        mail = {"type": "smtp", "server": "smtp://127.0.0.1:9", "from": "a@soc.example", "tls": {"mode": "off"},
                "canary": "1h", "rules": [{"to": "x@soc.example"}]}

        def errors():
            return harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {"mail": mail})).call("-n").stderr

        self.assertIn("sinks.mail.canary: no rule of this sink takes canaries", errors())
        mail["rules"] = [{"to": "x@soc.example", "match": {"events": ["canary"], "customers": ["t001"]}}]
        self.assertIn("no rule of this sink takes canaries", errors())
        mail["rules"] = [{"to": "x@soc.example", "match": {"events": ["canary"]}}]
        self.assertNotIn("canary", errors())


if __name__ == "__main__":
    unittest.main()
