# SPDX-License-Identifier: Apache-2.0
"""fake-graph does what Microsoft's services do, well and badly, and says what was true."""

import concurrent.futures
import gzip
import http.client
import json
import os
import socket
import ssl
import subprocess
import tempfile
import time
import unittest
import urllib.parse

from graph_client import ALERTS, CLIENT, UPDATED_ASC, Graph, guid, program, ticks


class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.graph = Graph("--alerts", "300", "--same-stamp", "25", "--future", "2")
        cls.truth = cls.graph.truth()

    @classmethod
    def tearDownClass(cls):
        cls.graph.__exit__()

    def test_paging_by_skiptoken_gives_each_alert_once(self):
        for top in 7, 100, 1000:
            got = [a["id"] for a in self.graph.all(UPDATED_ASC + "&$top=%d" % top)]
            self.assertEqual(len(got), len(set(got)))
            self.assertEqual(set(got), {v["id"] for v in self.truth})

    def test_order(self):
        table = [(UPDATED_ASC, "lastUpdateDateTime", False),
                 ("$orderby=lastUpdateDateTime%20desc", "lastUpdateDateTime", True),
                 ("%24orderby=createdDateTime", "createdDateTime", False),
                 ("", "createdDateTime", True)]
        for query, field, is_descending in table:
            got = [ticks(a[field]) for a in self.graph.all(query)]
            self.assertEqual(got, sorted(got, reverse=is_descending), query)

    def test_filters_choose_what_the_truth_says(self):
        stamps = sorted(v["updated"] for v in self.truth)
        middle = stamps[150]
        table = [
            ("lastUpdateDateTime ge " + middle, lambda v: v["updated"] >= middle),
            ("lastUpdateDateTime gt " + middle, lambda v: v["updated"] > middle),
            ("lastUpdateDateTime lt " + middle, lambda v: v["updated"] < middle),
            ("lastUpdateDateTime le " + middle, lambda v: v["updated"] <= middle),
            ("lastUpdateDateTime eq " + middle, lambda v: v["updated"] == middle),
            ("lastUpdateDateTime ge %s and lastUpdateDateTime lt %s" % (stamps[20], stamps[50]),
             lambda v: stamps[20] <= v["updated"] < stamps[50]),
            ("createdDateTime ge " + middle, lambda v: v["created"] >= middle),
            ("severity eq 'high'", lambda v: v["severity"] == "high"),
            ("severity eq 'high' or severity eq 'medium' and status eq 'new'",
             lambda v: v["severity"] == "high"
             or (v["severity"] == "medium" and v["status"] == "new")),
            ("(severity eq 'high' or severity eq 'medium') and status eq 'new'",
             lambda v: v["severity"] in ("high", "medium") and v["status"] == "new"),
            ("not (status eq 'resolved')", lambda v: v["status"] != "resolved"),
            ("severity ne 'low'", lambda v: v["severity"] != "low"),
        ]
        for text, wanted in table:
            for order in UPDATED_ASC, "$orderby=createdDateTime%20desc":
                query = order + "&$top=40&$count=true&$filter=" + urllib.parse.quote(text)
                got = {a["id"] for a in self.graph.all(query)}
                self.assertEqual(got, {v["id"] for v in self.truth if wanted(v)}, text)
                self.assertEqual(self.graph.page(query)["@odata.count"], len(got), text)

    def test_wrong_queries_are_400(self):
        table = ["$filter=foo%20eq%201", "$filter=investigationState%20eq%20%27x%27",
                 "$filter=severity", "$filter=severity%20has%20%27low%27",
                 "$filter=lastUpdateDateTime%20ge%20yesterday", "$filter=(severity%20eq%20%27low%27",
                 "$filter=", "$filter=" + "(" * 200, "$orderby=severity", "$top=x", "$foo=1",
                 "$skiptoken=x",
                 "$filter=severity%20eq%20%27low%27%20garbage"]
        for query in table:
            status, _, body = self.graph.get(query)
            self.assertEqual((status, json.loads(body)["error"]["code"]), (400, "BadRequest"), query)

    def test_skip_and_top_have_their_limits(self):
        self.assertEqual(self.graph.get("$skip=500")[0], 200)
        status, _, body = self.graph.get("$skip=501")
        self.assertEqual((status, json.loads(body)["error"]["code"]), (400, ""))
        self.assertIn("cannot exceed 500", json.loads(body)["error"]["message"])
        self.assertEqual(len(self.graph.page()["value"]), 100)
        self.assertEqual(len(self.graph.page("$top=5000")["value"]), 327)

    def test_a_page_on_one_stamp_and_stamps_in_2099(self):
        stamps = [a["lastUpdateDateTime"] for a in self.graph.all()]
        self.assertEqual(max(stamps.count(s) for s in stamps), 25)
        self.assertEqual(sum(s.startswith("2099") for s in stamps), 2)

    def test_headers(self):
        _, headers, _ = self.graph.get(headers={"client-request-id": "abc"})
        self.assertEqual(headers["client-request-id"], "abc")
        self.assertEqual(len(headers["request-id"]), 36)
        self.assertTrue(headers["Date"])

    def test_one_alert_by_id(self):
        first = self.graph.page("$top=1")["value"][0]
        status, _, body = self.graph.get(path=ALERTS + "/" + first["id"])
        self.assertEqual((status, json.loads(body)), (200, first))
        self.assertEqual(self.graph.get(path=ALERTS + "/none")[0], 404)

    def test_gzip_says_the_same(self):
        for _ in range(2):  # made, then remembered
            plain = self.graph.get(UPDATED_ASC)[2]
            _, headers, packed = self.graph.get(UPDATED_ASC, headers={"Accept-Encoding": "gzip"})
            self.assertEqual(headers["Content-Encoding"], "gzip")
            self.assertEqual(gzip.decompress(packed), plain)
            self.assertLess(len(packed), len(plain) / 3)

    def test_newer_enums_only_for_who_asks(self):
        newer = {"microsoftSentinel", "microsoftDefenderForCloud"}
        asked = {a["serviceSource"] for a in self.graph.all()}
        page = self.graph.page("$top=1000", headers={"Prefer": "return=minimal"})
        others = {a["serviceSource"] for a in page["value"]}
        self.assertLessEqual(newer, asked)
        self.assertEqual(others, asked - newer | {"unknownFutureValue"})


