# SPDX-License-Identifier: Apache-2.0
"""A mail server in a run of its own, and what it took as Python's email package reads it."""
import email
import email.policy
import glob
import json
import os

import harness

PYTHON = os.path.join(harness.ROOT, "build/readers/bin/python")


class Mail:
    def __init__(self, path):
        with open(path, encoding="utf-8") as f:
            self.envelope = json.load(f)
        with open(path[:-5] + ".eml", "rb") as f:
            self.raw = f.read()
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.to = self.envelope["to"][0]

    def __getitem__(self, header):
        return self.message[header]

    def text(self, kind="plain"):
        return self.message.get_body((kind,)).get_content()


class MailServer:
    USER, PASSWORD = "msspd@soc.example", "p4ss\\w\u00f6rd with=odd+chars"

    def __init__(self, run, pki, mode="starttls", name="mx", user=USER, client_ca=False):
        self.run, self.pki, self.mode, self.name, self.user = run, pki, mode, name, user
        self.client_ca = client_ca
        self.port = harness.free_port()
        self.folder = run.path(name)
        os.makedirs(self.folder)
        self.password_file = run.write(name + ".password", self.PASSWORD)
        self.start()

    def start(self):
        more = [self.pki("ca.crt")] if self.client_ca else []
        self.child = self.run.start(
            [PYTHON, os.path.join(harness.ROOT, "tests/run/mail_server.py"), str(self.port), self.folder,
             self.pki("server.crt"), self.pki("server.key"), self.user, self.PASSWORD, self.mode] + more,
            log=self.name + ".log")
        harness.wait_for("the mail server listens", 30,
                         lambda: self.child.poll() is not None or harness.is_open(self.port))
        assert self.child.poll() is None, self.run.read(self.name + ".log")

    def kill(self):
        self.child.kill()
        self.child.wait()

    def faults(self, **what):
        self.run.write(self.name + "/faults.json.new", json.dumps(what))
        os.rename(os.path.join(self.folder, "faults.json.new"), os.path.join(self.folder, "faults.json"))

    def sink(self, rules, **more):
        scheme = "smtps" if self.mode == "smtps" else "smtp"
        conf = {"type": "smtp", "server": "%s://localhost:%d" % (scheme, self.port),
                "from": "Defender alerts <alerts@soc.example>", "limit": "none", "rules": rules}
        if self.mode == "plain":
            conf["tls"] = {"mode": "off"}
        else:
            conf["tls"] = {"ca_file": self.pki("ca.crt")}
        if self.user:
            conf.update(username=self.user, password_file=self.password_file)
        conf.update(more)
        return conf

    def mails(self):
        return [Mail(path) for path in sorted(glob.glob(os.path.join(self.folder, "*.json")))
                if not path.endswith("faults.json")]

    def count(self):
        return sum(not p.endswith("faults.json") for p in glob.glob(os.path.join(self.folder, "*.json")))

    def log(self, event=None):
        rows = [json.loads(line) for line in self.run.read(self.name + "/log").splitlines()]
        return [r for r in rows if event is None or r["event"] == event]
