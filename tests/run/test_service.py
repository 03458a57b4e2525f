# SPDX-License-Identifier: Apache-2.0
"""The daemon as its operator meets it: options, exit codes, signals, status, reload, secrets."""
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

import harness
from scene import Scene, syslog_sink

EX_OK, EX_USAGE, EX_UNAVAILABLE, EX_TEMPFAIL, EX_CONFIG = 0, 64, 69, 75, 78


class Service(Scene):
    def scene(self, tenants=2, graph_options=(), **sink):
        self.graph = harness.FakeGraph(self.run_, "--tenants", tenants, "--alerts", 10, *graph_options)
        self.siem = harness.SyslogNg(self.run_)
        self.sink = dict(syslog_sink("tcp://127.0.0.1:%d" % self.siem.lf, confirm_after="1s"), **sink)
        self.config = harness.config(self.graph, harness.tenants(tenants), {"siem": self.sink})
        return harness.Msspd(self.run_, self.config)

    def test_check_says_what_is_wrong_where(self):
        msspd = self.scene()
        done = msspd.call("-n")
        self.assertEqual(done.returncode, EX_OK, done.stderr)
        msspd.configure(self.config.replace('"first_lookback"', '"first_lookbak"')
                        .replace('"poll_interval": "1s"', '"poll_interval": "soon"'))
        done = msspd.call("-n")
        self.assertEqual(done.returncode, EX_CONFIG)
        self.assertRegex(done.stderr, r"msspd\.yaml:\d+:\d+: .*first_lookbak.*did you mean.*first_lookback")
        self.assertRegex(done.stderr, r"poll_interval.*soon")

    def test_usage(self):
        msspd = self.scene()
        for options, code in (("--help", EX_OK), ("--version", EX_OK), ("-L", EX_OK),
                              ("--no-such-thing", EX_USAGE), ("stray", EX_USAGE)):
            with self.subTest(options):
                self.assertEqual(msspd.call(options).returncode, code)
        done = msspd.call("-n", "--once")
        self.assertEqual(done.returncode, EX_USAGE)
        os.unlink(msspd.file)
        self.assertEqual(msspd.call().returncode, EX_CONFIG)

    def test_one_process_a_state_dir(self):
        msspd = self.scene().start()
        done = msspd.call("--once")
        self.assertEqual(done.returncode, EX_TEMPFAIL)
        self.assertIn("in use", done.stderr)
        msspd.stop()

    def test_stop_is_quick_and_saves_everything(self):
        msspd = self.scene(tenants=5, graph_options=("--rate", 5)).start()
        self.mark_up()
        time.sleep(3)
        took, code = msspd.stop()
        self.mark_down()
        self.assertEqual(code, EX_OK)
        self.assertLess(took, 1.0 * harness.SLOW)
        self.assertFalse(os.path.exists(msspd.socket))
        self.assertIn("everything is saved", self.run_.read(msspd.log))
        msspd.start()
        self.mark_up()
        self.graph.stop_story()
        delivered = self.assert_all_arrived(self.graph, msspd, self.siem)
        self.assertEqual(delivered.repeats(), 0, "an orderly stop repeats nothing")
        msspd.stop()

    def test_stop_while_everything_hangs(self):
        """Tenants that hang and a SIEM that does not read hold up no stop."""
        msspd = self.scene(tenants=4, graph_options=("--fault", "*:hang", "--fault", "1:latency=0")).start()
        self.siem.freeze()
        time.sleep(2)
        took, code = msspd.stop()
        self.siem.thaw()
        self.assertEqual(code, EX_OK)
        self.assertLess(took, 1.2 * harness.SLOW)

    def test_once(self):
        msspd = self.scene()
        done = msspd.call("--once", "--timeout", "60s")
        self.assertEqual(done.returncode, EX_OK, done.stderr)
        self.assert_all_arrived(self.graph, msspd, self.siem)
        again = msspd.call("--once", "--timeout", "60s")
        self.assertEqual(again.returncode, EX_OK)
        self.assertEqual(self.assert_all_arrived(self.graph, msspd, self.siem).repeats(), 0)
        self.siem.stop()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 3})
        late = msspd.call("--once", "--timeout", "3s")
        self.assertEqual(late.returncode, EX_TEMPFAIL, "the SIEM is down")
        self.siem.start()
        self.assertEqual(msspd.call("--once", "--timeout", "60s").returncode, EX_OK)
        self.assert_all_arrived(self.graph, msspd, self.siem)

    def test_once_fails_when_a_tenant_does(self):
        msspd = self.scene(graph_options=("--fault", "2:403"))
        self.assertEqual(msspd.call("--once", "--timeout", "60s").returncode, EX_TEMPFAIL)

    def test_dry_run_prints_and_stores_nothing(self):
        msspd = self.scene()
        done = msspd.call("--dry-run", "--timeout", "60s")
        self.assertEqual(done.returncode, EX_OK, done.stderr)
        lines = [line for line in done.stdout.splitlines() if line]
        self.assertEqual(len(lines), 20)
        self.assertTrue(all(line.startswith("CEF:0|Microsoft|") for line in lines))
        self.assertEqual(os.listdir(msspd.state), [])
        self.assertEqual(self.siem.rows(), [])

    def test_status_in_words_and_json(self):
        msspd = self.scene(tenants=3, graph_options=("--fault", "3:noconsent")).start()
        harness.wait_for("tenants were read", 30, lambda: sum(
            t["state"] == "healthy" or t["trouble"] != "" for t in msspd.status()["tenants"]) == 3)
        status = msspd.status()
        sick = [t for t in status["tenants"] if t["state"] != "healthy"]
        self.assertEqual([t["tenant"] for t in sick], ["t003"])
        self.assertIn("consent", sick[0]["trouble"])
        self.assertEqual(status["journal"]["state"], "ok")
        words = msspd.ctl("status")
        self.assertEqual(words.returncode, 0)
        self.assertIn("3 tenants, 2 healthy", words.stdout)
        self.assertIn("t003", words.stdout)
        # Only a link may be longer, and it is whole: somebody has to copy it.
        self.assertTrue(all(len(line) <= 80 or re.fullmatch(r" *https?://\S+", line)
                            for line in words.stdout.splitlines()), words.stdout)
        self.assertRegex(words.stdout, r"(?m)^ *https?://\S+/adminconsent\?client_id=\S+$")
        msspd.stop()
        gone = msspd.ctl("status")
        self.assertEqual(gone.returncode, EX_UNAVAILABLE)
        self.assertIn("not running", gone.stderr)

    def test_what_was_read_before_a_start_is_not_called_never(self):
        msspd = self.scene(tenants=1).start()
        read = lambda: msspd.status()["tenants"][0]["cursor"]
        place = harness.wait_for("its place", 30, read)
        msspd.stop()
        self.graph.fault("*:hang")
        msspd.start()
        self.assertEqual(read(), place)
        self.assertIn("not read since the start\n    what it has was read up to %sZ before" % place[:19],
                      msspd.ctl("status").stdout)
        self.assertRegex(msspd.ctl("tenants").stdout, r"(?m)^t001 .* not yet$")
        self.assertRegex(msspd.ctl("sinks").stdout, r"(?m)^siem .* not yet$")
        msspd.stop()

    def test_a_socket_that_the_units_file_says_is_the_one(self):
        """In a /etc of our own: only that file's name means the unit's daemon, which may be elsewhere."""
        for said, want in (("control_socket: /nowhere/a.sock", "/nowhere/a.sock"),
                           ("state_dir: /nowhere/state", "/run/msspd/control.sock")):
            with self.subTest(said):
                done = self.with_unit_file(said, "msspctl -c /etc/msspd/msspd.yaml status")
                self.assertIn("not running: " + want, done.stderr)

    def with_unit_file(self, text, command, more=":"):
        """A command in a /etc of its own, with that in /etc/msspd/msspd.yaml."""
        file = self.run_.write("unit.yaml", text + "\n")
        way = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--user", "--map-root-user"])
        done = subprocess.run(way + ["sh", "-c", "mount -t tmpfs tmpfs /etc && mkdir /etc/msspd && "
                                     "cp '%s' /etc/msspd/msspd.yaml && %s && exec '%s'/%s" % (file, more, harness.BIN, command)],
                              capture_output=True, text=True, timeout=60 * harness.SLOW, check=False)
        if "unshare: " in done.stderr:
            self.skipTest("no mounts of our own on this machine")
        return done

    def test_the_units_file_is_checked_by_hand_as_the_unit_has_it(self):
        """With names of credentials, as the unit wants them: they lie beside it while the unit does not run."""
        apps = harness.app(harness.FakeGraph(self.run_), secret_file="graph-secret")
        text = "apps: %s\ntenants: {a: {id: 99999999-0000-4000-8000-000000000001, app: soc, sinks: []}}" % json.dumps({"soc": apps})
        for made, code, want in (("(umask 077; echo x > /etc/msspd/graph-secret)", EX_OK, ""),
                                 (":", EX_CONFIG, "secret file /etc/msspd/graph-secret cannot be opened")):
            with self.subTest(made):
                done = self.with_unit_file(text, "msspd -n", made)
                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn(want, done.stderr)

    def test_the_socket_of_a_configuration(self):
        msspd = self.scene().start()
        nobody = {"MSSPD_SOCKET": self.run_.path("nobody.sock")}

        def ctl(*words, **env):
            return subprocess.run([os.path.join(harness.BIN, "msspctl"), *words], env=dict(os.environ, **env),
                                  stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * harness.SLOW,
                                  text=True, check=False)

        for words in (("status",), ("pause", "tenant", "t001"), ("sinks",)):
            with self.subTest(words):
                self.assertEqual(ctl("-c", msspd.file, *words, **nobody).returncode, EX_OK)
                done = ctl(*words, **nobody)
                self.assertEqual(done.returncode, EX_UNAVAILABLE)
                self.assertIn("nobody.sock", done.stderr)
        with self.subTest("-s says more"):
            done = ctl("-c", msspd.file, "-s", self.run_.path("other.sock"), "status")
            self.assertIn("other.sock", done.stderr)
        with self.subTest("without control_socket: in state_dir"):
            bare = self.run_.write("bare.yaml", open(msspd.file).read().replace("control_socket: ", "#"))
            self.assertIn(msspd.state + "/control.sock", ctl("-c", bare, "status").stderr)
        with self.subTest("a file that cannot be used"):
            done = ctl("-c", self.run_.write("bad.yaml", "tenant: {}\n"), "status", **nobody)
            self.assertEqual(done.returncode, EX_CONFIG)
            self.assertIn("name the control_socket with -s", done.stderr)
        with self.subTest("verbs that need no daemon need no socket"):
            self.assertEqual(ctl("-c", msspd.file, "consent-url", "t001", **nobody).returncode, EX_OK)
        msspd.stop()

    def test_control_socket_survives_nonsense(self):
        msspd = self.scene().start()
        self.assertEqual(os.stat(msspd.socket).st_mode & 0o007, 0)
        for text in (b"\n", b"not json\n", b"{}\n", b'{"verb": 7}\n', b'{"verb":"status"' + b" " * 70000,
                     b'{"verb":"dead-drop","number":"7","all":true}\n', b'{"verb":"dead-drop","sink":["out"],"all":true}\n',
                     b'{"verb":"poll","tennant":"t001"}\n', b'{"verb":"dead-drop","number":-1,"sink":"out"}\n',
                     b"\xff\xfe\n", b'[' * 5000 + b"\n"):
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(10)
                s.connect(msspd.socket)
                s.sendall(text)
                if text.endswith(b"\n"):
                    self.assertFalse(json.loads(s.makefile().readline())["ok"])
        self.assertEqual(msspd.status()["journal"]["state"], "ok")
        msspd.stop()

    def test_files_that_change_are_read(self):
        msspd = self.scene()
        msspd.configure(self.config + "watch: true\n")
        msspd.start()
        names = lambda: {t["tenant"] for t in msspd.status()["tenants"]}
        self.assertEqual(names(), {"t001", "t002"})
        one = os.path.join("msspd", "conf.d", "new.yaml")  # conf.d comes with it
        self.run_.write(one, "tenants: {late: {id: 99999999-0000-4000-8000-000000000001}}\n")
        harness.wait_for("the new tenant", 20, lambda: "late" in names())
        self.run_.write(one, "tenants: {later: {id: 99999999-0000-4000-8000-000000000001}}\n")
        harness.wait_for("its new name", 20, lambda: "later" in names() and "late" not in names())
        self.run_.write(one, "tenants: {later: {idd: 1}}\n")
        harness.wait_for("what is wrong", 20, lambda: "new.yaml" in msspd.status()["reload_error"])
        self.assertIn("later", names())
        os.unlink(self.run_.path(one))
        harness.wait_for("its end", 20, lambda: names() == {"t001", "t002"})
        self.assertEqual(msspd.status()["reload_error"], "")
        before = self.run_.read(msspd.log).count("read anew")
        self.run_.write(os.path.join("msspd", "conf.d", ".swap.yaml"), "x")
        self.run_.write(os.path.join("msspd", "notes.txt"), "x")
        time.sleep(2.5)
        self.assertEqual(self.run_.read(msspd.log).count("read anew"), before)
        msspd.configure(self.config)  # without watch
        harness.wait_for("one more", 20, lambda: self.run_.read(msspd.log).count("read anew") == before + 1)
        self.run_.write(one, "tenants: {late: {id: 99999999-0000-4000-8000-000000000001}}\n")
        time.sleep(2.5)
        self.assertNotIn("late", names())
        msspd.stop()

    def test_looking_at_tenants_and_sinks(self):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 2, "--alerts", 10)
        self.siem = harness.SyslogNg(self.run_)
        sinks = {"siem": syslog_sink("tcp://127.0.0.1:%d" % self.siem.lf, confirm_after="200ms"),
                 "away": syslog_sink("tcp://127.0.0.1:%d" % harness.free_port())}
        tenants = dict(harness.tenants(2), **{"t-" + 62 * "x": {"id": harness.FakeGraph.tenant_id(9)}})
        msspd = harness.Msspd(self.run_, harness.config(self.graph, tenants, sinks))
        msspd.start()
        harness.wait_for("accepted", 20, lambda: msspd.status()["sinks"][1]["accepted"] == 20)
        harness.wait_for("trouble", 20, lambda: msspd.status()["sinks"][0]["trouble"])
        for words, said in ((("tenants",), "t001 .* healthy"), (("tenant", "t001"), r"alerts read +10\b"),
                            (("sinks",), r"siem +syslog +up +\d+ +20 "), (("sinks",), "away .* down +20 "),
                            (("sink", "away"), "trouble\n    tcp://"), (("status",), "in trouble|2 healthy")):
            done = msspd.ctl(*words)
            self.assertEqual(done.returncode, EX_OK, done.stderr)
            self.assertRegex(done.stdout, said)
            self.assertEqual([line for line in done.stdout.splitlines() if len(line) > 80], [])
            self.assertNotIn("\033", done.stdout)  # that is no terminal
        self.assertEqual({t["tenant"] for t in json.loads(msspd.ctl("tenants", "--json").stdout)}, set(tenants))
        self.assertEqual(json.loads(msspd.ctl("sink", "siem", "--json").stdout)["accepted"], 20)
        none = msspd.ctl("tenant", "nobody")
        self.assertEqual(none.returncode, EX_USAGE)
        self.assertIn("there is no tenant 'nobody'", none.stderr)
        self.assertIn(b"\033[32mhealthy", self.on_a_terminal(msspd, "tenants"))
        self.assertNotIn(b"\033[32m", self.on_a_terminal(msspd, "tenants", NO_COLOR="1"))
        top = self.run_.start([os.path.join(harness.BIN, "msspctl"), "-s", msspd.socket, "top"], log="top")
        harness.wait_for("two looks", 20, lambda: self.run_.read("top").count("sinks\n") >= 2)
        self.assertIn("accepted a second:", self.run_.read("top"))
        msspd.stop()
        self.assertEqual(top.wait(20), EX_UNAVAILABLE)

    def on_a_terminal(self, msspd, *words, **env):
        master, slave = os.openpty()
        child = subprocess.Popen([os.path.join(harness.BIN, "msspctl"), "-s", msspd.socket] + list(words), stdout=slave,
                                 env=dict({k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env))
        self.assertEqual(child.wait(20), 0)
        os.close(slave)
        said = os.read(master, 65536)
        os.close(master)
        return said

    def test_what_an_operator_does_at_once(self):
        msspd = self.scene(tenants=2, graph_options=("--fault", "1:noconsent:for=1")).start()
        parked = lambda: [t["tenant"] for t in msspd.status()["tenants"] if t["state"] != "healthy"]
        harness.wait_for("one that waits for a person", 20, lambda: parked() == ["t001"])
        self.assertGreater(msspd.status()["tenants"][0]["next_poll_ms"], 60000)
        done = msspd.ctl("poll", "t001")
        self.assertEqual((done.returncode, done.stderr), (EX_OK, ""))
        harness.wait_for("its alerts", 20, lambda: parked() == [])
        self.assertEqual(msspd.ctl("poll", "--all").returncode, EX_OK)
        self.assertIn("no tenant 'nobody'", msspd.ctl("poll", "nobody").stderr)

        for level, said in (("error", 0), ("info", 1)):
            self.assertEqual(msspd.ctl("log-level", level).returncode, EX_OK)
            self.assertEqual(msspd.ctl("backup", "x.db").returncode, EX_OK)
            self.assertEqual(self.run_.read(msspd.log).count("the journal was copied"), said)
        self.assertIn("one of error", msspd.ctl("log-level", "loud").stderr)

        refused = msspd.ctl("sink", "forget", "siem")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("is configured", refused.stderr)
        self.siem.kill()
        self.graph.ask("/_control/story", {"tenant": 1, "make": 20})
        backlog = lambda: {s["sink"]: s.get("backlog", 0) for s in msspd.status()["sinks"]}
        harness.wait_for("a backlog", 20, lambda: backlog()["siem"] >= 20)
        msspd.configure(harness.config(self.graph, harness.tenants(2), {"other": {
            "type": "file", "format": "cef", "path": self.run_.path("other")}}))
        self.assertEqual(msspd.ctl("reload").returncode, EX_OK)
        self.assertGreaterEqual(backlog()["siem"], 20)
        self.assertEqual(msspd.ctl("sink", "forget", "siem").returncode, EX_OK)
        harness.wait_for("its end", 20, lambda: "siem" not in backlog())
        self.assertIn("nothing is known", msspd.ctl("sink", "forget", "never").stderr)
        msspd.stop()

    def test_pause_and_resume(self):
        msspd = self.scene(tenants=2).start()
        tenant = lambda i: next(t for t in msspd.status()["tenants"] if t["tenant"] == "t%03d" % i)
        sink = lambda: msspd.status()["sinks"][0]
        harness.wait_for("all is read", 20, lambda: sink()["accepted"] == 20 and sink()["backlog"] == 0)
        self.assertEqual(msspd.ctl("pause", "tenant", "t001").returncode, EX_OK)
        self.assertEqual((tenant(1)["state"], tenant(2)["state"]), ("paused", "healthy"))
        self.assertIn("an operator paused it", tenant(1)["trouble"])
        self.assertIsNone(tenant(1)["next_poll_ms"])  # nor in a while: when it is resumed
        self.assertIn("msspctl resume tenant", tenant(1)["do"])
        words = msspd.ctl("status").stdout
        self.assertNotIn("tried again", words)
        self.assertNotIn("the disk", words)  # it is not the journal that is full
        time.sleep(1)
        for i in (1, 2):
            self.graph.ask("/_control/story", {"tenant": i, "make": 7})
        harness.wait_for("the other's", 20, lambda: sink()["accepted"] == 27)
        time.sleep(2)
        self.assertEqual(sink()["accepted"], 27)
        self.assertEqual(msspd.ctl("resume", "tenant", "t001").returncode, EX_OK)
        harness.wait_for("what came meanwhile", 20, lambda: sink()["accepted"] == 34)
        self.assertEqual(tenant(1)["state"], "healthy")

        self.assertEqual(msspd.ctl("pause", "sink", "siem").returncode, EX_OK)
        self.graph.ask("/_control/story", {"tenant": 1, "make": 5})
        harness.wait_for("they wait", 20, lambda: sink()["backlog"] == 5)
        self.assertEqual((sink()["link"], sink()["accepted"]), ("paused", 34))
        self.assertEqual(msspd.ctl("reload").returncode, EX_OK)  # changes nothing about it
        time.sleep(1)
        self.assertEqual(sink()["link"], "paused")
        self.assertEqual(msspd.ctl("resume", "sink", "siem").returncode, EX_OK)
        harness.wait_for("they go", 20, lambda: sink()["accepted"] == 39)
        for words in (("pause", "tenant", "nobody"), ("resume", "sink", "nothing")):
            self.assertIn("there is no", msspd.ctl(*words).stderr)
        self.assertEqual(msspd.ctl("pause", "tenant").returncode, EX_USAGE)
        msspd.stop()

    def test_reload(self):
        msspd = self.scene(tenants=2, graph_options=("--rate", 3)).start()
        self.mark_up()
        time.sleep(1)
        bad = self.config.replace('"poll_interval"', '"pol_interval"')
        msspd.configure(bad)
        msspd.hup()
        harness.wait_for("the bad file is refused", 20, lambda: "pol_interval" in msspd.status()["reload_error"])
        self.assertIn("stays in use", self.run_.read(msspd.log))
        refused = msspd.ctl("reload")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("pol_interval", refused.stderr)
        sinks = {"siem": dict(self.sink, hostname="fwd-{tenant}"), "spare": {"type": "file", "path":
                 self.run_.path("spare.cef"), "format": "cef"}}
        msspd.configure(harness.config(self.graph, harness.tenants(2), sinks))
        self.assertEqual(msspd.ctl("reload").returncode, 0)
        self.assertEqual(msspd.status()["reload_error"], "")
        time.sleep(2)
        self.graph.stop_story()
        self.assert_all_arrived(self.graph, msspd, self.siem)
        self.assertTrue(any(row["host"].startswith("fwd-") for row in self.siem.rows()))
        msspd.stop()

    def test_no_secret_in_any_log_at_any_level(self):
        faults = ["--fault", "1:401", "--fault", "2:badsecret", "--fault", "3:403", "--fault", "4:token-html",
                  "--fault", "5:redirect", "--fault", "6:foreign-nextlink", "--fault", "7:garbage",
                  "--fault", "8:echo", "--fault", "9:token-echo"]
        msspd = self.scene(tenants=9, graph_options=faults)
        msspd.start("-v")
        trouble = lambda: {t["tenant"]: t["trouble"] for t in msspd.status()["tenants"]}
        harness.wait_for("all are in trouble", 60, lambda: all(trouble().values()), 0.2)
        # In /proc as well: nothing secret is an argument.
        with open("/proc/%d/cmdline" % msspd.child.pid, "rb") as f:
            self.assertNotIn(harness.FakeGraph.SECRET.encode(), f.read())
        told = trouble()
        self.assertIn("502", told["t008"])
        self.assertIn("502", told["t009"])
        self.run_.write("told", json.dumps(told) + msspd.ctl("status").stdout)
        msspd.stop()
        self.assert_no_secret_in_logs(msspd.log, "told")
        self.assertIn("t002", self.run_.read(msspd.log))

    def test_secret_open_to_others_is_refused(self):
        msspd = self.scene()
        os.chmod(self.graph.secret_file, 0o644)
        done = msspd.call("-n")
        self.assertEqual(done.returncode, EX_CONFIG)
        self.assertIn(self.graph.secret_file, done.stderr)

    def test_second_secret_is_tried(self):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 3)
        self.siem = harness.SyslogNg(self.run_)
        old = self.run_.write("old-secret", "expired")
        text = harness.config(self.graph, harness.tenants(1), {"siem": syslog_sink(
            "tcp://127.0.0.1:%d" % self.siem.lf, confirm_after="1s")})
        text = text.replace(json.dumps(self.graph.secret_file), json.dumps([old, self.graph.secret_file]))
        msspd = harness.Msspd(self.run_, text)
        self.assertEqual(msspd.call("--once", "--timeout", "30s").returncode, EX_OK)
        self.assert_all_arrived(self.graph, msspd, self.siem)