class Policies(unittest.TestCase):
    def test_paging_by_skip_stops_at_500(self):
        with Graph("--alerts", "600", "--paging", "skip") as g:
            page = g.page(UPDATED_ASC + "&$top=200")
            self.assertTrue(page["@odata.nextLink"].endswith("$skip=200"))
            page = g.page(page["@odata.nextLink"].split("?")[1])
            page = g.page(page["@odata.nextLink"].split("?")[1])
            self.assertNotIn("@odata.nextLink", page)
            g.control("story", tenant=1, make=1)
            page = g.page(UPDATED_ASC + "&$top=200&$skip=400")
            self.assertEqual(g.get(page["@odata.nextLink"].split("?")[1])[0], 400)

    def test_withheld_ignored_refused(self):
        with Graph("--alerts", "250", "--tenants", "4", "--policy", "1:paging=none",
                   "--policy", "2:orderby=ignore", "--policy", "3:orderby=refuse",
                   "--policy", "4:filter=ignore") as g:
            self.assertNotIn("@odata.nextLink", g.page(UPDATED_ASC + "&$top=10", 1))
            got = [ticks(a["lastUpdateDateTime"]) for a in g.all(UPDATED_ASC, 2)]
            self.assertNotEqual(got, sorted(got))
            status, _, body = g.get(UPDATED_ASC, 3)
            self.assertEqual(status, 400)
            self.assertIn("orderby", json.loads(body)["error"]["message"])
            self.assertEqual(len(g.all("$filter=createdDateTime%20gt%202098-01-01T00:00:00Z", 4)), 250)
            g.control("policy", tenant=4, filter="refuse")
            self.assertEqual(g.get("$filter=severity%20eq%20%27low%27", 4)[0], 400)

    def test_requests_per_minute(self):
        with Graph("--alerts", "1", "--per-minute", "3") as g:
            got = [g.get()[0] for _ in range(5)]
            self.assertEqual(got, [200] * 3 + [429] * 2)
            self.assertGreater(int(g.get()[1]["Retry-After"]), 0)


