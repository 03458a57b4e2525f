# SPDX-License-Identifier: Apache-2.0
"""What conf/receivers makes of our messages in real syslog-ng and rsyslog: every field with its whole value."""
import json
import os
import re
import socket
import subprocess
import unittest
from unittest import mock

import cef
import harness
import random_alerts
from scene import Scene, syslog_sink
from truth import Truth

SNIPPETS = os.path.join(harness.ROOT, "conf", "receivers")
SD_ID = "msspd@32473"
FORMATS = ("cef", "leef", "ocsf", "ecs", "raw")


class ParsingSyslogNg(harness.SyslogNg):
    behind = ""  # what follows the parser

    def start(self):
        conf = (harness.SYSLOG_NG_CONF
                .replace("\n", '\n@include "%s/syslog-ng-msspd.conf"\n' % SNIPPETS, 1)
                .replace("--key HOST", "--key .cef.* --key .leef.* --key .json.* --key .SDATA.* --key HOST", 1)
                .replace("destination(d); };\n", "parser(p_msspd); %sdestination(d); };\n" % self.behind))
        with mock.patch.object(harness, "SYSLOG_NG_CONF", conf):
            super().start()

    @staticmethod
    def row(o):
        return {"msg": o["MESSAGE"], "cef": o.get("_cef", {}), "cef_ext": o.get("_cef", {}).get("ext"),
                "leef": o.get("_leef", {}).get("attr"), "json": o.get("_json"),
                "sd": o.get("_SDATA", {}).get(SD_ID), "name": o.get("_cef", {}).get("name")}


class CanariesSyslogNg(ParsingSyslogNg):
    behind = "filter(f_msspd_canary); "


class ParsingRsyslog(harness.Rsyslog):
    behind = ""

    def start(self):
        with open(os.path.join(SNIPPETS, "rsyslog-msspd.conf"), encoding="utf-8") as f:
            snippet = self.run.write(self.name + "/msspd.conf", f.read().replace("/etc/rsyslog.d", SNIPPETS))
        conf = (harness.RSYSLOG_CONF
                .replace('ruleset(name="r")', 'include(file="%s")\nruleset(name="msspd_parsed")' % snippet)
                .replace('ruleset(name="msspd_parsed") {', 'ruleset(name="msspd_parsed") {' + self.behind)
                .replace('ruleset="r"', 'ruleset="msspd"')
                .replace('property(outname="pri"', 'property(outname="fields" name="$!" format="jsonf")\n'
                                                   '  property(outname="pri"'))
        with mock.patch.object(harness, "RSYSLOG_CONF", conf):
            super().start()

    @staticmethod
    def row(o):
        fields = json.loads(o["fields"], strict=False)
        return {"msg": o["msg"].lstrip(" "), "cef_ext": fields.get("cef", {}).get("Extensions"),
                "leef": fields.get("leef", {}).get("attributes"), "json": fields.get("json"),
                "sd": fields.get("rfc5424-sd", {}).get(SD_ID), "name": fields.get("cef", {}).get("Name")}


class CanariesRsyslog(ParsingRsyslog):
    behind = '\n  if $.msspd_canary == "no" then stop\n'


