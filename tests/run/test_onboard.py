# SPDX-License-Identifier: Apache-2.0
"""Onboarding a customer: msspctl check-tenant against a server that fails at each step, consent-url, onboard."""
import json
import os
import pty
import re
import subprocess
import threading
import time
import unittest

import harness
from harness import FakeGraph, Pki
from scene import Scene

EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_PROTOCOL, EX_NOPERM, EX_CONFIG = 64, 69, 75, 76, 77, 78
WELL = ["name", "TLS", "token", "tid", "role", "read", "clock", "sinks"]

# What the server does to a tenant: which step fails, its exit code, what is seen, what to do next.
FAULTS = (
    ("badsecret", "token", EX_CONFIG, "secret is wrong", "Put a valid credential"),
    ("oldsecret", "token", EX_CONFIG, "secret has expired", "Put a valid credential"),
    ("noconsent", "token", EX_NOPERM, "/adminconsent?client_id=", "open the consent link"),
    ("error=53003", "token", EX_NOPERM, "Conditional Access", "allow the app"),
    ("error=90038", "token", EX_CONFIG, "another national cloud", "Compare the tenant's id"),
    ("transient", "token", EX_UNAVAILABLE, "HTTP 503", "network"),
    ("token-429", "token", EX_UNAVAILABLE, "HTTP 429", "network"),
    ("token-html", "token", EX_PROTOCOL, "without a usable token", "proxy"),
    ("token-garbage", "token", EX_PROTOCOL, "without a usable token", "proxy"),
    ("foreign-tid", "tid", EX_CONFIG, "is not used", "Compare the tenant's id"),
    ("noroles", "role", EX_NOPERM, "no role SecurityAlert.Read.All", "/adminconsent?client_id="),
    ("401", "read", EX_CONFIG, "HTTP 401", "credential"),
    ("403", "read", EX_NOPERM, "HTTP 403", "licence"),
    ("429", "read", EX_TEMPFAIL, "HTTP 429", "who else reads this tenant"),
    ("500", "read", EX_UNAVAILABLE, "HTTP 500", "service health"),
    ("reset", "read", EX_UNAVAILABLE, "", "network"),
    ("cut", "read", EX_UNAVAILABLE, "", "network"),
    ("garbage", "read", EX_PROTOCOL, "not a JSON list", "proxy"),
    ("html", "read", EX_PROTOCOL, "text/html", "proxy"),
    ("206", "read", EX_PROTOCOL, "HTTP 206", "proxy"),
    ("redirect", "read", EX_PROTOCOL, "redirects", "proxy"),
    ("clock=300", "clock", EX_TEMPFAIL, "s behind Microsoft", "NTP"),
    ("token-clock=-300", "clock", EX_TEMPFAIL, "s ahead of Microsoft", "NTP"),
    ("wrong-tenantid", "read", EX_PROTOCOL, "another tenant", "proxy"),
)


