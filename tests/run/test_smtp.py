# SPDX-License-Identifier: Apache-2.0
"""Mail against a real server: rules, TLS, authentication, refusals, kills."""
import collections
import contextlib
import json
import os
import socket
import threading
import unittest

import harness
from mailbox import PYTHON, MailServer
from scene import Scene
from truth import Truth, event_id

KILLS = 20 if harness.SOAK else 3


@unittest.skipUnless(os.path.exists(PYTHON), "aiosmtpd is not in build/readers: tools/deps.sh readers")
class Smtp(Scene):
    def start(self, rules, *options, tenants=1, customers=None, server=None, sink=None, more="", **conf):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--history", 3600, *options)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki, **(server or {}))
        self.sinks = {"mail": self.mx.sink(rules, **(sink or {}))}
        self.tenants = harness.tenants(tenants)
        for name, customer in (customers or {}).items():
            self.tenants[name]["customer"] = customer["customer"]
        self.more = more
        self.conf = dict(page_size=50, budget=10000, **conf)
        self.msspd = harness.Msspd(self.run_, self.config())
        return self.msspd.start()

    def config(self):
        return harness.config(self.graph, self.tenants, self.sinks, **self.conf) + self.more

    def wait_mails(self, n, seconds=30):
        harness.wait_for("%d mails" % n, seconds, lambda: self.mx.count() >= n)
        return self.mx.mails()

    def link(self):
        return self.msspd.status()["sinks"][0]["link"]

    def sink(self):
        return self.msspd.status()["sinks"][0]

    def wanted(self, *severities):
        """The event ids that a first read brings."""
        return {event_id(v) for v in Truth(self.graph.truth_file).versions()
                if not severities or v["severity"] in severities}

    @staticmethod
    def events(mails, to=None):
        return collections.Counter(m["X-Msspd-Event-Id"] for m in mails if to is None or m.to == to)

    def refuse_secrets(self):
        self.assert_no_secret_in_logs(self.msspd.log)
        self.assertNotIn("p4ss", self.run_.read(self.msspd.log))


