# SPDX-License-Identifier: Apache-2.0
"""Every fault at random, one after the other and several at once, in every stream and with every way to sign in;
then what was delivered is what existed.

Waits that outlast the run (429=absurd) are of test_tenants.
"""
import collections
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import harness
from scene import Scene, syslog_sink
from signing import Certificate
from truth import Truth, way_of

# What goes wrong for a while.
FAULTS = ("latency=2000", "hang", "reset", "cut", "slow=5", "clock=90", "clock=-90", "html", "garbage", "redirect", "401",
          "echo", "challenge", "nolicence", "400", "403", "404", "429=1", "429=none", "429=date-past", "500", "502", "503", "503=1",
          "504", "206", "204", "notjson-value", "huge=40", "bomb=100", "fat=60", "foreign-nextlink", "same-nextlink",
          "empty-page-next", "wrong-tenantid", "foreign-alert", "null-tenantid", "noroles", "moreroles", "foreign-tid",
          "noconsent", "badsecret", "oldsecret", "disabled", "wrongcloud", "blocked", "transient", "error=90019",
          "token-latency=1500", "token-hang", "token-reset", "token-cut", "token-slow=5", "token-clock=3600",
          "token-garbage", "token-html", "token-redirect", "token-notjson-value", "token-huge=40", "token-bomb=100",
          "border", "token-echo", "token-429=1", "token-500", "token-503")
# Who is read for what, in turn; each way to sign in meets each of them.
STREAMS = (("alerts",), ("alerts", "incidents"), ("alerts", "mde-alerts"), ("mde-alerts", "incidents"),
           ("alerts", "incidents", "mde-alerts"))
WAYS = ("secret", "certificate", "rs256", "federated")
ISSUER, SUBJECT = "https://issuer.example", "system:serviceaccount:soc:msspd"
MDE_WAIT_MS = 3000


class SignsIn:
    """What the app of each way has to sign in with; certificates are rolled over, federated tokens renewed."""

    def __init__(self, run):
        self.run = run
        self.registered = [run.path("registered-%d.crt" % i) for i in (1, 2)]
        self.issuer = Certificate(run.path(""), "issuer")
        self.spares = [Certificate(run.path(""), "spare-%d" % i) for i in (1, 2)]
        self.key, self.file = run.path("soc.key"), run.path("soc.crt")
        self.federated = run.path("federated")
        self.renew(7200)
        self.roll_over()
        self.roll_over()

    def options(self):
        registered = [o for path in self.registered for o in ("--client-cert", path)]
        return registered + ["--federated-key", self.issuer.public_key(self.run.path("issuer.pem")),
                             "--token-lifetime", 20]

    def roll_over(self):
        """The other one is registered beside the one in use, then file and key are replaced, one after the other."""
        self.spares.reverse()
        self.registered.reverse()
        shutil.copy(self.spares[0].file, self.registered[0])
        for what, place in ((self.spares[0].file, self.file), (self.spares[0].key, self.key)):
            shutil.copy(what, place + ".new")
            os.rename(place + ".new", place)

    def renew(self, seconds):
        """Less than none: nobody has renewed it."""
        now = int(time.time())
        with open(self.federated + ".new", "w", encoding="ascii") as f:
            f.write(self.issuer.sign({"iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange",
                                      "nbf": now - 60, "exp": now + seconds}, alg="RS256"))
        os.rename(self.federated + ".new", self.federated)

    def apps(self, graph):
        certificate = {"certificate_file": self.file, "key_file": self.key}
        credentials = {"secret": {"secret_file": graph.secret_file}, "certificate": certificate,
                       "rs256": dict(certificate, signature="rs256"),
                       "federated": {"federated_token_file": self.federated}}
        without = harness.app(graph)
        del without["secret_file"]
        return {way: dict(without, **credentials[way]) for way in WAYS}


