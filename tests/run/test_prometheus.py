# SPDX-License-Identifier: Apache-2.0
"""The metrics, the rules and the dashboard with a real Prometheus."""
import json
import os
import re
import shutil
import subprocess
import time
import unittest
import urllib.parse
import urllib.request

import harness
from scene import Scene, syslog_sink

RULES = os.path.join(harness.ROOT, "conf/prometheus/msspd.rules.yml")
DASHBOARD = os.path.join(harness.ROOT, "conf/grafana/msspd.json")
NAME = re.compile(r"\b((?:msspd|process)_[a-z_]+)\b")


def program(name):
    path = os.path.join(harness.ROOT, "build/prometheus/usr/bin", name)
    return path if os.access(path, os.X_OK) else shutil.which(name)


def read(path):
    with open(os.path.join(harness.ROOT, path), encoding="utf-8") as f:
        return f.read()


def documented():
    """Every name that a query may use: histograms have three."""
    names = set()
    for name, kind in re.findall(r"^\| `([a-z_]+)` \| (\w+)", read("docs/METRICS.md"), flags=re.M):
        names |= {name + end for end in ("_bucket", "_sum", "_count")} if kind == "histogram" else {name}
    return names


def expressions():
    """Of the dashboard's panels, with its variables as when everything is chosen."""
    found = []
    for panel in json.loads(read(DASHBOARD))["panels"]:
        found += [(panel["title"], t["expr"].replace("$__rate_interval", "10s").replace("$__range", "1m"))
                  for t in panel.get("targets", [])]
    return [(title, re.sub(r"\$\w+", ".*", text)) for title, text in found]


class Files(unittest.TestCase):
    """What conf/ ships, by promtool and against the table of metrics."""

    def promtool(self, *args, **more):
        if not program("promtool"):
            self.skipTest("no promtool: make check-deps")
        done = subprocess.run([program("promtool")] + list(args), capture_output=True, text=True, check=False, **more)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_rules_are_right_and_tested(self):
        self.promtool("check", "rules", RULES)
        self.promtool("test", "rules", RULES.replace(".yml", ".test.yml"))
        alerts = re.findall(r"^ +- alert: (\w+)", read(RULES), flags=re.M)
        self.assertGreater(len(alerts), 20)
        self.assertEqual(len(alerts), len(set(alerts)))
        tested = set(re.findall(r'alertname="(\w+)"', read(RULES.replace(".yml", ".test.yml"))))
        self.assertEqual(set(alerts), tested)
        for part in re.split(r"(?m)^ +- alert: ", read(RULES))[1:]:
            for needed in ("severity: ", "summary: ", "do: "):
                self.assertIn(needed, part)

    def test_what_to_do_is_documented(self):
        alerts = set(re.findall(r"^ +- alert: (\w+)", read(RULES), flags=re.M))
        self.assertEqual(alerts, set(re.findall(r"^\| `(Msspd\w+)` \|", read("docs/OPERATIONS.md"), flags=re.M)))

    def test_only_metrics_that_there_are(self):
        known = documented()
        for path in (RULES, RULES.replace(".yml", ".test.yml"), DASHBOARD):
            used = set(NAME.findall(re.sub(r'"(?:title|description|uid)": "[^"]*"', "", read(path))))
            self.assertEqual(used - known, set(), path)
            self.assertGreater(len(used), 15)

    def test_each_query_of_the_dashboard_can_be_read(self):
        lines = ["groups: [{name: d, rules: ["]
        lines += [json.dumps({"record": "d:%d" % i, "expr": text}) + "," for i, (_, text) in enumerate(expressions())]
        run = harness.Run()
        self.addCleanup(run.close)
        self.promtool("check", "rules", run.write("d.yml", "\n".join(lines) + "]}]\n"))