class Rules(Smtp):
    def test_starttls_password_and_rules(self):
        """Every rule that matches sends; one transaction for each recipient, once."""
        self.start([{"to": ["oncall@soc.example", "lead@soc.example"], "match": {"severity": ["high"]}},
                    {"name": "all", "to": ["LEAD@soc.example", "archive@soc.example"]}], "--alerts", 30)
        high, every = self.wanted("high", None, "unknown"), self.wanted()
        mails = self.wait_mails(2 * len(every) + len(high))
        self.assertEqual(set(self.events(mails, "oncall@soc.example")), high)
        self.assertEqual(set(self.events(mails, "archive@soc.example")), every)
        lead = collections.Counter(m["X-Msspd-Event-Id"] for m in mails if m.to.lower() == "lead@soc.example")
        self.assertEqual(set(lead), every)
        self.assertEqual(max(lead.values()), 1)
        for mail in mails:
            self.assertEqual(mail.envelope["from"], "alerts@soc.example")
            self.assertEqual(mail.envelope["login"], self.mx.USER)
            self.assertTrue(mail.envelope["tls"].startswith("TLSv1."))
            self.assertEqual(len(mail.envelope["to"]), 1)
            self.assertEqual(mail.message.defects, [])
        self.assertLessEqual(len(self.mx.log("session")), 6, "connections are used again")
        self.assertEqual(self.link(), "up")
        self.refuse_secrets()

    def test_contacts_are_the_customers_own(self):
        customers = {"contoso": {"name": "Contoso Ltd", "time_zone": "Europe/Berlin",
                                 "contacts": {"oncall": ["a@contoso.example", "B <b@contoso.example>"]}},
                     "fabrikam": {"contacts": {"oncall": "x@fabrikam.example"}}, "nobody": {}}
        self.start([{"to": "{contacts.oncall}"}], "--alerts", 10, tenants=3,
                   customers={"t001": {"customer": "contoso"}, "t002": {"customer": "fabrikam"},
                              "t003": {"customer": "nobody"}}, more="customers: %s\n" % json.dumps(customers))
        self.assertIn("customer nobody has none of the contacts", self.msspd.call("-n").stderr)
        mails = self.wait_mails(30)
        of = {"contoso": {"a@contoso.example", "b@contoso.example"}, "fabrikam": {"x@fabrikam.example"}}
        for name, addresses in of.items():
            mine = [m for m in mails if m["X-Msspd-Customer"] == name]
            self.assertEqual({m.to for m in mine}, addresses)
            self.assertEqual(len(mine), 10 * len(addresses))
        harness.wait_for("dead letters", 20, lambda: self.sink()["dead_letters"] == 10)
        self.assertIn("customer nobody has none of the contacts", self.run_.read(self.msspd.log))

    def test_templates_are_read_anew(self):
        template = self.run_.write("template", "first: {title}\n")
        self.start([{"to": "a@x.example"}], "--alerts", 3, sink={"text_template": template})
        self.assertTrue(all("first: " in m.text() for m in self.wait_mails(3)))
        self.run_.write("template", "second: {title}\n")
        self.msspd.hup()
        harness.wait_for("it is read", 10, lambda: "read anew" in self.run_.read(self.msspd.log))
        self.graph.ask("/_control/story", {"tenant": 1, "make": 2})
        self.assertTrue(all("second: " in m.text() for m in self.wait_mails(5)[3:]))

    def test_new_is_the_first_version_that_a_rule_is_for(self):
        """An alert that becomes high is new for a rule about high ones, once."""
        self.start([{"to": "a@x.example", "match": {"severity": "high", "events": "new"}}], "--alerts", 40)
        high = self.wanted("high", None, "unknown")
        self.wait_mails(len(high))
        medium = next(v for v in Truth(self.graph.truth_file).versions() if v["severity"] == "medium"
                      and v["status"] != "resolved")
        for change in ("comment", "escalated", "comment", "assigned"):
            self.graph.ask("/_control/story", {"tenant": 1, "key": medium["key"], "do": change})
            harness.time.sleep(2.2)
        harness.wait_for("nothing left", 20, lambda: self.sink()["backlog"] == 0)
        ids = [m["X-Msspd-Event-Id"] for m in self.mx.mails() if "/alert:%s/" % medium["id"] in m["X-Msspd-Event-Id"]]
        self.assertEqual(len(ids), 1)
        self.assertEqual(self.mx.count(), len(high) + 1)

    def test_other_ways_in(self):
        """smtps with a client certificate and LOGIN; XOAUTH2; in the clear without any."""
        ways = [({"mode": "smtps", "client_ca": True}, {"auth": "login"}, "LOGIN"),
                ({}, {"password_file": None, "oauth_token_file": True}, "XOAUTH2"),
                ({"mode": "plain", "user": ""}, {}, None)]
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3)
        self.pki = harness.Pki(self.run_)
        sinks, servers = {}, []
        for i, (server, sink, _) in enumerate(ways):
            mx = MailServer(self.run_, self.pki, name="mx%d" % i, **server)
            if "oauth_token_file" in sink:
                sink["oauth_token_file"] = mx.password_file
            conf = mx.sink([{"to": "a@x.example"}], **sink)
            if mx.client_ca:
                conf["tls"].update(certificate_file=self.pki("client.crt"), key_file=self.pki("client.key"))
            sinks["mail%d" % i] = {k: v for k, v in conf.items() if v is not None}
            servers.append(mx)
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), sinks)).start("-v")
        for mx, (server, _, mechanism) in zip(servers, ways):
            harness.wait_for("three mails by %s: %s" % (server, self.run_.read(self.msspd.log)), 30,
                             lambda mx=mx: mx.count() == 3)
            mails = mx.mails()
            self.assertEqual({m.envelope["login"] for m in mails}, {mx.user or None})
            self.assertEqual({m.envelope["peer"] for m in mails}, {mx.client_ca})
            self.assertEqual({r["mechanism"] for r in mx.log("auth")}, {mechanism} if mechanism else set())
        self.refuse_secrets()