class Corpus(unittest.TestCase):
    def test_variety(self):
        with Graph("--alerts", "3000") as g:
            alerts = g.all(UPDATED_ASC + "&$top=1000")
        kinds = {e.get("@odata.type", "").rpartition(".")[2]
                 for a in alerts for e in a["evidence"] or []}
        sizes = [len(json.dumps(a, ensure_ascii=False, separators=(",", ":")).encode())
                 for a in alerts]
        digits = {len(a["lastUpdateDateTime"].rstrip("Z").partition(".")[2]) for a in alerts}
        stamps = [a["lastUpdateDateTime"] for a in alerts]
        links = [a["alertWebUrl"] for a in alerts]
        self.assertEqual(len(kinds), 50)
        self.assertLess(min(sizes), 1700)
        self.assertGreater(max(sizes), 40000)
        self.assertEqual(digits, set(range(8)))
        self.assertGreater(len(stamps), len(set(stamps)) + 10)
        self.assertTrue(any(a["evidence"] is None for a in alerts))
        self.assertTrue(any(a["evidence"] == [] for a in alerts))
        self.assertTrue(any("?tid=" not in x for x in links))
        self.assertTrue(any("security.microsoft.com" not in x for x in links))

    def test_bench_corpus_has_its_size(self):
        with Graph("--corpus", "bench", "--alerts", "400") as g:
            query = UPDATED_ASC + "&$top=200"
            plain = g.get(query)[2]
            packed = g.get(query, headers={"Accept-Encoding": "gzip"})[2]
        self.assertAlmostEqual(len(plain) / 200, 5220, delta=200)
        self.assertAlmostEqual(len(plain) / len(packed), 6.6, delta=0.6)

    def test_same_seed_same_alerts(self):
        def shape():
            with Graph("--alerts", "40", "--seed", "9") as g:
                return [(a["title"], a["severity"], a["status"], len(a["evidence"] or []))
                        for a in sorted(g.all(), key=lambda a: a["id"].partition("_")[2])]
        self.assertEqual(shape(), shape())

    def test_hostile_alerts_are_in_the_truth(self):
        with Graph("--alerts", "0", "--hostile", "60") as g:
            body = g.get("$top=1000")[2]
            truth = g.truth()
        classes = {v["hostile"] for v in truth}
        self.assertGreaterEqual(len(classes), 40)
        self.assertEqual({v["reads"] for v in truth}, {"plain", "repair", "unreadable"})
        for v in truth:
            self.assertEqual(v["sha256"] is not None, v["reads"] == "unreadable", v["hostile"])
        for sign in b"\\u0000", b"\xff", b"1e999", b"\\ud800", b'{"d":' * 3000, b"18446744073709551616":
            self.assertTrue(sign in body, sign[:20])
        with self.assertRaises(UnicodeDecodeError):
            body.decode()


