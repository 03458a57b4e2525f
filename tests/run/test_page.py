# SPDX-License-Identifier: Apache-2.0
"""The status page in a real browser: what it shows, that nothing in it can be injected, that all can use it.

MSSPD_PICTURES=docs/pictures keeps pictures of it there, for people to look at.
"""
import base64
import json
import os
import re
import time
import unittest

import harness
from browser import Browser, find
from scene import Scene, syslog_sink

PICTURES = os.environ.get("MSSPD_PICTURES")
NASTY = ["<script>window.hit=1</script>", "\"><img src=x onerror=window.hit=2>", "</title><svg onload=window.hit=3>",
         "javascript:window.hit=4", "\u202egnp.exe", "' onmouseover='window.hit=5", "{{7*7}}${7*7}", "x" * 300,
         "&lt;b&gt;", "\u0000\u0007\u2028end", "</script><script>window.hit=6</script>", "<base href=//evil.example>"]


def poisoned(value, n=[0]):
    """The same status with every text in it an attack."""
    if isinstance(value, dict):
        return {k: poisoned(v) for k, v in value.items()}
    if isinstance(value, list):
        return [poisoned(v) for v in value]
    if isinstance(value, str):
        n[0] += 1
        return NASTY[n[0] % len(NASTY)]
    return value


