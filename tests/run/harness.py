# SPDX-License-Identifier: Apache-2.0
"""What the runs of the real programs share: processes, ports, certificates, receivers.

Everything a run starts is ended by it (Run.close), in a temporary folder of its
own, on loopback and on free ports. Python's standard library only.
"""
import contextlib
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# Where the programs are: the plain build, or another variant's folder.
BIN = os.path.join(ROOT, os.environ.get("MSSPD_BIN", "build"))
RECEIVERS = os.path.join(ROOT, "build", "receivers")
SOAK = os.environ.get("MSSPD_SOAK") == "1"
# Sanitizers and valgrind are slow; what waits, waits that much longer.
SLOW = float(os.environ.get("MSSPD_SLOW", "1"))
# What a sanitizer or valgrind says when it has found something.
REPORT = re.compile(r"ERROR: AddressSanitizer|runtime error:|LeakSanitizer|WARNING: ThreadSanitizer"
                    r"|definitely lost: [1-9]|indirectly lost: [1-9]|Invalid (?:read|write|free)")


def refuse_reports(text, where):
    """Fails with the first report of a sanitizer in `text`."""
    found = REPORT.search(text)
    if found:
        start = text.rfind("\n", 0, found.start()) + 1
        raise AssertionError("a report in %s:\n%s" % (where, text[start:start + 6000]))


def is_sanitized():
    """Whether the programs are of a sanitizer's variant."""
    with open(os.path.join(BIN, "msspd"), "rb") as f:
        return re.search(rb"__[at]san_init", f.read()) is not None


LIBC = ctypes.CDLL(None)


def die_with_parent():
    """Also when the test itself is killed, nothing is left running (PR_SET_PDEATHSIG)."""
    LIBC.prctl(1, signal.SIGKILL)


def free_port(kind=socket.SOCK_STREAM):
    """Below those that the kernel gives to connections, so that none takes it before it is used."""
    while True:
        port = random.SystemRandom().randrange(10000, 32000)  # whatever a library seeded the other with
        with socket.socket(socket.AF_INET, kind) as s, contextlib.suppress(OSError):
            s.bind(("127.0.0.1", port))
            return port


def wait_for(what, seconds, check, interval=0.05):
    """Polls check() until it is true; fails with `what` after a generous while."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited %.0f s in vain: %s" % (seconds * SLOW, what))
        time.sleep(interval)


class Run:
    """One run: a temporary folder and the processes in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="msspd-run-", dir=os.environ.get("MSSPD_RUN_DIR", "/tmp"))
        self.children = []

    def path(self, *names):
        return os.path.join(self.dir, *names)

    def write(self, name, text, mode=0o600):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def start(self, argv, log=None, env=None, stdout=None):
        out = open(self.path(log), "ab") if log else subprocess.DEVNULL
        child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=out,
                                 env=env, start_new_session=True, preexec_fn=die_with_parent)
        if log:
            out.close()
        self.children.append(child)
        return child

    def read(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path(name), "r", encoding="utf-8", errors="replace") as f:
                return f.read()
        return ""

    def refuse_reports(self):
        """Fails when a program of this run was caught by its sanitizer."""
        for top, _, files in os.walk(self.dir):
            for name in files:
                if name == "log" or name.endswith(".log"):
                    path = os.path.relpath(os.path.join(top, name), self.dir)
                    refuse_reports(self.read(path), path)

    def end(self):
        for child in self.children:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    child.send_signal(signal.SIGCONT)
                    child.kill()
            child.wait()
            if child.stdout:
                child.stdout.close()

    def close(self, keep=False):
        self.end()
        if keep:
            print("kept for a look: %s" % self.dir, file=sys.stderr)
        else:
            shutil.rmtree(self.dir, ignore_errors=True)