class Refusals(Smtp):
    def test_nothing_goes_out_in_the_clear_or_to_a_stranger(self):
        """STARTTLS that is not offered, a certificate of nobody or for another name, a wrong password."""
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3)
        self.pki = harness.Pki(self.run_)
        plain = MailServer(self.run_, self.pki, mode="plain", name="plain", user="")
        mx = MailServer(self.run_, self.pki)
        wrong = self.run_.write("wrong", "not the password")
        to = [{"to": "a@x.example"}]
        sinks = {
            "clear": dict(plain.sink(to), tls={"ca_file": self.pki("ca.crt")}),
            "stranger": mx.sink(to, tls={"ca_file": self.pki("stranger.crt")}),
            "name": mx.sink(to, tls={"ca_file": self.pki("ca.crt"), "server_name": "other.example"}),
            "password": mx.sink(to, password_file=wrong),
        }
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), sinks)).start()
        words = {"clear": "STARTTLS", "stranger": "certificate", "name": "certificate", "password": "535"}
        harness.wait_for("all are refused", 30, lambda: {s["link"] for s in self.msspd.status()["sinks"]} == {
            "refused"})
        for sink in self.msspd.status()["sinks"]:
            self.assertIn(words[sink["sink"]], sink["trouble"])
            self.assertEqual(sink["dead_letters"], 0)
        harness.wait_for("all wait", 30, lambda: {s["backlog"] for s in self.msspd.status()["sinks"]} == {3})
        self.assertEqual(plain.count() + mx.count(), 0)
        with open(wrong, "w", encoding="utf-8") as f:
            f.write(mx.PASSWORD)
        harness.wait_for("the right password, in time", 90, lambda: mx.count() == 3)
        self.refuse_secrets()

    def test_recipients_are_judged_one_by_one(self):
        """451 and then accepted; 550 to a dead letter that names recipient and reply; others on time."""
        others = ["r%02d@x.example" % i for i in range(48)]
        rules = [{"to": ["later@x.example", "never@x.example"] + others[:30]}, {"to": others[30:]}]
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(rcpt={"later": "451 4.3.0 try again", "never": "550 5.1.1 no such user"})
        self.msspd = harness.Msspd(self.run_, harness.config(
            self.graph, harness.tenants(1), {"mail": self.mx.sink(rules)})).start()
        self.wait_mails(3 * 48)
        self.graph.ask("/_control/story", {"tenant": 1, "make": 2})  # while one puts off what came before
        self.assertEqual(self.events(self.wait_mails(5 * 48, 20), "later@x.example"), {})
        self.assertEqual(self.sink()["backlog"], 5)
        self.msspd.kill()
        self.msspd.start()
        harness.wait_for("tried again", 30, lambda: sum(r["to"] == "later@x.example" for r in self.mx.log("rcpt")) > 10)
        self.mx.faults(rcpt={"never": "550 5.1.1 no such user"})
        harness.wait_for("the late one's", 60, lambda: len(self.events(self.mx.mails(), "later@x.example")) == 5)
        mails = self.mx.mails()
        for to in others + ["later@x.example"]:
            self.assertEqual(set(self.events(mails, to)), self.wanted(), to)
        harness.wait_for("dead letters", 20, lambda: self.sink()["dead_letters"] == 5)
        log = self.run_.read(self.msspd.log)
        self.assertIn("never@x.example: localhost:%d: RCPT: 550 5.1.1 no such user" % self.mx.port, log)
        self.assertEqual(self.sink()["backlog"], 0)
        # What was marked within the last second of the kill may have come twice.
        self.assertLessEqual(len(mails) - 5 * 49, 5 * 48)

    def test_a_sender_that_is_refused_is_no_dead_letter(self):
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(mail="550 5.7.1 not yours to send from")
        self.msspd = harness.Msspd(self.run_, harness.config(
            self.graph, harness.tenants(1), {"mail": self.mx.sink([{"to": "a@x.example"}])})).start()
        harness.wait_for("refused", 30, lambda: self.link() == "refused" or "not yours" in self.run_.read(self.msspd.log))
        self.assertEqual(self.sink()["dead_letters"], 0)
        self.mx.faults()
        self.wait_mails(3, 60)


