# SPDX-License-Identifier: Apache-2.0
"""fake-graph's tokens are what Entra's are: who gets one, for what, and who is refused how."""
import base64
import json
import os
import tempfile
import time
import unittest

from graph_client import ALERTS, ASSERTION, CLIENT, Graph, guid
from signing import Certificate


class Tokens(unittest.TestCase):
    def test_token_is_a_jwt_of_the_tenant(self):
        with Graph("--alerts", "1") as g:
            status, _, body = g.ask_token(1)
            reply = json.loads(body)
            parts = reply["access_token"].split(".")
            payload = parts[1].replace("-", "+").replace("_", "/")
            claims = json.loads(base64.b64decode(payload + "=" * (-len(payload) % 4)))
            self.assertEqual((status, reply["token_type"], reply["expires_in"]),
                             (200, "Bearer", 3599))
            self.assertEqual((len(parts), claims["tid"], claims["roles"], claims["aud"]),
                             (3, guid(1), ["SecurityAlert.Read.All", "SecurityIncident.Read.All"], g.url))
            self.assertEqual(claims["exp"] - claims["iat"], 3599)

    def test_errors_are_entras(self):
        table = [
            (dict(client_secret="wrong"), 401, "invalid_client", 7000215),
            (dict(client_id="other"), 400, "unauthorized_client", 700016),
            (dict(scope="a b"), 400, "invalid_scope", 70011),
            (dict(scope=""), 400, "invalid_request", 900144),
            (dict(grant_type="password"), 400, "unsupported_grant_type", 70003),
            (dict(tenant=guid(77)), 400, "invalid_request", 90002),
            (dict(tenant="common"), 400, "invalid_request", 90002),
        ]
        with Graph("--alerts", "1") as g:
            for form, status, error, code in table:
                got, _, body = g.ask_token(**form)
                reply = json.loads(body)
                self.assertEqual((got, reply["error"], reply["error_codes"]),
                                 (status, error, [code]), form)
                self.assertIn("AADSTS%d" % code, reply["error_description"])

    def test_certificates_are_checked_as_entra_does(self):
        with tempfile.TemporaryDirectory() as folder:
            cert, other, gone = (Certificate(folder, name) for name in ("cert", "other", "gone"))
            with Graph("--alerts", "1", "--client-secret=", "--client-cert", cert.file,
                       "--client-cert", gone.file) as g:
                url = "%s/%s/oauth2/v2.0/token" % (g.url, guid(1))
                os.unlink(gone.file)
                self.assert_answers(g, [
                    (0, cert, {}, "PS256", "x5t#S256", "sha256"),
                    (0, cert, {}, "RS256", "x5t", "sha1"),
                    (0, cert, {"nbf": None}, "PS256", "x5t#S256", "sha256"),
                    (700027, cert, {}, "PS256", "x5t", "sha256"),
                    (700027, cert, {}, "PS256", "kid", "sha256"),
                    (700027, other, {}, "PS256", "x5t#S256", "sha256"),
                    (700021, cert, {"sub": "another"}, "PS256", "x5t#S256", "sha256"),
                    (700211, cert, {"iss": "another"}, "PS256", "x5t#S256", "sha256"),
                    (700023, cert, {"aud": g.url}, "PS256", "x5t#S256", "sha256"),
                    (700024, cert, {"exp": -20}, "PS256", "x5t#S256", "sha256"),
                    (700024, cert, {"nbf": 60}, "PS256", "x5t#S256", "sha256"),
                    (50027, cert, {"exp": None}, "PS256", "x5t#S256", "sha256"),
                    (50027, cert, {"jti": None}, "PS256", "x5t#S256", "sha256"),
                ], url)
                self.assert_no_second_use(g, cert, url)
                self.assertEqual(g.requests()["tenants"][0]["by_certificate"], 4)

    def claims(self, url, change):
        now = int(time.time())
        self.serial = getattr(self, "serial", 0) + 1
        claims = {"aud": url, "iss": CLIENT, "sub": CLIENT, "jti": "id%d" % self.serial, "nbf": now,
                  "exp": now + 300}
        claims.update({k: now + v if isinstance(v, int) else v for k, v in change.items()})
        return {k: v for k, v in claims.items() if v is not None}

    def assert_answers(self, g, table, url):
        for code, cert, change, alg, name, digest in table:
            jwt = cert.sign(self.claims(url, change), alg, {name: cert.thumbprint(digest)})
            self.assert_code(g, jwt, code, (change, alg, name, digest))

    def assert_code(self, g, jwt, code, what):
        status, _, body = g.ask_token(client_secret="", client_assertion=jwt, client_assertion_type=ASSERTION)
        got = json.loads(body).get("error_codes", [0])
        self.assertEqual((status, got), (401 if code else 200, [code]), what)

    def assert_no_second_use(self, g, cert, url):
        head = {"x5t#S256": cert.thumbprint("sha256")}
        jwt = cert.sign(self.claims(url, {}), "PS256", head)
        for bent, code in ((jwt[:-8] + "AAAAAAAA", 700027), (jwt, 0), (jwt, 50027), ("a.b.c", 50027), ("x", 50027)):
            self.assert_code(g, bent, code, bent[-20:])
        status, _, body = g.ask_token(client_secret="", client_assertion=jwt, client_assertion_type="other")
        self.assertEqual((status, json.loads(body)["error_codes"]), (401, [7000218]))

    def test_federated_tokens(self):
        with tempfile.TemporaryDirectory() as folder:
            issuer, other = Certificate(folder, "issuer"), Certificate(folder, "other")
            key = issuer.public_key(os.path.join(folder, "issuer.pem"))
            good = {"iss": "https://issuer.example", "sub": "system:serviceaccount:soc:msspd",
                    "aud": "api://AzureADTokenExchange", "exp": int(time.time()) + 300}
            table = [(0, issuer, {}), (0, issuer, {}), (700211, issuer, {"iss": "https://issuer.example/"}),
                     (700213, issuer, {"sub": "System:serviceaccount:soc:msspd"}),
                     (700212, issuer, {"aud": "api://azureadtokenexchange"}), (50013, other, {}),
                     (700024, issuer, {"exp": int(time.time()) - 60})]
            with Graph("--alerts", "1", "--federated-key", key) as g:
                for code, by, change in table:
                    self.assert_code(g, by.sign(dict(good, **change), "RS256"), code, change)
                self.assertEqual(g.requests()["tenants"][0]["by_federation"], 2)

    def test_token_faults(self):
        table = [
            ("noconsent", 400, 700016), ("badsecret", 401, 7000215), ("oldsecret", 401, 7000222),
            ("transient", 503, 90033), ("token-429=3", 429, 90055), ("token-500", 500, 90006),
            ("error=53003", 400, 53003), ("blocked", 400, 53003), ("wrongcloud", 400, 90038),
            ("disabled", 401, 7000112), ("error=650052", 400, 650052),
        ]
        with Graph("--alerts", "1") as g:
            for kind, status, code in table:
                g.control("fault", clear=True, add="1:%s:for=1" % kind)
                got, headers, body = g.ask_token(1)
                self.assertEqual((got, json.loads(body)["error_codes"]), (status, [code]), kind)
                self.assertEqual(headers["Retry-After"], "3" if "429" in kind else None)
                self.assertEqual(g.ask_token(1)[0], 200)
            g.control("fault", clear=True, add="*:token-html")
            self.assertIn(b"<html", g.ask_token(1)[2])
            g.control("fault", clear=True, add="*:token-echo")
            self.assertIn(b"client_secret=", g.ask_token(1)[2])

    def test_token_is_for_its_tenant_and_its_time(self):
        with Graph("--alerts", "3", "--tenants", "2", "--token-lifetime", "1") as g:
            for tenant in 1, 2:
                own = {a["tenantId"] for a in g.page("", tenant)["value"]}
                self.assertEqual(own, {guid(tenant)})
            time.sleep(1.1)
            status, headers, body = g.get()
            self.assertEqual(status, 401)
            self.assertIn("Bearer", headers["WWW-Authenticate"])
            self.assertEqual(json.loads(body)["error"]["code"], "InvalidAuthenticationToken")

    def test_no_bad_or_foreign_token_reads(self):
        with Graph("--alerts", "1") as g:
            for value in None, "Bearer ", "Bearer x", "Basic x", "Bearer " + g.token()[:-4] + "AAAA":
                headers = {"Authorization": value} if value else {}
                self.assertEqual(g.ask("GET", ALERTS, None, headers)[0], 401, value)

    def test_no_roles_is_403(self):
        with Graph("--alerts", "1", "--fault", "1:noroles") as g:
            status, _, body = g.get()
            self.assertEqual((status, json.loads(body)["error"]["code"]), (403, "Forbidden"))


if __name__ == "__main__":
    unittest.main()
