# SPDX-License-Identifier: Apache-2.0
"""What goes nowhere by itself: dead letters, quarantine; and customers that leave."""
import base64
import collections
import json
import os
import re
import socket
import sqlite3
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
        first = self.letters("dead", "--tenant", "t001")[0]
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
        other = "t002" if first["tenant"] == "t001" else "t001"
        self.assertIn("again: 6", self.ctl("dead", "retry", "--tenant", other))
        self.wait_dead(5)
        self.assertEqual(self.mx.count(), 6)
        self.assertIn("dropped: 5", self.ctl("dead", "drop", "--sink", "mail"))
        self.assertIn("no dead letters", self.ctl("dead"))
        self.assertEqual({e.split("/")[0] for e in self.mails()}, {self.tenants[other]["id"]})
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


@unittest.skipUnless(os.path.exists(PYTHON), "aiosmtpd is not in build/readers: tools/deps.sh readers")
class Purge(Letters):
    """A customer leaves: all of it goes, and nothing of another, whatever they are called."""

    def start(self, alerts, hostile=0):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", alerts, "--hostile", hostile,
                                       "--history", 3600)
        self.mx = MailServer(self.run_, harness.Pki(self.run_))
        self.mx.faults(**REFUSED)
        one, other = harness.tenants(2).values()
        self.tenants = {"con": one, "contoso": other}
        self.gone, self.stays = one["id"], other["id"]
        self.sinks = {"mail": self.mx.sink([{"to": "oncall@soc.example"}]),
                      "held": self.mx.sink([{"to": "later@soc.example", "digest": "7d"}]),
                      "out": {"type": "file", "path": self.run_.path("out"), "format": "raw"}}
        self.msspd = harness.Msspd(self.run_, self.config()).start()

    def config(self):
        return harness.config(self.graph, self.tenants, self.sinks, page_size=50)

    def leave(self):
        del self.tenants["con"]
        self.msspd.configure(self.config())
        self.ctl("reload")

    def held(self):
        return {h["customer"]: h["events"] for h in json.loads(self.ctl("held", "--json"))["held"]}

    def of(self, tenant):
        """All that is kept of it, as people see it."""
        return [[x for x in self.letters(box) if x["tenant"] == tenant] for box in ("dead", "quarantine")] + [
            self.held().get(tenant)]

    def assert_stays(self, before):
        """All that contoso had; health records may have come since."""
        now = self.of("contoso")
        for was, then in zip(before[:2], now[:2]):
            self.assertEqual(then[:len(was)], was)
        self.assertGreaterEqual(now[2], before[2])

    def bytes_on_disk(self, *words):
        found = []
        for name in os.listdir(self.msspd.state):
            with open(os.path.join(self.msspd.state, name), "rb") as f:
                text = f.read()
            found += [(name, word) for word in words if word.encode() in text]
        return found

    def wait_all(self, alerts):
        harness.wait_for("all is where it goes", 90, lambda: len(self.of("con")[0]) >= alerts
                         and len(self.of("contoso")[0]) >= alerts and set(self.held()) == {"con", "contoso"}
                         and self.sink("mail")["backlog"] == 0 and self.sink("out")["backlog"] == 0)

    def test_it_goes_and_no_other(self):
        self.start(20, hostile=40)
        self.wait_all(20)
        self.assertIn("say --yes", self.ctl("tenant", "purge", "con", status=1))
        self.assertEqual(len(self.tenants), 2)
        self.leave()
        for bad in ("", "co", "CON", "con/", "con ", "%", "*", "../con", "custom", "msspd", "alerts", "'; --",
                    self.gone[:-1], self.gone + "/alerts"):
            self.assertIn("knows nothing", self.ctl("tenant", "purge", bad, status=1))
        before, letters = self.of("contoso"), self.of("con")[0]
        ids = {x["id"] for x in letters if len(x["id"]) > 20} - {x["id"] for x in before[0]}
        self.assertGreaterEqual(len(ids), 20)
        self.assertTrue(all(before))
        self.assertTrue(self.bytes_on_disk(self.gone))
        text = self.ctl("tenant", "purge", "con")
        self.assert_fits(text)
        self.assertIn("%d  dead letters" % len(letters), text)
        self.assertEqual(self.of("con"), [[], [], None])
        self.assert_stays(before)
        self.assertEqual(self.bytes_on_disk(self.gone, *ids), [])
        self.assertIn("knows nothing", self.ctl("tenant", "purge", "con", status=1))
        self.msspd.kill()
        self.msspd.start()
        self.assertEqual(self.of("con"), [[], [], None])
        self.assert_stays(before)
        self.assertEqual(self.bytes_on_disk(self.gone, *ids), [])

    def test_one_that_stays_begins_as_a_new_one(self):
        self.start(20)
        self.wait_all(20)
        before = self.of("contoso")
        done = json.loads(self.ctl("tenant", "purge", self.gone, "--yes", "--json"))
        self.assertGreaterEqual(done["dead_letters"], 20)
        self.assertGreaterEqual(done["remembered"], 20)
        self.assertTrue(done["scrubbed"])
        self.wait_all(20)
        self.assert_stays(before)
        self.assertEqual(self.held()["con"], 20)

    def test_a_kill_in_the_middle(self):
        self.start(60)
        self.wait_all(60)
        self.leave()
        before = self.of("contoso")
        for _ in range(3):
            purge = subprocess.Popen([os.path.join(harness.BIN, "msspctl"), "-s", self.msspd.socket, "tenant", "purge",
                                      "con"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                     stderr=subprocess.DEVNULL)
            harness.wait_for("it begins", 30, lambda: purge.poll() is not None or (self.held().get("con") or 0) < 60)
            self.msspd.kill()
            purge.wait()
            self.msspd.start()
            self.assert_stays(before)
        self.msspd.ctl("tenant", "purge", "con")
        harness.wait_for("nothing is kept of it", 60, lambda: self.of("con") == [[], [], None])
        self.assert_stays(before)
        harness.wait_for("nothing is left of it", 60, lambda: self.bytes_on_disk(self.gone) == [])

    def test_a_restart_goes_on_with_it(self):
        """Nobody asks again: what was begun is done at the next start, and not at the one after it."""
        self.start(60)
        self.wait_all(60)
        self.leave()
        before = self.of("contoso")
        # Who reads the file keeps it from coming to its end.
        reader = sqlite3.connect(os.path.join(self.msspd.state, "journal.db"))
        self.addCleanup(reader.close)
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM dead").fetchall()
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.msspd.socket)
            s.sendall(b'{"verb": "tenant-purge", "tenant": "con"}\n')
            self.assertTrue(json.loads(s.makefile().readline())["ok"])
        harness.wait_for("its rows are gone", 30, lambda: self.of("con") == [[], [], None])
        self.msspd.kill()
        self.assertTrue(self.bytes_on_disk(self.gone), "it was done already")
        reader.close()
        self.msspd.start()
        self.assertIn("was being purged when msspd ended", self.run_.read(self.msspd.log))
        harness.wait_for("nothing is kept of it", 60, lambda: self.of("con") == [[], [], None])
        self.assert_stays(before)
        harness.wait_for("nothing is left of it", 60, lambda: self.bytes_on_disk(self.gone) == [])
        harness.wait_for("it is over", 60, lambda: "was purged by an operator" in self.run_.read(self.msspd.log))
        self.msspd.stop()
        self.msspd.start()
        self.assertEqual(self.run_.read(self.msspd.log).count("was being purged when msspd ended"), 1)
        self.assert_stays(before)
        self.assertEqual(self.bytes_on_disk(self.gone), [])
