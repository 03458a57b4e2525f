# SPDX-License-Identifier: Apache-2.0
"""msspctl by itself: what it refuses before it asks anybody, and how it bears a daemon that takes its time."""
import json
import os
import re
import signal
import socketserver
import subprocess
import threading
import unittest

import harness

EX_USAGE, EX_DATAERR = 64, 65


class Slow(socketserver.ThreadingUnixStreamServer):
    """A control socket: its answers by verb; one that is "held" comes when it is let go."""
    daemon_threads = True

    class RequestHandlerClass(socketserver.StreamRequestHandler):
        def handle(self):
            for line in self.rfile:
                request = json.loads(line)
                verb = request["verb"]
                self.server.requests.append(request)
                if verb == self.server.held:
                    self.server.asked.set()
                    self.server.go.wait(60)
                answer = {"ok": True, "result": self.server.answer(verb)}
                if "typo" in request.values():
                    answer = {"ok": False, "error": "there is none of that name"}
                self.wfile.write(json.dumps(answer).encode() + b"\n")

    def __init__(self, path, answers, held=None):
        super().__init__(path, self.RequestHandlerClass)
        self.answers, self.held, self.requests = answers, held, []
        self.asked, self.go = threading.Event(), threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def answer(self, verb):
        """Of several, one after the other; the last again and again."""
        answer = self.answers[verb]
        if isinstance(answer, list):
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        return answer


