# SPDX-License-Identifier: Apache-2.0
"""The proof of a day: what Microsoft lists beside what was journalled and what each sink accepted."""
import collections
import datetime
import json
import os
import signal
import socket
import sqlite3
import subprocess
import time
import unittest

import harness
from scene import Scene, syslog_sink
from truth import Truth


def day_of(moment):
    return moment[:10]


class Report(Scene):
    def start(self, *options, sinks=None, tenants=None, more="", **defaults):
        self.graph = harness.FakeGraph(self.run_, "--history", 20000, *options)
        self.out = {"out": {"type": "file", "path": self.run_.path("out"), "format": "raw"}}
        self.tenants = tenants or harness.tenants(2)
        self.defaults = dict({"page_size": 50, "budget": 10000}, **defaults)
        self.sinks, self.more = sinks or self.out, more
        self.msspd = harness.Msspd(self.run_, self.config())
        return self.msspd.start()

    def config(self):
        return harness.config(self.graph, self.tenants, self.sinks, **self.defaults) + self.more

    def report(self, *options, code=0):
        done = self.msspd.ctl("report", *options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code != 64 else done.stderr

    def ask(self, **request):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.msspd.socket)
            s.sendall(json.dumps(request).encode() + b"\n")
            return json.loads(s.makefile().readline())

    def rows(self, *options, code=0):
        return json.loads(self.report(*options, "--json", code=code))["rows"]

    def days(self, truth=None):
        """How many each tenant has that were created on each day, by the truth."""
        found = collections.defaultdict(collections.Counter)
        for (tenant, _), versions in (truth or Truth(self.graph.truth_file)).alerts.items():
            found[day_of(next(iter(versions.values()))["created"])][tenant] += 1
        return found

    def sink(self, name):
        return next(s for s in self.msspd.status()["sinks"] if s["sink"] == name)

    def wait_accepted(self, n, name="out"):
        harness.wait_for("%d accepted" % n, 60, lambda: self.sink(name)["accepted"] >= n
                         and self.sink(name)["backlog"] == 0)

    def wait_backlog(self, n, name):
        harness.wait_for("%d wait" % n, 60, lambda: self.sink(name)["backlog"] >= n)

    def the_day(self):
        """The day on which most were created."""
        days = self.days()
        return max(days, key=lambda d: sum(days[d].values()))

    def memory(self, sql, *values):
        with sqlite3.connect(os.path.join(self.msspd.state, "journal.db")) as db:
            return db.execute(sql, values).fetchall()

    def ids_of(self, row, *path):
        for key in path:
            row = row[key] if not isinstance(row, list) else next(s for s in row if s["sink"] == key)
        return row["count"], row["ids"]

    def background(self, *args):
        child = subprocess.Popen([os.path.join(harness.BIN, "msspctl"), "-s", self.msspd.socket, *args],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(child.kill)
        return child

    def report_is_over(self, number):
        harness.wait_for("it is over", 60, lambda: self.ask(verb="report-result", report=number)["result"]["over"])

    # ---- good days ---------------------------------------------------------------

    def test_a_good_day_has_no_difference(self):
        self.start("--tenants", 2, "--alerts", 60, "--incidents", 10,
                   streams=["alerts", "incidents"])
        self.wait_accepted(140)
        total = 0
        for day, want in self.days().items():
            rows = self.rows("--day", day)
            self.assertEqual(len(rows), 4)
            for tenant, n in want.items():
                mine = [r for r in rows if r["tenant_id"] == tenant]
                self.assertEqual(sum(r["microsoft"] for r in mine), n)
                for r in mine:
                    self.assertTrue(r["even"], r)
                    self.assertEqual(r["journalled"], r["microsoft"])
                    self.assertEqual(r["sinks"][0]["accepted"], r["microsoft"])
                    total += r["microsoft"]
        self.assertEqual(total, 140)
        # A restart and a kill change nothing of it.
        self.msspd.kill()
        self.msspd.start()
        day = self.the_day()
        harness.wait_for("all are read", 30, lambda: all(
            t["state"] == "healthy" for t in self.msspd.status()["tenants"]))
        self.assertTrue(all(r["even"] for r in self.rows("--day", day)))
        text = self.report("--day", day)
        self.assertIn("no difference", text)
        self.assertIn("created on %s (UTC)" % day, text)

    def test_two_customers_and_the_choice_of_one(self):
        self.start("--tenants", 2, "--alerts", 30, tenants={
            "t001": {"id": harness.FakeGraph.tenant_id(1), "customer": "contoso"},
            "t002": {"id": harness.FakeGraph.tenant_id(2)}},
            more="customers: {contoso: {name: Contoso Ltd}}\n")
        self.wait_accepted(60)
        day = self.the_day()
        text = self.report("--day", day)
        self.assertIn("\nContoso Ltd\n  t001, alerts: Microsoft", text)
        self.assertIn("\nt002\n  t002, alerts: Microsoft", text)
        self.assertEqual([r["tenant"] for r in self.rows("--day", day, "--customer", "contoso")], ["t001"])
        self.assertEqual([r["tenant"] for r in self.rows("--day", day, "--tenant", "t002")], ["t002"])
        self.assertEqual(self.rows("--day", day, "--tenant", harness.FakeGraph.tenant_id(2))[0]["tenant"],
                         "t002")
        self.report("--day", day, "--tenant", "nobody", code=1)
        self.report("--day", "someday", code=1)
        self.report("--day", "2031-01-01", code=1)
        self.report("--day", "2020-01-01", code=1)
        self.report("--day", "000000036h", code=1)  # a time of ten letters, but no day
        self.report("--sink", "out", code=64)
        # Nothing was created on a quiet day; yesterday is what is meant where none is named.
        now = datetime.datetime.now(datetime.timezone.utc)
        quiet = (now - datetime.timedelta(days=9)).strftime("%Y-%m-%d")
        self.assertEqual([r["microsoft"] for r in self.rows("--day", quiet)], [0, 0])
        whole = json.loads(self.report("--json"))
        self.assertLess(whole["from"], now.strftime("%Y-%m-%d"))
        self.assertTrue(whole["day_is_over"])
        self.assertIn("not over", self.report("--day", "today"))

    # ---- differences ---------------------------------------------------------------

    def test_a_sink_that_is_down_has_them_waiting_also_after_a_kill(self):
        siem = syslog_sink("tcp://127.0.0.1:%d" % harness.free_port())
        self.start("--tenants", 1, "--alerts", 40, tenants=harness.tenants(1),
                   sinks={"out": {"type": "file", "path": self.run_.path("out"), "format": "raw"},
                          "siem": siem})
        self.wait_accepted(40)
        self.wait_backlog(40, "siem")
        day = self.the_day()
        for _ in range(2):
            row = self.rows("--day", day, code=1)[0]
            self.assertFalse(row["even"])
            self.assertEqual(row["journalled"], row["microsoft"])
            n, ids = self.ids_of(row, "sinks", "siem", "waiting")
            self.assertEqual((n, len(ids)), (row["microsoft"], min(n, 20)))
            self.assertEqual([s["accepted"] for s in row["sinks"]], [row["microsoft"], 0])
            self.msspd.kill()
            self.msspd.start()
            harness.wait_for("read", 30, lambda: self.msspd.status()["tenants"][0]["state"] == "healthy")
        self.assertIn("siem: accepted 0, %d waiting" % n, self.report("--day", day, code=1))

    def in_the_file(self, day=""):
        """The ids that the file sink has, of that day."""
        with open(self.run_.path("out"), "rb") as f:
            lines = [json.loads(line) for line in f.read().split(b"\n")[:-1] if line]
        alerts = [line["alert"] for line in lines if line.get("alert")]
        return {a["id"] for a in alerts if a["createdDateTime"].startswith(day)}

    def row_of(self, day):
        """Its only row; None where it cannot be counted yet."""
        row = json.loads(self.msspd.ctl("report", "--day", day, "--json").stdout)["rows"][0]
        return row if row["error"] is None else None

    def test_kills_while_they_are_read_and_delivered(self):
        """What it calls accepted is there; what is not accepted waits; and none is missing."""
        self.start("--tenants", 1, "--alerts", 400, "--fault", "*:latency=30", tenants=harness.tenants(1),
                   page_size=10)
        in_the_middle = 0
        for k in range(4):
            harness.wait_for("some are there", 30, lambda: os.path.exists(self.run_.path("out"))
                             and len(self.in_the_file()) >= 60 * (k + 1))
            self.msspd.kill()
            in_the_middle += len(self.in_the_file()) < 400
            self.msspd.start()
        self.assertGreater(in_the_middle, 0, "it was killed too late each time")
        for day, n in self.days().items():
            row = harness.wait_for("it is counted", 30, lambda: self.row_of(day))
            accepted = row["sinks"][0]["accepted"]
            self.assertLessEqual(accepted, len(self.in_the_file(day)))
            self.assertEqual(accepted + row["sinks"][0]["waiting"]["count"], row["journalled"])
            self.assertEqual([row["microsoft"], row["journalled"]], 2 * [sum(n.values())])
        harness.wait_for("nothing waits", 60, lambda: self.sink("out")["backlog"] == 0)
        for day in self.days():
            row = self.rows("--day", day)[0]
            self.assertEqual(row["sinks"][0]["accepted"], len(self.in_the_file(day)))

    def test_what_the_journal_has_not_is_named(self):
        self.start("--tenants", 1, "--alerts", 30, tenants=harness.tenants(1), overlap="1s")
        self.wait_accepted(30)
        self.msspd.stop()
        day, truth = self.the_day(), Truth(self.graph.truth_file)
        firsts = sorted((next(iter(a.values())) for a in truth.alerts.values()), key=lambda v: v["created"])
        gone = sorted(v["id"] for v in firsts if day_of(v["created"]) == day)[:2]
        for name in gone:
            self.memory("DELETE FROM memory WHERE id = ?", name.encode())
        self.msspd.start()
        harness.wait_for("read", 30, lambda: self.msspd.status()["tenants"][0]["state"] == "healthy")
        row = self.rows("--day", day, code=1)[0]
        self.assertEqual(row["microsoft"], row["journalled"] + 2)
        self.assertEqual(sorted(self.ids_of(row, "missing")[1]), gone)
        text = self.report("--day", day, code=1)
        self.assertIn("2 NOT in the journal", text)
        self.assertIn(gone[0], text)

    def test_what_a_filter_leaves_out_is_no_difference(self):
        self.start("--tenants", 1, "--alerts", 60, tenants=harness.tenants(1), sinks={
            "out": {"type": "file", "path": self.run_.path("out"), "format": "raw"},
            "high": {"type": "file", "path": self.run_.path("high"), "format": "raw",
                     "match": {"severity": ["high"]}}})
        self.wait_accepted(60)
        row = self.rows("--day", self.the_day())[0]
        high = next(s for s in row["sinks"] if s["sink"] == "high")
        self.assertGreater(high["left_out"], 0)
        self.assertEqual(high["accepted"] + high["left_out"], row["microsoft"])
        self.assertTrue(row["even"])

    def test_an_older_msspds_acceptances_are_unknown_not_none(self):
        self.start("--tenants", 1, "--alerts", 20, tenants=harness.tenants(1), overlap="1s")
        self.wait_accepted(20)
        self.msspd.stop()
        self.memory("UPDATE memory SET given = NULL")
        self.msspd.start()
        harness.wait_for("read", 30, lambda: self.msspd.status()["tenants"][0]["state"] == "healthy")
        row = self.rows("--day", self.the_day(), code=1)[0]
        self.assertEqual(self.ids_of(row, "sinks", "out", "unknown")[0], row["microsoft"])
        self.assertIn("unknown", self.report("--day", self.the_day(), code=1))

    def test_one_that_fails_meanwhile_stops_no_other(self):
        self.start("--tenants", 2, "--alerts", 20, poll_interval="60s")
        self.wait_accepted(40)
        self.graph.fault("1:403")
        rows = self.rows("--day", self.the_day(), code=75)
        self.assertEqual([r["error"] is None for r in sorted(rows, key=lambda r: r["tenant"])], [False, True])

    def test_one_that_cannot_be_read_stops_no_other(self):
        self.start("--tenants", 2, "--alerts", 20)
        self.wait_accepted(40)
        self.graph.fault("1:403")
        harness.wait_for("parked", 60, lambda: any(
            t["parked"] for t in self.msspd.status()["tenants"]))
        rows = self.rows("--day", self.the_day(), code=75)
        self.assertEqual([r["error"] is None for r in sorted(rows, key=lambda r: r["tenant"])], [False, True])
        self.assertIn("t001, alerts: could not be counted", self.report("--day", self.the_day(), code=75))

    def test_it_counts_however_they_are_listed(self):
        """Short pages, both alert APIs, an order that is refused or ignored; by when they were created,
        whenever they were changed."""
        self.start("--tenants", 3, "--alerts", 40, "--history", 200000, tenants=harness.tenants(3), page_size=10,
                   streams=["alerts", "mde-alerts"], mde_wait="0s")
        self.graph.ask("/_control/policy", {"tenant": "2", "orderby": "refuse"})
        self.graph.ask("/_control/policy", {"tenant": "3", "orderby": "ignore"})
        self.wait_accepted(120)
        self.graph.ask("/_control/story", {"tenant": "*", "change": 10})
        self.wait_accepted(140)
        for day, want in self.days().items():
            rows = self.rows("--day", day)
            self.assertEqual({r["tenant_id"]: r["microsoft"] for r in rows if r["microsoft"]}, dict(want))
            for r in rows:
                self.assertEqual((r["streams"], r["even"]), ("alerts, mde-alerts", True), r)
                self.assertEqual(r["sinks"][0]["accepted"], r["microsoft"])

    def test_a_throttled_tenant_is_waited_for(self):
        self.start("--tenants", 1, "--alerts", 30, tenants=harness.tenants(1), poll_interval="60s")
        self.wait_accepted(30)
        self.graph.fault("1:429=1:for=1")
        row = self.rows("--day", self.the_day())[0]
        self.assertTrue(row["even"])
        self.assertGreater(row["microsoft"], 0)

    def test_what_a_parked_sink_missed_is_let_go(self):
        siem = syslog_sink("tcp://127.0.0.1:%d" % harness.free_port(), backlog={"size": "8MiB"})
        self.start("--tenants", 1, "--alerts", 500, "--fault", "*:fat=30", tenants=harness.tenants(1),
                   sinks={"siem": siem})
        harness.wait_for("it is parked", 60, lambda: self.sink("siem")["over_backlog"]
                         and self.sink("siem")["backlog"] <= 256
                         and self.msspd.status()["journal"]["remembered"] >= 500)
        let_go = waiting = total = 0
        for day in self.days():
            row = self.rows("--day", day, code=1)[0]
            self.assertEqual(row["microsoft"], row["journalled"])
            let_go += self.ids_of(row, "sinks", "siem", "let_go")[0]
            waiting += self.ids_of(row, "sinks", "siem", "waiting")[0]
            total += row["journalled"]
        self.assertEqual((total, waiting), (500, self.sink("siem")["backlog"]))
        self.assertEqual(let_go, total - waiting)

    def test_it_can_be_cancelled(self):
        self.start("--tenants", 2, "--alerts", 20)
        self.wait_accepted(40)
        number = self.ask(verb="report")["result"]["report"] + 1
        self.report_is_over(number - 1)
        self.graph.fault("*:hang")
        child = self.background("report")
        harness.wait_for("it is being made", 30, lambda: self.ask(verb="report-result", report=number)["ok"])
        self.report(code=1)  # one at a time
        child.send_signal(signal.SIGINT)
        _, said = child.communicate(timeout=60 * harness.SLOW)
        self.assertEqual(child.returncode, 75, said)
        self.assertIn("cancelled", said)
        self.assertTrue(self.ask(verb="report-result", report=number)["result"]["cancelled"])
        # By somebody else: what there is of it does not pass for the whole.
        child = self.background("report")
        harness.wait_for("it is being made", 30, lambda: self.ask(verb="report-result", report=number + 1)["ok"])
        self.assertTrue(self.ask(verb="report-cancel", report=number + 1)["ok"])
        said, _ = child.communicate(timeout=60 * harness.SLOW)
        self.assertEqual(child.returncode, 75, said)
        self.assertIn("NOT WHOLE: the report was ended after 0 of 2 tenants", said)

    def test_stopping_does_not_wait_for_it(self):
        self.start("--tenants", 2, "--alerts", 20)
        self.wait_accepted(40)
        self.graph.fault("*:hang")
        number = self.ask(verb="report")["result"]["report"]
        before = time.monotonic()
        self.msspd.stop()
        self.assertLess(time.monotonic() - before, 10 * harness.SLOW)
        # Who asks the next msspd for it is not shown another one.
        self.msspd.start()
        again = self.ask(verb="report")["result"]["report"]
        self.assertGreater(again, number)
        self.assertFalse(self.ask(verb="report-result", report=number)["ok"])


if __name__ == "__main__":
    unittest.main()