class Onboard(Scene):
    def configure(self, graph, n, **app):
        """A configuration of n tenants of graph, one with a customer; options of the app replaced."""
        soc = {"cloud": "custom", "login_url": graph.url, "graph_url": graph.url,
               "client_id": "6f0c8a5e-0000-4000-8000-000000000001", "secret_file": graph.secret_file}
        soc.update(app)
        tenants = {"t%d" % i: {"id": FakeGraph.tenant_id(i)} for i in range(1, n + 1)}
        tenants["t1"]["customer"] = "contoso"
        self.file = self.run_.write("conf/msspd.yaml", json.dumps({
            "apps": {"soc": soc}, "intake": {"request_timeout": "10s"},
            "defaults": {"app": "soc", "sinks": ["out"], "first_lookback": "30d"},
            "customers": {"contoso": {"name": "Contoso Ltd"}}, "tenants": tenants,
            "sinks": {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}}))

    def ctl(self, *words):
        done = subprocess.run([os.path.join(harness.BIN, "msspctl"), "-c", self.file] + list(words),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120 * harness.SLOW,
                              env={k: v for k, v in os.environ.items() if k != "CREDENTIALS_DIRECTORY"},
                              text=True, check=False)
        harness.refuse_reports(done.stderr, "msspctl " + " ".join(words))
        for text in (done.stdout, done.stderr):
            self.assertNotIn(FakeGraph.SECRET, text)
            self.assertNotIn("eyJ", text, "a token")
        return done

    def check(self, *names):
        """Returns (exit code, {tenant: its object})."""
        done = self.ctl("check-tenant", *names, "--json")
        result = json.loads(done.stdout)
        self.assertEqual(result["ok"], done.returncode == 0)
        return done.returncode, {t["tenant"]: t for t in result["tenants"]}

    def assert_fails(self, tenant, step, seen, todo, says):
        failed = [s for s in tenant["steps"] if s["outcome"] == "failed"]
        self.assertEqual([s["step"] for s in failed], [step], says)
        self.assertIn(seen, failed[0]["text"], says)
        self.assertIn(todo, failed[0]["todo"], says)
        at = tenant["steps"].index(failed[0])
        later = {s["step"]: s["outcome"] for s in tenant["steps"][at + 1:]}
        for name in WELL[WELL.index(step) + 1:WELL.index("clock")]:
            if name in later:
                self.assertEqual(later[name], "skipped", says)

    def test_each_failing_step(self):
        n = len(FAULTS) + 1
        options = [o for i, f in enumerate(FAULTS, 2) for o in ("--fault", "%d:%s" % (i, f[0]))]
        graph = FakeGraph(self.run_, "--tenants", n, "--alerts", 2, *options)
        self.configure(graph, n)
        _, tenants = self.check("--all")
        self.assertEqual([s["step"] for s in tenants["t1"]["steps"]], WELL)
        self.assertTrue(tenants["t1"]["ok"])
        self.assertEqual(tenants["t1"]["steps"][-1]["text"],
                         "out, %s; msspctl test-sink out tries the way to it" % self.run_.path("out.cef"))
        for i, (fault, step, _, seen, todo) in enumerate(FAULTS, 2):
            self.assert_fails(tenants["t%d" % i], step, seen, todo, fault)
        for i, (fault, _, code, _, _) in enumerate(FAULTS, 2):
            if fault in ("badsecret", "noconsent", "foreign-tid", "noroles", "403", "429", "500", "garbage"):
                self.assertEqual(self.check("t%d" % i)[0], code, fault)

    def test_for_a_person(self):
        graph = FakeGraph(self.run_, "--tenants", 2, "--alerts", 2, "--fault", "2:noroles")
        self.configure(graph, 2)
        done = self.ctl("check-tenant", "contoso")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("t1, Contoso Ltd, " + FakeGraph.tenant_id(1), done.stdout)
        self.assertNotIn("\x1b", done.stdout)
        done = self.ctl("check-tenant", "t1", "t2")
        self.assertEqual(done.returncode, EX_NOPERM)
        self.assertIn("1 of 2 tenants are well; not: t2", done.stdout)
        self.assertLess(done.stdout.index("t1, "), done.stdout.index("t2, "))
        link = "%s/%s/adminconsent?client_id=" % (graph.url, FakeGraph.tenant_id(2))
        self.assertIn(link, done.stdout)
        for line in done.stdout.splitlines():
            self.assertTrue(len(line) <= 80 or line.strip().startswith("http"), line)

    def test_every_stream(self):
        graph = FakeGraph(self.run_, "--tenants", 2, "--alerts", 40, "--incidents", 3, "--fault",
                          "2:noroles")
        self.configure(graph, 2, mde_url=graph.url + "/mde")
        with open(self.file, encoding="utf-8") as f:
            config = json.load(f)
        config["defaults"]["streams"] = ["alerts", "incidents", "mde-alerts"]
        self.run_.write("conf/msspd.yaml", json.dumps(config))
        code, tenants = self.check("t1")
        self.assertEqual(code, 0, tenants)
        graph_steps = ["role", "read", "role", "read"]
        self.assertEqual([s["step"] for s in tenants["t1"]["steps"]], ["name", "TLS", "token", "tid"] + graph_steps
                         + ["token", "tid", "role", "read", "clock", "sinks"])
        read = [s["text"] for s in tenants["t1"]["steps"] if s["step"] == "read"]
        for stream, text in zip(("alerts", "incidents", "mde-alerts"), read):
            self.assertRegex(text, '%s: one read: [a-z]+, ".+"' % stream)
        code, tenants = self.check("t2")
        self.assertEqual(code, EX_NOPERM)
        missing = [s["text"] for s in tenants["t2"]["steps"] if s["outcome"] == "failed"]
        self.assertEqual([re.search("no role (.*)", text).group(1) for text in missing],
                         ["SecurityAlert.Read.All", "SecurityIncident.Read.All", "Alert.Read.All"])

    def test_more_than_is_needed_is_told(self):
        graph = FakeGraph(self.run_, "--tenants", 1, "--fault", "1:moreroles")
        self.configure(graph, 1)
        code, tenants = self.check("t1")
        told = [s for s in tenants["t1"]["steps"] if "more than msspd needs: SecurityAlert.ReadWrite.All" in s["text"]]
        self.assertEqual((code, len(told), told[0]["outcome"]), (0, 1, "ok"))
        self.assertIn("Take these permissions", told[0]["todo"])

    def test_the_end_of_access_is_told(self):
        graph = FakeGraph(self.run_, "--tenants", 1, "--alerts", 2)
        out = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        soon, late = (time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400)) for days in (7, 90))
        def config(day):
            return harness.config(graph, {"t1": {"id": FakeGraph.tenant_id(1), "customer": "contoso"}}, out) \
                + "\ncustomers: {contoso: {access_expires: %s}}\n" % day
        msspd = harness.Msspd(self.run_, config(soon)).start()
        harness.wait_for("a warning", 20, lambda: "ends in 7 days" in self.run_.read(msspd.log))
        self.assertIn("customer contoso: our people's access to its portal ends in 7 days; have its access packages "
                      "extended and write the new access_expires date=" + soon, self.run_.read(msspd.log))
        told = msspd.status()["expiries"]
        self.assertEqual([(e["name"], e["days"], e["stage"]) for e in told], [("contoso", 7, "week")])
        self.assertIn("ends soon", msspd.ctl("status").stdout)
        msspd.configure(config(soon))
        self.assertEqual(msspd.ctl("reload").returncode, 0)
        msspd.configure(config(late))
        self.assertEqual(msspd.ctl("reload").returncode, 0)
        self.assertEqual(msspd.status()["expiries"][0]["stage"], "far")
        self.assertNotIn("ends soon", msspd.ctl("status").stdout)
        self.assertEqual(self.run_.read(msspd.log).count("ends in"), 1, "told once")
        self.assertEqual(msspd.stop()[1], 0)

    def test_colours_are_for_terminals(self):
        graph = FakeGraph(self.run_, "--tenants", 1, "--alerts", 2)
        self.configure(graph, 1)
        for env, want in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False)):
            mine, theirs = pty.openpty()
            seen = []
            child = subprocess.Popen([os.path.join(harness.BIN, "msspctl"), "-c", self.file, "check-tenant", "t1"],
                                     stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                     env=dict({k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env))
            os.close(theirs)
            reader = threading.Thread(target=self.read_all, args=(mine, seen))
            reader.start()
            self.assertEqual(child.wait(60 * harness.SLOW), 0)
            reader.join()
            os.close(mine)
            self.assertEqual(b"\x1b[32mok" in b"".join(seen), want)

    @staticmethod
    def read_all(fd, seen):
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:
                return
            if not data:
                return
            seen.append(data)

    def test_names_tls_and_ports(self):
        pki = Pki(self.run_)
        graph = FakeGraph(self.run_, "--tls-cert", pki("server.crt"), "--tls-key", pki("server.key"),
                          "--tenants", 1, "--alerts", 2)
        self.configure(graph, 1)
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_UNAVAILABLE)
        self.assert_fails(tenants["t1"], "TLS", "certificate refused", "ca_file of app soc", "an unknown CA")
        self.configure(graph, 1, ca_file=pki("ca.crt"))
        code, tenants = self.check("t1")
        self.assertEqual(code, 0, tenants)
        self.assertIn("good by " + pki("ca.crt"), json.dumps(tenants))
        self.configure(graph, 1, ca_file=pki("ca.crt"), login_url="https://127.0.0.2:%d" % graph.port)
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_UNAVAILABLE)
        self.assert_fails(tenants["t1"], "TLS", "127.0.0.2", "network", "nobody listens there")
        # A label of 64 characters is no name: refused without asking any server.
        name = "x" * 64 + ".example"
        self.configure(graph, 1, ca_file=pki("ca.crt"), login_url="https://" + name,
                       graph_url="https://" + name)
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_UNAVAILABLE)
        self.assert_fails(tenants["t1"], "name", name, "getent ahosts", "a name that is none")

    def test_behind_a_proxy(self):
        graph = FakeGraph(self.run_, "--tenants", 1)
        place = "127.0.0.1:%d" % harness.free_port()
        self.configure(graph, 1, proxy={"url": "http://" + place})
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_UNAVAILABLE)
        self.assertIn("left to the proxy http://" + place, tenants["t1"]["steps"][0]["text"])
        self.assert_fails(tenants["t1"], "TLS", "proxy " + place, "proxy", "nobody is there")

    def test_secrets_that_cannot_be_read(self):
        graph = FakeGraph(self.run_, "--tenants", 1)
        self.configure(graph, 1, secret_file=self.run_.path("nowhere"))
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_CONFIG)
        self.assert_fails(tenants["t1"], "token", "nowhere", "credential", "no such file")
        self.configure(graph, 1, secret_file=self.run_.write("open", FakeGraph.SECRET, 0o644))
        code, tenants = self.check("t1")
        self.assertEqual(code, EX_CONFIG)
        self.assert_fails(tenants["t1"], "token", "open", "credential", "open to others")

    def test_a_credential_of_the_unit(self):
        """A bare name lies beside the configuration while no unit runs that has it."""
        graph = FakeGraph(self.run_, "--tenants", 1)
        self.run_.write("conf/graph-secret", FakeGraph.SECRET)
        self.configure(graph, 1, secret_file="graph-secret")
        self.assertEqual(self.check("t1")[0], 0)

    def test_a_running_daemon_is_not_disturbed(self):
        graph = FakeGraph(self.run_, "--tenants", 1, "--alerts", 2)
        out = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(1), out)).start()
        self.file = msspd.file
        self.assertEqual(self.ctl("check-tenant", "--all").returncode, 0)
        self.assertEqual(msspd.stop()[1], 0)

    def test_command_line(self):
        graph = FakeGraph(self.run_, "--tenants", 1)
        self.configure(graph, 1)
        for words, code, seen in ((("check-tenant",), EX_USAGE, "--all"),
                                  (("check-tenant", "t1", "--all"), EX_USAGE, "--all"),
                                  (("check-tenant", "contosu"), EX_USAGE, "did you mean contoso?"),
                                  (("check-tenant", "t1", "--requests"), EX_USAGE, "--help"),
                                  (("onboard",), EX_USAGE, "name a tenant"),
                                  (("onboard", "t1", "--json"), EX_USAGE, "--requests"),
                                  (("consent-url", "t1", "--all"), EX_USAGE, "--help")):
            done = self.ctl(*words)
            self.assertEqual(done.returncode, code, words)
            self.assertIn(seen, done.stderr)
            self.assertEqual(done.stdout, "")
        self.file = self.run_.write("bad/msspd.yaml", "tenants: {t1: {}}\n")
        done = self.ctl("check-tenant", "t1")
        self.assertEqual(done.returncode, EX_CONFIG)
        self.assertIn("tenants.t1.id: is missing", done.stderr)
        self.file = self.run_.write("empty/msspd.yaml", "log_level: info\n")
        done = self.ctl("check-tenant", "--all")
        self.assertEqual((done.returncode, done.stdout), (EX_CONFIG, ""))
        self.assertIn("has no tenants", done.stderr)

    def test_links_and_checklist(self):
        """They need no secret, no daemon and no network."""
        graph = FakeGraph(self.run_, "--tenants", 1)
        self.configure(graph, 2, secret_file=self.run_.path("nowhere"), redirect_uri="https://soc.example/done")
        done = self.ctl("consent-url", "contoso", "--state", "a b")
        self.assertEqual(done.stdout, "%s/%s/adminconsent?client_id=6f0c8a5e-0000-4000-8000-000000000001"
                         "&redirect_uri=https%%3A%%2F%%2Fsoc.example%%2Fdone&state=a%%20b\n"
                         % (graph.url, FakeGraph.tenant_id(1)))
        states = {re.search("state=([0-9a-f-]{36})$", self.ctl("consent-url", "t1").stdout.strip()).group(1)
                  for _ in range(3)}
        self.assertEqual(len(states), 3, "a state that can be guessed")
        links = self.ctl("consent-url", "t1", "t2").stdout.splitlines()
        self.assertEqual(len({link.rsplit("state=", 1)[1] for link in links}), 2, "one state a link")
        done = self.ctl("onboard", "contoso")
        self.assertEqual(done.returncode, 0)
        self.assertIn("Onboarding of Contoso Ltd", done.stdout)
        done = self.ctl("onboard", "contoso", "t2", "--requests", "--json")
        requests = json.loads(done.stdout)
        self.assertEqual(sorted(requests), ["t1", "t2"])
        self.assertTrue(all(r["url"].startswith(graph.url + "/v1.0/") for r in requests["t1"]))


if __name__ == "__main__":
    unittest.main()