class Pki:
    """A CA of our own with a server and a client certificate, and a stranger's."""

    def __init__(self, run):
        self.dir = run.path("pki")
        os.makedirs(self.dir, exist_ok=True)
        self._ca("ca")
        self._ca("stranger")
        self._leaf("server", "ca", "serverAuth", "DNS:localhost,IP:127.0.0.1")
        self._leaf("other", "ca", "serverAuth", "DNS:other.example")
        self._leaf("client", "ca", "clientAuth", "DNS:client.example")
        self._leaf("intruder", "stranger", "clientAuth", "DNS:client.example")

    def __call__(self, name):
        return os.path.join(self.dir, name)

    def _openssl(self, *args):
        subprocess.run(("openssl",) + args, cwd=self.dir, check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _ca(self, name):
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                      "-nodes", "-keyout", name + ".key", "-out", name + ".crt", "-days", "2",
                      "-subj", "/CN=test " + name, "-addext", "basicConstraints=critical,CA:TRUE",
                      "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def leaf(self, name, names):
        """One more server."""
        self._leaf(name, "ca", "serverAuth", names)

    def _leaf(self, name, ca, usage, names):
        with open(self(name + ".ext"), "w", encoding="ascii") as f:
            f.write("basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=%s\n"
                    % (usage, names))
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                      "-keyout", name + ".key", "-out", name + ".csr", "-subj", "/CN=" + name)
        self._openssl("x509", "-req", "-in", name + ".csr", "-CA", ca + ".crt", "-CAkey",
                      ca + ".key", "-CAcreateserial", "-days", "2", "-extfile", name + ".ext",
                      "-out", name + ".crt")
        os.chmod(self(name + ".key"), 0o600)


def _receiver_env():
    lib = os.path.join(RECEIVERS, "usr", "lib")
    places = [os.path.join(lib, "syslog-ng")]
    for base in (lib, os.path.join(RECEIVERS, "lib"), os.path.join(RECEIVERS, "usr", "lib64")):
        places += [base] + [os.path.join(base, d) for d in (os.listdir(base) if os.path.isdir(base)
                                                            else []) if d.endswith("-linux-gnu")]
    return dict(os.environ, LD_LIBRARY_PATH=":".join(places), LC_ALL="C.UTF-8")


def _find(suffix):
    for top, _, files in os.walk(os.path.join(RECEIVERS, "usr")):
        if suffix in files:
            return top
    raise AssertionError("%s is not below build/receivers: run 'make deps'" % suffix)


class Receiver:
    """A syslog receiver that writes what it understood as JSON lines to out.json."""

    def __init__(self, run, name, pki=None):
        self.run, self.name, self.pki = run, name, pki
        self.dir = run.path(name)
        os.makedirs(self.dir)
        self.out = os.path.join(self.dir, "out.json")
        self.child = None
        self._read, self._rows = 0, []

    def kill(self):
        self.child.kill()
        self.child.wait()

    def stop(self):
        self.child.terminate()
        self.child.wait()

    def freeze(self):
        self.child.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.child.send_signal(signal.SIGCONT)

    def rows(self):
        """All rows so far. A half-written last line (a kill) is not a row yet."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.out, "rb") as f:
                f.seek(self._read)
                data = f.read()
            end = data.rfind(b"\n") + 1
            self._read += end
            for line in data[:end].split(b"\n"):
                if line.strip(b"\0 "):
                    self._rows.append(self.parse(line))
        return self._rows

    def parse(self, line):
        try:
            return self.row(json.loads(line.decode("utf-8", "replace").strip("\0"), strict=False))
        except ValueError as e:
            # A row torn by the kill of the receiver itself, never by the sender.
            return {"torn": line, "why": str(e), "msg": ""}


SYSLOG_NG_CONF = """@version: 3.38
options { stats-freq(0); keep-hostname(yes); use-dns(no); log-msg-size(65536); flush-lines(1);
          time-reopen(1); frac-digits(6); };
source s_lf { network(ip(127.0.0.1) port(%(lf)d) transport(tcp) flags(syslog-protocol)
    max-connections(200)); };
