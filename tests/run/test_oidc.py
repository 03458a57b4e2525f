# SPDX-License-Identifier: Apache-2.0
"""A real OpenID provider takes the daemon's assertions, and refuses what anybody makes of one that he saw.

fake-graph judges assertions by our own reading of the standards; oidc-provider by that of others.
"""
import json
import os
import shutil
import signal
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import harness
from scene import Scene
from signing import Certificate

CLIENT = "6f0c8a5e-0000-4000-8000-000000000001"
TENANT = harness.FakeGraph.tenant_id(1)
MODULES = os.path.join(harness.ROOT, "build/oidc/node_modules")
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Provider:
    def __init__(self, run, name, certificate, alg="PS256", ahead=0):
        self.run, self.out = run, name + ".out"
        what = {"modules": MODULES, "tenant": TENANT, "client": CLIENT, "certificate": certificate.file,
                "alg": alg, "ahead": ahead}
        self.child = run.start([shutil.which("node"), os.path.join(harness.ROOT, "tests/oidc/server.mjs"), json.dumps(what)],
                  log=self.out)
        harness.wait_for("the provider listens", 30, lambda: any("url" in line for line in self.lines()))
        self.url = next(line["url"] for line in self.lines() if "url" in line)

    def lines(self):
        """What it said; notices of the library itself are no JSON."""
        text = self.run.read(self.out)
        return [json.loads(line) for line in text.split("\n")[:-1] if line.startswith("{")]

    def turn_the_clock(self):
        """Ten minutes on."""
        self.child.send_signal(signal.SIGUSR2)
        harness.wait_for("its clock is turned", 10, lambda: any("ahead" in line for line in self.lines()))

    def granted(self):
        return [line["granted"] for line in self.lines() if "granted" in line]

    def refused(self):
        return [line["refused"] for line in self.lines() if "refused" in line]

    def present(self, assertion):
        """Somebody else's try with it; returns (status, why)."""
        before = len(self.refused())
        form = {"client_id": CLIENT, "grant_type": "client_credentials", "client_assertion_type": ASSERTION,
                "client_assertion": assertion}
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        url = "%s/%s/oauth2/v2.0/token" % (self.url, TENANT)
        try:
            with opener.open(url, urllib.parse.urlencode(form).encode(), timeout=60) as reply:
                return reply.status, ""
        except urllib.error.HTTPError as e:
            e.close()
            harness.wait_for("the provider says why", 10, lambda: len(self.refused()) > before)
            return e.code, self.refused()[-1]


class Oidc(Scene):
    def setUp(self):
        super().setUp()
        if not os.path.exists(os.path.join(MODULES, "oidc-provider")):
            self.skipTest("no oidc-provider: tools/deps.sh check")
        self.certificate = Certificate(self.run_.path(""), "soc")

    def msspd(self, provider, **more):
        """Its tokens are opaque, and Graph is not asked: nobody listens there."""
        app = dict({"cloud": "custom", "client_id": CLIENT, "login_url": provider.url,
                    "graph_url": "http://127.0.0.1:1", "certificate_file": self.certificate.file,
                    "key_file": self.certificate.key}, **more)
        sections = {"apps": {"soc": app}, "defaults": {"app": "soc", "sinks": ["out"], "poll_interval": "1s"},
                    "tenants": {"t": {"id": TENANT}},
                    "sinks": {"out": {"type": "file", "path": self.run_.path("out"), "format": "cef"}}}
        text = "".join("%s: %s\n" % (k, json.dumps(v)) for k, v in sections.items())
        return harness.Msspd(self.run_, text).start()

    def sign_in(self, provider, **more):
        msspd = self.msspd(provider, **more)
        harness.wait_for("msspd is let in", 30, provider.granted)
        msspd.stop()
        self.assertNotIn("eyJ", self.run_.read(msspd.log))
        return provider.granted()[0]

    def test_taken_once_and_only_where_it_is_meant_for(self):
        here = Provider(self.run_, "here", self.certificate)
        there = Provider(self.run_, "there", self.certificate)
        assertion = self.sign_in(here)
        self.assertEqual(here.refused(), [])
        head, body, signature = assertion.split(".")
        bent = ".".join([head, body, ("B" if signature[0] != "B" else "C") + signature[1:]])
        self.assert_refused(here, assertion, "must only be used once")
        self.assert_refused(here, bent, "signature verification failed")
        self.assert_refused(there, assertion, "audience (aud) must equal")
        here.turn_the_clock()
        self.assert_refused(here, assertion, "expired")

    def assert_refused(self, provider, assertion, why):
        status, said = provider.present(assertion)
        self.assertEqual(status, 401)
        self.assertIn(why, said)

    def test_a_clock_that_is_off(self):
        """The first assertion is over when it comes; the second one is dated by the provider's Date."""
        for ahead, why in ((600, "expired"), (-600, "not active yet")):
            provider = Provider(self.run_, "at%d" % ahead, self.certificate, ahead=ahead)
            self.sign_in(provider)
            self.assertEqual(len(provider.refused()), 1)
            self.assertIn(why, provider.refused()[0])

    def test_rs256(self):
        self.sign_in(Provider(self.run_, "rs256", self.certificate, alg="RS256"), signature="rs256")

    def test_another_certificate_is_registered(self):
        other = Provider(self.run_, "other", Certificate(self.run_.path(""), "other"))
        msspd = self.msspd(other)
        harness.wait_for("it is refused", 30, lambda: msspd.status()["tenants"][0]["state"] == "credentials refused")
        self.assertIn("signature verification failed", other.refused()[0])
        self.assertIn("certificate_file " + self.certificate.file, msspd.status()["tenants"][0]["trouble"])
        time.sleep(1)
        self.assertEqual(len(other.refused()), 1, "it is not tried again and again")
        msspd.stop()


if __name__ == "__main__":
    unittest.main()
