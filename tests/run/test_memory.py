# SPDX-License-Identifier: Apache-2.0
"""What of secrets is left in the memory of a running msspd: what it must have now, and nothing of what it had."""
import base64
import json
import os
import re
import shutil
import subprocess
import time
import unittest

import harness
from mailbox import PYTHON, MailServer
from scene import Scene
from signing import Certificate

JWT = re.compile(rb"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}")
ISSUER, SUBJECT = "https://issuer.example", "system:serviceaccount:soc:msspd"
PASSPHRASE = "a.passphrase.that.nobody.guesses"


def memory(pid):
    """All that a process has written or may write, piece by piece."""
    with open("/proc/%d/maps" % pid, encoding="ascii") as maps, open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps:
            place, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(x, 16) for x in place.split("-"))
            try:
                mem.seek(start)
                yield mem.read(end - start)
            except OSError:
                continue  # let go of meanwhile


def found(pid, words):
    """The names of those that are there. words: {name: [bytes]}."""
    return {name for data in memory(pid) for name, all_of in words.items() if any(word in data for word in all_of)}


def tokens(pid):
    return {t for data in memory(pid) for t in JWT.findall(data)}


def middle(token):
    """Of its claims: a piece is as bad as the whole."""
    claims = token.split(b".")[1]
    return claims[len(claims) // 2:][:48]


class Key(Certificate):
    """How its secret half looks: as text in the file, and as OpenSSL has it in memory."""

    def text(self):
        with open(self.key, "rb") as f:
            return [line for line in f.read().splitlines() if len(line) == 64][2:6]

    def prime(self):
        done = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-text", "-passin", "pass:" + PASSPHRASE],
                              capture_output=True, check=True, text=True)
        digits = re.search(r"prime1:\s+([0-9a-f:\s]+)", done.stdout).group(1)
        number = bytes.fromhex(re.sub(r"[:\s]", "", digits)).lstrip(b"\0")
        return [number[:32], number[::-1][:32]]


class Looked(Scene):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest("wants root: nobody else may look into msspd")
        if harness.is_sanitized():
            self.skipTest("a sanitizer keeps what was freed")


@unittest.skipUnless(os.path.exists(PYTHON), "aiosmtpd is not in build/readers: tools/deps.sh readers")
class Mail(Looked):
    def test_nothing_is_left_of_the_password(self):
        """curl has it while a connection is open, and not longer; each attempt to make one reads it anew."""
        mx = MailServer(self.run_, harness.Pki(self.run_))
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 3)
        sinks = {"mail": mx.sink([{"to": "oncall@soc.example"}])}
        msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), sinks)).start("-v")
        proof = "\0%s\0%s" % (mx.USER, mx.PASSWORD)
        words = {"the password": [mx.PASSWORD.encode()], "what says it": [base64.b64encode(proof.encode())[24:-4]]}
        harness.wait_for("mails", 30, lambda: mx.count() >= 3)
        harness.wait_for("all are settled", 30, lambda: msspd.status()["sinks"][0]["backlog"] == 0)
        mx.kill()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 1})
        harness.wait_for("there is no server", 30, lambda: msspd.status()["sinks"][0]["trouble"])
        harness.wait_for("nothing is left", 10, lambda: not found(msspd.child.pid, words))
        mx.start()
        harness.wait_for("the mail", 60, lambda: mx.count() >= 4)
        mx.kill()
        harness.wait_for("nothing is left", 10, lambda: not found(msspd.child.pid, words))
        self.assertEqual(msspd.stop()[1], 0)


class Kafka(Looked):
    def test_nothing_is_left_of_the_password_of_a_sink_that_is_gone(self):
        """librdkafka has it as long as there is a producer: it signs in by itself, broker by broker."""
        password = "r0ll.me.over.n0w"
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 3)
        sinks = {"out": {"type": "file", "path": self.run_.path("out"), "format": "cef"},
                 "lake": {"type": "kafka", "brokers": ["127.0.0.1:%d" % harness.free_port()], "topic": "t",
                          "username": "u", "password_file": self.run_.write("kafka-password", password)}}
        msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(1), sinks)).start("-v")
        words = {"the password": [password.encode()]}
        harness.wait_for("there is a producer", 60, lambda: found(msspd.child.pid, words))  # as docs/SECURITY.md says
        del sinks["lake"]
        msspd.configure(harness.config(self.graph, harness.tenants(1), sinks))
        self.assertEqual(msspd.ctl("reload").returncode, 0)
        harness.wait_for("nothing is left", 60, lambda: not found(msspd.child.pid, words))
        self.assertEqual(msspd.stop()[1], 0)


