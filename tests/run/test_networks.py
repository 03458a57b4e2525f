# SPDX-License-Identifier: Apache-2.0
"""Ways to Microsoft as networks have them: proxies, authorities of one's own, IPv6, what inspects TLS."""
import base64
import json
import re
import signal
import socket
import time
import unittest

import harness
from connect_proxy import ConnectProxy
from proxy import ForgetfulProxy
from scene import Scene, syslog_sink

PASSWORD = "pr0xy:p\"ss word~"


class Networks(Scene):
    def setUp(self):
        super().setUp()
        self.pki = None

    def graph_and_siem(self, *options, tls=None, port=None):
        if tls:
            self.pki = harness.Pki(self.run_)
            options += ("--tls-cert", self.pki(tls + ".crt"), "--tls-key", self.pki(tls + ".key"))
        self.graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 20, "--rate", 1, *options, port=port)
        self.siem = harness.SyslogNg(self.run_)

    def text(self, app=None, tenants=None, **top):
        """A configuration; app: more options of the app; top: more at the top."""
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.octet, framing="octet-counting",
                                     confirm_after="200ms")}
        text = harness.config(self.graph, tenants or harness.tenants(3), sinks)
        lines = []
        for line in text.splitlines():
            if line.startswith("apps: "):
                apps = json.loads(line[6:])
                for one in apps.values():
                    one.update(app or {})
                line = "apps: " + json.dumps(apps)
            lines.append(line)
        lines += ["%s: %s" % (key, json.dumps(value)) for key, value in top.items()]
        return "\n".join(lines) + "\n"

    def proxy(self, **options):
        proxy = ConnectProxy(**options)
        self.addCleanup(proxy.close)
        return proxy

    options = ()  # of msspd's command line

    def start(self, *args, **more):
        self.msspd = harness.Msspd(self.run_, self.text(*args, **more)).start(*self.options)
        return self.msspd

    def troubles(self):
        return {t["tenant"]: t.get("trouble", "") for t in self.msspd.status()["tenants"]}

    def polls(self):
        return sum(t["polls"] for t in self.msspd.status()["tenants"])

    def wait_for_trouble(self, words, seconds=20):
        try:
            harness.wait_for(words, seconds, lambda: all(words in t for t in self.troubles().values()))
        except AssertionError:
            raise AssertionError("%s is not in %s" % (words, self.troubles())) from None

    def finish(self, *receivers):
        self.graph.stop_story()
        self.assert_all_arrived(self.graph, self.msspd, self.siem)
        self.assertEqual(self.msspd.stop()[1], 0)
        log = self.run_.read(self.msspd.log)
        for secret in (PASSWORD, base64.b64encode(("soc:" + PASSWORD).encode()).decode()):
            self.assertNotIn(secret, log)
        self.assert_no_secret_in_logs(self.msspd.log)

    def test_through_a_proxy_with_a_password(self):
        self.graph_and_siem(tls="server")
        proxy = self.proxy(user="soc:" + PASSWORD)
        self.options = ("-v",)
        secret = self.run_.write("proxy-password", "wrong\n")
        self.start({"ca_file": self.pki("ca.crt")},
                   proxy={"url": proxy.url, "username": "soc", "password_file": secret})
        self.wait_for_trouble("refuses user soc or the password; check username and password_file")
        self.assertEqual(proxy.through, 0)
        # A new password needs no reload.
        self.run_.write("proxy-password", PASSWORD + "\n")
        harness.wait_for("read through the proxy", 30, lambda: len(self.siem.rows()) >= 60)
        self.assertGreater(proxy.through, 0)
        # Cut off in the midst: it goes on by itself.
        proxy.cut()
        self.finish()
        for head in proxy.heads:
            self.assertTrue(head.startswith("CONNECT 127.0.0.1:%d HTTP/1.1\r\n" % self.graph.port), head)
            self.assertNotIn("Bearer", head)

    def test_proxies_that_fail_say_so(self):
        self.graph_and_siem()
        proxy = self.proxy()
        nobody = {"url": "http://127.0.0.1:1"}
        cases = (("refuse", {"url": proxy.url}, "does not allow it (HTTP 403); have it let this host through"),
                 ("unreachable", {"url": proxy.url}, "cannot reach it (HTTP 502)"),
                 ("close", {"url": proxy.url}, "it closed the connection without an answer"),
                 ("pass", nobody, "through the proxy 127.0.0.1:1: no connection to it"),
                 ("pass", {"url": "http://proxy.invalid:1"}, "its name cannot be resolved"))
        for mode, conf, words in cases:
            proxy.mode = mode
            msspd = harness.Msspd(self.run_, self.text({"proxy": conf}, proxy=nobody))
            done = msspd.call("--once", "--timeout", "30s")
            self.assertEqual(done.returncode, 75, done.stderr)
            self.assertIn(words, done.stderr)
        self.assertEqual(proxy.through, 0)
        # What asks for a password, and none is configured.
        proxy.mode, proxy.user = "pass", "somebody:x"
        done = harness.Msspd(self.run_, self.text(proxy={"url": proxy.url})).call("--once", "--timeout", "30s")
        self.assertIn("asks for a user and a password; set username and password_file of proxy", done.stderr)
        # A host may go directly where the others may not, and so may an app.
        for app, conf in (({}, dict(nobody, no_proxy=["127.0.0.0/8"])), ({"proxy": {"url": "none"}}, nobody)):
            done = harness.Msspd(self.run_, self.text(app, proxy=conf)).call("--once", "--timeout", "30s")
            self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_proxy_that_hangs_delays_nobody_else(self):
        self.graph_and_siem()
        proxy = self.proxy()
        proxy.mode = "hang"
        text = self.text(intake={"request_timeout": "4s"}, tenants={n: dict(t, **({"app": "far"} if n == "t001" else {}))
                                  for n, t in harness.tenants(3).items()})
        apps = json.loads(next(line for line in text.splitlines() if line.startswith("apps: "))[6:])
        apps["far"] = dict(apps["soc"], proxy={"url": proxy.url})
        text = "\n".join("apps: " + json.dumps(apps) if line.startswith("apps: ") else line
                         for line in text.splitlines()) + "\n"
        self.msspd = harness.Msspd(self.run_, text).start()
        harness.wait_for("the proxy is asked", 20, lambda: proxy.heads)
        began, since = time.monotonic(), self.polls()
        time.sleep(4)
        self.assertGreater(self.polls() - since, 4, "the others are polled")
        harness.wait_for("it is given up", 30,
                         lambda: "no answer from it in time" in self.troubles()["t001"])
        self.assertLess(time.monotonic() - began, 15 * harness.SLOW)
        proxy.mode = "pass"
        proxy.cut()
        self.finish()

    def test_a_proxy_by_tls_of_an_authority_of_its_own(self):
        self.graph_and_siem(tls="server")
        proxy = self.proxy(tls=(self.pki("server.crt"), self.pki("server.key")))
        self.start({"ca_file": self.pki("ca.crt")},
                   proxy={"url": proxy.url, "ca_file": self.pki("stranger.crt")})
        self.wait_for_trouble("its certificate is refused; check ca_file of proxy")
        self.msspd.configure(self.text({"ca_file": self.pki("ca.crt")},
                                       proxy={"url": proxy.url, "ca_file": self.pki("ca.crt")}))
        self.msspd.hup()
        self.finish()
        self.assertGreater(proxy.through, 0)

    def test_connections_that_are_dead_after_a_sleep(self):
        """Those on the way forgot them while msspd stood still: it goes on within seconds, and blames nobody."""
        port = harness.free_port()
        proxy = ForgetfulProxy(port)
        self.addCleanup(proxy.close)
        url = "http://127.0.0.1:%d" % proxy.port
        self.graph_and_siem("--fault", "*:latency=300", "--public-url", url, port=port)
        self.start({"login_url": url, "graph_url": url, "mde_url": url + "/mde"}, intake={"request_timeout": "60s"})
        harness.wait_for("all are read", 30, lambda: len(self.siem.rows()) >= 60)
        for _ in range(2):
            self.msspd.child.send_signal(signal.SIGSTOP)
            time.sleep(0.5)
            proxy.forget()
            time.sleep(6)
            self.graph.ask("/_control/story", {"tenant": "*", "make": 5})
            known = len(self.siem.rows())
            before = proxy.swallowed
            self.msspd.child.send_signal(signal.SIGCONT)
            woke = time.monotonic()
            harness.wait_for("new alerts", 10, lambda n=known: len(self.siem.rows()) >= n + 15)
            self.assertLess(time.monotonic() - woke, 8 * harness.SLOW)
            self.assertLess(proxy.swallowed - before, 3000, "nothing more is asked on them")
            self.assertEqual({t["state"] for t in self.msspd.status()["tenants"]}, {"healthy"})
            self.assertEqual(set(self.troubles().values()), {""})
        log = self.run_.read(self.msspd.log)
        self.assertEqual(len(re.findall(r"msspd stood still, for \d+ s; connections to Microsoft are made anew", log)), 2)
        for false in ("no complete answer", "unreachable", "no connection", "timed out"):
            self.assertNotIn(false, log)
        self.finish()

    def test_sinks_connections_that_are_dead_after_a_sleep(self):
        """Those on the way forgot the receivers' connections: what was not accepted goes again at once, and nothing is lost."""
        self.graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 20)
        self.siem, there = harness.SyslogNg(self.run_), harness.SyslogNg(self.run_, name="other")
        proxies = {"siem": ForgetfulProxy(self.siem.octet), "other": ForgetfulProxy(there.octet)}
        for proxy in proxies.values():
            self.addCleanup(proxy.close)
        # Nothing is accepted by time, and no keepalive of ours finds out: nothing but having slept does.
        sinks = {name: syslog_sink("tcp://127.0.0.1:%d" % proxy.port, framing="octet-counting", keepalive="0s",
                                   confirm_after="5m") for name, proxy in proxies.items()}
        self.msspd = harness.Msspd(self.run_, harness.config(self.graph, harness.tenants(3), sinks)).start()
        harness.wait_for("all are there", 30, lambda: min(len(self.siem.rows()), len(there.rows())) >= 60)
        self.msspd.child.send_signal(signal.SIGSTOP)
        proxies["siem"].forget()
        time.sleep(6)
        self.graph.ask("/_control/story", {"tenant": "*", "make": 5})
        self.msspd.child.send_signal(signal.SIGCONT)
        woke = time.monotonic()
        harness.wait_for("new alerts", 20, lambda: len(event_ids(self.siem)) >= 75)
        self.assertLess(time.monotonic() - woke, 10 * harness.SLOW)
        log = self.run_.read(self.msspd.log)
        for name in proxies:
            self.assertRegex(log, r"sink %s: the machine slept, or msspd stood still, for \d+ s; the connection to "
                                  r"tcp://127\.0\.0\.1:%d is made anew" % (name, proxies[name].port))
        self.assertEqual([s["trouble"] for s in self.msspd.status()["sinks"]], ["", ""])
        self.graph.stop_story()
        self.assert_all_arrived(self.graph, self.msspd, self.siem, there)
        self.assertEqual(len(there.rows()), len(event_ids(there)), "who was there has everything, once")
        self.assertEqual(self.msspd.stop()[1], 0)

    def test_tls_that_is_inspected_is_refused_with_words(self):
        """The authority is not one that is known here: nothing is sent, and the log says who signs and what to do."""
        self.graph_and_siem(tls="server")
        self.start()
        self.wait_for_trouble('issued by "test ca"')
        self.wait_for_trouble("set ca_file of the app to the file of your authority if your network inspects TLS")
        self.assertEqual(self.polls(), 0)
        self.assertEqual(self.msspd.stop()[1], 0)
        done = harness.Msspd(self.run_, self.text({"ca_file": self.pki("stranger.crt")})).call(
            "--once", "--timeout", "30s")
        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("check that ca_file of the app holds your authority", done.stderr)
        self.start({"ca_file": self.pki("ca.crt")})
        self.finish()

    def test_environment_proxies_are_not_used(self):
        self.graph_and_siem()
        proxy = self.proxy()
        msspd = harness.Msspd(self.run_, self.text())
        done = msspd.call("-n", env={"https_proxy": proxy.url, "http_proxy": proxy.url})
        self.assertIn("the environment's https_proxy is not used", done.stderr)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = msspd.call("--once", env={"https_proxy": proxy.url, "http_proxy": proxy.url,
                                         "ALL_PROXY": proxy.url})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(proxy.heads, [])

    def test_ipv6_and_back_to_ipv4(self):
        if not has_ipv6():
            self.skipTest("no IPv6 loopback on this machine")
        self.graph_and_siem()
        six = socket.create_server(("::1", 0), family=socket.AF_INET6)
        port = six.getsockname()[1]
        six.close()
        other = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 20, name="six", listen="[::1]:%d" % port)
        proxy = self.proxy(family=socket.AF_INET6)
        here = dict(cloud="custom", client_id="6f0c8a5e-0000-4000-8000-000000000001",
                    secret_file=other.secret_file)
        # By address; by a name that has both, of which one is dead; through a proxy with an IPv6 address.
        by_name = "http://localhost:%d" % self.graph.port
        apps = {"six": dict(here, login_url=other.url, graph_url=other.url),
                "name": dict(here, login_url=by_name, graph_url=by_name),
                "tunnel": dict(here, login_url=self.graph.url, graph_url=self.graph.url, proxy={"url": proxy.url})}
        tenants = {name: {"id": harness.FakeGraph.tenant_id(i), "app": name}
                   for i, name in enumerate(("six", "name", "tunnel"), 1)}
        text = self.text(tenants=tenants)
        text = "\n".join("apps: " + json.dumps(apps) if line.startswith("apps: ") else line
                         for line in text.splitlines()) + "\n"
        text = text.replace('"app": "soc"', '"app": "six"')
        self.msspd = harness.Msspd(self.run_, text).start()
        harness.wait_for("all three are read", 30, lambda: {
            t["tenant"] for t in self.msspd.status()["tenants"] if t["state"] == "healthy"} == set(apps))
        harness.wait_for("their alerts came", 30, lambda: {r["host"] for r in self.siem.rows()} == set(apps))
        self.assertGreater(proxy.through, 0)
        self.assertEqual(self.msspd.stop()[1], 0)


def event_ids(receiver):
    return {re.search(r"MicrosoftDefenderEventId=(\S+)", r["msg"]).group(1) for r in receiver.rows()}


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    unittest.main()
