# SPDX-License-Identifier: Apache-2.0
"""A reload is a difference: what it does not name goes on as if nothing were, also with alerts under way."""
import json
import os
import re
import time
import urllib.request

import harness
from proxy import CuttingProxy
from scene import Scene, syslog_sink


class Counting(CuttingProxy):
    """Cuts nothing; counts who came."""

    def __init__(self, to):
        self.came = 0
        super().__init__(to)
        self.is_cutting = False

    def pump(self, source, sink, limit):
        self.came += 1  # once for each direction
        super().pump(source, sink, None)

    def connections(self):
        return self.came // 2


class Reload(Scene):
    def scene(self, *options, tenants=3):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", 10, *options)
        self.siems = [harness.SyslogNg(self.run_, name) for name in ("one", "two")]
        self.ways = [Counting(siem.lf) for siem in self.siems]
        for way in self.ways:
            self.addCleanup(way.close)
        self.port = harness.free_port()
        self.tenants = harness.tenants(3, customer="contoso")
        self.customers = {"contoso": {"name": "Contoso Ltd"}}
        self.sinks = {name: syslog_sink("tcp://127.0.0.1:%d" % way.port, confirm_after="500ms")
                      for name, way in zip(("one", "two"), self.ways)}
        self.more = {}
        self.msspd = harness.Msspd(self.run_, self.text())

    def text(self):
        text = harness.config(self.graph, self.tenants, self.sinks, sinks=sorted(self.sinks))
        rest = dict({"customers": self.customers, "http": {"listen": "127.0.0.1:%d" % self.port}}, **self.more)
        if "log_level" in rest:
            text = text.replace('log_level: "info"\n', "")
        return text + "".join("%s: %s\n" % (k, json.dumps(v)) for k, v in rest.items())

    def reload(self):
        self.msspd.configure(self.text())
        done = self.msspd.ctl("reload")
        self.assertEqual(done.returncode, 0, done.stderr)

    def names(self, what):
        return {o[what[:-1]] for o in self.msspd.status()[what]}

    def metric(self, name):
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port, timeout=20) as r:
            return float(re.search(r"(?m)^%s (\S+)$" % name, r.read().decode()).group(1))

    def test_what_is_not_named_goes_on(self):
        """Connections of sinks that stay are kept, nothing is lost and nothing comes twice, while alerts are under way."""
        self.scene("--rate", 8, tenants=4)
        self.msspd.start()
        self.mark_up()
        harness.wait_for("both are connected", 30, lambda: [w.connections() for w in self.ways] == [1, 1])
        changes = (
            lambda: self.tenants.update(t004={"id": harness.FakeGraph.tenant_id(4), "customer": "contoso"}),  # added,
            lambda: self.tenants["t001"].update(page_size=7, poll_interval="2s"),                             # changed,
            lambda: self.tenants.update(first=self.tenants.pop("t001")),                                      # another name
            lambda: self.customers["contoso"].update(name="Contoso plc"),
            lambda: self.customers.update(fabrikam={"name": "Fabrikam"}),
            lambda: self.tenants["t002"].update(customer="fabrikam"),
            lambda: self.sinks.update(spare={"type": "file", "path": self.run_.path("spare"), "format": "cef"}),
            lambda: self.more.update(log_level="error"),
            lambda: self.sinks["spare"].update(match={"severity": ["high"]}),
            lambda: self.sinks.pop("spare"),
            lambda: self.more.update(log_level="info"))
        for change in changes:
            change()
            self.reload()
            self.assertEqual((self.names("tenants"), self.names("sinks") - {"spare"}), (set(self.tenants), {"one", "two"}))
            time.sleep(0.4)
        self.assertEqual([w.connections() for w in self.ways], [1, 1])
        said = self.run_.read(self.msspd.log).count("configuration read anew")
        self.assertEqual(said, len(changes) - 3, "those at the level error are not in the log")
        self.graph.stop_story()
        for siem in self.siems:
            delivered = self.assert_all_arrived(self.graph, self.msspd, siem)
            self.assertEqual(delivered.repeats(), 0)
        # One sink's own change is nothing to the other.
        self.sinks["two"]["confirm_after"] = "1s"
        self.sinks["two"]["servers"] = ["tcp://localhost:%d" % self.ways[1].port]
        self.reload()
        harness.wait_for("it is connected anew", 30, lambda: self.ways[1].connections() == 2)
        self.assertEqual(self.ways[0].connections(), 1)
        self.msspd.stop()

    def test_who_leaves_is_done_with_in_order(self):
        self.scene()
        self.msspd.start()
        accepted = lambda: {s["sink"]: s.get("accepted") for s in self.msspd.status()["sinks"]}
        harness.wait_for("all is read", 30, lambda: accepted() == {"one": 30, "two": 30})
        self.siems[1].kill()
        self.ways[1].close()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 9})
        backlog = lambda: {s["sink"]: s.get("backlog") for s in self.msspd.status()["sinks"]}
        harness.wait_for("a backlog", 30, lambda: backlog() == {"one": 0, "two": 9})
        # The tenant leaves with entries that wait: they are delivered still. The sink leaves: that is said first.
        two = self.sinks.pop("two")
        del self.tenants["t001"]
        self.msspd.configure(self.text())
        checked = self.msspd.call("-n")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("warning: %s: there is no sink two any more, for which 9 entries wait; they are kept for 7d (forget_after), and "
                      "then let go\n" % self.msspd.file, checked.stderr)
        self.reload()
        said = self.run_.read(self.msspd.log)
        self.assertRegex(said, r"sink two: is not configured any more; what waits for it is kept for forget_after[^\n]*entries=9\n"
                         r"(.*\n)*.*configuration read anew tenants=2 sinks=1")
        self.assertEqual((self.names("tenants"), backlog()), ({"t002", "t003"}, {"one": 0, "two": 9}))
        self.siems[1].start()
        self.msspd.stop()
        self.assertIn("9 entries wait", self.msspd.call("-n").stderr)
        self.assertEqual(sorted(f for f in os.listdir(self.msspd.state) if f.startswith("journal.db")), ["journal.db"])
        self.msspd.start()
        two["servers"] = ["tcp://127.0.0.1:%d" % self.siems[1].lf]
        self.sinks["two"] = two
        self.reload()
        harness.wait_for("it came back in time", 30, lambda: backlog() == {"one": 0, "two": 0})
        self.assert_all_arrived(self.graph, self.msspd, self.siems[1])
        self.msspd.stop()

    def test_a_bad_file_changes_nothing(self):
        self.scene()
        self.msspd.start()
        harness.wait_for("all is read", 30, lambda: [s["accepted"] for s in self.msspd.status()["sinks"]] == [30, 30])
        before = (self.names("tenants"), self.names("sinks"))
        self.tenants["t004"] = {"id": harness.FakeGraph.tenant_id(4)}
        self.sinks["one"]["colour"] = "blue"
        self.msspd.configure(self.text())
        self.msspd.hup()
        harness.wait_for("the status has it", 30, lambda: "colour" in self.msspd.status()["reload_error"])
        self.assertRegex(self.msspd.ctl("status").stdout, r"colour")
        self.assertRegex(self.run_.read(self.msspd.log), r"error: \S*msspd\.yaml:\d+:\d+: sinks\.one\.colour: unknown option")
        harness.wait_for("the metric has it", 30, lambda: self.metric("msspd_config_good") == 0)
        self.assertEqual((self.names("tenants"), self.names("sinks")), before)
        self.graph.ask("/_control/story", {"tenant": 1, "make": 5})
        for siem in self.siems:
            self.assertEqual(self.assert_all_arrived(self.graph, self.msspd, siem).repeats(), 0)
        self.assertEqual([w.connections() for w in self.ways], [1, 1])
        self.msspd.stop()