source s_lf3164 { network(ip(127.0.0.1) port(%(lf3164)d) transport(tcp) max-connections(200)); };
source s_octet { syslog(ip(127.0.0.1) port(%(octet)d) transport(tcp) max-connections(200)); };
%(tls_source)s
source s_udp { syslog(ip(127.0.0.1) port(%(udp)d) transport(udp) so-rcvbuf(8388608)); };
source s_udp3164 { network(ip(127.0.0.1) port(%(udp3164)d) transport(udp) so-rcvbuf(8388608)); };
source s_unix { unix-dgram("%(dir)s/dgram" flags(expect-hostname)); };
destination d { file("%(dir)s/out.json" template("$(format-json --key HOST --key PROGRAM --key PID --key MSGID --key ISODATE --key MESSAGE --key MSGHDR --pair PRI=$PRI --pair SOURCE=$SOURCE --pair RECEIVED=$R_UNIXTIME)\\n")); };
log { source(s_lf); source(s_lf3164); source(s_octet); %(tls_log)s source(s_udp); source(s_udp3164); source(s_unix);
      destination(d); };
"""

SYSLOG_NG_TLS = """source s_tls { syslog(ip(127.0.0.1) port(%(tls)d) transport(tls) max-connections(200)
    tls(key-file("%(pki)s/server.key") cert-file("%(pki)s/server.crt") ca-file("%(pki)s/ca.crt")
        peer-verify(required-trusted))); };"""


class PortTaken(AssertionError):
    """Somebody took a port between its choice and its use."""


class SyslogNg(Receiver):
    def __init__(self, run, name="syslog-ng", pki=None):
        super().__init__(run, name, pki)
        self.unix = os.path.join(self.dir, "dgram")
        for _ in range(3):
            with contextlib.suppress(PortTaken):
                self.choose_ports()
                self.start()
                return
        raise PortTaken(self.run.read(self.name + "/log"))

    def choose_ports(self):
        self.lf, self.octet, self.tls = free_port(), free_port(), free_port()
        self.lf3164 = free_port()
        self.udp, self.udp3164 = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)

    def start(self):
        values = dict(dir=self.dir, lf=self.lf, lf3164=self.lf3164, octet=self.octet, udp=self.udp,
                      udp3164=self.udp3164, tls=self.tls, pki=self.pki.dir if self.pki else "")
        values["tls_source"] = SYSLOG_NG_TLS % values if self.pki else ""
        values["tls_log"] = "source(s_tls);" if self.pki else ""
        conf = self.run.write(self.name + "/syslog-ng.conf", SYSLOG_NG_CONF % values)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.unix)
        self.child = self.run.start(
            [os.path.join(RECEIVERS, "usr/sbin/syslog-ng"), "--foreground", "--no-caps", "--stderr",
             "--cfgfile=" + conf, "--persist-file=" + os.path.join(self.dir, "persist"),
             "--control=" + os.path.join(self.dir, "ctl"),
             "--pidfile=" + os.path.join(self.dir, "pid"),
             "--module-path=" + _find("libafsocket.so")],
            log=self.name + "/log", env=_receiver_env())
        wait_for("syslog-ng listens", 20, lambda: is_open(self.octet) or self.child.poll())
        if self.child.poll() is not None:
            log = self.run.read(self.name + "/log")
            raise (PortTaken if "Address already in use" in log else AssertionError)(log)

    @staticmethod
    def row(o):
        return {"host": o.get("HOST"), "app": o.get("PROGRAM"), "msgid": o.get("MSGID"),
                "pri": o.get("PRI"), "received": float(o.get("RECEIVED") or 0), "time": o.get("ISODATE"), "source": o.get("SOURCE"),
                "msg": o.get("MESSAGE", ""), "header": o.get("MSGHDR", "")}


RSYSLOG_CONF = """global(workDirectory="%(dir)s" net.enableDNS="off" maxMessageSize="64k"
       parser.escapeControlCharactersOnReceive="off" preserveFQDN="on"
       defaultNetstreamDriverCAFile="%(pki)s/ca.crt"
       defaultNetstreamDriverCertFile="%(pki)s/server.crt"
       defaultNetstreamDriverKeyFile="%(pki)s/server.key")
module(load="imptcp")
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="x509/certvalid")
module(load="imudp")
template(name="j" type="list" option.jsonf="on") {
  property(outname="pri" name="pri" format="jsonf")
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="source" name="inputname" format="jsonf")
  property(outname="msg" name="msg" format="jsonf") }
