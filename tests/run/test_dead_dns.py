"""Name servers that never answer: whoever needs them waits, everybody else is polled and served on time."""
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
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


class DeadNameServer:
    """Takes every question, in a network that ends with this process."""

    def __init__(self, run):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        for name, text in (("resolv.conf", RESOLV_CONF), ("nsswitch.conf", "hosts: files dns\n")):
            if os.path.exists("/etc/" + name):
                subprocess.run(["mount", "--bind", run.write(name, text, 0o644), "/etc/" + name], check=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))
        self.socket.setblocking(False)

    def questions(self):
        seen = []
        while True:
            try:
                seen.append(self.socket.recv(2048))
            except BlockingIOError:
                return seen


class DeadDns(Scene):
    alone = True
    hanging, healthy = 12, 12

    def test_a_hanging_resolver_stops_nobody_else(self):
        if INSIDE in os.environ:
            self.stage()
            return
        way = way_in()
        if way is None:
            self.skipTest("no network of our own on this machine")
        done = subprocess.run(way + [sys.executable, os.path.abspath(__file__)], stdin=subprocess.DEVNULL,
                              env=dict(os.environ, **{INSIDE: "1"}), capture_output=True, text=True, check=False)
        print(done.stderr if done.returncode else done.stderr.split("\n", 1)[0], file=sys.stderr)
        self.assertEqual(done.returncode, 0)

    def configuration(self, graph, siem):
        hangs = dict(login_url="https://login.hangs.example", graph_url="https://graph.hangs.example")
        apps = {"soc": harness.app(graph), "nologin": harness.app(graph, **hangs),
                "nograph": harness.app(graph, graph_url=hangs["graph_url"])}
        tenants = {}
        for name, t in harness.tenants(self.hanging + self.healthy).items():
            i = int(name[1:])
            app = "soc" if i > self.hanging else ("nologin", "nograph")[i % 2]
            tenants[name] = dict(t, app=app)
        sinks = {"siem": syslog_sink("tcp://localhost:%d" % siem.lf, confirm_after="1s")}
        for i in range(3):
            sinks["far%d" % i] = syslog_sink("tls://siem%d.hangs.example" % i)
        return harness.config(graph, tenants, sinks, apps=apps)

    def stage(self):
        server = DeadNameServer(self.run_)
        self.addCleanup(server.socket.close)
        graph = harness.FakeGraph(self.run_, "--tenants", self.hanging + self.healthy, "--alerts", 5, "--rate", 1)
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
        requests = json.loads(graph.ask("/_control/requests"))
        states = {t["tenant"]: t["state"] for t in msspd.status()["tenants"]}
        took, code = msspd.stop()
        late = lateness_ms(requests, 1000, set(range(self.hanging + 1, self.hanging + self.healthy + 1)), since)
        asked = b"".join(server.questions())
        print("%d polls beside %d tenants that hang: p99 %d ms late; stopped in %.2f s" % (
            len(late), self.hanging, p99(late), took), file=sys.stderr)
        for name in (b"login", b"graph", b"siem0"):
            self.assertIn(b"%c%s\x05hangs\x07example" % (len(name), name), asked)
        self.assertGreater(len(late), 6 * self.healthy)
        self.assertLess(p99(late), 500 * harness.SLOW)
        self.assertEqual({s for t, s in states.items() if int(t[1:]) > self.hanging}, {"healthy"})
        self.assertEqual(code, 0)
        self.assertLess(took, 1.2 * harness.SLOW)


if __name__ == "__main__":
    unittest.main()