class Parsing(Scene):
    def fields(self, receiver):
        """Everything in every format, through one connection each; the rows as the receiver's parsers made them."""
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 40, "--hostile", 44)
        sinks = {name: syslog_sink("tcp://127.0.0.1:%d" % receiver.octet, framing="octet-counting", format=name,
                                   structured_data=SD_ID, max_message=65535, confirm_after="1s")
                 for name in FORMATS}
        odd = {"odd": {"name": "Con=to\\so | \"Ltd\" it's a=b"}}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2, customer="odd"), sinks)
                              + "customers: %s\ninstance: %s\n" % (json.dumps(odd), json.dumps("SOC's \"one\"")))
        done = msspd.call("--once", "--timeout", "300s", timeout=400)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        count = len(Truth(graph.truth_file).alerts)
        # raw has no shorter form: a few alerts are longer than any syslog message may be.
        harness.wait_for("all rows", 30, lambda: len(receiver.rows()) >= count * len(FORMATS) - 8)
        self.assertLessEqual(len(receiver.rows()), count * len(FORMATS))
        return receiver.rows()

    def check(self, rows, at):
        seen = {}
        for row in rows:
            try:
                kind, event = self.check_row(row, at)
            except RecursionError:  # an alert that is nested deeper than Python's json goes
                continue
            event = one_line(event)
            self.assertEqual(row["sd"]["event_id"], event)
            self.assertRegex(row["sd"]["tenant_id"], r"^[0-9a-f-]{36}$")
            self.assertIn(row["sd"]["kind"], ("new", "updated", "escalated", "resolved", "reopened", "unreadable"))
            seen.setdefault(kind, set()).add(event)
        self.assertEqual(len(seen), 3, "cef, leef and json")
        self.assertEqual(seen["cef"], seen["leef"])
        self.assertEqual(seen["cef"], seen["json"])

    def check_row(self, row, at):
        msg = row["msg"]
        if msg.startswith("CEF:"):
            head, extension = cef.parse(msg)
            self.assertEqual((row["cef_ext"], row["name"]), (extension, head["name"]))
            return "cef", extension["MicrosoftDefenderEventId"]
        if msg.startswith("LEEF:"):
            pairs = dict(pair.split("=", 1) for pair in msg.split("|", 6)[6].split("\t"))
            self.assertEqual(row["leef"], pairs)
            return "leef", pairs["eventId"]
        return "json", self.check_json(json.loads(msg), row["json"], at)

    def check_json(self, sent, got, at):
        paths = ("metadata.uid", "msspd.event_id")
        event = next(filter(None, (at(sent, path) for path in paths)))
        self.assertIn(event, [at(got, path) for path in paths])
        for path in ("finding_info.title", "severity", "rule.name", "message", "alert.title", "alert.description"):
            want = at(sent, path)
            if isinstance(want, str):
                self.assertEqual(plain(at(got, path)), plain(want), path)
        return event

    def test_each_text_of_cef_is_unescaped(self):
        """Keys of numbers and addresses have nothing to unescape; act is one of our words."""
        with open(os.path.join(harness.ROOT, "docs/FORMATS.md"), encoding="utf-8") as f:
            rows = re.findall(r"(?m)^\| `(\w+)` \|[^|]*\| (\d+) \|", f.read().split("\n## CEF")[1].split("\n## ")[0])
        with open(os.path.join(SNIPPETS, "syslog-ng-msspd.conf"), encoding="utf-8") as f:
            unescaped = set(re.findall(r'msspd_unescape\(key\("\.cef\.ext\.(\w+)"\)\)', f.read()))
        self.assertEqual(unescaped, {key for key, most in rows if most not in ("20", "45")} - {"act"})

    def test_each_text_of_leef_is_put_together_again(self):
        """What is left are numbers, addresses, the tenant's GUID and our own words."""
        with open(os.path.join(harness.ROOT, "docs/FORMATS.md"), encoding="utf-8") as f:
            keys = re.findall(r"(?m)^\| `(\w+)` \|", f.read().split("\n## LEEF")[1].split("\n## ")[0])
        with open(os.path.join(SNIPPETS, "syslog-ng-msspd.conf"), encoding="utf-8") as f:
            texts = set(re.findall(r'msspd_back\(key\("\.leef\.attr\.(\w+)"\)\)', f.read()))
        self.assertEqual(set(keys) - texts, set("sev devTime act tenantId src dst fileSize pid priorityScore evidenceCount startTime "
                                                "endTime createdTime resolvedTime".split()))

    def test_syslog_ng(self):
        self.check(self.fields(ParsingSyslogNg(self.run_)), value_at)

    def test_rsyslog(self):
        self.check(self.fields(ParsingRsyslog(self.run_)), value_at)

    def check_random(self, receiver):
        """Alerts and incidents of any text at all, in all formats, straight to the receiver: all arrive, as fields."""
        lines = written(False) + written(True)
        with socket.create_connection(("127.0.0.1", receiver.octet)) as s:
            for line in lines:
                frame = b"<164>1 2026-11-22T04:40:00.123456Z h msspd 1 new - " + line.encode()
                s.sendall(b"%d " % len(frame) + frame)
        harness.wait_for("all rows", 60, lambda: len(receiver.rows()) >= len(lines))
        for line, row in zip(lines, receiver.rows()):
            self.assertEqual(row["msg"], line)
            if line.startswith("CEF:"):
                head, extension = cef.parse(line)
                self.assertEqual((row["cef_ext"], row["name"]), (extension, head["name"]))
            elif line.startswith("{"):
                self.check_random_json(line, row["json"])
            else:
                self.assertEqual(row["leef"], dict(pair.split("=", 1) for pair in line.split("|", 6)[6].split("\t")))

    def check_random_json(self, line, got):
        """json-c knows no name with a NUL in it, and nothing as deep as an alert in raw may be."""
        sent = json.loads(line)
        path = "metadata.uid" if "metadata" in sent else "msspd.event_id"
        if plain(value_at(got, path)) != plain(value_at(sent, path)):
            self.assertTrue("\\u0000" in line or "alert" in sent or "incident" in sent, line)

    def test_syslog_ng_takes_any_text(self):
        self.check_random(ParsingSyslogNg(self.run_))

    def test_rsyslog_takes_any_text(self):
        self.check_random(ParsingRsyslog(self.run_))

    def filtered(self, receiver):
        """Of alerts and a test record in every format only the latter come through the filter, also in their shortest forms."""
        graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 5)
        sinks = {name: syslog_sink("tcp://127.0.0.1:%d" % receiver.octet, framing="octet-counting", format=name,
                                   max_message=1024, confirm_after="100ms") for name in FORMATS}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(1), sinks)).start()
        harness.wait_for("all alerts", 60, lambda: all(s["accepted"] >= 5 for s in msspd.status()["sinks"]))
        for name in FORMATS:
            self.assertEqual(msspd.ctl("test-sink", name).returncode, 0)
        harness.wait_for("the test records", 30, lambda: len(receiver.rows()) >= len(FORMATS))
        for row in receiver.rows():
            self.assertIn("canary", row["msg"])
        self.assertEqual(len(receiver.rows()), len(FORMATS))

    def test_syslog_ng_filters_canaries(self):
        self.filtered(CanariesSyslogNg(self.run_))

    def test_rsyslog_filters_canaries(self):
        self.filtered(CanariesRsyslog(self.run_))


def written(incidents):
    """Random records as write-formats writes them."""
    _, page = random_alerts.Maker(harness.rng("test_parsing").randrange(1 << 32), incidents).page(300)
    done = subprocess.run([os.path.join(harness.BIN, "write-formats"), "30000"] + ["incidents"] * incidents, timeout=60,
                          input=b"%d\n" % len(page) + page, stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().split("\n")[:-1]


def one_line(text):
    """As values of structured data have it: controls are blanks."""
    return re.sub(r"\r\n|[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).strip(" ")


def value_at(top, path):
    for name in path.split("."):
        top = top.get(name) if isinstance(top, dict) else None
    return top


def plain(text):
    """Receivers keep C strings: what follows a NUL is theirs to lose."""
    return re.sub("\0.*", "", text or "", flags=re.S)


if __name__ == "__main__":
    unittest.main()
