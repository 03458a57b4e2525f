# SPDX-License-Identifier: Apache-2.0
"""Each state that a tenant can be in, as a person sees it: the log, msspctl status, a record in a real SIEM; and its end."""
import collections
import time
import unittest

import harness
from harness import wait_for
from scene import Scene, syslog_sink
from truth import Delivered

GUID = harness.FakeGraph.tenant_id

# index: (state, faults from the beginning, faults once it was read)
TENANTS = {
    1: ("healthy", (), ()),
    2: ("throttled", ("429=3",), ()),
    3: ("clock off", ("clock=3600",), ()),
    4: ("unreachable", ("reset",), ()),
    5: ("garbled", ("html",), ()),
    6: ("blocked by conditional access", ("blocked",), ()),
    7: ("no licence", ("nolicence",), ()),
    8: ("not onboarded", ("noconsent",), ()),
    9: ("consent withdrawn", (), ("disabled", "401:for=1")),
    10: ("wrong cloud", ("wrongcloud",), ()),
    11: ("credentials refused", ("badsecret",), ()),
    12: ("behind", (), ()),
    13: ("not onboarded", ("noroles",), ()),
    14: ("no licence", ("error=650052",), ()),
}
ILL = {i: t[0] for i, t in TENANTS.items() if t[0] != "healthy"}
SEVERITY = {"healthy": "2", "behind": "3", "throttled": "3"}


def slug(state):
    return "health." + state.replace(" ", "-")


class HealthScene(Scene):
    def start(self, tenants, faults, sinks, **health):
        options = [o for i, kinds in faults.items() for kind in kinds for o in ("--fault", "%s:%s" % (i, kind))]
        self.graph = harness.FakeGraph(self.run_, "--tenants", len(tenants), "--alerts", 14, *options)
        self.health = "health: {settle: %s, silent_after: %s}\n" % (health.get("settle", "1s"),
                                                                   health.get("silent_after", "10m"))
        self.msspd = harness.Msspd(self.run_, self.config(tenants, sinks)).start()

    def config(self, tenants, sinks):
        return harness.config(self.graph, tenants, sinks, sinks=["siem"]) + self.health

    def records(self, receiver):
        """The health records that a receiver has: {(tenant GUID, class id): [(header, fields)]}."""
        delivered = Delivered(receiver.rows())
        self.assertEqual(delivered.wrong, [])
        found = collections.defaultdict(list)
        for header, fields in delivered.health:
            found[fields["cs3"], header["class_id"]].append((header, fields))
        return found

    def states(self):
        return {t["id"]: t for t in self.msspd.status()["tenants"]}


class States(HealthScene):
    def test_each_state(self):
        siem = harness.SyslogNg(self.run_)
        tenants = harness.tenants(len(TENANTS))
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % siem.octet, framing="octet-counting", format="cef",
                                     confirm_after="1s", health="daemon")}
        tenants["t012"].update(page_size=1, budget=60)
        self.start(tenants, {i: t[1] for i, t in TENANTS.items()}, sinks)
        wait_for("tenant 9 is read", 30, lambda: self.states()[GUID(9)]["state"] == "healthy", 0.2)
        for i, t in TENANTS.items():
            for fault in t[2]:
                self.graph.fault("%d:%s" % (i, fault))
        wanted = {(GUID(i), slug(state)) for i, state in ILL.items()}
        wait_for("a record of each", 60, lambda: wanted <= set(self.records(siem)), 0.2)
        wait_for("some are tried again", 30, lambda: all(
            self.states()[GUID(i)]["failures"] > 1 for i in (4, 5)), 0.2)
        self.check_status()
        found = self.records(siem)
        self.check_records(found)
        self.check_log(self.run_.read(self.msspd.log))
        # All is well again; parked tenants are tried at once after a reload, and one gets more budget.
        self.graph.ask("/_control/fault", {"clear": True})
        self.msspd.configure(self.config(harness.tenants(len(TENANTS)), sinks))
        self.msspd.ctl("reload")
        over = {(GUID(i), slug("healthy")) for i in ILL}
        wait_for("a record of the end of each", 90, lambda: over <= set(self.records(siem)), 0.5)
        time.sleep(2)
        self.check_ends(self.records(siem))
        self.assertEqual({t["state"] for t in self.states().values()}, {"healthy"})
        self.msspd.stop()

    def check_status(self):
        text = self.msspd.ctl("status").stdout
        for i, state in ILL.items():
            if state in ("throttled", "behind"):
                continue  # may be over for a moment
            t = self.states()[GUID(i)]
            self.assertEqual(t["state"], state, "tenant %d: %s" % (i, t["trouble"]))
            self.assertTrue(t["trouble"] and t["do"])
            self.assertRegex(text, r"t%03d +%s" % (i, state))

    def check_records(self, found):
        for i, state in ILL.items():
            records = found[GUID(i), slug(state)]
            self.assertEqual(len(records), 1, "tenant %d, %s" % (i, state))
            header, fields = records[0]
            self.assertEqual((header["vendor"], header["product"]), ("msspd", "msspd"))
            self.assertIn("t%03d" % i, header["name"])
            self.assertIn(state, header["name"])
            self.assertEqual(header["severity"], SEVERITY.get(state, "5"))
            self.assertEqual(fields["cs5"], state)
            self.assertTrue(fields["reason"])
        self.assertNotIn((GUID(1), slug("healthy")), found, "what was always well is told to nobody")

    def check_log(self, log):
        """A change of state is one line, however often it is tried again."""
        for i in (4, 5, 6, 7, 8, 10, 11, 13, 14):
            lines = [line for line in log.split("\n") if "t%03d" % i in line and "next try in" in line]
            self.assertEqual(len(lines), 1, "\n".join(lines))

    def check_ends(self, found):
        for i, state in ILL.items():
            records = found[GUID(i), slug("healthy")]
            self.assertEqual(len(records), 1, "tenant %d, was %s" % (i, state))
            header, fields = records[0]
            self.assertEqual((header["severity"], fields["cs5"], fields["msspdWas"]), ("2", "healthy", state))
            self.assertEqual(len(found[GUID(i), slug(state)]), 1)