ruleset(name="r") { action(type="omfile" file="%(dir)s/out.json" template="j" asyncWriting="off" flushOnTXEnd="on") }
input(type="imptcp" address="127.0.0.1" port="%(tcp)d" name="tcp" ruleset="r")
input(type="imtcp" address="127.0.0.1" port="%(tls)d" name="tls" ruleset="r")
input(type="imudp" address="127.0.0.1" port="%(udp)d" name="udp" ruleset="r" rcvbufSize="8m")
"""


class Rsyslog(Receiver):
    """imptcp takes octet counting and LF on one port."""

    def __init__(self, run, name="rsyslog", pki=None):
        super().__init__(run, name, pki or Pki(run))
        self.tcp, self.tls = free_port(), free_port()
        self.lf = self.octet = self.tcp
        self.udp = free_port(socket.SOCK_DGRAM)
        self.start()

    def start(self):
        conf = self.run.write(self.name + "/rsyslog.conf", RSYSLOG_CONF % dict(
            dir=self.dir, pki=self.pki.dir, tcp=self.tcp, tls=self.tls, udp=self.udp))
        self.child = self.run.start(
            [os.path.join(RECEIVERS, "usr/sbin/rsyslogd"), "-n", "-C", "-f", conf, "-i",
             os.path.join(self.dir, "pid"), "-M", _find("imptcp.so")],
            log=self.name + "/log", env=_receiver_env())
        wait_for("rsyslog listens", 20,
                 lambda: (is_open(self.tcp) and is_open(self.tls)) or self.child.poll())
        assert self.child.poll() is None, self.run.read(self.name + "/log")

    @staticmethod
    def row(o):
        return {k: o.get(k, "") for k in ("host", "app", "msgid", "pri", "time", "source", "msg")}


def is_open(port):
    """Whether somebody listens, without connecting: receivers count connections."""
    want = "0100007F:%04X" % port
    with open("/proc/net/tcp", encoding="ascii") as f:
        return any(want == line.split()[1] and line.split()[3] == "0A" for line in f.readlines()[1:])


def unread(port):
    """How many bytes lie unread in each connection of whoever listens there."""
    with open("/proc/net/tcp", encoding="ascii") as f:
        lines = [line.split() for line in f.readlines()[1:]]
    return [int(line[4].split(":")[1], 16) for line in lines
            if line[1] == "0100007F:%04X" % port and line[3] == "01"]


class FakeGraph:
    """build/fake-graph, its truth and its control endpoint."""

    SECRET = "s3cr3t~with.odd-chars+"

    def __init__(self, run, *options, name="graph", listen=None, port=None):
        self.run, self.name = run, name
        self.truth_file = run.path(name + "-truth.jsonl")
        self.secret_file = run.write(name + "-secret", self.SECRET)
        self.port = port or free_port()
        self.listen = listen  # an address of another family
        self.options = options
        self.url = None
        self.start()

    def start(self):
        self.child = self.run.start(
            [os.path.join(BIN, "fake-graph"), "--listen", self.listen or "127.0.0.1:%d" % self.port, "--truth",
             self.truth_file, "--client-secret", self.SECRET] + [str(o) for o in self.options],
            log=self.name + ".log")
        scheme = "https" if "--tls-cert" in self.options else "http"
        self.url = "%s://%s" % (scheme, self.listen or "127.0.0.1:%d" % self.port)
        wait_for("fake-graph listens", 60, lambda: self.child.poll() or (is_open(self.port) if not self.listen else
                                               "listening on" in self.run.read(self.name + ".log")))
        assert self.child.poll() is None, self.run.read(self.name + ".log")

    @staticmethod
    def tenant_id(i):
        return "00000000-0000-4000-8000-%012d" % i

    def ask(self, path, body=None):
        import ssl
        import urllib.request
        context = ssl._create_unverified_context()  # our own server, on loopback
        data = None if body is None else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        with opener.open(urllib.request.Request(self.url + path, data=data), timeout=60) as reply:
            return reply.read().decode("utf-8", "replace")

    def fault(self, text):
        return self.ask("/_control/fault", {"add": text})

    def stop_story(self):
        return self.ask("/_control/story", {"stop": True})

    def requests(self):
        return json.loads(self.ask("/_control/requests"))


class Msspd:
    """build/msspd under a configuration, with a state_dir that outlives its kills."""

    def __init__(self, run, config, name="msspd", state=None):
        self.run, self.name, self.child = run, name, None
        self.state = state or run.path(name, "state")
        os.makedirs(self.state, exist_ok=True)
        self.socket = run.path(name, "control.sock")
        self.log = name + "/log"
        self.configure(config)

    def configure(self, config):
        head = "state_dir: %s\ncontrol_socket: %s\n" % (self.state, self.socket)
        self.file = self.run.write(self.name + "/msspd.yaml", head + config)

    def argv(self, *options):
        wrap = os.environ.get("MSSPD_WRAP", "").split()
        return wrap + [os.path.join(BIN, "msspd"), "-c", self.file] + list(options)

    def start(self, *options, wait=True):
        self.child = self.run.start(self.argv(*options), log=self.log)
        if wait:
            wait_for("msspd answers", 30, lambda: self.child.poll() is not None or self.is_up())
            assert self.child.poll() is None, self.run.read(self.log)[-4000:]
        return self

    def is_up(self):
        with contextlib.suppress(OSError):
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(5 * SLOW)
                s.connect(self.socket)
                return True
        return False

    def call(self, *options, timeout=120, env=None):
        """Runs it to its end: -n, --once and the like."""
        done = subprocess.run(self.argv(*options), stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=timeout * SLOW, env=dict(os.environ, **(env or {})), text=True,
                              errors="replace", check=False)
        refuse_reports(done.stderr, "msspd " + " ".join(options))
        return done

    def ctl(self, *options):
        done = subprocess.run([os.path.join(BIN, "msspctl"), "-s", self.socket] + list(options),
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60 * SLOW,
                              text=True, check=False)
        refuse_reports(done.stderr, "msspctl " + " ".join(options))
        return done

    def status(self):
        reply = self.ctl("status", "--json")
        assert reply.returncode == 0, reply.stderr
        return json.loads(reply.stdout)

    def kill(self):
        self.child.kill()
        self.child.wait()

    def hup(self):
        self.child.send_signal(signal.SIGHUP)

    def stop(self, seconds=30):
        """SIGTERM; returns how long it took and its exit code."""
        began = time.monotonic()
        self.child.terminate()
        try:
            code = self.child.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            raise AssertionError("msspd did not stop: " + self.run.read(self.log)[-2000:]) from None
        refuse_reports(self.run.read(self.log), self.log)
        return time.monotonic() - began, code

    def rss_kib(self):
        with open("/proc/%d/status" % self.child.pid, encoding="ascii") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

    def cpu_s(self):
        with open("/proc/%d/stat" % self.child.pid, encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def config(graph, tenants, sinks, /, apps=None, **defaults):
    """A configuration in JSON, which is YAML. sinks, tenants, apps: {name: {...}}."""
    first = dict(app="soc", poll_interval="1s", first_lookback="30d", sinks=sorted(sinks))
    first.update(defaults)
    sections = {
        "log_level": "info",
        "apps": apps or {"soc": app(graph)},
        "defaults": first, "tenants": tenants, "sinks": sinks}
    return "".join("%s: %s\n" % (key, json.dumps(value)) for key, value in sections.items())


def app(graph, **more):
    return dict({"cloud": "custom", "login_url": graph.url, "graph_url": graph.url,
                 "mde_url": graph.url + "/mde", "client_id": "6f0c8a5e-0000-4000-8000-000000000001",
                 "secret_file": graph.secret_file}, **more)


def tenants(n, **more):
    return {"t%03d" % i: dict(id=FakeGraph.tenant_id(i), **more) for i in range(1, n + 1)}


def rng(name):
    """Random, and the same again for a seed that is printed."""
    seed = os.environ.get("MSSPD_SEED", str(random.randrange(1 << 32)))
    print("%s: MSSPD_SEED=%s" % (name, seed), file=sys.stderr)
    return random.Random(seed)