class Story(unittest.TestCase):
    def test_truth_matches_what_is_served_while_it_changes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "truth")
            with Graph("--alerts", "20", "--tenants", "3", "--rate", "40", "--late-ms", "300",
                       "--touches", "5", "--truth", path) as g:
                seen = {}
                end = time.time() + 3
                while time.time() < end:
                    for tenant in 1, 2, 3:
                        for a in g.all(UPDATED_ASC + "&$top=15", tenant):
                            seen[(guid(tenant), a["id"], ticks(a["lastUpdateDateTime"]))] = a
                g.control("story", stop=True)
                time.sleep(0.5)
                last = {(t, a["id"]): a for t in (1, 2, 3) for a in g.all(tenant=t)}
            with open(path) as lines:
                lines = [json.loads(line) for line in lines]
        births = {(v["tenant"], v["key"], v["version"]): v for v in lines if v["t"] == "v"}
        ends = {(v["tenant"], v["key"], v["version"]): v for v in lines if v["t"] == "x"}
        versions = {(v["tenant"], v["id"], ticks(v["updated"])): v for v in births.values()}
        self.assertEqual(len(versions), len(births))
        self.assertLessEqual(set(seen), set(versions))
        for key, a in seen.items():
            v = versions[key]
            self.assertEqual((a["severity"], a["status"], a["title"], len(a["evidence"] or [])),
                             (v["severity"], v["status"], v["title"], v["evidence"]))
        newest = {}
        for v in births.values():
            key = v["tenant"], v["id"]
            if key not in newest or newest[key]["version"] < v["version"]:
                if key in newest:
                    self.assertLess(newest[key]["updated"], v["updated"])
                newest[key] = v
        self.assertEqual({(guid(t), i): a["lastUpdateDateTime"] and ticks(a["lastUpdateDateTime"])
                          for (t, i), a in last.items()},
                         {k: ticks(v["updated"]) for k, v in newest.items()})
        self.assertEqual(len(births) - len(ends), len(newest))
        self.assertEqual({v["change"] for v in births.values()},
                         {"new", "evidence", "verdict", "comment", "assigned", "escalated",
                          "lowered", "resolved", "reopened", "touched"})
        self.assertTrue(any(not x["poller_could_see"] for x in ends.values()))
        for key, x in ends.items():
            self.assertEqual(x["poller_could_see"],
                             x["replaced_at"] > births[key]["visible_from"])

    def test_stop_after(self):
        with Graph("--alerts", "5", "--rate", "50", "--stop-after", "1") as g:
            time.sleep(1.3)
            changes = g.requests()["changes"]
            time.sleep(0.4)
            self.assertEqual(g.requests()["changes"], changes)
            self.assertAlmostEqual(changes, 50, delta=10)

    def test_what_a_test_asks_for(self):
        with Graph("--alerts", "5") as g:
            key = g.truth()[0]["key"]
            table = [("resolved", "status", "resolved"), ("reopened", "status", "inProgress")]
            for what, field, value in table:
                g.control("story", tenant=1, key=key, do=what)
                alert = [a for a in g.all() if a["id"] == key][0]
                self.assertEqual(alert[field], value)
            self.assertEqual(g.control("story", tenant=1, make=3, hostile=2, same_stamp=4), 9)
            self.assertEqual(len(g.truth()), 14)
            self.assertEqual(g.control("story", tenant=1, hostile=1, **{"class": "nul"}), 1)
            self.assertEqual(g.truth()[-1]["hostile"], "nul")


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.graph = Graph("--alerts", "30", "--tenants", "2")
        cls.graph.token(1)
        cls.graph.token(2)

    @classmethod
    def tearDownClass(cls):
        cls.graph.__exit__()

    def setUp(self):
        self.graph.control("fault", clear=True)

    def fault(self, spec):
        self.graph.control("fault", add=spec)

    def test_statuses(self):
        for status in 400, 401, 403, 404, 429, 500, 502, 503, 504, 206, 204:
            self.fault("1:%d:for=1" % status)
            self.assertEqual(self.graph.get()[0], status)
            self.assertEqual(self.graph.get()[0], 200)
            self.assertEqual(self.graph.get(tenant=2)[0], 200)

    def test_retry_after(self):
        for arg, wanted in ("", "10"), ("=7", "7"), ("=none", None), ("=negative", "-7"):
            self.fault("1:429%s:for=1" % arg)
            self.assertEqual(self.graph.get()[1]["Retry-After"], wanted)
        self.fault("1:429=date:for=1")
        self.assertIn("GMT", self.graph.get()[1]["Retry-After"])
        self.fault("1:429=absurd:for=1")
        self.assertGreater(int(self.graph.get()[1]["Retry-After"]), 10**15)

    def test_challenge_says_why(self):
        self.fault("1:challenge")
        self.assertIn("insufficient_claims", self.graph.get()[1]["WWW-Authenticate"])

    def test_who_waits_has_the_fault_it_began_with(self):
        self.fault("1:latency=1500")
        self.fault("1:503")
        before = self.graph.requests()["tenants"][0]["faults"]
        with concurrent.futures.ThreadPoolExecutor() as pool:
            waiting = pool.submit(self.graph.get)
            end = time.monotonic() + 10
            while self.graph.requests()["tenants"][0]["faults"] == before:
                self.assertLess(time.monotonic(), end)
            self.graph.control("fault", clear=True)
            self.assertEqual(waiting.result()[0], 503)
        self.assertEqual(self.graph.get()[0], 200)

    def test_latency_and_hang(self):
        self.fault("1:latency=2500")
        start = time.monotonic()
        self.assertEqual(self.graph.get(tenant=2)[0], 200)
        self.assertLess(time.monotonic() - start, 2)
        self.assertEqual(self.graph.get()[0], 200)
        self.assertGreater(time.monotonic() - start, 2.45)  # its clock is a coarse one
        self.fault("2:hang")
        with self.assertRaises(socket.timeout):
            self.graph.get(tenant=2, timeout=0.5)

    def test_bodies_that_are_not_pages(self):
        self.fault("1:html")
        status, headers, body = self.graph.get()
        self.assertEqual((status, headers["Content-Type"][:9]), (200, "text/html"))
        self.graph.control("fault", clear=True, add="1:echo")
        self.assertRegex(self.graph.get()[2], b"^Authorization: Bearer eyJ")
        for i in range(7):
            self.graph.control("fault", clear=True, add="1:notjson-value=%d" % i)
            try:
                page = json.loads(self.graph.get()[2])
            except ValueError:
                continue
            self.assertFalse(isinstance(page, dict) and isinstance(page.get("value"), list))
        self.graph.control("fault", clear=True, add="1:garbage")
        with self.assertRaises(ValueError):
            json.loads(self.graph.get()[2])

    def test_cut_reset_slow(self):
        self.fault("1:cut:for=1")
        with self.assertRaises(http.client.IncompleteRead):
            self.graph.get()
        self.fault("1:cut=1000:for=1")
        with self.assertRaises(http.client.IncompleteRead) as cut:
            self.graph.get()
        self.assertEqual(len(cut.exception.partial), 1000)
        self.fault("1:reset:for=1")
        with self.assertRaises((ConnectionResetError, http.client.RemoteDisconnected)):
            self.graph.get()
        self.fault("1:slow=600:for=1")
        with self.assertRaises(socket.timeout):
            self.graph.get(timeout=0.3)

    def test_huge_and_bomb(self):
        self.fault("1:huge=40:for=1")
        self.assertEqual(len(self.graph.get(timeout=30)[2]), (40 << 20) + 32)
        self.fault("1:bomb=64:for=1")
        _, headers, body = self.graph.get(headers={"Accept-Encoding": "gzip"})
        self.assertEqual(headers["Content-Encoding"], "gzip")
        self.assertLess(len(body), 200000)
        self.assertEqual(gzip.decompress(body), b" " * (64 << 20))
        self.fault("1:fat=50:for=1")
        self.assertGreater(len(self.graph.get()[2]), 30 * 50 * 1024)

    def test_links_and_redirects(self):
        table = {"": "http://localhost:", "=path": self.graph.url + "/v1.0/users",
                 "=scheme": "ftp://", "=user": "http://" + self.graph.host + "@localhost:",
                 "=https://evil.example/x": "https://evil.example/x"}
        for arg, start in table.items():
            self.fault("1:foreign-nextlink%s:for=1" % arg)
            self.assertTrue(self.graph.page()["@odata.nextLink"].startswith(start), arg)
        self.fault("1:same-nextlink:for=2")
        link = self.graph.page("$top=3")["@odata.nextLink"]
        self.assertEqual(link, self.graph.page(link.split("?")[1])["@odata.nextLink"])
        self.fault("1:redirect:for=1")
        status, headers, _ = self.graph.get()
        self.assertEqual((status, headers["Location"][:17]), (302, "http://localhost:"))

    def test_empty_page_then_all(self):
        self.fault("1:empty-page-next")
        page = self.graph.page(UPDATED_ASC + "&$top=10")
        self.assertEqual(page["value"], [])
        self.assertEqual(len(self.graph.all(UPDATED_ASC + "&$top=10")), 30)
        self.assertEqual(len(self.graph.all("$top=10")), 30)

    def test_tenant_ids(self):
        for kind, wanted in (("wrong-tenantid", {guid(2)}), ("null-tenantid", {None}),
                             ("foreign-alert", {guid(1), guid(2)})):
            self.fault("1:%s:for=1" % kind)
            self.assertEqual({a["tenantId"] for a in self.graph.page()["value"]}, wanted)

    def test_what_stands_at_the_border_changes(self):
        self.fault("1:border:for=1")
        query = UPDATED_ASC + "&$top=10"
        first, then = self.graph.page(query)["value"], self.graph.page(query)["value"]
        self.assertEqual([a["id"] for a in then[:9]], [a["id"] for a in first[:9]])
        self.assertNotEqual(then[9]["id"], first[9]["id"])
        moved = next(a for a in self.graph.all(query) if a["id"] == first[9]["id"])
        self.assertGreater(moved["lastUpdateDateTime"], first[9]["lastUpdateDateTime"])

    def test_the_endpoint_api_has_them_too(self):
        """Each as its own words have it: a tenant is aadTenantId, and links are always wrong there."""
        token = json.loads(self.graph.ask_token(scope=self.graph.url + "/mde/.default")[2])["access_token"]
        get = lambda: self.graph.ask("GET", "/mde/api/alerts?$expand=evidence", None, {"Authorization": "Bearer " + token})
        page = lambda: json.loads(get()[2])
        plain = page()
        self.assertGreater(len(plain["value"]), 2)
        self.assertNotIn("@odata.nextLink", plain)
        for kind, wanted in (("wrong-tenantid", {guid(2)}), ("null-tenantid", {None}),
                             ("foreign-alert", {guid(1), guid(2)})):
            self.fault("1:%s:for=1" % kind)
            self.assertEqual({a["aadTenantId"] for a in page()["value"]}, wanted)
        for kind, start in (("foreign", "http://localhost:"), ("same", self.graph.url + "/mde/api/alerts?")):
            self.fault("1:%s-nextlink:for=1" % kind)
            self.assertTrue(page()["@odata.nextLink"].startswith(start))
        self.fault("1:fat=50:for=1")
        self.assertGreater(len(get()[2]), len(plain["value"]) * 50 * 1024)
        self.fault("1:503:for=1")
        self.assertEqual(get()[0], 503)
        self.assertEqual(page(), plain)

    def test_share_and_range(self):
        self.fault("1-2:500:share=50")
        got = [self.graph.get(tenant=t)[0] for t in (1, 2) for _ in range(30)]
        self.assertTrue(10 < got.count(500) < 50, got)

    def test_tokens_gone_astray_are_seen(self):
        before = self.graph.requests()["bearer_elsewhere"]
        self.graph.get(headers={"Host": "localhost:1"})
        self.graph.get(path="/v1.0/users")
        self.assertEqual(self.graph.requests()["bearer_elsewhere"], before + 2)

    def test_wrong_specs_are_refused(self):
        for spec in "500", "9:500", "1:nothing", "1:500:for=x", "1:500:from=1", "1:500:share=200":
            with self.assertRaises(AssertionError, msg=spec):
                self.fault(spec)