class Example(unittest.TestCase):
    def test_the_example_configuration_is_right(self):
        run = harness.Run()
        self.addCleanup(run.close)
        os.mkdir(run.path("credentials"))
        with open(os.path.join(harness.ROOT, "conf/msspd.yaml"), encoding="utf-8") as f:
            text = f.read()
        for name in ("graph-secret",):
            run.write("credentials/" + name, "x")
        done = subprocess.run([os.path.join(harness.BIN, "msspd"), "-n", "-c",
                               os.path.join(harness.ROOT, "conf/msspd.yaml")], capture_output=True, text=True,
                              env=dict(os.environ, CREDENTIALS_DIRECTORY=run.path("credentials")), check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("#", text)


class Demo(unittest.TestCase):
    """What somebody who has just cloned sees first. Its ports are the first free ones: one at a time."""

    apart = "demo"

    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.run_.close)
        os.mkdir(self.run_.path("tmp"))

    @staticmethod
    def as_from_a_terminal():
        """Who is started in the background ignores Ctrl-C, and so would all that it starts."""
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        harness.die_with_parent()

    def start(self, **env):
        return subprocess.Popen(
            [os.path.join(harness.ROOT, "tools/demo.sh")], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True, preexec_fn=self.as_from_a_terminal,
            env=dict(os.environ, TMPDIR=self.run_.path("tmp"), **env))

    def check_nothing_is_left(self, demo):
        """Neither a process of its session nor a file."""
        left = subprocess.run(["ps", "-o", "args=", "-s", str(demo.pid)], capture_output=True, text=True, check=False)
        self.assertEqual(left.stdout, "")
        self.assertEqual(os.listdir(self.run_.path("tmp")), [])

    def test_it_ends_by_itself(self):
        demo = self.start(DEMO_SECONDS="8")
        said, _ = demo.communicate(timeout=120)
        self.assertEqual(demo.returncode, EX_OK, said)
        self.assertNotIn("\033", said)  # that is no terminal
        for customer in ("contoso", "fabrikam", "northwind"):
            self.assertRegex(said, r"(?m)^%s CEF:0\|Microsoft\|.* act=new " % customer)
        self.assertRegex(said, r"(?m)^\w+ CEF:0\|.* act=(?:updated|escalated|resolved|reopened) ")
        self.assertIn("3 tenants, 3 healthy", said)
        self.check_nothing_is_left(demo)

    def test_it_goes_on_until_ctrl_c(self):
        demo = self.start()
        for line in demo.stdout:
            if " CEF:0|" in line:
                break
        self.assertIsNone(demo.poll())
        os.killpg(demo.pid, signal.SIGINT)
        demo.communicate(timeout=60)
        self.assertEqual(demo.returncode, EX_OK)
        self.check_nothing_is_left(demo)


if __name__ == "__main__":
    unittest.main()