class Ctl(unittest.TestCase):
    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.run_.close)
        self.socket = self.run_.path("control.sock")

    def start(self, *words):
        return subprocess.Popen([os.path.join(harness.BIN, "msspctl"), "-s", self.socket, *words], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ctl(self, *words):
        child = self.start(*words)
        out, err = child.communicate(timeout=60 * harness.SLOW)
        return child.returncode, out, err

    def test_replays_stand_below_each_other_in_every_state(self):
        one = {"number": 1, "tenant": "contoso", "stream": "alerts", "from": "2026-11-22T20:10:00Z", "to": "2026-11-23T08:20:00Z",
               "why": "gap", "sink": "siem", "percent": 0, "read": 0, "delivered": 0}
        states = ("waiting", "reading", "sink parked", "from the journal", "done", "cancelled")
        Slow(self.socket, {"replays": {"replays": [dict(one, state=s) for s in states]}})
        lines = self.ctl("replays")[1].splitlines()
        self.assertEqual([s in line for s, line in zip(states, lines)], [True] * len(states))
        self.assertEqual(len({line.index("contoso/alerts") for line in lines}), 1, lines)

    def test_an_option_without_effect_is_refused(self):
        for words in (("resend", "--sink", "siem", "--from", "1h", "--detach"),
                      ("resend", "--sink", "siem", "--from", "1h", "--to", "1m"),
                      ("dead", "show", "1", "--raw", "--json"),
                      ("status", "--yes"), ("backup", "x", "--json")):
            with self.subTest(words):
                code, out, err = self.ctl(*words)
                self.assertEqual((code, out), (EX_USAGE, ""), err)

    def test_what_is_not_understood_is_told_what_would_be(self):
        for words, want in (("statsu", "there is no command 'statsu'; did you mean status?"),
                            ("xyzzy", "there is no command 'xyzzy'\n"),
                            ("pause", "pause what? pause tenant NAME..., or pause sink NAME..."),
                            ("resume lake", "resume what? resume tenant NAME..., or resume sink NAME..."),
                            ("pause sink", "or pause sink NAME..."), ("sink", "name a sink; msspctl sinks lists them"),
                            ("log-level", "error, warn, info or debug"), ("backup", "name the file"),
                            ("status x", "status takes no name: 'x'"),
                            ("reload --all --json", "reload takes no --all"),
                            ("poll", "name tenants, or say --all"),
                            ("check-tenant", "name tenants or customers, or say --all")):
            with self.subTest(words):
                code, out, err = self.ctl(*words.split())
                self.assertEqual((code, out), (EX_USAGE, ""))
                self.assertIn(want, err)

    def test_what_can_be_done_to_one_wants_its_name(self):
        with Slow(self.socket, {"status": {"tenants": [], "sinks": []}}):
            for words, want in (("tenant purge", "purge which tenant? tenant purge NAME"),
                                ("sink forget", "forget which sink? sink forget NAME")):
                with self.subTest(words):
                    code, out, err = self.ctl(*words.split())
                    self.assertEqual((code, out), (EX_USAGE, ""))
                    self.assertIn(want, err)

    def test_a_name_that_there_is_not_keeps_no_other_from_its_turn(self):
        answers = {"pause": {}, "poll": {"streams": 1}, "held-cancel": {"look": 1},
                   "held-result": {"ready": True, "cancelled": 1}}
        for words in (("pause", "tenant"), ("poll",), ("held-cancel",)):
            with self.subTest(words), Slow(self.socket, answers) as server:
                code, out, err = self.ctl(*words, "one", "typo", "two")
                server.shutdown()
                asked = [n for r in server.requests for n in r.values() if n in ("one", "typo", "two")]
                self.assertEqual((asked, code), (["one", "typo", "two"], 1), out + err)
            os.unlink(self.socket)

    def test_a_letter_that_there_is_not_is_said(self):
        answers = {"dead-retry": {"errand": 1}, "errand": {"ready": True, "done": 0, "passed": 0}}
        with Slow(self.socket, answers):
            code, out, err = self.ctl("dead", "retry", "99")
            self.assertEqual((code, err), (EX_DATAERR, ""))
            self.assertIn("there is no such one", out)

    def test_numbers_are_looked_at_before_anything_is_done(self):
        answers = {"dead-drop": {"errand": 1}, "errand": {"ready": True, "done": 1}, "replay-cancel": {}}
        for words in (("dead", "drop"), ("replay-cancel",)):
            with self.subTest(words), Slow(self.socket, answers) as server:
                code, out, err = self.ctl(*words, "7", "8x")
                server.shutdown()
                self.assertEqual((server.requests, code), ([], EX_USAGE), out + err)
            os.unlink(self.socket)

    def test_an_answer_that_comes_later_is_asked_for_until_it_is_there(self):
        """By the number that was given, of whatever kind."""
        done = {"ready": True, "done": 9, "held": [], "letters": [], "cancelled": 3, "result": "accepted"}
        for words, verb, key, then in (("dead", "dead", "errand", "errand"),
                                       ("dead drop 7", "dead-drop", "errand", "errand"),
                                       ("held", "held", "look", "held-result"),
                                       ("held-cancel a:b:c", "held-cancel", "look", "held-result"),
                                       ("test-sink siem", "test-sink", "test", "test-sink-result")):
            answers = {verb: {key: 41}, then: [{"ready": False}] * 4 + [done]}
            with self.subTest(words), Slow(self.socket, answers) as server:
                code, out, err = self.ctl(*words.split())
                server.shutdown()
                self.assertEqual((code, err), (0, ""), out)
                self.assertEqual(server.requests[1:], [{"verb": then, key: 41}] * 5)
            os.unlink(self.socket)

    def test_an_answer_that_is_late_is_not_waited_for(self):
        """A test's: five seconds after the time that it was given."""
        answers = {"test-sink": {"test": 1}, "test-sink-result": {"ready": False}}
        with Slow(self.socket, answers) as server:
            self.addCleanup(server.shutdown)
            code, out, err = self.ctl("test-sink", "--timeout", "1ms", "siem")
        self.assertEqual((code, out, err), (75, "", "msspctl: msspd does not say what became of the test\n"))

    def test_what_is_no_utf_8_is_not_left_out(self):
        """It cannot be asked for; without it more would be meant: every tenant's dead letters of that sink."""
        begun, done = {"errand": 1}, {"ready": True, "done": 9, "letters": [], "held": []}
        answers = {"dead-drop": begun, "dead": begun, "errand": done, "replay": {"numbers": []}, "poll": {"streams": 9},
                   "held": {"look": 1}, "held-result": done, "report": {"report": 1, "from": "", "to": ""}}
        for words in (("dead", "drop", "--sink", "siem", "--tenant", b"M\xfcller"), ("dead", "--sink", b"M\xfcller"),
                      ("replay", "--tenant", "t", "--from", "1h", "--detach", "--sink", b"M\xfcller"),
                      ("replay", "--tenant", "t", "--from", "1h", "--detach", "--to", b"1\xb5s"),
                      ("poll", b"M\xfcller"), ("held", b"M\xfcller"), ("report", "--customer", b"M\xfcller")):
            with self.subTest(words), Slow(self.socket, answers) as server:
                code, out, err = self.ctl(*words)
                server.shutdown()
                self.assertEqual((server.requests, code, out), ([], EX_USAGE, ""), err)
                self.assertRegex(err, r"'(M\\xfcller|1\\xb5s)' is no UTF-8")
            os.unlink(self.socket)

    def test_what_a_receiver_says_moves_no_cursor(self):
        said = "550 \x1b]0;evil\x07\x1b[2Jall is well \u202egnihton\n"
        answers = {"test-sink": {"test": 1}, "test-sink-result": {
            "ready": True, "sink": "siem", "result": "rejected", "accepted": False, "acknowledged": False, "means": said,
            "why": said, "do": "", "link": "up", "event_id": "x\x1b[2J", "to": said, "waited_ms": 0, "took_ms": 3}}
        with Slow(self.socket, answers) as server:
            self.addCleanup(server.shutdown)
            code, out, err = self.ctl("test-sink", "siem")
        self.assertEqual((code, err), (76, ""))
        self.assertNotRegex(out.replace("\n", ""), "[\x00-\x1f\x7f-\x9f\u202a-\u202e]")
        self.assertIn("  why:      550 \\x1b]0;evil\\x07\\x1b[2Jall is well \\u{202e}gnihton", out)

    def test_ctrl_c_while_an_answer_is_awaited_leaves_a_replay_running(self):
        replay = {"number": 1, "state": "reading", "tenant": "t", "stream": "alerts", "percent": 3}
        with Slow(self.socket, {"replay": {"numbers": [1]}, "replays": {"replays": [replay]}}, "replays") as server:
            self.addCleanup(server.shutdown)
            child = self.start("replay", "--tenant", "t", "--from", "1h")
            self.assertTrue(server.asked.wait(60))
            child.send_signal(signal.SIGINT)
            with self.assertRaises(subprocess.TimeoutExpired):
                child.wait(0.5)  # the answer is still awaited, not given up
            server.go.set()
            out, err = child.communicate(timeout=60)
            self.assertEqual((child.returncode, err), (0, ""), out)
            self.assertIn("it goes on without you", out)


class Completion(unittest.TestCase):
    """What bash offers behind the words of a command line, the last of which has begun."""
    STATUS = {"tenants": [{"tenant": "contoso-eu", "customer": "contoso"}], "sinks": [{"sink": "siem"}, {"sink": "$(touch pwned)"}]}

    def setUp(self):
        self.run_ = harness.Run()
        self.addCleanup(self.run_.close)
        self.run_.write("status", json.dumps(self.STATUS, indent=2))
        self.run_.write("bin/msspctl", '#!/bin/sh\necho "$*" >> %s\n[ "$1" = --help ] && exec %s/msspctl --help\ncat %s\n' % (
            self.run_.path("asked"), os.path.abspath(harness.BIN), self.run_.path("status")), 0o755)

    def offered(self, *words):
        done = subprocess.run(
            ["bash", "-c", "source %s/packaging/completion/msspctl; COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _msspctl;"
             " printf '%%s\\n' \"${COMPREPLY[@]}\"" % harness.ROOT, "bash", "msspctl", *words], cwd=self.run_.dir, text=True,
            capture_output=True, check=True, env=dict(os.environ, PATH=self.run_.path("bin") + ":" + os.environ["PATH"]))
        self.assertEqual(done.stderr, "")
        return set(done.stdout.split())

    def test_every_command_that_the_manual_has(self):
        with open(os.path.join(harness.ROOT, "docs/man/msspctl.8"), encoding="utf-8") as f:
            self.assertEqual(self.offered(""), set(re.findall(r"(?m)^\.It Cm ([a-z-]+)", f.read())))

    def test_words(self):
        for words, want in ((("sta", ), {"status"}), (("dead", ""), {"show", "retry", "drop"}), (("quarantine", ""), {"show"}),
                            (("pause", ""), {"tenant", "sink"}), (("resume", ""), {"tenant", "sink"}),
                            (("pause", "tenant", ""), {"contoso-eu"}), (("pause", "sink", ""), {"siem"}),
                            (("pause", "sink", "siem", ""), {"siem"}), (("dead", "show", ""), set()),
                            (("tenant", ""), {"purge", "contoso-eu"}), (("sink", ""), {"forget", "siem"}),
                            (("sink", "forget", ""), {"siem"}), (("test-sink", "s"), {"siem"}), (("held", ""), {"siem"}),
                            (("log-level", ""), {"error", "warn", "info", "debug"}), (("poll", ""), {"contoso-eu"}),
                            (("onboard", "c"), {"contoso-eu", "contoso"}), (("check-tenant", "--js"), {"--json"}),
                            (("replay", "--tenant", ""), {"contoso-eu"}), (("resend", "--sink", "s"), {"siem"})):
            with self.subTest(words):
                self.assertEqual(self.offered(*words), want)
        self.assertFalse(os.path.exists(self.run_.path("pwned")))

    def test_behind_another_socket(self):
        self.assertEqual(self.offered("-s", "/run/other.sock", "dead", ""), {"show", "retry", "drop"})
        self.assertEqual(self.offered("-s", "/run/other.sock", "sink", "s"), {"siem"})
        self.assertIn("-s /run/other.sock status --json", self.run_.read("asked").splitlines())
        self.assertEqual(self.offered("--json", "held", ""), {"siem"})


if __name__ == "__main__":
    unittest.main()
