"""What goes nowhere by itself: dead letters, quarantine; and customers that leave."""
import base64
import collections
import json
import os
import re
import subprocess
import unittest

import harness
from mailbox import PYTHON, MailServer
from scene import Scene

REFUSED = {"rcpt": {"oncall": "550 5.1.1 nobody of that name"}}


class Letters(Scene):
    def ctl(self, *words, status=0):
        done = self.msspd.ctl(*words)
        self.assertEqual(done.returncode, status, "%s: %s%s" % (words, done.stdout, done.stderr))
        return done.stdout if status == 0 else done.stderr

    def letters(self, box="dead", *more):
        return json.loads(self.ctl(box, "--all", "--json", *more))["letters"]

    def raw(self, *words):
        return subprocess.run([os.path.join(harness.BIN, "msspctl"), "-s", self.msspd.socket, *words, "--raw"],
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * harness.SLOW, check=True).stdout

    def assert_fits(self, text):
        for line in text.splitlines():
            self.assertLessEqual(len(line), 80, line)
            self.assertNotRegex(line, "[\x00-\x1f\x7f-\x9f\u202a-\u202e]")

    def sink(self, name):
        return next(s for s in self.msspd.status()["sinks"] if s["sink"] == name)

    def wait_dead(self, n, sink="mail"):
        harness.wait_for("%d dead letters" % n, 60, lambda: self.sink(sink)["dead_letters"] == n)


@unittest.skipUnless(os.path.exists(PYTHON), "aiosmtpd is not in build/readers: tools/deps.sh readers")
class Dead(Letters):
    def start(self, alerts, faults=None, tenants=1):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", alerts, "--history", 3600)
        self.mx = MailServer(self.run_, harness.Pki(self.run_))
        self.mx.faults(**(REFUSED if faults is None else faults))
        self.tenants, self.sinks = harness.tenants(tenants), {
            "mail": self.mx.sink([{"to": "oncall@soc.example"}]),
            "out": {"type": "file", "path": self.run_.path("out"), "format": "raw"}}
        self.msspd = harness.Msspd(self.run_, self.config()).start()

    def config(self):
        return harness.config(self.graph, self.tenants, self.sinks, page_size=50)

    def mails(self):
        return collections.Counter(m["X-Msspd-Event-Id"] for m in self.mx.mails())

    def test_listed_shown_retried_dropped(self):
        self.start(6, tenants=2)
        self.wait_dead(12)
        self.assertEqual(len(self.letters()), 12)
        self.assertEqual({x["tenant"] for x in self.letters("dead", "--tenant", "t002")}, {"t002"})
        self.assertEqual(self.letters("dead", "--sink", "out"), [])
        self.assertIn("no", self.ctl("dead", "--sink", "nobody", status=1))
        self.assertIn("nothing of a tenant", self.ctl("dead", "--tenant", "t0", status=1))
        text = self.ctl("dead")
        self.assert_fits(text)
        self.assertIn("550 5.1.1 nobody", text)
        first = self.letters()[0]
        number = str(first["number"])
        text = self.ctl("dead", "show", number)
        self.assert_fits(text)
        for word in ("550", first["tenant"], first["id"], "mail"):
            self.assertIn(word, text)
        body = self.raw("dead", "show", number)
        self.assertEqual(len(body), first["size"])
        self.assertEqual(json.loads(body)["id"], first["id"])
        one = json.loads(self.ctl("dead", "show", number, "--json"))
        self.assertEqual(base64.b64decode(one["body"]), body)
        # Refused again it is the same letter still.
        self.assertIn("again: 1", self.ctl("dead", "retry", number))
        harness.wait_for("refused again", 30, lambda: not any(x["retried"] for x in self.letters()))
        self.assertIn(number, {str(x["number"]) for x in self.letters()})
        self.assertEqual(self.mx.count(), 0)
        self.ctl("dead", "drop", number)
        self.ctl("dead", "show", number, status=65)
        self.ctl("dead", "drop", number, status=65)
        self.mx.faults()
        self.assertIn("again: 6", self.ctl("dead", "retry", "--tenant", "t002"))
        self.wait_dead(5)
        self.assertEqual(self.mx.count(), 6)
        self.assertIn("dropped: 5", self.ctl("dead", "drop", "--sink", "mail"))
        self.assertIn("no dead letters", self.ctl("dead"))
        self.assertEqual({e.split("/")[0] for e in self.mails()}, {self.tenants["t002"]["id"]})
        for bad in (("dead", "retry"), ("dead", "drop", "1", "--all"), ("dead", "show"), ("dead", "show", "x"),
                    ("quarantine", "--sink", "mail"), ("dead", "--raw")):
            self.ctl(*bad, status=64)

    def test_a_kill_in_the_middle_of_a_retry(self):
        """What waits again waits after it, what was not accepted is a dead letter, nothing is lost."""
        n = 60
        self.start(n)
        self.wait_dead(n)
        wanted = collections.Counter(dict.fromkeys((
            "%s/alert:%s/%s" % (x["tenant_id"], x["id"], x["version"]) for x in self.letters()), 1))
        self.mx.faults()
        for kills in range(1, 4):
            before = self.mx.count()
            self.ctl("dead", "retry", "--all")
            harness.wait_for("some are accepted", 60, lambda before=before: self.mx.count() >= min(before + 10, n))
            self.msspd.kill()
            self.msspd.start()
            self.assertLessEqual(self.sink("mail")["dead_letters"], n)
        self.ctl("dead", "retry", "--all")
        self.wait_dead(0)
        got = self.mails()
        self.assertEqual({e.rsplit("/", 1)[0] for e in got}, {e.rsplit("/", 1)[0] for e in wanted})
        self.assertLessEqual(max(got.values()), 1 + kills)
        self.assertEqual(self.letters(), [])


class Quarantine(Letters):
    def test_what_could_not_be_read_is_kept_as_it_came(self):
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3, "--hostile", 60, "--history", 3600)
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "out": {"type": "file", "path": self.run_.path("out"), "format": "raw"}})).start()
        harness.wait_for("something is in quarantine", 30,
                         lambda: self.msspd.status()["journal"]["quarantine"] > 0)
        n = self.msspd.status()["journal"]["quarantine"]
        letters = self.letters("quarantine")
        self.assertEqual(len(letters), n)
        self.assertEqual(self.letters("quarantine", "--tenant", harness.FakeGraph.tenant_id(1)), letters)
        self.assert_fits(self.ctl("quarantine"))
        for x in letters:
            self.assertTrue(x["why"])
            text = self.ctl("quarantine", "show", str(x["number"]))
            self.assert_fits(text)
            raw = self.raw("quarantine", "show", str(x["number"]))
            self.assertEqual(len(raw), x["size"])
            shown = "".join(line[4:] for line in text.split(" bytes\n", 1)[1].splitlines())
            plain = re.sub(rb"[^ -~]", b"", raw).decode()
            self.assertEqual(re.sub(r"\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}|[^ -~]", "", shown)[:40],
                             re.sub(r"\\x[0-9a-f]{2}|\\u\{[0-9a-f]+\}", "", plain)[:40])
        self.ctl("quarantine", "show", "999999", status=65)