class Many(HealthScene):
    """What is told of many, of sinks, and over a restart. The SIEM of the MSSP is told of msspd itself."""

    def setUp(self):
        super().setUp()
        self.siem = harness.SyslogNg(self.run_)
        self.own = harness.SyslogNg(self.run_, name="customer-siem")
        self.tenants = harness.tenants(12)
        self.tenants["t012"]["sinks"] = ["siem", "own"]
        self.sinks = {"siem": self.sink(self.siem, health="daemon"), "own": self.sink(self.own)}

    @staticmethod
    def sink(receiver, **more):
        return syslog_sink("tcp://127.0.0.1:%d" % receiver.octet, framing="octet-counting", format="cef",
                           confirm_after="1s", **more)

    def scene(self, faults=(), **health):
        self.start(self.tenants, {}, self.sinks, **health)
        wait_for("all are read", 30, lambda: all(t["state"] == "healthy" for t in self.states().values()), 0.2)

    def test_an_outage_of_many_is_one_record(self):
        self.scene(settle="2s")
        time.sleep(3)
        self.graph.fault("*:503")
        wait_for("it is told", 60, lambda: ("msspd", "health.unreachable") in self.records(self.siem), 0.2)
        wait_for("the customer is told", 60, lambda: (GUID(12), "health.unreachable") in self.records(self.own), 0.2)
        time.sleep(3)
        found = self.records(self.siem)
        self.assertEqual([k for k in found if k[1] == "health.unreachable"], [("msspd", "health.unreachable")])
        (header, fields), = found["msspd", "health.unreachable"]
        self.assertRegex(header["name"], "^12 of 12 tenants: unreachable$")
        self.assertEqual(header["severity"], "7")
        # The customer's own SIEM is told of its own tenant, and of nobody else.
        self.assertEqual(list(self.records(self.own)), [(GUID(12), "health.unreachable")])
        self.graph.ask("/_control/fault", {"clear": True})
        wait_for("its end is told", 60, lambda: ("msspd", "health.healthy") in self.records(self.siem), 0.2)
        wait_for("also to the customer", 30, lambda: (GUID(12), "health.healthy") in self.records(self.own), 0.2)
        time.sleep(3)
        found = self.records(self.siem)
        self.assertEqual({k: len(v) for k, v in found.items()},
                         {("msspd", "health.unreachable"): 1, ("msspd", "health.healthy"): 1})
        self.assertEqual(len(self.records(self.own)), 2)
        log = self.run_.read(self.msspd.log)
        self.assertEqual(log.count("12 of 12 tenants: unreachable"), 1)
        self.msspd.stop()

    def test_a_sink_that_is_down(self):
        self.scene()
        time.sleep(2)
        self.own.kill()
        wait_for("it is told", 30, lambda: ("msspd", "health.down") in self.records(self.siem), 0.2)
        (header, fields), = self.records(self.siem)["msspd", "health.down"]
        self.assertRegex(header["name"], "^Sink own: down")
        self.assertTrue(fields["msg"] and fields["reason"])
        self.own.start()
        wait_for("its end is told", 60, lambda: ("msspd", "health.up") in self.records(self.siem), 0.2)
        self.assertEqual({k: len(v) for k, v in self.records(self.siem).items()},
                         {("msspd", "health.down"): 1, ("msspd", "health.up"): 1})
        self.assertEqual(self.records(self.own), {}, "a customer is not told of other people's sinks")
        self.msspd.stop()

    def test_a_restart_tells_nothing_twice_and_forgets_no_end(self):
        self.scene()
        self.graph.fault("3:noconsent")
        self.graph.fault("3:401:for=1")
        self.graph.fault("4:noconsent")
        self.graph.fault("4:401:for=1")
        two = {(GUID(i), "health.consent-withdrawn") for i in (3, 4)}
        wait_for("it is told", 30, lambda: two <= set(self.records(self.siem)), 0.2)
        self.msspd.stop()
        # One of them is well when msspd starts again, and was told to be ill before.
        self.graph.ask("/_control/fault", {"clear": True})
        self.graph.fault("4:noconsent")
        self.msspd.start()
        wait_for("the end is told", 30, lambda: (GUID(3), "health.healthy") in self.records(self.siem), 0.2)
        wait_for("the other is seen", 30, lambda: self.states()[GUID(4)]["state"] == "consent withdrawn", 0.2)
        time.sleep(3)
        self.assertEqual({k: len(v) for k, v in self.records(self.siem).items()},
                         {(GUID(3), "health.consent-withdrawn"): 1, (GUID(4), "health.consent-withdrawn"): 1,
                          (GUID(3), "health.healthy"): 1})
        self.msspd.stop()

    def test_what_is_not_read_is_told(self):
        """Not one answer, and no timeout yet: nothing is known to be wrong, and that is the trouble."""
        self.tenants["t005"]["poll_interval"] = "1s"
        self.start(self.tenants, {5: ("hang",)}, self.sinks, silent_after="2s")
        wait_for("it is told", 40, lambda: (GUID(5), "health.not-read") in self.records(self.siem), 0.2)
        self.graph.ask("/_control/fault", {"clear": True})
        self.msspd.stop()


if __name__ == "__main__":
    unittest.main()