class Program(unittest.TestCase):
    def run_it(self, *options):
        return subprocess.run([program(), *options], capture_output=True, text=True, timeout=10)

    def test_help_version_and_errors(self):
        self.assertIn("--hostile", self.run_it("--help").stdout)
        self.assertTrue(self.run_it("--version").stdout.startswith("fake-graph "))
        for options in (["--nothing"], ["--alerts", "x"], ["--alerts"], ["--paging", "odd"], ["x"],
                        ["--tenant", "x:y"], ["--fault", "1:x"], ["--listen", "nowhere"],
                        ["--tls-cert", "x"], ["--policy", "1:x=y"]):
            got = self.run_it(*options)
            self.assertEqual((got.returncode, got.stdout), (64, ""), options)
            self.assertTrue(got.stderr.startswith("fake-graph: "), options)

    def test_configuration_fragment(self):
        got = self.run_it("--listen", "127.0.0.1:0", "--print-config",
                          "--tenant", "11111111-2222-4333-8444-555555555501:contoso")
        self.assertEqual(got.returncode, 0)
        for piece in ("cloud: custom", "login_url: http://127.0.0.1:",
                      "contoso: {id: 11111111-2222-4333-8444-555555555501, app: fake}"):
            self.assertIn(piece, got.stdout)
        with tempfile.TemporaryDirectory() as folder:
            config, secret = os.path.join(folder, "c"), os.path.join(folder, "s")
            with Graph("--write-config", config, "--secret-file", secret) as g:
                with open(config) as f:
                    self.assertIn("graph_url: " + g.url, f.read())
                self.assertEqual(os.stat(secret).st_mode & 0o777, 0o600)

    def test_no_control(self):
        with Graph("--no-control") as g:
            self.assertEqual(g.ask("GET", "/_control/requests")[0], 404)

    def test_many_tenants_and_connections(self):
        with Graph("--tenants", "200", "--alerts", "2") as g:
            connections = []
            for tenant in range(1, 201):
                token = g.token(tenant)
                connection = http.client.HTTPConnection(g.host, timeout=20)
                connection.request("GET", ALERTS, None, {"Authorization": "Bearer " + token})
                connections.append(connection)
            for tenant, connection in enumerate(connections, 1):
                page = json.loads(connection.getresponse().read())
                self.assertEqual({a["tenantId"] for a in page["value"]}, {guid(tenant)})
                connection.close()
            counters = {t["index"]: t for t in g.requests()["tenants"]}
            self.assertTrue(all(len(t["polls"]) == 1 for t in counters.values()))

    def test_tls(self):
        with tempfile.TemporaryDirectory() as folder:
            key, cert = os.path.join(folder, "key"), os.path.join(folder, "cert")
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                            "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", cert,
                            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
                           check=True, capture_output=True)
            context = ssl.create_default_context(cafile=cert)
            with Graph("--tls-cert", cert, "--tls-key", key, "--fault", "1:cut:for=1") as g:
                self.assertTrue(g.url.startswith("https://"))

                def ask(method, path, body, headers):
                    connection = http.client.HTTPSConnection(g.host, timeout=10, context=context)
                    connection.request(method, path, body, headers)
                    return connection, connection.getresponse()
                form = urllib.parse.urlencode({
                    "client_id": CLIENT, "client_secret": "fake-secret", "scope": "https://x/.default",
                    "grant_type": "client_credentials"})
                first, reply = ask("POST", "/%s/oauth2/v2.0/token" % guid(1), form, {})
                bearer = {"Authorization": "Bearer " + json.loads(reply.read())["access_token"]}
                second, reply = ask("GET", ALERTS, None, bearer)
                with self.assertRaises((http.client.IncompleteRead, ssl.SSLError)):
                    reply.read()
                third, reply = ask("GET", ALERTS, None, bearer)
                self.assertEqual(len(json.loads(reply.read())["value"]), 50)
                for connection in first, second, third:
                    connection.close()

    def test_clients_that_leave_do_no_harm(self):
        faults = ["latency=300", "hang", "slow=5", "huge=50", "cut", "bomb=200"]
        with Graph("--alerts", "200") as g:
            for fault in faults:
                g.control("fault", clear=True, add="1:" + fault)
                for pause in 0, 0.05:
                    s = socket.create_connection(g.host.split(":"))
                    s.sendall(("GET %s?$top=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                               "\r\n" % (ALERTS, g.token())).encode())
                    time.sleep(pause)
                    s.close()
            time.sleep(0.5)
            g.control("fault", clear=True)
            self.assertEqual(g.get()[0], 200)

    def test_idle_connections_are_closed(self):
        with Graph("--keepalive", "1") as g:
            with socket.create_connection(g.host.split(":"), timeout=5) as s:
                self.assertEqual(s.recv(1), b"")

    def test_stops_with_clients_waiting(self):
        graph = Graph("--fault", "*:hang:share=50", "--fault", "*:latency=30000")
        graph.token()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for _ in range(8):
                pool.submit(lambda: graph.get(timeout=5))
            time.sleep(0.5)
            start = time.monotonic()
            graph.__exit__()
            self.assertLess(time.monotonic() - start, 2)


if __name__ == "__main__":
    unittest.main()
