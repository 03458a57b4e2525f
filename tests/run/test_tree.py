# SPDX-License-Identifier: Apache-2.0
"""Checks of the source tree itself."""
import os
import re
import shutil
import subprocess
import unittest

import harness
from harness import ROOT


def tracked(*patterns):
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
                         + list(patterns), cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [f for f in out.split("\0") if f and os.path.exists(os.path.join(ROOT, f))]


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


class Tree(unittest.TestCase):
    def test_each_header_compiles_alone(self):
        flags = subprocess.run(["pkg-config", "--cflags", "jansson", "libevent", "openssl", "sqlite3"],
                               capture_output=True, check=True, text=True).stdout.split()
        for header in tracked("*.h"):
            with self.subTest(header):
                done = subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-I.", "-Wall", "-Wextra",
                                       "-Werror", "-include", "lib/banned.h", "-fsyntax-only", "-x",
                                       "c", header] + flags, cwd=ROOT, capture_output=True,
                                      text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stderr)

    def test_each_source_names_its_licence(self):
        for name in tracked("*.c", "*.h", "*.py", "*.sh", "Makefile", ".ci/run"):
            self.assertIn("SPDX-License-Identifier: Apache-2.0", "".join(read(name).split("\n")[:2]), name)

    def test_lib_is_pure(self):
        """lib/ knows nothing of the loop, of sockets, of other rooms' libraries."""
        only = {"curl/": ("daemon/intake/fetch", "daemon/delivery/sink_smtp_"), "sqlite3.h": ("daemon/journal/journal_sqlite",
                                                                 "daemon/journal/"),
                "libfyaml.h": ("lib/config/yaml",), "librdkafka/": ("daemon/delivery/sink_kafka",),
                "zlib.h": ("lib/base/inflate",), "isa-l/": ("lib/base/inflate",)}
        for name in tracked("lib/*.[ch]", "daemon/*.[ch]"):
            includes = re.findall(r'#include [<"]([^>"]+)[>"]', read(name))
            for include in includes:
                if name.startswith("lib/"):
                    self.assertFalse(include.startswith(("daemon/", "event2/", "sys/socket")),
                                     "%s includes %s" % (name, include))
                for library, places in only.items():
                    if library in include:
                        self.assertTrue(name.startswith(places), "%s includes %s" % (name, include))

    def test_functions_and_files_stay_short(self):
        for name in tracked("lib/*", "daemon/*", "*.[ch]", "*.py", "*.sh"):
            self.assertLess(len(read(name).split("\n")), 800, name)
        for name in tracked("lib/*.[ch]", "daemon/*.[ch]"):
            lines = read(name).split("\n")
            width = 100 if name.startswith("lib/") else 110
            start = None
            for n, line in enumerate(lines, 1):
                if line.startswith("{"):
                    start = n
                elif line.startswith("}") and start:
                    self.assertLess(n - start, 80, "%s:%d a long function" % (name, start))
                    start = None
                self.assertLessEqual(len(line.expandtabs(8)), width, "%s:%d" % (name, n))

    def test_the_reference_is_what_the_program_prints(self):
        printed = subprocess.run([os.path.join(harness.BIN, "msspd"), "--print-manual"],
                                 capture_output=True, check=True, text=True).stdout
        self.assertEqual(printed, read("docs/CONFIGURATION.md"),
                         "docs/CONFIGURATION.md is stale: make docs")

    def test_the_formats_page_is_what_the_program_prints(self):
        printed = subprocess.run([os.path.join(harness.BIN, "msspd"), "--print-formats"],
                                 capture_output=True, check=True, text=True).stdout
        self.assertEqual(printed, read("docs/FORMATS.md"), "docs/FORMATS.md is stale: make docs")

    def test_the_metrics_page_is_what_the_program_prints(self):
        printed = subprocess.run([os.path.join(harness.BIN, "msspd"), "--print-metrics"],
                                 capture_output=True, check=True, text=True).stdout
        self.assertEqual(printed, read("docs/METRICS.md"), "docs/METRICS.md is stale: make docs")

    def test_help_names_every_option_of_the_command_line(self):
        tables = {"msspd": ("daemon/options.c", r'\{ "([a-z-]+)", (?:no|required)_argument'),
                  "msspctl": ("daemon/msspctl/msspctl.c", r'\{ "([a-z-]+)", (?:no|required)_argument'),
                  "fake-graph": ("tests/fake_graph/options.c", r'\{ "([a-z0-9-]+)", [A-Z]+, ')}
        for program, (source, row) in tables.items():
            done = subprocess.run([os.path.join(harness.BIN, program), "--help"],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0)
            self.assertIn("usage: %s" % program, done.stdout)
            options = re.findall(row, read(source))
            self.assertGreater(len(options), 3, source)
            for option in options:
                self.assertIn("--" + option, done.stdout, program)

    def test_the_man_pages_name_every_option_and_command(self):
        """And what msspd.yaml(5) says is what the program says; roff has nothing against any."""
        for page, source in (("msspd.8", "daemon/options.c"), ("msspctl.8", "daemon/msspctl/msspctl.c")):
            said = read("docs/man/" + page).replace("\\-", "-")
            for option in re.findall(r'\{ "([a-z-]+)", (?:no|required)_argument', read(source)):
                self.assertRegex(said, r"Fl -%s\b" % option, page)
        verbs = re.findall(r'\{ "([a-z-]+)(?: [a-z]+)?", do_', read("daemon/msspctl/msspctl.c"))
        self.assertIn("status", verbs)
        documented = re.findall(r"^\.It Cm ([a-z-]+)", read("docs/man/msspctl.8"), flags=re.M)
        self.assertEqual(set(verbs), set(documented))
        made = subprocess.run([os.path.join(ROOT, "tools/manpage.py")], input=read("docs/CONFIGURATION.md"),
                              capture_output=True, check=True, text=True).stdout
        self.assertEqual(made, read("docs/man/msspd.yaml.5"), "docs/man/msspd.yaml.5 is stale: make docs")
        for page in tracked("docs/man/*"):
            done = subprocess.run(["groff", "-mandoc", "-Tutf8", "-Kutf8", "-ww", "-z", page], cwd=ROOT,
                                  capture_output=True, text=True, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""), page)

    def test_every_make_target_is_documented(self):
        done = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
        for target in ("all", "check", "demo", "deps", "bench", "soak", "fuzz", "install", "clean"):
            self.assertRegex(done.stdout, r"make %s +\S" % target)

    def test_install_goes_where_it_is_told(self):
        run = harness.Run()
        try:
            subprocess.run(["make", "-s", "install", "DESTDIR=" + run.dir, "PREFIX=/usr"], cwd=ROOT,
                           check=True, capture_output=True, umask=0o077)
            for path in ("usr/sbin/msspd", "usr/bin/msspctl", "usr/lib/systemd/system/msspd.service",
                         "usr/lib/sysusers.d/msspd.conf",
                         "usr/lib/tmpfiles.d/msspd.conf", "usr/share/man/man8/msspd.8", "usr/share/man/man8/msspctl.8",
                         "usr/share/man/man5/msspd.yaml.5", "usr/share/doc/msspd/README.md", "usr/share/doc/msspd/examples/msspd.yaml",
                         "usr/share/doc/msspd/examples/conf.d/fabrikam.yaml", "etc/msspd/conf.d"):
                self.assertTrue(os.path.exists(run.path(path)), path)
            for folder in ("usr", "etc"):
                for place, _, names in os.walk(run.path(folder)):
                    for path in [place] + [os.path.join(place, n) for n in names]:
                        self.assertEqual(os.stat(path).st_mode & 0o444, 0o444, path + ": whoever installed it had umask 077")
            with open(run.path("usr/lib/systemd/system/msspd.service"), encoding="ascii") as f:
                text = f.read()
            self.assertIn("ExecStart=/usr/sbin/msspd", text)
            self.assertIn("ExecReload=/usr/bin/msspctl", text)
        finally:
            run.close()

    def test_nobody_is_asked_for_root_when_nothing_is_missing(self):
        """deps.sh on a release whose clang has another number in its packages' names."""
        run = harness.Run()
        try:
            for name, text in (
                    ("dpkg-query", 'case $4 in *-14*) exit 1;; *) echo "install ok installed";; esac'),
                    ("apt-cache", 'case "$1 $2" in show*-14*) exit 100;; show*) ;; depends*) echo " Depends: clang-18";; esac'),
                    ("apt-get", "echo asked; exit 1"), ("sudo", "echo asked; exit 1"), ("npm", "exit 1")):
                run.write("bin/" + name, "#!/bin/sh\n" + text + "\n", 0o755)
            run.write("tests/oidc/package-lock.json", "{}")
            run.write("build/oidc/package-lock.json", "{}")
            run.write("build/oidc/.complete", "")
            done = subprocess.run(["sh", os.path.join(ROOT, "tools/deps.sh"), "check"], cwd=run.dir, capture_output=True,
                                  text=True, check=False, env=dict(os.environ, PATH=run.path("bin") + ":" + os.environ["PATH"]))
            self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        finally:
            run.close()

    def test_the_receivers_have_the_names_of_their_release(self):
        """deps.sh where libraries that syslog-ng and rsyslog need are called otherwise than in Debian 12."""
        newer = {"libglib2.0-0": "libglib2.0-0t64", "libivykis0": "libivykis0t64", "libnet1": "libnet9", "libpcre3": ""}
        for gone in ({}, newer):
            run = harness.Run()
            try:
                missing = "|".join('"show %s"' % n for n in gone) or "nothing"
                for name, text in (
                        ("apt-cache", 'case "$1 $2" in %s) exit 100;; depends*) printf "  Depends: %%s\\n" libc6 %s;; esac'
                         % (missing, " ".join(gone.values()))),
                        ("apt-get", 'case $1 in download) shift; echo "$*" > ../../../asked;; esac; exit 0'),
                        ("dpkg", "exit 0"), ("sudo", '"$@"')):
                    run.write("bin/" + name, "#!/bin/sh\n" + text + "\n", 0o755)
                done = subprocess.run(["sh", os.path.join(ROOT, "tools/deps.sh"), "receivers"], cwd=run.dir, capture_output=True,
                                      text=True, check=False, env=dict(os.environ, PATH=run.path("bin") + ":" + os.environ["PATH"]))
                self.assertEqual(done.returncode, 0, done.stderr)
                asked = run.read(run.path("asked")).split()
                self.assertLessEqual({"syslog-ng-core", "rsyslog", "rsyslog-openssl", "libestr0"} | set(filter(None, gone.values())), set(asked))
                self.assertFalse(set(gone) & set(asked), asked)
            finally:
                run.close()

    def test_the_unit_lets_the_examples_write(self):
        """ProtectSystem=strict: what a file sink of an example writes lies in a folder of the unit's own."""
        unit = dict(re.findall(r"^(\w+)=(.*)$", read("systemd/msspd.service"), re.M))
        self.assertEqual(unit["ProtectSystem"], "strict")
        own = ["/var/lib/%s/" % unit.get("StateDirectory"), "/var/log/%s/" % unit.get("LogsDirectory")]
        for name in tracked("conf/*.yaml", "docs/*.md", "README.md"):
            for path in re.findall(r"(?<![\w.])path: (/[\w/.-]+)", read(name)):
                self.assertTrue(path.startswith(tuple(own)), "%s: %s is in none of %s" % (name, path, own))

    def test_the_units_are_understood(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze")
        run = harness.Run()
        try:
            for name in ("msspd.service", "msspd-backup.service", "msspd-backup.timer"):
                text = re.sub(r"@S?BINDIR@/\w+", "/bin/true", read("systemd/" + name))
                run.write(name, text, 0o644)
            for name in os.listdir(run.dir):
                done = subprocess.run(["systemd-analyze", "verify", "--man=no", run.path(name)],
                                      capture_output=True, text=True, check=False)
                # It exits 0 for unknown keys as well: any word about our unit is a failure.
                self.assertNotIn("msspd", done.stderr + done.stdout)
            for name in ("msspd.service", "msspd-backup.service"):
                done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=12",
                                       run.path(name)], capture_output=True, text=True, check=False)
                self.assertEqual(done.returncode, 0, done.stdout)  # 1.2, of 10
        finally:
            run.close()

    def test_nothing_is_left_for_later(self):
        marks = ("TO" "DO", "FIX" "ME", "XX" "X", "HA" "CK")  # in two parts: this file is looked at as well
        word = re.compile(r"\b(%s)\b" % "|".join(marks))
        self.assertIsNotNone(word.search("/* %s: later */" % marks[0]))
        for name in tracked("*.[ch]", "*.py", "*.sh", "Makefile"):
            self.assertIsNone(word.search(read(name)), name)


if __name__ == "__main__":
    unittest.main()
