# SPDX-License-Identifier: Apache-2.0
"""Every alert of the corpus, hostile ones too, in every format: valid for readers that are not ours."""
import itertools
import json
import os
import re
import subprocess
import unittest

import ecs_rules
import harness
import ocsf_rules
import random_alerts
from truth import Truth

READERS = os.path.join(harness.ROOT, "build/readers/bin/python")
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


MICROSOFTS = {"data", "customDetails", "additionalData", "health"}  # below these the names are not ours


def names(value):
    """Of all members, at any depth."""
    if isinstance(value, dict):
        return set(value).union(*(names(inner) for name, inner in value.items() if name not in MICROSOFTS))
    return set().union(*map(names, value)) if isinstance(value, list) else set()


class Formats(unittest.TestCase):
    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.run_.close, os.environ.get("MSSPD_KEEP") == "1")

    def write(self, alerts, hostile, sinks, controls=CONTROLS, **defaults):
        """One file a sink, as what msspd wrote to it."""
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", alerts, "--hostile", hostile)
        sinks = {name: dict({"type": "file", "path": self.run_.path(name)}, **more) for name, more in sinks.items()}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(3), sinks, **defaults))
        done = msspd.call("--once", "--timeout", "300s")
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        lines = {}
        for name in sinks:
            with open(self.run_.path(name), "rb") as f:
                lines[name] = f.read().decode("utf-8").split("\n")
            self.assertEqual(lines[name].pop(), "", "the last line has no end")
            for line in lines[name]:
                self.assertIsNone(controls.search(line), line[:300])
        return graph, lines

    def test_ocsf(self):
        graph, lines = self.write(250, 60, {"all": {"format": "ocsf"},
                                            "small": {"format": "ocsf", "raw_data": False}})
        count = len(Truth(graph.truth_file).alerts)
        for name, texts in lines.items():
            events = [json.loads(text) for text in texts]
            self.assertEqual(len({e["metadata"]["uid"] for e in events}), count, name)
            wrong = ["%s: %s" % (e["metadata"]["uid"], fault) for e in events for fault in ocsf_rules.faults(e)]
            self.assertEqual(wrong, [], name)
            self.assertEqual({"raw_data" in e for e in events}, {name == "all"}, name)
        kinds = {evidence["name"] for text in lines["all"] for evidence in json.loads(text).get("evidences", [])}
        self.assertLessEqual({"deviceEvidence", "userEvidence", "processEvidence", "fileEvidence", "ipEvidence",
                              "urlEvidence", "analyzedMessageEvidence", "mailboxEvidence"}, kinds)
        self.check_typed(lines["all"])

    def test_leef(self):
        """Parted as IBM's guide says: header by bars, pairs by the tab that the header names, once each."""
        tabs = re.compile(CONTROLS.pattern.replace("\x00-\x1f", "\x00-\x08\x0a-\x1f"))
        graph, lines = self.write(100, 60, {"leef": {"format": "leef"}}, tabs)
        seen = set()
        for line in lines["leef"]:
            head = line.split("|", 6)
            self.assertEqual((head[0], head[1], head[3], head[5]), ("LEEF:2.0", "Microsoft", "1.0", "x09"), line)
            pairs = [pair.split("=", 1) for pair in head[6].split("\t")]
            keys = [key for key, _ in pairs]
            self.assertEqual(len(set(keys)), len(keys), line)
            self.assertTrue(all(key.isalnum() and value.strip(" ") == value != "" for key, value in pairs), line)
            values = dict(pairs)
            self.assertTrue(1 <= int(values["sev"]) <= 10 and int(values["devTime"]) >= 0, line)
            seen.add(values["eventId"])
        self.assertEqual(len(seen), len(Truth(graph.truth_file).alerts))

    def test_ecs(self):
        graph, lines = self.write(150, 60, {"all": {"format": "ecs"}, "small": {"format": "ecs", "raw_data": False}})
        for name, texts in lines.items():
            events = [json.loads(text) for text in texts]
            wrong = ["%s: %s" % (e["msspd"]["event_id"], fault) for e in events for fault in ecs_rules.faults(e)]
            self.assertEqual(wrong, [], name)
            self.assertEqual(len({e["msspd"]["event_id"] for e in events}), len(Truth(graph.truth_file).alerts))
            self.assertEqual({"original" in e["event"] for e in events}, {name == "all"}, name)

    def test_alerts_of_defender_for_endpoint(self):
        _, lines = self.write(100, 60, {name: {"format": name} for name in ("ocsf", "ecs")}, streams=["mde-alerts"])
        for name, faults in (("ocsf", ocsf_rules.faults), ("ecs", ecs_rules.faults)):
            events = [json.loads(line) for line in lines[name]]
            self.assertGreater(len(events), 20)
            self.assertEqual([(fault, str(e)[:300]) for e in events for fault in faults(e)][:20], [])
        self.check_typed(lines["ocsf"])

    def test_shortened_forms(self):
        """Random alerts and incidents, in sizes from the least on."""
        program, found = os.path.join(harness.BIN, "write-formats"), []
        for size, incidents in itertools.product((1000, 1500, 3000, 9000), (False, True)):
            slices, page = random_alerts.Maker(size, incidents).page(150)
            done = subprocess.run([program, str(size)] + ["incidents"] * incidents, input=b"%d\n" % len(page) + page,
                                  stdout=subprocess.PIPE, timeout=60, check=True)
            lines = done.stdout.decode().split("\n")[2:-1:5]
            self.assertEqual([len(line) for line in lines if line == "!" or len(line.encode()) > size], [])
            self.assertEqual(len(lines), len(slices))
            found += lines
        self.assertEqual([(fault, line[:300]) for line in found for fault in ocsf_rules.faults(json.loads(line))][:20], [])
        self.check_typed(found)

    def test_every_class_in_every_form(self):
        """Findings of alerts and incidents, created, updated and closed, what is unreadable, health, canaries: by the rules."""
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 20, "--incidents", 20, "--hostile", 60, "--rate", 3,
                                  "--incident-rate", 3, "--history", 3600)
        sinks = {name: {"type": "file", "path": self.run_.path(name), "format": name} for name in ("ocsf", "ecs")}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(2), sinks, streams=["alerts", "incidents"])
                              + "health: {settle: 1s}\n").start()
        graph.ask("/_control/story", {"tenant": 1, "stream": "incidents", "hostile": 60})
        for name in sinks:
            self.assertEqual(msspd.ctl("test-sink", "--timeout", "60s", name).returncode, 0)

        def events(name):
            return [json.loads(line) for line in self.run_.read(name).split("\n")[:-1]]

        def classes():
            return {(e["class_uid"], e["activity_id"]) for e in events("ocsf")}

        def is_told(**health):
            return any(e["class_uid"] == 6008 and e["metadata"]["tenant_uid"] == graph.tenant_id(2) and health.items() <= e.items()
                       for e in events("ocsf"))
        wanted = {(2004, 1), (2004, 2), (2004, 3), (2005, 1), (2005, 2), (2005, 3), (0, 99)}
        harness.wait_for("each activity", 120, lambda: wanted <= classes(), 1)
        graph.stop_story()
        graph.fault("2:nolicence")
        harness.wait_for("it is told", 120, lambda: is_told(activity_id=1, status_code="no licence"), 1)
        graph.ask("/_control/fault", {"clear": True})
        harness.wait_for("its end", 120, lambda: msspd.ctl("poll", "t002").returncode == 0 and is_told(activity_id=99), 1)
        msspd.stop()
        ocsf, ecs = events("ocsf"), events("ecs")
        self.assertTrue(any("unreadable" in e["unmapped"]["msspd"] for e in ocsf), "nothing is unreadable")
        for faults, found in ((ocsf_rules.faults, ocsf), (ecs_rules.faults, ecs)):
            self.assertEqual([(fault, str(e)[:300]) for e in found for fault in faults(e)][:20], [])
        with open(os.path.join(harness.ROOT, "docs/FORMATS.md"), encoding="utf-8") as f:
            page = re.split(r"(?m)^## (\w+).*$", f.read())
        for title, found in (("OCSF", ocsf), ("ECS", ecs)):
            words = set(re.findall(r"@?\w+", page[page.index(title) + 1]))
            self.assertEqual(names(found) - words, set(), "not in docs/FORMATS.md")
        self.assertEqual({e["metadata"]["uid"] for e in ocsf if e["class_uid"]},
                         {e["msspd"]["event_id"] for e in ecs if e["msspd"]["kind"] != "canary"})
        self.check_typed([json.dumps(e) for e in ocsf])

    def check_typed(self, texts):
        if not os.path.exists(READERS):
            self.skipTest("py-ocsf-models is not in build/readers: tools/deps.sh readers")
        done = subprocess.run([READERS, os.path.join(harness.ROOT, "tests/run/ocsf_typed.py")], capture_output=True,
                              input="".join(text + "\n" for text in texts), text=True, timeout=120, check=False)
        self.assertEqual(done.stdout, "")
        self.assertEqual(done.stderr, "%d events\n" % len(texts))
        self.assertEqual(done.returncode, 0)