class Memory(Looked):
    TENANTS = 24  # a third of them each sign in by secret, certificate and federated token

    def scene(self):
        self.keys = [Key(self.run_.path(""), name, passphrase=PASSPHRASE) for name in ("old", "new")]
        self.cert, self.key = self.run_.path("used.crt"), self.run_.path("used.key")
        self.use(self.keys[0])
        issuer = Certificate(self.run_.path(""), "issuer")
        now = int(time.time())
        self.federated = issuer.sign({"iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange", "nbf": now - 9,
                                      "exp": now + 3600}, alg="RS256")
        registered = [o for key in self.keys for o in ("--client-cert", key.file)]
        self.graph = harness.FakeGraph(self.run_, "--tenants", self.TENANTS, "--alerts", 3, "--token-lifetime", 20, *registered,
                                       "--federated-key", issuer.public_key(self.run_.path("issuer.pub")))
        both = {"certificate_file": self.cert, "key_file": self.key,
                "key_passphrase_file": self.run_.write("passphrase", PASSPHRASE)}
        proofs = ({"secret_file": self.graph.secret_file}, both, {"federated_token_file": self.run_.write("federated", self.federated)})
        apps = {}
        for i, proof in enumerate(proofs):
            apps["a%d" % i] = harness.app(self.graph, **proof)
            if i != 0:
                del apps["a%d" % i]["secret_file"]
        tenants = {"t%d" % i: {"id": harness.FakeGraph.tenant_id(i + 1), "app": "a%d" % (i % 3)} for i in range(self.TENANTS)}
        config = harness.config(self.graph, tenants, {"out": {"type": "file", "path": self.run_.path("out"), "format": "cef"}},
                                apps=apps, poll_interval="1h")  # when we say so: what works on covers its tracks
        return harness.Msspd(self.run_, config.replace('"app": "soc"', '"app": "a0"'))

    def use(self, key):
        for source, place in ((key.file, self.cert), (key.key, self.key)):
            shutil.copy2(source, place + ".new")
            os.rename(place + ".new", place)

    def proofs(self):
        secret = harness.FakeGraph.SECRET
        claims = self.federated.split(".")[1].encode()
        return {"the client's secret": [secret.encode(), secret.replace("+", "%2B").encode()],
                "the passphrase": [PASSPHRASE.encode()], "the federated token": [middle(self.federated.encode()), claims[-20:]],
                "the key as a file has it": self.keys[0].text() + self.keys[1].text(),
                "an assertion": [base64.b64encode(b'{"alg":"PS256","typ":"JWT","x5t#S256"')[:40]]}

    def poll(self, msspd):
        """All of them, now; they have signed in when this returns."""
        now = lambda: {t["tenant"]: (t["state"], t["pages"]) for t in msspd.status()["tenants"]}
        before = now()
        self.assertEqual(msspd.ctl("poll", "--all").returncode, 0)
        harness.wait_for("all have been read: " + str(before), 60, lambda: all(
            state == "healthy" and pages > before[name][1] for name, (state, pages) in now().items()))

    def test_nothing_is_left_of_what_is_not_needed(self):
        msspd = self.scene().start("-v")
        pid = msspd.child.pid
        self.poll(msspd)
        self.assertEqual(found(pid, self.proofs()), set(), "what proved who we are")
        old = tokens(pid)
        self.assertEqual(len(old), self.TENANTS, "a token each")
        self.assertEqual(found(pid, {"old": self.keys[0].prime(), "new": self.keys[1].prime()}), {"old"}, "what it signs with")

        self.use(self.keys[1])
        harness.wait_for("tokens end", 60, lambda: not tokens(pid) & old)
        self.poll(msspd)
        self.assertEqual(found(pid, self.proofs()), set(), "what proved who we are")
        self.assertEqual(found(pid, {"old": self.keys[0].prime(), "new": self.keys[1].prime()}), {"new"}, "the key was replaced")
        with open("/proc/%d/limits" % pid, encoding="ascii") as f:
            self.assertRegex(f.read(), r"Max core file size +0 +0 ")
        self.assertEqual(os.stat("/proc/%d/mem" % pid).st_uid, 0)
        self.assertEqual(msspd.stop()[1], 0)
        said = self.run_.read(msspd.log).encode()
        self.assertEqual({name for name, words in self.proofs().items() if any(w in said for w in words)}, set(), "in the log")
        self.assert_no_secret_in_logs(msspd.log)
