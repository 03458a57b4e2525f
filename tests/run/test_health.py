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


class Health(Scene):
    def start(self, tenants, faults, sinks, **health):
        options = [o for i, kinds in faults.items() for kind in kinds for o in ("--fault", "%s:%s" % (i, kind))]
        self.graph = harness.FakeGraph(self.run_, "--tenants", len(tenants), "--alerts", 14, *options)
        self.health = "health: {settle: %s, silent_after: %s}\n" % (health.get("settle", "1s"),
                                                                   health.get("silent_after", "10m"))
        self.msspd = harness.Msspd(self.run_, self.config(tenants, sinks)).start()

    def config(self, tenants, sinks):
        return harness.config(self.graph, tenants, sinks) + self.health

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


if __name__ == "__main__":
    unittest.main()