class Page(Scene):
    def start(self, n, faults=(), customers=None, sinks=None, instance=None, interval="2s", rate="0.02"):
        options = [x for f in faults for x in ("--fault", f)]
        self.graph = harness.FakeGraph(self.run_, "--tenants", n, "--alerts", 4, "--rate", rate, *options)
        self.port = harness.free_port()
        named, all_of = {}, sorted(customers or {"contoso": "Contoso Ltd"})
        for i in range(1, n + 1):
            customer = all_of[(i - 1) % len(all_of)]
            turn = (i - 1) // len(all_of)
            named[customer + ("-%d" % turn if turn else "")] = {"id": harness.FakeGraph.tenant_id(i), "customer": customer}
        config = harness.config(self.graph, named, sinks or {
            "archive": {"type": "file", "path": self.run_.path("a"), "format": "raw"}}, poll_interval=interval)
        config += "customers: %s\n" % json.dumps({k: v if isinstance(v, dict) else {"name": v} for k, v in (
            customers or {"contoso": "Contoso Ltd"}).items()})
        config += 'http: {listen: "127.0.0.1:%d"}\n' % self.port
        config += "instance: %s\n" % instance if instance else ""
        self.msspd = harness.Msspd(self.run_, config).start()
        harness.wait_for("it listens", 30, lambda: harness.is_open(self.port))

    def open(self, width=1440, height=900, theme="light", fragment=""):
        if not find():
            self.skipTest("no chromium: make check-deps")
        self.browser = b = Browser(self.run_)
        self.addCleanup(b.close)
        b.size(width, height)
        b.theme(theme)
        b.go("http://127.0.0.1:%d/%s" % (self.port, fragment))
        b.wait("the page shows the tenants", "document.querySelectorAll('#rows tr').length > 0")
        return b

    def assert_calm(self, b):
        b.pump(0.3)
        self.assertEqual(b.complaints, [])
        self.assertEqual({u.split("#")[0] for u in b.requests if not u.startswith("data:")} - {
            "http://127.0.0.1:%d/" % self.port, "http://127.0.0.1:%d/status.json" % self.port, "about:blank"}, set())
        self.assertIsNone(b.eval("window.hit ?? null"))
        self.assertEqual(b.eval("document.querySelectorAll('script').length"), 1)
        self.assertEqual(b.eval("document.querySelectorAll('img,svg,iframe,base,object,embed,form').length"), 0)

    def picture(self, b, name):
        if PICTURES:
            b.picture(os.path.join(harness.ROOT, PICTURES, name + ".png"))

    def test_five_hundred_tenants_with_hostile_names(self):
        customers = {"c%02d" % i: NASTY[i].replace("\u0000", "") for i in range(len(NASTY))}
        self.start(500, ("3:noconsent", "16:500", "17:500", "29:403"), customers, interval="20s")
        b = self.open()
        b.wait("each tenant was read or is in trouble", "last && last.tenants.every((t) => t.state !== 'starting')", 60)
        b.wait("it stands on the page", "document.querySelector('#verdict').dataset.level === 'problem'")
        self.assertRegex(b.eval("document.querySelector('#verdict').textContent"), r"^4 tenants need somebody")
        self.assertEqual(b.eval("document.querySelectorAll('#rows tr').length"), 200, "the rest on demand")
        self.assertEqual(b.eval("[...document.querySelectorAll('#rows .state')].slice(0, 5).map((e) => e.dataset.level)"),
                         ["problem"] * 4 + ["well"], "problems first")
        shown = b.eval("[...document.querySelectorAll('#rows td.customer')].map((e) => e.textContent)")
        for name in NASTY[:4]:
            self.assertIn(name, shown)
        b.eval("document.getElementById('more').click()")
        self.assertEqual(b.eval("document.querySelectorAll('#rows tr').length"), 500)
        took = b.eval("(() => { const t = performance.now(); for (let i = 0; i < 10; i++) show(last);"
                      " return (performance.now() - t) / 10; })()")
        self.assertLess(took, 500 * harness.SLOW, "ms to show 500 tenants once more")
        b.eval("document.getElementById('find').focus()")
        for c in "c01-7":
            b.key(c, text=c)
        self.assertEqual(b.eval("[...document.querySelectorAll('#rows tr th span')].map((e) => e.textContent)"), ["c01-7"])
        self.assertEqual(b.eval("location.hash"), "#find=c01-7")
        self.assert_calm(b)
        b.go("http://127.0.0.1:%d/?again#show=problems" % self.port)
        b.wait("the address says what is shown", "document.querySelectorAll('#rows tr').length === 4")
        b.requests.clear()
        self.assert_calm(b)
        self.msspd.stop()

    def test_a_hostile_answer_is_text(self):
        """Every text of the status is an attack; the page shows it, and nothing runs."""
        self.start(12, ("2:noconsent", "3:500"))
        b = self.open()
        b.wait("there is trouble", "last.tenants.some((t) => t.level === 'problem')")
        seen = []

        def on_paused(p):
            status = json.loads(self.reply())
            bad = poisoned(status)
            bad["now"], bad["started"] = status["now"], status["started"]
            for t, was in zip(bad["tenants"], status["tenants"]):
                t["level"], t["since"] = was["level"], was["since"]
            bad["reload_error"], bad["expiries"] = NASTY[1], [dict(
                kind=NASTY[0], name=NASTY[1], what=NASTY[2], remedy=NASTY[5], ends=status["now"], days=0, stage="day")]
            seen.append(1)
            b.send("Fetch.fulfillRequest", requestId=p["requestId"], responseCode=200,
                   responseHeaders=[{"name": "Content-Type", "value": "application/json"}],
                   body=base64.b64encode(json.dumps(bad).encode()).decode())

        b.on_paused = on_paused
        b.call("Fetch.enable", patterns=[{"urlPattern": "*/status.json"}])
        b.eval("void ask()")
        harness.wait_for("the hostile answer was given", 20, lambda: b.pump(0.3) or len(seen) >= 1)
        b.wait("it is shown", "document.getElementById('todo').textContent.includes('onerror=window.hit=2')")
        self.assert_calm(b)
        self.msspd.stop()

    def reply(self):
        import urllib.request
        with urllib.request.urlopen("http://127.0.0.1:%d/status.json" % self.port, timeout=20) as r:
            return r.read()

    def test_the_policy_stands_behind_that(self):
        """Were there a hole, the browser would still refuse: markup, scripts, requests elsewhere."""
        self.start(2)
        b = self.open()
        self.assertEqual(b.eval("(() => { try { document.body.innerHTML += '<img src=x onerror=window.hit=1>'; return 'done';"
                                " } catch (e) { return e.name; } })()"), "TypeError")
        b.eval("(() => { const s = document.createElement('script'); try { s.text = 'window.hit = 2'; } catch (e) {}"
               " document.body.append(s); })()")
        self.assertEqual(b.eval("fetch('http://127.0.0.1:1/').then(() => 'let through', (e) => e.name)"), "TypeError")
        b.pump(0.3)
        self.assertIsNone(b.eval("window.hit ?? null"))
        self.assertGreater(len(b.complaints), 1, "the browser says what it refused")
        self.msspd.stop()

    def test_keyboard_and_readers(self):
        self.start(8, ("2:noconsent", "3:noconsent", "4:noconsent"))
        b = self.open()
        b.wait("there is something to do", "document.querySelectorAll('#todo .who button').length === 3")
        b.key("Tab")
        self.assertEqual(b.eval("document.activeElement.className"), "skip", "the first stop leads to the tenants")
        stops = []
        for _ in range(30):
            b.key("Tab")
            stops.append(b.eval("document.activeElement.id || document.activeElement.textContent.trim()"))
        for name in ("pause", "events-list", "find", "show", "Tenant", "Last read"):
            self.assertIn(name, stops)
        self.assertNotEqual(b.eval("getComputedStyle(document.activeElement).outlineStyle"), "none", "focus is seen")
        b.eval("[...document.querySelectorAll('#columns button')].find((e) => e.textContent === 'Tenant').focus()")
        for want in ("ascending", "descending"):
            b.key("Enter", text="\r")
            self.assertEqual(b.eval("document.querySelector('#columns [data-id=tenant]').getAttribute('aria-sort')"), want)
        b.eval("document.activeElement.blur()")
        b.key("/", text="/")
        self.assertEqual(b.eval("[document.activeElement.id, document.activeElement.value]"), ["find", ""])
        self.assertEqual(b.eval("[...document.querySelectorAll('table')].filter((t) => !t.getAttribute('aria-labelledby')"
                                " || !t.querySelector('thead th[scope=col]')).length"), 0)
        self.assertEqual(b.eval("[...document.querySelectorAll('tbody tr')].filter((r) => !r.querySelector('th[scope=row]'))"
                                ".length"), 0)
        for landmark in ("header", "main", "footer", "[role=status][aria-live=polite]", "[role=alert]", "h1", "html[lang=en]"):
            self.assertEqual(b.eval("document.querySelectorAll('%s').length" % landmark), 1, landmark)
        self.assertEqual(b.eval("[...document.querySelectorAll('input,select')].filter((e) => !e.labels.length).length"), 0)
        b.eval("document.getElementById('pause').click()")
        b.pump(0.5)
        b.requests.clear()
        b.pump(6)
        self.assertEqual(b.requests, [], "paused is paused")
        self.assertEqual(b.eval("document.getElementById('pause').getAttribute('aria-pressed')"), "true")
        self.assert_calm(b)
        self.msspd.stop()

    CONTRAST = """(() => {
        const style = getComputedStyle(document.documentElement);
        const rgb = (name) => style.getPropertyValue('--' + name).trim().match(/\\w\\w/g).map((h) => parseInt(h, 16) / 255);
        const light = (name) => { const [r, g, b] = rgb(name).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
        const pairs = [['ink', 'page'], ['ink', 'card'], ['ink', 'soft'], ['dim', 'page'], ['dim', 'card'], ['link', 'page'],
            ['well', 'page'], ['notice', 'page'], ['bad', 'page'],
            ...['well', 'notice', 'bad', 'none'].map((n) => [n, n + '-bg'])];
        return pairs.map(([a, b]) => { const x = light(a), y = light(b);
            return [a + ' on ' + b, (Math.max(x, y) + .05) / (Math.min(x, y) + .05)]; }); })()"""

    # The words of names of tenants, customers and sinks that stand on two lines.
    TORN = """(() => { const torn = [];
        document.getElementById('tenants').scrollIntoView();
        for (const th of document.querySelectorAll('tbody th')) {
            const walk = document.createTreeWalker(th, NodeFilter.SHOW_TEXT);
            for (let t; (t = walk.nextNode());) for (const m of t.data.matchAll(/[^\\s-]+/g)) {
                const r = document.createRange();
                r.setStart(t, m.index);
                r.setEnd(t, m.index + m[0].length);
                if (r.getClientRects().length > 1) torn.push(m[0]);
            } }
        scrollTo(0, 0);
        return [...new Set(torn)]; })()"""

    def test_both_themes_on_wall_desk_and_phone(self):
        siem = harness.SyslogNg(self.run_)
        names = ("adventure-works", "contoso", "fabrikam", "litware", "northwind", "proseware", "tailspin", "wingtip")
        customers = {n: n.title().replace("-", " ") + " Ltd" for n in names}
        soon = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 6 * 86400))
        customers["contoso"] = {"name": "Contoso Ltd", "access_expires": soon}
        self.start(56, ("3:noconsent", "11:noconsent", "20:noconsent", "14:403", "30:429", "41:500"), customers, {
            "siem": syslog_sink("tcp://127.0.0.1:%d" % siem.lf, confirm_after="1s"),
            "archive": {"type": "file", "path": self.run_.path("a"), "format": "raw"},
            "lake": syslog_sink("tcp://127.0.0.1:%d" % harness.free_port(), format="ocsf")}, "vienna-1", rate="0.3")
        b = self.open()
        b.wait("all were asked", "last && last.tenants.every((t) => t.state !== 'starting')", 60)
        b.wait("there is a rate", "perMinute('siem', last.sinks.find((s) => s.sink === 'siem').accepted,"
               " performance.now()) > 0")
        self.assertIn("lake", b.eval("document.getElementById('todo').textContent"))
        for theme in ("light", "dark"):
            b.theme(theme)
            for name, ratio in b.eval(self.CONTRAST):
                self.assertGreaterEqual(ratio, 4.5, "%s, %s" % (name, theme))
            for name, width, height, scale in (("wall", 1920, 1080, 1), ("desk", 1280, 800, 1), ("phone", 390, 844, 1.5)):
                b.size(width, height, scale, name == "phone")
                b.pump(0.3)
                self.assertLessEqual(b.eval("document.documentElement.scrollWidth"), width, "%s scrolls sideways" % name)
                self.assertEqual(b.eval("[...document.querySelectorAll('.scroll')].filter((e) => e.scrollWidth > e.clientWidth + 1)"
                                        ".length"), 0, "%s: a table is wider than its place" % name)
                self.assertEqual(b.eval(self.TORN), [], name)
                if name != "desk":
                    self.picture(b, "status-%s-%s" % (name, theme))
        self.assert_calm(b)
        self.msspd.stop()

    def test_long_names_and_those_written_from_the_right(self):
        long = "The Holding Company of the Northern and Southern Provinces for Electrical, Mechanical and Chemical Work " * 3
        self.start(4, customers={"long": long.strip(), "right": "\u05d7\u05d1\u05e8\u05ea \u05d4\u05d7\u05e9\u05de\u05dc (\u05d1.\u05de.)"})
        b = self.open()
        b.wait("all were read", "last && last.tenants.every((t) => t.last_success)", 60)
        for width in (1920, 1280, 390):
            b.size(width, 900)
            b.pump(0.3)
            high = b.eval("(() => { const h = {}; for (const tr of document.querySelectorAll('#rows tr'))"
                          " h[tr.firstChild.firstChild.textContent] = tr.offsetHeight / parseFloat(getComputedStyle(tr).lineHeight);"
                          " return h; })()")
            self.assertLess(high["long"], 5.5, width)
            shown = "[...document.querySelectorAll('#rows .whose')].find((e) => e.textContent.startsWith(%s) && e.offsetHeight)"
            self.assertEqual(b.eval(shown % '"The"' + ".title"), long.strip())
            self.assertEqual(b.eval("getComputedStyle(%s).unicodeBidi" % shown % '"\u05d7"'), "plaintext")
        self.assert_calm(b)

    def test_the_figures_are_what_was_sent(self):
        self.start(2)
        b = self.open()
        b.wait("all were read", "last && last.tenants.every((t) => t.last_success)", 60)
        column = b.eval("[...document.getElementById('columns').children].findIndex((th) => th.textContent === 'Forwarded')")
        b.eval("(() => { clearTimeout(timer); paused = true; const st = structuredClone(last);"
               " st.tenants.forEach((t) => { t.alerts = 90; t.forwarded = 7; }); show(st); })()")
        self.assertEqual(b.eval("[...document.querySelectorAll('#rows tr')].map((tr) => tr.children[%d].textContent)" % column), ["7"] * 2)
        self.assertEqual(b.eval("perMinute('new', 0, 0) ?? -1"), -1)
        self.assertEqual(b.eval("perMinute('new', 100, 5000)"), 100, "more than there ever was")
        self.assertEqual(b.eval("perMinute('new', 160, 60000)"), 160)

    def test_it_says_when_msspd_is_gone(self):
        self.start(2)
        b = self.open()
        self.msspd.kill()
        b.wait("the page says so", "!document.getElementById('lost').hidden", 30)
        self.assertRegex(b.eval("document.getElementById('lost').textContent"), "msspd does not answer")
        self.msspd.start()
        harness.wait_for("it listens", 30, lambda: harness.is_open(self.port))
        b.wait("and when it is back", "document.getElementById('lost').hidden", 30)

    def test_what_an_operator_paused_is_not_forgotten(self):
        self.start(3)
        b = self.open()
        b.wait("all is well", "document.getElementById('verdict').textContent === 'All is well'", 30)
        self.assertEqual(self.msspd.ctl("pause", "sink", "archive").returncode, 0)
        self.assertEqual(self.msspd.ctl("pause", "tenant", "contoso-1").returncode, 0)
        b.wait("both are told of", "/Sink archive: paused[^]*Tenant contoso-1: paused/.test("
               "document.getElementById('todo').textContent)", 30)
        self.assertEqual(b.eval("document.getElementById('verdict').dataset.level"), "notice", "nothing urgent")
        with self.subTest("metrics"):
            import urllib.request
            with urllib.request.urlopen("http://127.0.0.1:%d/metrics" % self.port, timeout=20) as r:
                text = r.read().decode()
            self.assertIn('msspd_sink_paused{sink="archive",type="file"} 1\n', text)
            self.assertIn('msspd_sinks{link="paused"} 1\n', text)
        self.assert_calm(b)
        self.msspd.stop()

    def test_the_policy_is_strict(self):
        self.start(1)
        import urllib.request
        with urllib.request.urlopen("http://127.0.0.1:%d/" % self.port, timeout=20) as r:
            policy, text = r.headers["Content-Security-Policy"], r.read().decode()
        self.assertRegex(policy, r"^default-src 'none'; style-src 'sha256-[\w+/]{43}='; script-src 'sha256-[\w+/]{43}=';")
        self.assertNotIn("unsafe", policy)
        self.assertEqual(re.findall(r"(?i)https?://(?!www\.w3\.org/2000/svg)[^\s\"'<]+", text), [], "no outside resource")
        self.assertIsNone(re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\son\w+=", text))
        self.msspd.stop()


if __name__ == "__main__":
    unittest.main()
