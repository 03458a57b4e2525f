# SPDX-License-Identifier: Apache-2.0
"""The daemon signs in by certificate, federated token and secret, while they are rolled over, refused and renewed."""
import json
import os
import shutil
import signal
import time
import unittest
import urllib.request

import harness
from scene import Scene
from signing import Certificate
from test_http import samples
from test_receivers import FileRows
from truth import Delivered

EX_OK, EX_CONFIG = 0, 78
ISSUER, SUBJECT = "https://issuer.example", "system:serviceaccount:soc:msspd"


class SignIn(Scene):
    def scene(self, *graph_options):
        """fake-graph, which registers what lies at registered-1.crt and registered-2.crt."""
        self.registered = [self.run_.path("registered-%d.crt" % i) for i in (1, 2)]
        certificates = [o for path in self.registered for o in ("--client-cert", path)]
        self.graph = harness.FakeGraph(self.run_, "--alerts", 3, *certificates, *graph_options)

    def certificate(self, name, **more):
        return Certificate(self.run_.path(""), name, **more)

    def register(self, certificate, place=1):
        shutil.copy(certificate.file, self.registered[place - 1] + ".new")
        os.rename(self.registered[place - 1] + ".new", self.registered[place - 1])

    def config(self, **credentials):
        sinks = {"out": {"type": "file", "path": self.run_.path("out.cef"), "format": "cef"}}
        text = harness.config(self.graph, harness.tenants(1), sinks)
        return text.replace('"secret_file": ' + json.dumps(self.graph.secret_file),
                            json.dumps(credentials)[1:-1])

    def msspd(self, **credentials):
        return harness.Msspd(self.run_, self.config(**credentials))

    def counters(self):
        return json.loads(self.graph.ask("/_control/requests"))["tenants"][0]

    def rows(self):
        return self.run_.read("out.cef").count("CEF:0")

    def wait_state(self, msspd, state, seconds=30):
        harness.wait_for("the tenant is " + state, seconds,
                         lambda: msspd.status()["tenants"][0]["state"] == state)

    def assert_once(self, msspd):
        done = msspd.call("--once", "--timeout", "30s")
        self.assertEqual(done.returncode, EX_OK, done.stderr)
        self.assertNotIn("eyJ", done.stderr)
        self.assertNotIn("PRIVATE", done.stderr)

    def test_certificate(self):
        self.scene()
        cert = self.certificate("soc")
        self.register(cert)
        self.assert_once(self.msspd(certificate_file=cert.file, key_file=cert.key))
        self.assertEqual(self.counters()["by_certificate"], 1)
        self.assertEqual(self.rows(), 3)

    def test_rs256_and_a_key_with_a_passphrase(self):
        self.scene()
        cert = self.certificate("soc", passphrase="open sesame")
        self.register(cert)
        self.assert_once(self.msspd(
            certificate_file=cert.file, key_file=cert.key, signature="rs256",
            key_passphrase_file=self.run_.write("passphrase", "open sesame\n")))
        self.assertEqual(self.counters()["by_certificate"], 1)

    def test_a_clock_that_is_off(self):
        """An hour: the second assertion is dated by the Date of the answer that refused the first."""
        self.scene("--fault", "1:token-clock=3600")
        cert = self.certificate("soc")
        self.register(cert)
        self.assert_once(self.msspd(certificate_file=cert.file, key_file=cert.key))
        self.assertEqual((self.counters()["token_errors"], self.counters()["by_certificate"]), (1, 1))

    def test_federated_token_is_read_at_each_use(self):
        issuer = self.certificate("issuer")
        self.scene("--federated-key", issuer.public_key(self.run_.path("issuer.pem")), "--token-lifetime", 3)
        file = self.run_.path("federated")

        def write(seconds):
            now = int(time.time())
            with open(file + ".new", "w", encoding="ascii") as f:
                f.write(issuer.sign({"iss": ISSUER, "sub": SUBJECT, "aud": "api://AzureADTokenExchange",
                                     "nbf": now - 60, "exp": now + seconds}, alg="RS256"))
            os.rename(file + ".new", file)

        write(600)
        msspd = self.msspd(federated_token_file=file).start()
        self.wait_state(msspd, "healthy")
        write(-30)  # nobody renews it any more
        self.wait_state(msspd, "credentials refused")
        self.assertIn("outside its time", msspd.status()["tenants"][0]["trouble"])
        write(600)
        msspd.ctl("reload")
        self.wait_state(msspd, "healthy")
        self.assertGreaterEqual(self.counters()["by_federation"], 2)
        msspd.stop()

    def test_roll_over_by_name(self):
        """The new certificate is named first, registered later, and the old one goes."""
        self.scene("--token-lifetime", 3)
        old, new = self.certificate("old"), self.certificate("new")
        self.register(old, 1)
        msspd = self.msspd(certificate_file=[new.file, old.file], key_file=[new.key, old.key]).start()
        self.wait_state(msspd, "healthy")
        refused = self.counters()["token_errors"]
        self.assertGreaterEqual(refused, 1)
        time.sleep(4)
        self.assertEqual(self.counters()["token_errors"], refused, "what worked comes first")
        self.register(new, 2)
        os.unlink(self.registered[0])
        before = self.counters()["by_certificate"]
        harness.wait_for("the new one is used", 30, lambda: self.counters()["by_certificate"] > before + 1)
        self.assertEqual(self.counters()["token_errors"], refused + 1)
        self.assertEqual(msspd.status()["tenants"][0]["state"], "healthy")
        msspd.stop()

    def test_roll_over_in_place(self):
        """Certificate and key are replaced one after the other, under a running daemon."""
        self.scene("--token-lifetime", 3)
        cert, new = self.certificate("soc"), self.certificate("new")
        self.register(cert, 1)
        self.register(new, 2)
        msspd = self.msspd(certificate_file=cert.file, key_file=cert.key).start()
        self.wait_state(msspd, "healthy")
        os.rename(new.file, cert.file)
        harness.wait_for("msspd says so", 30, lambda: "stays in use" in self.run_.read(msspd.log))
        os.rename(new.key, cert.key)
        os.unlink(self.registered[0])
        before = self.counters()["by_certificate"]
        harness.wait_for("the new one is used", 30, lambda: self.counters()["by_certificate"] > before + 1)
        self.assertEqual(msspd.status()["tenants"][0]["state"], "healthy")
        self.assertEqual(self.counters()["token_errors"], 0)
        msspd.stop()

    def test_from_secret_to_certificate_and_nothing_secret_anywhere(self):
        self.scene("--client-secret=")  # the later option wins: the app has no secret any more
        cert = self.certificate("soc")
        msspd = self.msspd(certificate_file=cert.file, key_file=cert.key,
                           secret_file=self.graph.secret_file).start("-v")
        self.wait_state(msspd, "credentials refused")
        self.register(cert)
        msspd.ctl("reload")
        self.wait_state(msspd, "healthy")
        with open("/proc/%d/cmdline" % msspd.child.pid, "rb") as f:
            self.assertNotIn(b"PRIVATE", f.read())
        with open("/proc/%d/limits" % msspd.child.pid, encoding="ascii") as f:
            cores = next(line for line in f if line.startswith("Max core file size"))
        self.assertEqual(cores.split()[4:6], ["0", "0"])
        msspd.stop()
        self.assert_no_secret_in_logs(msspd.log)
        self.assertNotIn("PRIVATE", self.run_.read(msspd.log))

    @unittest.skipUnless(os.getuid() == 0, "becomes another user")
    def test_nobody_looks_into_it(self):
        """What may be dumped or traced by its own user belongs to that user in /proc."""
        self.scene()
        msspd = self.msspd(secret_file=self.graph.secret_file)
        argv = msspd.argv()
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        for folder, _, names in os.walk(self.run_.path("")):
            for path in [folder] + [os.path.join(folder, n) for n in names]:
                if not os.path.islink(path):
                    os.chown(path, 65534, 65534)
        msspd.child = self.run_.start(nobody + argv, log=msspd.log)
        harness.wait_for("msspd answers", 30, msspd.is_up)
        self.assertEqual(os.stat("/proc/%d/environ" % msspd.child.pid).st_uid, 0)
        msspd.child.send_signal(signal.SIGABRT)
        self.assertEqual(msspd.child.wait(10), -signal.SIGABRT)

    def test_ends_are_told_ahead(self):
        """30, 7 and 1 days: in the log, in msspctl status, as a metric and as a health record."""
        self.scene()
        cert = self.certificate("soc", days=6)
        self.register(cert)
        day = lambda n: time.strftime("%Y-%m-%d", time.gmtime(time.time() + n * 86400))
        other = self.run_.write("other-secret", harness.FakeGraph.SECRET)
        port, out = harness.free_port(), FileRows(self.run_.path("out.cef"))
        text = self.config(certificate_file=cert.file, key_file=cert.key,
                           secret_file=[self.graph.secret_file, other], secret_expires=[day(20), day(1)])
        msspd = harness.Msspd(self.run_, text.replace('"type": "file"', '"type": "file", "health": "daemon"')
                              + 'http: {listen: "127.0.0.1:%d"}\n' % port).start()
        what = {"its client secret in " + other: ("day", "1 day", "within a day", day(1)),
                "its certificate in " + cert.file: ("week", "6 days", "within 7 days", None),
                "its client secret in " + self.graph.secret_file: ("month", "20 days", "within 30 days", day(20))}
        harness.wait_for("the records", 30, lambda: len(Delivered(out.rows()).health) >= 3)
        ends = msspd.status()["expiries"]
        self.assertEqual([(e["kind"], e["name"], e["what"], e["stage"]) for e in ends],
                         [("app", "soc", name, stage) for name, (stage, _, _, _) in what.items()])
        with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % port, timeout=20 * harness.SLOW) as reply:
            metrics = samples(reply.read().decode())
        log = self.run_.read(msspd.log)
        records = {header["name"]: fields for header, fields in Delivered(out.rows()).health}
        for (name, (_, days, state, date)), e in zip(what.items(), ends):
            self.assertTrue(date is None or e["ends"].startswith(date))
            self.assertEqual(log.count("app soc: %s ends in %s; " % (name, days)), 1, name)
            left = metrics["msspd_expiry_remaining_seconds", 'kind="app",name="soc",what="%s"' % name]
            self.assertTrue(0 < left <= int(days.split()[0]) * 86400, (name, left))
            self.assertGreater(left, (int(days.split()[0]) - 1) * 86400 - 60)
            fields = records["App soc: %s ends %s" % (name, state)]
            self.assertIn("%s ends in %s" % (name, days), fields["msg"])
        self.assertEqual(len(records), 3)
        self.assertEqual(log.count(" ends in "), 3)
        self.assertIn(cert.file, msspd.ctl("status").stdout)
        msspd.stop()

    def test_what_does_not_fit_is_found_by_the_check(self):
        self.scene()
        one, two = self.certificate("one"), self.certificate("two")
        table = [
            (dict(certificate_file=one.file, key_file=two.key), "is not that of the certificate"),
            (dict(certificate_file=one.key, key_file=one.key), "holds no certificate"),
            (dict(certificate_file=one.file, key_file=one.file), "holds no private key"),
            (dict(certificate_file="/nonexistent", key_file=one.key), "No such file"),
            (dict(federated_token_file="/nonexistent"), "No such file"),
        ]
        os.chmod(one.file, 0o600)
        for credentials, want in table:
            done = self.msspd(**credentials).call("-n")
            self.assertEqual(done.returncode, EX_CONFIG, credentials)
            self.assertIn(want, done.stderr)


if __name__ == "__main__":
    unittest.main()