class Hanging(Smtp):
    """A server that says nothing any more, at whatever point, holds back nothing else in msspd."""

    def serve(self, talk):
        """A server: talk(file) for each connection."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def one(peer):
            with peer, peer.makefile("rwb", buffering=0) as f, contextlib.suppress(OSError):
                talk(f)

        def run():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=one, args=listener.accept()[:1], daemon=True).start()
        threading.Thread(target=run, daemon=True).start()
        return listener.getsockname()[1]

    def test_it_does_not_stop_the_others(self):
        """Also at QUIT, for which libcurl would wait with the loop standing still."""
        over = threading.Event()
        self.addCleanup(over.set)

        def hang(f):
            over.wait(60)

        def greet(f, *lines):
            f.write(b"220 mx\r\n")
            f.readline()
            f.write(b"".join(lines))

        def no_starttls(f):
            greet(f, b"250 mx\r\n")
            f.readline()
            hang(f)

        def refused(f):
            greet(f, b"250-mx\r\n250 AUTH PLAIN\r\n")
            f.readline()
            f.write(b"334 \r\n")
            f.readline()
            f.write(b"535 5.7.8 no\r\n")
            hang(f)

        def in_data(f):
            greet(f, b"250 mx\r\n")
            for line in iter(f.readline, b""):
                if line == b"DATA\r\n":
                    f.write(b"354 go\r\n")
                    while f.readline() != b".\r\n":
                        pass
                    hang(f)
                f.write(b"250 ok\r\n")

        def endless(f):
            greet(f, b"250 mx\r\n")
            f.readline()
            while not over.is_set():
                f.write(b"250-and more\r\n" * 4096)
        self.graph = harness.FakeGraph(self.run_, "--alerts", 5, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        to = [{"to": "a@x.example"}]
        sinks = {"mail": self.mx.sink(to)}
        for name, talk in (("endless", endless), ("greeting", hang), ("starttls", no_starttls), ("auth", refused), ("data", in_data)):
            sinks[name] = {"type": "smtp", "server": "smtp://127.0.0.1:%d" % self.serve(talk), "rules": to,
                           "from": "a@x.example", "timeout": "3s", "connections": 1}
            if name != "starttls":
                sinks[name]["tls"] = {"mode": "off"}
            if name == "auth":
                sinks[name].update(username="u", password_file=self.mx.password_file)
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), sinks)).start()
        slowest, end = 0, harness.time.monotonic() + 7
        while harness.time.monotonic() < end:
            began = harness.time.monotonic()
            self.msspd.status()
            slowest = max(slowest, harness.time.monotonic() - began)
        self.assertLess(slowest, 1.5 * harness.SLOW)
        self.assertEqual(self.mx.count(), 5)
        trouble = {s["sink"]: s["trouble"] for s in self.msspd.status()["sinks"]}
        for name, word in (("starttls", "STARTTLS"), ("auth", "535")):
            self.assertIn(word, trouble[name])
        self.assertIn("no answer in time at the message", self.run_.read(self.msspd.log))
        self.assertIn("an answer without an end", self.run_.read(self.msspd.log))
        over.set()
        self.assertLess(self.msspd.stop()[0], 3 * harness.SLOW)


class Begun(Smtp):
    def test_a_mail_that_was_not_told_to_its_end_is_taken_back(self):
        """Also where the connection is asked whether it is there before the next mail."""
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(rcpt={"bad": "530 5.7.1 authenticate first"})
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "mail": self.mx.sink([{"to": ["bad@x.example", "a@x.example"]}], connections=1)})).start()
        harness.wait_for("several tries", 60, lambda: len(self.mx.log("rcpt")) >= 3)
        self.assertIn("RCPT: 530", self.sink()["trouble"])
        self.mx.faults()
        self.wait_mails(6, 60)
        self.assertNotIn("nested MAIL", self.run_.read(self.msspd.log))


class Slow(Smtp):
    def test_a_recipient_that_is_slow_holds_back_no_other(self):
        """Also with as many mails for it as there are connections, and more."""
        slow = 10 * harness.SLOW
        self.graph = harness.FakeGraph(self.run_, "--alerts", 10, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(slow={"slow": slow})
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "mail": self.mx.sink([{"to": ["slow@x.example", "a@x.example"]}])})).start()
        mails = self.wait_mails(11, 6 * slow)
        self.assertEqual([m.to for m in sorted(mails, key=lambda m: m.envelope["at"])[:10]], ["a@x.example"] * 10)
        self.mx.faults()
        self.wait_mails(20, 60 + 2 * slow)


class Kills(Smtp):
    def test_a_server_killed_in_the_middle_of_mails(self):
        self.start([{"to": "a@x.example"}], "--alerts", 60)
        wanted = self.wanted()
        for i in range(KILLS):
            before = self.mx.count()
            harness.wait_for("a few mails", 30, lambda: self.mx.count() >= min(before + 4, len(wanted)))
            self.mx.faults(slow={"a": 30})
            harness.wait_for("they wait", 10, lambda: self.sink()["in_flight"] > 0 or self.sink()["backlog"] == 0)
            self.mx.kill()
            self.mx.faults()
            if i == 0:
                harness.wait_for("it is known to be down", 20, lambda: self.link() == "down")
            self.mx.start()
        harness.wait_for("everything", 60, lambda: set(self.events(self.mx.mails())) == wanted)
        harness.wait_for("nothing left", 20, lambda: self.sink()["backlog"] == 0)
        repeats = self.mx.count() - len(wanted)
        # A mail whose acceptance was on its way back when the server died.
        self.assertLessEqual(repeats, 4 * KILLS)
        self.assertEqual(self.sink()["dead_letters"], 0)

    def test_msspd_killed_in_mid_drain(self):
        self.start([{"to": "a@x.example"}, {"to": "b@x.example"}], "--alerts", 100)
        wanted = self.wanted()
        for _ in range(KILLS):
            before = self.mx.count()
            harness.wait_for("a few mails", 30, lambda: self.mx.count() >= min(before + 15, 2 * len(wanted)))
            self.msspd.kill()
            self.msspd.start()
        for to in ("a@x.example", "b@x.example"):
            harness.wait_for("everything for " + to, 60,
                             lambda to=to: set(self.events(self.mx.mails(), to)) == wanted)
        harness.wait_for("nothing left", 20, lambda: self.sink()["backlog"] == 0)
        worst = max(self.events(self.mx.mails()).values())
        self.assertLessEqual(worst, 2 * (1 + KILLS))

    def test_a_mail_that_ends_the_connection_stops_only_itself(self):
        self.graph = harness.FakeGraph(self.run_, "--alerts", 5, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(drop=["poison"])
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "mail": self.mx.sink([{"to": ["poison@x.example", "a@x.example"]}])})).start()
        self.wait_mails(5, 60)
        self.mx.faults()
        mails = self.wait_mails(10, 60)
        self.assertEqual(set(self.events(mails, "poison@x.example")), self.wanted())


class Digests(Smtp):
    """What is held is in the journal: nothing is lost, nothing comes twice, nobody waits for another."""

    @staticmethod
    def held_by(mails):
        """How many events the digests among them say they hold."""
        return sum(int(m["X-Msspd-Count"]) for m in mails if m["X-Msspd-Type"] == "digest")

    @staticmethod
    def wait_between(period, spare=2):
        """Until no digest of that period is due within `spare` seconds or was a moment ago."""
        while not 1.5 < harness.time.time() % period < period - spare:
            harness.time.sleep(0.1)

    def assert_own_customer_only(self, mails, names):
        for mail in mails:
            mine = mail["X-Msspd-Customer"]
            self.assertIn(mine, names)
            self.assertEqual(mail.to, "%s@x.example" % mine)
            for other in names:
                if other != mine:
                    self.assertNotIn(harness.FakeGraph.tenant_id(int(other[1:])).encode(), mail.raw)
                    self.assertNotIn(other, mail.text() + mail.text("html"))

    def test_a_digest_over_restarts(self):
        """A kill and a stop while the digest waits; one comes, at its time, and says what it holds."""
        self.start([{"to": "a@x.example", "digest": "15s"}], "--alerts", 40)
        harness.wait_for("all are read", 20, lambda: self.sink()["backlog"] == 40 or self.mx.count())
        self.wait_between(15, spare=10)
        self.msspd.kill()
        self.msspd.start()
        self.msspd.stop()
        self.msspd.start()
        harness.wait_for("nothing left", 40, lambda: self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        self.assertEqual(self.held_by(mails), 40)
        # Two where reading went on over a multiple of the period.
        self.assertLessEqual(len(mails), 2)
        self.assertEqual({m["X-Msspd-Type"] for m in mails}, {"digest"})

    def test_a_storm_makes_few_mails_and_delays_nobody(self):
        """t001 has a storm, t002 one alert: its page comes at once. Nothing is dropped, nothing is mixed."""
        n = 10000 if harness.SOAK else 1500
        rules = [{"to": "t001@x.example", "match": {"tenants": ["t001"]}, "limit": "10/60s" if harness.SOAK else "10/12s"},
                 {"to": "t002@x.example", "match": {"tenants": ["t002"]}}]
        self.start(rules, "--tenant", harness.FakeGraph.tenant_id(1) + ":one", "--tenant",
                   harness.FakeGraph.tenant_id(2) + ":two", "--alerts", 0, tenants=2)
        self.conf["page_size"] = 1000
        self.graph.ask("/_control/story", {"tenant": 1, "make": n})
        harness.wait_for("the storm is there", 30, lambda: self.sink()["backlog"] > 100)
        self.graph.ask("/_control/story", {"tenant": 2, "make": 1})
        harness.wait_for("the other's page", 10, lambda: any(m.to == "t002@x.example" for m in self.mx.mails()))
        harness.wait_for("nothing left", 180, lambda: self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        storm = [m for m in mails if m.to == "t001@x.example"]
        alone = [m for m in storm if m["X-Msspd-Type"] != "digest"]
        self.assertEqual(len(alone) + self.held_by(storm), n)
        # On a slow machine the storm is longer than the limit's time.
        self.assertGreaterEqual(len(alone), 9)
        self.assertLessEqual(len(storm), 3 * 10)
        self.assertEqual(len(mails) - len(storm), 1)
        self.assert_own_customer_only(mails, ("t001", "t002"))

    def test_more_than_is_taken_at_a_time(self):
        """24 recipients of 2,000 events are more than a customer's share: digests that account for all, to each."""
        n, people = 2000, ["p%d" % i for i in range(24)]
        rules = [{"to": [p + "@x.example" for p in people], "match": {"tenants": ["t001"]}, "digest": "6s"},
                 {"to": "t002@x.example", "match": {"tenants": ["t002"]}, "digest": "6s"}]
        self.start(rules, "--tenant", harness.FakeGraph.tenant_id(1) + ":one", "--tenant",
                   harness.FakeGraph.tenant_id(2) + ":two", "--alerts", 0, tenants=2)
        for tenant, make in ((1, n), (2, 3)):
            self.graph.ask("/_control/story", {"tenant": tenant, "make": make})
        harness.wait_for("it is there", 60, lambda: self.sink()["backlog"] > 500)
        harness.wait_for("nothing left", 120, lambda: self.mx.count() > 24 and self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        held = {to: self.held_by([m for m in mails if m.to == to + "@x.example"]) for to in people + ["t002"]}
        self.assertEqual(held, dict.fromkeys(people, n) | {"t002": 3})
        self.assertLessEqual(max(int(m["X-Msspd-Count"]) for m in mails), 32768 // 25 + 1)

    def test_what_is_mixed_and_what_is_not(self):
        """One rule, two customers: a digest each; or one for both where the rule says so."""
        self.start([{"name": "each", "to": "each@x.example", "digest": "6s"},
                    {"name": "mixed", "to": "mixed@x.example", "digest": "6s", "mix_customers": True}],
                   "--alerts", 5, tenants=2)
        harness.wait_for("all are read", 20, lambda: self.sink()["backlog"] == 10 or self.mx.count())
        harness.wait_for("nothing left", 30, lambda: self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        self.assertEqual(self.held_by(mails), 20)
        for mail in mails:
            tenants = [i for i in (1, 2) if harness.FakeGraph.tenant_id(i) in mail.text("html")]
            self.assertIn(len(tenants), (1, 2) if mail.to == "mixed@x.example" else (1,), mail.text())
        self.assertGreaterEqual(sum(m.to == "each@x.example" for m in mails), 2)

    def test_a_replay_is_one_digest_a_customer(self):
        self.start([{"to": "{contacts.oncall}"}], "--alerts", 120, tenants=2,
                   customers={"t001": {"customer": "c1"}, "t002": {"customer": "c2"}},
                   more="customers: " + json.dumps({"c%d" % i: {"contacts": {"oncall": "c%d@x.example" % i}}
                                                    for i in (1, 2)}) + "\n",
                   sink={"replay_digest": "3s"}, first_lookback="0s")
        harness.wait_for("it reads", 20, lambda: all(t["last_success"] for t in self.msspd.status()["tenants"]))
        self.assertEqual(self.mx.count(), 0)
        for i in (1, 2):
            done = self.msspd.ctl("replay", "--tenant", "t%03d" % i, "--from", "2d")
            self.assertEqual(done.returncode, 0, done.stderr)
        harness.wait_for("nothing left", 40, lambda: self.mx.count() > 0 and self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        self.assertEqual(sorted((m.to, m["X-Msspd-Count"]) for m in mails),
                         [("c1@x.example", "120"), ("c2@x.example", "120")])
        self.assertIn("Read again", mails[0].text())

    def test_what_is_held_can_be_seen_and_taken_back(self):
        """Of one customer and rule; also after a restart. What waits for others too stays for them."""
        slow = "slow: of a week"  # a name may hold what separates names
        self.start([{"name": slow, "to": "slow@x.example", "digest": "7d"},
                    {"name": "quick", "to": "quick@x.example", "digest": "7d"}], "--alerts", 15, tenants=2)
        def held(*more):
            done = self.msspd.ctl("held", "--json", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            return {h["id"]: h["events"] for h in json.loads(done.stdout)["held"]}
        wanted = {"mail:%s:t%03d" % (rule, i): 15 for rule in (slow, "quick") for i in (1, 2)}
        harness.wait_for("all is held: %s" % held(), 20, lambda: held() == wanted)
        self.msspd.kill()
        self.msspd.start()
        self.assertEqual(held("mail"), wanted)
        done = self.msspd.ctl("held-cancel", "mail:%s:t001" % slow)
        self.assertIn("15 taken back", done.stdout)
        del wanted["mail:%s:t001" % slow]
        self.assertEqual(held(), wanted)
        self.assertNotEqual(self.msspd.ctl("held-cancel", "mail:%s:t001" % slow).returncode, 0)
        for bad in ("nobody:%s:t002" % slow, "mail", "mail:slow"):
            self.assertEqual(self.msspd.ctl("held-cancel", bad).returncode, 1)
        self.assertIn("no sink", self.msspd.ctl("held", "nobody").stderr)
        self.assertEqual(self.sink()["backlog"], 30)
        self.assertEqual(self.msspd.ctl("held-cancel", "mail:quick:t001", "mail:quick:t002").returncode, 0)
        self.msspd.kill()
        self.msspd.start()
        harness.wait_for("one is left", 20, lambda: self.sink()["backlog"] == 15)
        self.assertEqual(held(), {"mail:%s:t002" % slow: 15})
        self.assertEqual(self.mx.count(), 0)

    def test_a_digest_that_one_recipient_puts_off(self):
        """The other has it, once; it comes to the first when that takes mails again, after a kill."""
        self.graph = harness.FakeGraph(self.run_, "--alerts", 20, "--history", 3600)
        self.pki = harness.Pki(self.run_)
        self.mx = MailServer(self.run_, self.pki)
        self.mx.faults(rcpt={"later": "450 4.2.0 greylisted"})
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), {
            "mail": self.mx.sink([{"to": ["later@x.example", "a@x.example"], "digest": "4s"}])})).start()
        harness.wait_for("the one", 30, lambda: self.held_by(self.mx.mails()) >= 20)
        harness.wait_for("the other was tried", 20, lambda: self.mx.log("rcpt"))
        self.assertEqual(self.sink()["backlog"], 20)
        harness.time.sleep(1.5)  # what was settled is on disk
        self.msspd.kill()
        self.mx.faults()
        self.msspd.start()
        harness.wait_for("nothing left", 60, lambda: self.sink()["backlog"] == 0)
        mails = self.mx.mails()
        for to in ("a@x.example", "later@x.example"):
            self.assertEqual(self.held_by([m for m in mails if m.to == to]), 20, to)


if __name__ == "__main__":
    unittest.main()
