# SPDX-License-Identifier: Apache-2.0
"""Mail against a real postfix: what it accepts it keeps, what it defers comes again, what it refuses is a dead letter."""
import collections
import os
import unittest

import harness
from postfix import Postfix, daemons
from scene import Scene
from truth import Truth, event_id

KILLS = 20 if harness.SOAK else 3


@unittest.skipUnless(daemons(), "postfix is not in build/postfix: tools/deps.sh postfix")
@unittest.skipUnless(os.getuid() == 0, "postfix becomes other users")
class RealPostfix(Scene):
    def start(self, rules, *options, verdicts=(), **sink):
        self.graph = harness.FakeGraph(self.run_, "--history", 3600, *options)
        self.pki = harness.Pki(self.run_)
        self.mx = Postfix(self.run_, self.pki, verdicts)
        self.addCleanup(self.mx.close)
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "mail": self.mx.sink(rules, **sink)})).start()

    def sink(self):
        return self.msspd.status()["sinks"][0]

    def wanted(self):
        return {event_id(v) for v in Truth(self.graph.truth_file).versions()}

    def events(self, to):
        return collections.Counter(m["X-Msspd-Event-Id"] for m in self.mx.mails() if m.to == to)

    def wait_all(self, *people):
        for to in people:
            harness.wait_for("everything for " + to, 90, lambda to=to: set(self.events(to)) == self.wanted())

    def test_each_recipient_is_judged(self):
        """STARTTLS and AUTH; 250, 450 that becomes 250, 550."""
        self.start([{"to": ["a@x.example", "later@x.example", "never@x.example"]}], "--alerts", 10,
                   verdicts={"later": "450 4.2.0 greylisted", "never": "550 5.1.1 gone"})
        self.wait_all("a@x.example")
        harness.wait_for("it is put off", 30, lambda: "450 4.2.0 <later@x.example>" in self.mx.log())
        self.assertEqual((self.sink()["link"], self.sink()["backlog"]), ("up", 10))
        self.assertEqual(self.events("later@x.example"), {})
        self.mx.say(never="550 5.1.1 gone")
        self.wait_all("later@x.example")
        harness.wait_for("dead letters", 30, lambda: (self.sink()["dead_letters"], self.sink()["backlog"]) == (10, 0))
        self.assertEqual(set(self.events("a@x.example").values()), {1})
        self.assertEqual(self.events("never@x.example"), {})
        log = self.run_.read(self.msspd.log)
        self.assertRegex(log, r"never@x\.example: localhost:%d: RCPT: 550 5\.1\.1 " % self.mx.port)
        self.assert_no_secret_in_logs(self.msspd.log)
        self.assertIn("sasl_method=PLAIN, sasl_username=" + self.mx.USER, self.mx.log())
        for mail in self.mx.mails():
            self.assertIn("with ESMTPSA", mail["Received"])  # RFC 3848: TLS and AUTH
            self.assertEqual(mail.message.defects, [])

    def test_a_wrong_password_is_no_dead_letter(self):
        self.start([{"to": "a@x.example"}], "--alerts", 3)
        self.wait_all("a@x.example")
        self.run_.write("postfix.password", "wrong")
        self.mx.kill()
        self.mx.start()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 2})
        harness.wait_for("refused", 60, lambda: self.sink()["link"] == "refused" and "535" in self.sink()["trouble"])
        self.assertEqual(self.sink()["dead_letters"], 0)
        self.run_.write("postfix.password", self.mx.PASSWORD)
        self.wait_all("a@x.example")

    def test_killed_in_the_middle(self):
        """What it has queued it delivers after a kill -9; what it has not comes again: nothing is lost."""
        self.start([{"to": ["a@x.example", "b@x.example"]}], "--alerts", 100)
        for _ in range(KILLS):
            before = self.mx.count()
            harness.wait_for("a few mails", 60, lambda: self.mx.count() >= min(before + 10, 200))
            self.mx.kill()
            self.mx.start()
        self.wait_all("a@x.example", "b@x.example")
        harness.wait_for("nothing left", 60, lambda: self.sink()["backlog"] == 0)
        self.assertEqual(self.sink()["dead_letters"], 0)


if __name__ == "__main__":
    unittest.main()
