# SPDX-License-Identifier: Apache-2.0
"""Name servers that never answer, answer late or know nothing: whoever needs them waits, everybody else is polled and
served on time."""
import collections
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import harness
from scene import Scene, syslog_sink
from test_tenants import lateness_ms, p99

INSIDE = "MSSPD_DEAD_DNS"
# A question hangs for 30 s, longer than this run.
RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n"
SIOCSIFFLAGS, IFF_UP = 0x8914, 0x1


def way_in():
    """Leads into a network and a /etc of our own: as root, else where the kernel lets users; None: no way."""
    for more in ([], ["--user", "--map-root-user"]):
        command = ["unshare", "--net", "--mount"] + more
        done = subprocess.run(command + ["mount", "--bind", "/etc", "/etc"], stdin=subprocess.DEVNULL,
                              capture_output=True, check=False)
        if done.returncode == 0:
            return command
    return None


class NameServer:
    """Takes every question, in a network that ends with this process. reply(name) says after how many seconds it answers,
    and whether there is such a name (then it is 127.0.0.1); None: never."""

    def __init__(self, run, reply=lambda name: None):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        for name, text in (("resolv.conf", RESOLV_CONF), ("nsswitch.conf", "hosts: files dns\n")):
            if os.path.exists("/etc/" + name):
                subprocess.run(["mount", "--bind", run.write(name, text, 0o644), "/etc/" + name], check=True)
        self.asked, self.reply = collections.Counter(), reply
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            question, who = self.socket.recvfrom(2048)
            end = question.index(b"\0", 12)
            name, at = [], 12
            while at < end:
                name.append(question[at + 1:at + 1 + question[at]].decode())
                at += 1 + question[at]
            name = ".".join(name)
            self.asked[name] += 1
            reply = self.reply(name)
            if reply is not None:
                answer = self.answer(question[:2], question[12:end + 5], reply[1])
                timer = threading.Timer(reply[0], self.socket.sendto, (answer, who))
                timer.daemon = True
                timer.start()

    @staticmethod
    def answer(number, question, is_known):
        """RFC 1035, section 4. A name has an address of type A, and no other."""
        has_address = is_known and question[-4:] == b"\0\1\0\1"
        head = struct.pack(">HHHHH", 0x8180 if is_known else 0x8183, 1, has_address, 0, 0)
        record = struct.pack(">HHHIH4s", 0xc00c, 1, 1, 1, 4, socket.inet_aton("127.0.0.1")) if has_address else b""
        return number + head + question + record


class OwnNetwork(Scene):
    """A test is a stage_NAME; it plays in a network and a /etc of its own."""

    alone = True
    first_bad, healthy = 12, 12  # tenants: those with trouble, then those without

    def play(self, name):
        if INSIDE in os.environ:
            getattr(self, "stage_" + name)()
            return
        way = way_in()
        if way is None:
            self.skipTest("no network of our own on this machine")
        argv = [sys.executable, os.path.abspath(__file__), self.id().split(".", 1)[1]]
        done = subprocess.run(way + argv, stdin=subprocess.DEVNULL, env=dict(os.environ, **{INSIDE: "1"}),
                              capture_output=True, text=True, check=False)
        print(done.stderr if done.returncode else done.stderr.split("\n", 1)[0], file=sys.stderr)
        self.assertEqual(done.returncode, 0)

    def tenants(self, app_of):
        everybody = harness.tenants(self.first_bad + self.healthy)
        return {name: dict(t, app=app_of(int(name[1:]))) for name, t in everybody.items()}

    def is_healthy(self, i):
        return i > self.first_bad

    def assert_on_time(self, graph, since, seconds):
        """The healthy ones were polled each second, since then."""
        late = lateness_ms(graph.requests(), 1000, set(filter(self.is_healthy, range(1, 1 + self.first_bad + self.healthy))),
                           since)
        self.assertGreater(len(late), (seconds - 2) * self.healthy)
        self.assertLess(p99(late), 500 * harness.SLOW)
        return "%d polls beside %d tenants that wait: p99 %d ms late" % (len(late), self.first_bad, p99(late))

    def states(self, msspd):
        return {int(t["tenant"][1:]): t for t in msspd.status()["tenants"]}

    def assert_stops_at_once(self, msspd):
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 1.2 * harness.SLOW)
        return "; stopped in %.2f s" % took


