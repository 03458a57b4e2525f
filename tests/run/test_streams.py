# SPDX-License-Identifier: Apache-2.0
"""A tenant's streams: incidents beside alerts, what they share, and who is told when one of them fails."""
import collections
import contextlib
import datetime
import json
import signal
import time
import unittest

import cef
import harness
from scene import Scene
from test_tenants import lateness_ms
from truth import Delivered, Truth, compare


class FileSink:
    """What a sink of type file wrote, as rows of a receiver."""

    def __init__(self, path):
        self.path = path

    def rows(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path, encoding="utf-8") as f:
                return [{"msg": line.rstrip("\n")} for line in f if line.endswith("\n")]
        return []


def ms_of(text):
    """Of "2026-11-22T04:10:46.0900000Z"."""
    whole, _, part = text.rstrip("Z").partition(".")
    moment = datetime.datetime.strptime(whole, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=datetime.timezone.utc)
    return int(moment.timestamp() * 1000) + int((part + "000")[:3])


class Streams(Scene):
    def prepare(self, graph, tenants, streams, **defaults):
        self.cef, self.raw = FileSink(self.run_.path("out.cef")), FileSink(self.run_.path("out.raw"))
        sinks = {"cef": {"type": "file", "path": self.cef.path, "format": "cef"},
                 "raw": {"type": "file", "path": self.raw.path, "format": "raw"}}
        self.msspd = harness.Msspd(self.run_, harness.config(graph, tenants, sinks, streams=streams, **defaults))

    def start(self, graph, tenants, streams, **defaults):
        self.prepare(graph, tenants, streams, **defaults)
        self.mark_up()
        return self.msspd.start()

    def state_of(self, tenant):
        return next(t for t in self.msspd.status()["tenants"] if t["tenant"] == tenant)

    def test_incidents_beside_alerts(self):
        """Every incident and alert arrives, version by version, each as a record of its own kind."""
        graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 30, "--incidents", 130, "--rate", 3,
                                  "--incident-rate", 6, "--touches", 10, "--late-ms", 300)
        tenants = harness.tenants(2)
        tenants["t002"]["streams"] = ["incidents"]
        msspd = self.start(graph, tenants, ["alerts", "incidents"])
        time.sleep(6)
        graph.ask("/_control/story", {"tenant": "*", "stream": "incidents", "make": 2, "change": 20})
        graph.stop_story()
        for i in (1, 2):
            rows = [json.loads(line) for line in graph.ask("/_control/truth?tenant=%d" % i).splitlines()]
            merged = next(r for r in rows if r["stream"] == "incidents" and r["status"] == "active")
            graph.ask("/_control/story", {"tenant": i, "stream": "incidents", "key": merged["key"], "do": "merged"})
        wrong = self.settle(graph, {harness.FakeGraph.tenant_id(2): {"incidents"}})
        self.assertEqual(wrong, [], self.run_.read(msspd.log)[-3000:])
        self.check_records()
        self.assertEqual(graph.requests()["bearer_elsewhere"], 0)

    def settle(self, graph, only):
        """Waits until all is there of the streams that are read; only: {tenant: streams}."""
        end = time.monotonic() + 30 * harness.SLOW
        self.mark_down()
        while True:
            truth = Truth(graph.truth_file).read_as(lambda tenant: only.get(tenant, ("alerts", "incidents")))
            wrong = compare(truth, Delivered(self.cef.rows()), self.interval_ms * harness.SLOW, self.up)
            if not wrong or time.monotonic() > end:
                return wrong
            time.sleep(0.5)

    def check_records(self):
        kinds = collections.Counter()
        for row in self.cef.rows():
            header, fields = cef.parse(row["msg"])
            if "/incident:" not in fields["MicrosoftDefenderEventId"]:
                self.assertNotEqual(header["class_id"], "incident")
                continue
            kinds[fields["act"]] += 1
            self.assertEqual((header["product"], header["class_id"]), ("Microsoft Defender XDR Incident", "incident"))
            self.assertEqual(fields["cn1"], fields["externalId"])
            self.assertIn("/incidents/%s?tid=%s" % (fields["cn1"], fields["cs3"]), fields["flexString1"])
            if fields["cs5"] == "redirected":
                kinds["merged"] += 1
                self.assertIn("MicrosoftDefenderMergedInto", fields)
                if fields["act"] == "updated" and "MicrosoftDefenderOrigin" not in fields:
                    self.assertIn("incident", fields["MicrosoftDefenderChanged"])
        for kind in ("new", "updated", "resolved", "merged"):
            self.assertGreater(kinds[kind], 0, kinds)
        whole = [json.loads(row["msg"]) for row in self.raw.rows()]
        incidents = [o for o in whole if o["msspd"]["stream"] == "incidents"]
        self.assertEqual(len(incidents), sum(kinds.values()) - kinds["merged"])
        self.assertTrue(all("displayName" in o["incident"] for o in incidents))

    def events(self):
        return Delivered(self.cef.rows()).events

    def test_endpoint_alerts_of_both_apis(self):
        """What both have comes once, as Graph tells it; what only the endpoint API has comes after the wait."""
        graph = harness.FakeGraph(self.run_, "--alerts", 120, "--mde-only", 40, "--rate", 4, "--stop-after", 4,
                                  "--history", 40000)
        msspd = self.start(graph, harness.tenants(1), ["alerts", "mde-alerts"], mde_wait="12s", page_size=20)
        time.sleep(6)
        early = self.events()
        young = [v for v in Truth(graph.truth_file).versions()
                 if v["mde"] == "only" and v["version"] == 1 and v["visible_from"] > self._up_since + 1000]
        old = self.first_versions(graph, "only", before=self._up_since)
        self.assertTrue(young and old, "the story has some of each")
        self.assertEqual([v["key"] for v in young if any(v["key"] in name for name in early)], [], "it waits")
        self.assertEqual([k for k in old if not any(k in name for name in early)], [], "what is old does not wait")
        time.sleep(9)
        wrong = self.settle(graph, {harness.FakeGraph.tenant_id(1): {"alerts", "mde-alerts"}})
        self.assertEqual(wrong, [], self.run_.read(msspd.log)[-3000:])
        self.check_once(graph)
        self.assertGreater(graph.requests()["tenants"][0]["mde_requests"], 5)
        self.assertEqual(graph.requests()["bearer_elsewhere"], 0)
        self.assertEqual(graph.requests()["tenants"][0]["status"]["4xx"], 0)

    def test_endpoint_alerts_once(self):
        """--once reads the endpoint API behind Graph's, so that nothing waits for the next time."""
        graph = harness.FakeGraph(self.run_, "--alerts", 60, "--mde-only", 40, "--history", 40000,
                                  "--fault", "1:latency=500:for=2")
        self.prepare(graph, harness.tenants(1), ["alerts", "mde-alerts"])
        self.assertEqual(self.msspd.call("--once").returncode, 0)
        keys = {v["key"] for v in Truth(graph.truth_file).versions()
                if v["visible_from"] - ms_of(v["created"]) > 16 * 60 * 1000}
        seen = self.events()
        self.assertEqual([k for k in keys if not any(k in name for name in seen)], [])

    def first_versions(self, graph, mde, before):
        return {v["key"] for v in Truth(graph.truth_file).versions()
                if v["mde"] == mde and v["version"] == 1 and v["visible_from"] < before}

    def check_once(self, graph):
        """No version twice, and what both have in Graph's words only."""
        where = {v["key"]: v["mde"] for v in Truth(graph.truth_file).versions()}
        names = collections.Counter(json.loads(row["msg"])["msspd"]["event_id"] for row in self.raw.rows())
        self.assertEqual([n for n, times in names.items() if times > 1], [])
        seen = set()
        for row in self.raw.rows():
            alert = json.loads(row["msg"])["alert"]
            seen.add(where[alert["id"]])
            self.assertEqual("lastUpdateTime" in alert, where[alert["id"]] == "only")
        self.assertEqual(seen, {"no", "both", "only"})

    def test_endpoint_alerts_alone(self):
        """Paged by position, with evidence, within the API's own limits; read as Graph's are."""
        graph = harness.FakeGraph(self.run_, "--alerts", 300, "--rate", 3, "--stop-after", 3, "--mde-per-minute", 100,
                                  "--mde-per-hour", 1500, "--history", 40000)
        self.start(graph, harness.tenants(1), ["mde-alerts"], page_size=40, poll_interval="2s")
        time.sleep(4)
        wrong = self.settle(graph, {harness.FakeGraph.tenant_id(1): {"mde-alerts"}})
        self.assertEqual(wrong, [], self.run_.read(self.msspd.log)[-3000:])
        one = next(json.loads(row["msg"])["alert"] for row in self.raw.rows() if "entityType" in row["msg"])
        self.assertEqual(one["aadTenantId"], harness.FakeGraph.tenant_id(1))
        fields = [cef.parse(row["msg"])[1] for row in self.cef.rows()]
        self.assertTrue(all(f["shost"] == "pc7.corp.example" for f in fields))
        self.assertTrue({f["cs5"] for f in fields} <= {"new", "inProgress", "resolved"})
        self.assertEqual(graph.requests()["tenants"][0]["limited"], 0)
        self.assertEqual(graph.requests()["tenants"][0]["requests"], 0, "Graph is not asked")

    def test_one_stream_without_its_permission(self):
        """Alerts go on; the tenant is in the worse state, and the trouble names the stream and the role."""
        graph = harness.FakeGraph(self.run_, "--alerts", 5, "--incidents", 5, "--alerts-only")
        self.start(graph, harness.tenants(1), ["alerts", "incidents"])
        harness.wait_for("trouble", 20, lambda: "incidents: " in self.state_of("t001")["trouble"])
        self.assertIn("SecurityIncident.Read.All", self.state_of("t001")["trouble"])
        states = lambda: {x["stream"]: x["state"] for x in self.state_of("t001")["streams"]}
        harness.wait_for("alerts are read", 20, lambda: states()["alerts"] == "healthy")
        self.assertNotEqual(states()["incidents"], "healthy")
        before = graph.requests()["tenants"][0]["pages"]
        harness.wait_for("alerts go on", 20, lambda: graph.requests()["tenants"][0]["pages"] >= before + 2)
        harness.wait_for("all alerts", 20, lambda: len(self.cef.rows()) == 5)
        self.assertIn("tenant t001/incidents", self.run_.read(self.msspd.log).replace("=", " "))

    def test_a_wait_holds_for_all_streams(self):
        graph = harness.FakeGraph(self.run_, "--alerts", 2, "--incidents", 2)
        self.start(graph, harness.tenants(1), ["alerts", "incidents"])
        harness.wait_for("polls", 20, lambda: graph.requests()["tenants"][0]["requests"] >= 6)
        graph.fault("1:429=5:for=1")
        harness.wait_for("429", 20, lambda: graph.requests()["tenants"][0]["status"]["4xx"] >= 1)
        time.sleep(1)
        before = graph.requests()["tenants"][0]["requests"]
        time.sleep(4)
        self.assertEqual(graph.requests()["tenants"][0]["requests"], before, "nothing is sent by either stream")
        harness.wait_for("both go on", 30, lambda: graph.requests()["tenants"][0]["requests"] >= before + 4)
        self.assertEqual(graph.requests()["tenants"][0]["status"]["4xx"], 1)

    def test_far_behind_catches_up_within_its_budget(self):
        """One tenant with a long backlog in both streams, beside others that stay on time."""
        alerts, per_minute, page = (100000, 150, 200) if harness.SOAK else (1500, 600, 20)
        graph = harness.FakeGraph(self.run_, "--tenants", 20, "--alerts", 1, "--per-minute", per_minute,
                                  "--history", 80000)
        for _ in range(alerts // 500):
            graph.ask("/_control/story", {"tenant": 1, "make": 500})
        graph.ask("/_control/story", {"tenant": 1, "stream": "incidents", "make": 400})
        tenants = harness.tenants(20)
        tenants["t001"].update(streams=["alerts", "incidents"], page_size=page, budget=per_minute)
        self.start(graph, tenants, ["alerts"], poll_interval="2s")
        since = time.monotonic() * 1000 + 5000
        seconds = 60 + 2.5 * 60 * alerts / page / per_minute
        harness.wait_for("all arrived", seconds, lambda: self.arrived() >= alerts + 400 + 20, interval=1)
        requests = graph.requests()
        self.assertEqual([t["limited"] for t in requests["tenants"]], [0] * 20)
        late = lateness_ms(requests, 2000, set(range(2, 21)), since)
        self.assertTrue(late)
        self.assertLess(late[int(len(late) * 0.99)], 1000 * harness.SLOW)

    def test_many_that_wake_together_are_spread(self):
        """After a pause of the whole process all polls are overdue; they do not come in one burst."""
        graph = harness.FakeGraph(self.run_, "--tenants", 200, "--alerts", 1)
        msspd = self.start(graph, harness.tenants(200), ["alerts"], poll_interval="4s")
        harness.wait_for("all were read", 60, lambda: self.arrived() >= 200)
        msspd.child.send_signal(signal.SIGSTOP)
        time.sleep(11)
        msspd.child.send_signal(signal.SIGCONT)
        woke = time.monotonic() * 1000
        time.sleep(5)
        after = [p - woke for t in graph.requests()["tenants"] for p in t["polls"] if p >= woke - 100]
        self.assertGreater(len(after), 150, "all are read again")
        self.assertLess(sum(ms < 400 for ms in after), 100, "not all at once")

    def arrived(self):
        with contextlib.suppress(FileNotFoundError):
            return sum(t["forwarded"] for t in self.msspd.status()["tenants"])
        return 0


if __name__ == "__main__":
    unittest.main()