class Prometheus(Scene):
    CONFIG = """global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}
rule_files: [%s]
scrape_configs: [{job_name: msspd, static_configs: [{targets: ["127.0.0.1:%d"]}]}]
"""

    def start(self):
        if not program("prometheus"):
            self.skipTest("no prometheus: make check-deps")
        self.web = harness.free_port()
        # As shipped, but that nothing is waited for.
        rules = self.run_.write("rules.yml", re.sub(r"(?m)^( +for:) \w+$", r"\1 1s", read(RULES)))
        config = self.run_.write("prometheus.yml", self.CONFIG % (rules, self.port))
        self.run_.start([program("prometheus"), "--config.file=" + config, "--storage.tsdb.path=" + self.run_.path("tsdb"),
                         "--web.listen-address=127.0.0.1:%d" % self.web, "--log.level=warn"], log="prometheus.log")
        harness.wait_for("prometheus is ready", 60, lambda: harness.is_open(self.web) and self.is_ready())

    def is_ready(self):
        try:
            return urllib.request.urlopen("http://127.0.0.1:%d/-/ready" % self.web, timeout=5).status == 200
        except OSError:
            return False

    def ask(self, what, **query):
        url = "http://127.0.0.1:%d/api/v1/%s?%s" % (self.web, what, urllib.parse.urlencode(query))
        with urllib.request.urlopen(url, timeout=20) as reply:
            return json.load(reply)["data"]

    def value(self, query):
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else None

    def firing(self):
        return {(a["labels"]["alertname"], a["labels"].get("tenant") or a["labels"].get("sink"))
                for a in self.ask("alerts")["alerts"] if a["state"] == "firing"}

    def test_it_scrapes_fires_and_draws(self):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 6, "--alerts", 8, "--rate", 2, "--fault", "2:noconsent",
                                       "--fault", "3:500")
        self.port = harness.free_port()
        config = harness.config(self.graph, harness.tenants(6), {
            "archive": {"type": "file", "path": self.run_.path("a"), "format": "raw"},
            "siem": syslog_sink("tcp://127.0.0.1:%d" % harness.free_port())})
        config = config.replace('"secret_file"', '"secret_expires": "%s", "secret_file"' % time.strftime(
            "%Y-%m-%d", time.gmtime(time.time() + 5 * 86400)))
        config += 'http: {listen: "127.0.0.1:%d"}\n' % self.port
        msspd = harness.Msspd(self.run_, config).start()
        self.start()
        want = {("MsspdTenantParked", "t002"), ("MsspdTenantTrouble", "t003"), ("MsspdSinkDown", "siem"),
                ("MsspdEndsSoon", None), ("MsspdManyTenantsTrouble", None)}
        harness.wait_for("%s fire" % want, 40, lambda: want <= self.firing())
        target = self.ask("targets")["activeTargets"][0]
        self.assertEqual((target["health"], target["lastError"]), ("up", ""))
        for quiet in (("MsspdDown", None), ("MsspdNotReady", None), ("MsspdTenantParked", "t001"), ("MsspdSinkDown", "archive"),
                      ("MsspdConfigBad", None), ("MsspdDeadLetters", "archive"), ("MsspdJournalFailed", None)):
            self.assertNotIn(quiet, self.firing())
        self.assertEqual(self.value('msspd_tenant_state{state="not onboarded"}'), 1)
        harness.wait_for("there is a rate", 20, lambda: (self.value("sum(rate(msspd_sink_accepted_total[10s]))") or 0) > 0)
        self.assertEqual(self.value("scrape_samples_scraped{job='msspd'} - scrape_samples_post_metric_relabeling{job='msspd'}"), 0)
        for title, text in expressions():
            with self.subTest(title):
                self.assertTrue(self.ask("query", query=text)["result"], text)
        status, text = self.promtool_metrics()
        self.assertEqual(status, 0, text)
        msspd.stop()
        harness.wait_for("its absence is told", 30, lambda: ("MsspdDown", None) in self.firing())
        self.assertNotRegex(self.run_.read("prometheus.log"), "level=(warn|error)")

    def promtool_metrics(self):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port, timeout=20) as reply:
            done = subprocess.run([program("promtool"), "check", "metrics"], input=reply.read(), capture_output=True,
                                  check=False)
        return done.returncode or (1 if done.stderr else 0), (done.stdout + done.stderr).decode()


if __name__ == "__main__":
    unittest.main()