class DeadDns(OwnNetwork):
    def test_a_hanging_resolver_stops_nobody_else(self):
        self.play("hangs")

    def configuration(self, graph, siem):
        hangs = dict(login_url="https://login.hangs.example", graph_url="https://graph.hangs.example")
        apps = {"soc": harness.app(graph), "nologin": harness.app(graph, **hangs),
                "nograph": harness.app(graph, graph_url=hangs["graph_url"])}
        tenants = self.tenants(lambda i: "soc" if self.is_healthy(i) else ("nologin", "nograph")[i % 2])
        sinks = {"siem": syslog_sink("tcp://localhost:%d" % siem.lf, confirm_after="1s")}
        for i in range(3):
            sinks["far%d" % i] = syslog_sink("tls://siem%d.hangs.example" % i)
        return harness.config(graph, tenants, sinks, apps=apps)

    def stage_hangs(self):
        server = NameServer(self.run_)
        graph = harness.FakeGraph(self.run_, "--tenants", self.first_bad + self.healthy, "--alerts", 5, "--rate", 1)
        siem = harness.SyslogNg(self.run_)
        msspd = harness.Msspd(self.run_, self.configuration(graph, siem)).start()
        since = time.monotonic() * 1000
        time.sleep(4)
        # The SIEM is looked up again, behind names that hang.
        siem.kill()
        siem.start()
        before = len(siem.rows())
        harness.wait_for("the SIEM is found again", 8, lambda: len(siem.rows()) > before)
        time.sleep(4)
        said = self.assert_on_time(graph, since, 8)
        self.assertEqual({t["state"] for i, t in self.states(msspd).items() if self.is_healthy(i)}, {"healthy"})
        print(said + self.assert_stops_at_once(msspd), file=sys.stderr)
        for name in ("login", "graph", "siem0"):
            self.assertGreater(server.asked[name + ".hangs.example"], 0)


class SlowDns(OwnNetwork):
    """Every name takes a while, and some are not known until they are."""

    delay_s, unknown = 1.5, range(9, 13)

    def test_late_answers_and_none_stop_nobody_else(self):
        self.play("late")

    def stage_late(self):
        known = set()
        server = NameServer(self.run_, lambda name: (self.delay_s, "gone" not in name or name in known))
        pki = harness.Pki(self.run_)
        pki.leaf("far", "DNS:login.far.example,DNS:graph.far.example,DNS:graph.gone.example")
        graph = harness.FakeGraph(self.run_, "--tenants", self.first_bad + self.healthy, "--alerts", 5, "--rate", 1)
        far = harness.FakeGraph(self.run_, "--tenants", self.first_bad, "--alerts", 5, "--tls-cert", pki("far.crt"),
                                "--tls-key", pki("far.key"), name="far")
        siem = harness.SyslogNg(self.run_)
        msspd = harness.Msspd(self.run_, self.configuration(graph, far, siem, pki)).start()
        since = time.monotonic() * 1000
        arrived = lambda i: sum(harness.FakeGraph.tenant_id(i) in row["msg"] for row in siem.rows())
        slow = [i for i in range(1, self.first_bad + 1) if i not in self.unknown]
        harness.wait_for("alerts from afar, to afar", 30, lambda: all(arrived(i) >= 5 for i in slow))
        harness.wait_for("it is said who is not known", 10, lambda: {
            self.states(msspd)[i]["state"] for i in self.unknown} == {"unreachable"})
        for i in self.unknown:
            self.assertIn("graph.gone.example", self.states(msspd)[i]["trouble"])
        self.assertEqual({t["state"] for i, t in self.states(msspd).items() if i not in self.unknown}, {"healthy"})
        time.sleep(max(0, 8 - (time.monotonic() - since / 1000)))
        said = self.assert_on_time(graph, since, 8)
        known.add("graph.gone.example")
        harness.wait_for("who is known now is read", 60, lambda: all(arrived(i) >= 5 for i in self.unknown))
        print(said + self.assert_stops_at_once(msspd), file=sys.stderr)
        for name in ("login.far.example", "graph.far.example", "graph.gone.example", "siem.far.example"):
            self.assertGreater(server.asked[name], 0)

    def configuration(self, graph, far, siem, pki):
        url = lambda host: "https://%s:%d" % (host, far.port)
        slow = harness.app(graph, login_url=url("login.far.example"), graph_url=url("graph.far.example"),
                           ca_file=pki("ca.crt"))
        apps = {"soc": harness.app(graph), "slow": slow, "gone": dict(slow, graph_url=url("graph.gone.example"))}
        tenants = self.tenants(lambda i: "soc" if self.is_healthy(i) else "gone" if i in self.unknown else "slow")
        sinks = {"siem": syslog_sink("tcp://siem.far.example:%d" % siem.lf, confirm_after="1s")}
        return harness.config(graph, tenants, sinks, apps=apps)


if __name__ == "__main__":
    unittest.main()