class Soak(Scene):
    tenants = 20
    interval_ms = 2000
    seconds = int(os.environ.get("MSSPD_SOAK_SECONDS", "600" if harness.SOAK else "180"))
    limit = 3 * seconds + 600

    @staticmethod
    def streams_of(tenant):
        return STREAMS[int(tenant[-12:]) % len(STREAMS)]

    def truth(self, graph):
        return Truth(graph.truth_file).read_as(self.streams_of, MDE_WAIT_MS)

    def text(self, rng):
        everybody = harness.tenants(self.tenants)
        for i, tenant in enumerate(everybody.values()):
            tenant.update(page_size=rng.choice((10, 25, 50)), app=WAYS[i % len(WAYS)],
                          streams=list(self.streams_of(tenant["id"])))
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.octet, framing="octet-counting",
                                     confirm_after="500ms")}
        return harness.config(self.graph, everybody, sinks, apps=self.signs_in.apps(self.graph), overlap="30m",
                              poll_interval="2s", mde_wait="%dms" % MDE_WAIT_MS, budget=2000,
                              app=WAYS[0]) + "intake: {request_timeout: 8s}\n"

    def add_fault(self, rng):
        who = rng.choice(("*", str(rng.randint(1, self.tenants)), "%d-%d" % (rng.randint(1, 8), rng.randint(9, 20))))
        how = rng.choice((":share=%d" % rng.choice((5, 20, 50)), ":for=%d" % rng.randint(1, 9), ""))
        # What all have without an end would leave nothing to be seen.
        if who == "*" and how == "":
            how = ":share=20"
        self.graph.fault("%s:%s%s" % (who, rng.choice(FAULTS), how))

    def go_wrong(self, rng):
        """One of the things that happen."""
        what = rng.random()
        if what < 0.76:
            self.add_fault(rng)
        elif what < 0.84:
            self.msspd.configure(self.text(rng))
            self.msspd.hup()
        elif what < 0.88:
            self.msspd.kill()
            self.msspd.start()
        elif what < 0.92:
            self.siem.kill()
            self.siem.start()
        elif what < 0.94:
            self.signs_in.roll_over()
        elif what < 0.96:
            self.signs_in.renew(rng.choice((-30, 30, 7200)))
        else:
            self.msspd.child.send_signal(signal.SIGSTOP)
            time.sleep(rng.uniform(0.2, 2))
            self.msspd.child.send_signal(signal.SIGCONT)

    def go_on(self, rng):
        end, done = time.monotonic() + self.seconds, 0
        while time.monotonic() < end:
            for _ in range(rng.randint(1, 4)):
                self.go_wrong(rng)
                done += 1
            time.sleep(rng.uniform(0.2, 3))
            if rng.random() < 0.5:
                self.graph.ask("/_control/fault", {"clear": True})
        print("%d things went wrong in %d s" % (done, self.seconds), file=sys.stderr)

    def test_every_fault_at_random(self):
        rng = harness.rng(self.id())
        self.signs_in = SignsIn(self.run_)
        self.graph = harness.FakeGraph(self.run_, "--tenants", self.tenants, "--alerts", 60, "--rate", 0.4,
                                       "--hostile", 4, "--late-ms", 2000, "--mde-only", 40, "--incidents", 25,
                                       "--incident-rate", 0.2, *self.signs_in.options())
        self.siem = harness.SyslogNg(self.run_)
        self.msspd = harness.Msspd(self.run_, self.text(rng)).start()
        self.go_on(rng)
        self.graph.ask("/_control/fault", {"clear": True})
        self.signs_in.renew(7200)
        # Parked tenants are tried at once, and the story goes on: now every version that stands must come.
        self.msspd.kill()
        self.msspd.start()
        harness.wait_for("all are well", 120, lambda: {
            t["state"] for t in self.msspd.status()["tenants"]} <= {"healthy", "behind"})
        time.sleep(2 * self.interval_ms / 1000)
        self.mark_up()
        time.sleep(10 * harness.SLOW)
        self.graph.stop_story()
        delivered = self.assert_all_arrived(self.graph, self.msspd, self.siem, seconds=180, torn_ok=True)
        self.check_that_all_was_in_it(delivered)
        self.assertEqual(self.msspd.stop()[1], 0)
        self.assert_no_secret_in_logs(self.msspd.log)

    def check_that_all_was_in_it(self, delivered):
        requests = self.graph.requests()
        self.assertEqual(requests["bearer_elsewhere"], 0)
        for what in ("by_certificate", "by_federation", "mde_requests"):
            self.assertGreater(sum(t[what] for t in requests["tenants"]), 0, what)
        existed = {v["key"]: way_of(v, self.streams_of(v["tenant"])) for v in self.truth(self.graph).versions()}
        seen = collections.Counter(existed.get(name.split("/")[1].split(":", 1)[1]) for name in delivered.events)
        print("delivered: %s" % dict(seen), file=sys.stderr)
        for stream in ("alerts", "incidents", "mde-alerts"):
            self.assertGreater(seen[stream], 50)

    def test_every_kind_of_fault_is_among_them(self):
        done = subprocess.run([os.path.join(harness.BIN, "fake-graph"), "--help"], capture_output=True, text=True,
                              check=True)
        said = done.stdout[done.stdout.index("Faults: "):]
        kinds = set(re.findall(r"^  ([a-z0-9-]+) *(?:\(tokens\))? ", said[:said.index("Of these")], re.M))
        self.assertGreater(len(kinds), 35)
        self.assertEqual(kinds - {f.split("=")[0].replace("token-", "") for f in FAULTS}, set())


if __name__ == "__main__":
    unittest.main()
