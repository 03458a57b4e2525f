# SPDX-License-Identifier: Apache-2.0
"""A real postfix for tests, out of build/postfix (tools/deps.sh postfix): STARTTLS, AUTH, a verdict for each recipient.

It is not installed and knows nothing of the system's own: its queue, its configuration and the mails that it takes
are in a folder that goes with the test. Its daemons become other users, so whoever starts it is root. Passwords are
judged by a thread here, in Dovecot's protocol, which postfix speaks.
"""
import base64
import contextlib
import email
import email.policy
import glob
import os
import pwd
import shutil
import signal
import socket
import tempfile
import threading

import harness
from mailbox import MailServer

ROOT = os.path.join(harness.ROOT, "build/postfix")
OWNER, GROUP, TAKER = "daemon", "mail", "nobody"
QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace pid public maildrop".split()
MAIN = """\
compatibility_level = 3.6
queue_directory = {dir}/spool
data_directory = {dir}/data
command_directory = {root}/usr/sbin
daemon_directory = {daemons}
shlib_directory = {libraries}
mail_owner = {owner}
setgid_group = {group}
default_privs = {taker}
import_environment = LD_LIBRARY_PATH={path} MAIL_CONFIG={dir}/conf
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 5s
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
myhostname = mx.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
virtual_mailbox_domains = x.example
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{uid}
smtpd_tls_security_level = encrypt
smtpd_tls_auth_only = yes
smtpd_tls_cert_file = {dir}/server.crt
smtpd_tls_key_file = {dir}/server.key
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = private/auth
smtpd_client_restrictions =
smtpd_recipient_restrictions = check_recipient_access inline:{{ {verdicts} }}, permit_sasl_authenticated, reject
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup    unix       n - n -     0 cleanup
qmgr       unix       n - n 300   1 qmgr
tlsmgr     unix       - - n 1000? 1 tlsmgr
rewrite    unix       - - n -     - trivial-rewrite
bounce     unix       - - n -     0 bounce
defer      unix       - - n -     0 bounce
trace      unix       - - n -     0 bounce
proxymap   unix       - - n -     - proxymap
error      unix       - - n -     - error
retry      unix       - - n -     - error
discard    unix       - - n -     - discard
virtual    unix       - n n -     - virtual
anvil      unix       - - n -     1 anvil
postlog    unix-dgram n - n -     1 postlogd
"""


def daemons():
    """The folder that master is in; None where there is no postfix."""
    found = [d for d in ("usr/lib/postfix/sbin", "usr/libexec/postfix") if os.path.exists(os.path.join(ROOT, d, "master"))]
    return os.path.join(ROOT, found[0]) if found else None


class Taken:
    """A mail in the Maildir."""

    def __init__(self, path):
        with open(path, "rb") as f:
            self.message = email.message_from_bytes(f.read(), policy=email.policy.default)
        self.to = self.message["Delivered-To"]

    def __getitem__(self, header):
        return self.message[header]


class Postfix:
    USER, PASSWORD = MailServer.USER, MailServer.PASSWORD

    def __init__(self, run, pki, verdicts=()):
        self.run, self.pki, self.verdicts = run, pki, dict(verdicts)
        self.port, self.child = harness.free_port(), None
        self.password_file = run.write("postfix.password", self.PASSWORD)
        self.dir = tempfile.mkdtemp(prefix="msspd-postfix-")  # where its users can go
        os.chmod(self.dir, 0o755)
        self.make_folders()
        self.configure()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path("spool/private/auth"))
        os.chmod(self.path("spool/private/auth"), 0o666)
        self.listener.listen()
        threading.Thread(target=self.judge_all, daemon=True).start()
        self.start()

    def path(self, name):
        return os.path.join(self.dir, name)

    def make_folders(self):
        for name in ["conf", "data", "mail", "spool"] + ["spool/" + queue for queue in QUEUES]:
            os.makedirs(self.path(name))
            if name not in ("conf", "spool", "spool/pid"):
                shutil.chown(self.path(name), TAKER if name == "mail" else OWNER, GROUP)
        for name in ("server.crt", "server.key"):
            shutil.copy(self.pki(name), self.path(name))
        os.chmod(self.path("server.key"), 0o600)

    def configure(self):
        libraries = os.path.join(ROOT, "usr/lib/postfix" if daemons().endswith("sbin") else "usr/lib64/postfix")
        more = glob.glob(os.path.join(ROOT, "usr/lib/*-linux-gnu")) + [os.path.join(ROOT, "usr/lib64")]
        self.library_path = ":".join([libraries] + more)
        said = " ".join("{ %s@x.example = %s }" % pair for pair in self.verdicts.items()) or "{ nobody@nowhere.example = 550 }"
        values = dict(dir=self.dir, root=ROOT, daemons=daemons(), libraries=libraries, path=self.library_path, owner=OWNER,
                      group=GROUP, taker=TAKER, uid=pwd.getpwnam(TAKER).pw_uid, verdicts=said, port=self.port)
        for name, text in (("main.cf", MAIN), ("master.cf", MASTER)):
            with open(self.path("conf/" + name), "w", encoding="utf-8") as f:
                f.write(text.format(**values))

    def start(self):
        environment = dict(os.environ, LD_LIBRARY_PATH=self.library_path, MAIL_CONFIG=self.path("conf"))
        self.child = self.run.start([os.path.join(daemons(), "master"), "-c", self.path("conf"), "-d"],
                                    log="postfix.out", env=environment)
        harness.wait_for("postfix listens", 30, lambda: self.child.poll() is not None or harness.is_open(self.port))
        assert self.child.poll() is None, self.run.read("postfix.out") + self.log()

    def kill(self):
        """All of it, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()

    def say(self, **verdicts):
        """Other verdicts; started anew, as a connection that is there has those that it began with."""
        self.verdicts = verdicts
        self.configure()
        self.kill()
        self.start()

    def close(self):
        self.kill()
        self.listener.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sink(self, rules, **more):
        return dict({"type": "smtp", "server": "smtp://localhost:%d" % self.port, "limit": "none", "rules": rules,
                     "from": "Defender alerts <alerts@soc.example>", "tls": {"ca_file": self.pki("ca.crt")},
                     "username": self.USER, "password_file": self.password_file}, **more)

    def mails(self):
        return [Taken(path) for path in glob.glob(self.path("mail/all/new/*"))]

    def count(self):
        return len(glob.glob(self.path("mail/all/new/*")))

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.path("maillog"), encoding="utf-8", errors="replace") as f:
                return f.read()
        return ""

    # ---- Dovecot's protocol -----------------------------------------------------------------

    def judge_all(self):
        with contextlib.suppress(OSError):
            while True:
                threading.Thread(target=self.judge, args=self.listener.accept()[:1], daemon=True).start()

    def judge(self, peer):
        right = base64.b64encode(("\0%s\0%s" % (self.USER, self.PASSWORD)).encode()).decode()
        with contextlib.suppress(OSError), peer, peer.makefile("rw", encoding="ascii", newline="\n") as f:
            f.write("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%s\nDONE\n" % ("0" * 32))
            f.flush()
            for line in f:
                what, number, *rest = line.rstrip("\n").split("\t") + [""]
                if what == "AUTH" and not any(word.startswith("resp=") for word in rest):
                    f.write("CONT\t%s\t\n" % number)
                elif what in ("AUTH", "CONT"):
                    verdict = "OK" if right in rest or "resp=" + right in rest else "FAIL"
                    f.write("%s\t%s\tuser=%s\n" % (verdict, number, self.USER))
                f.flush()
