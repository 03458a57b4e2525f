# SPDX-License-Identifier: Apache-2.0
"""The built packages: the deb installed, upgraded, removed and purged under a real systemd; the rpm's list."""
import glob
import json
import os
import re
import shutil
import subprocess
import unittest

import harness
from container import check_inside
from harness import ROOT

INSTALL = """cp "$ROOT"/build/packages/deb/msspd_*.deb "$root/opt/msspd.deb"
cp "$ROOT"/build/revision/build/msspd "$root/opt/msspd-revised"
"""
SEEN = "lib/record/seen.h"


def make(*words, **env):
    subprocess.run(["make", "-s"] + list(words), cwd=ROOT, env=dict(os.environ, **env), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def revise():
    """msspd of a time when the mapping's revision has been raised, below build/revision."""
    place = os.path.join(ROOT, "build/revision")
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(os.path.join(place, "build"))
    for name in ("lib", "daemon", "tools", "Makefile", "CHANGELOG.md", "build/plain"):
        copy = shutil.copytree if os.path.isdir(os.path.join(ROOT, name)) else shutil.copy2
        copy(os.path.join(ROOT, name), os.path.join(place, name))
    header = os.path.join(place, SEEN)
    when = os.stat(header)
    with open(header, encoding="utf-8") as f:
        text = f.read()
    with open(header, "w", encoding="utf-8") as f:
        f.write(re.sub(r"(?m)^#define SEEN_REVISION \d+$", "#define SEEN_REVISION 99", text))
    os.utime(header, ns=(when.st_atime_ns, when.st_mtime_ns))
    # Only what names it is another then, and has to be compiled anew.
    for user in subprocess.run(["grep", "-rl", "--include=*.c", "SEEN_REVISION", "lib", "daemon"], cwd=place,
                               capture_output=True, text=True, check=True).stdout.split():
        os.utime(os.path.join(place, user))
    subprocess.run(["make", "-s", "build/msspd", "VERSION=9.9"], cwd=place, check=True, stdout=subprocess.DEVNULL)


class Packages(unittest.TestCase):
    """Of the last commit: what is not committed is in no package."""

    apart = "packages"  # all are built below build/
    limit = 1800  # a compiler run for each, on whatever machine

    def test_the_deb_installs_upgrades_and_leaves(self):
        make("deb", DEB_BUILD_OPTIONS="noautodbgsym")
        changes = glob.glob(os.path.join(ROOT, "build/packages/deb/*.changes"))
        said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning"] + changes,
                              capture_output=True, text=True, check=False)
        self.assertEqual((said.returncode, said.stdout), (0, ""))
        revise()
        check_inside(self, "packaged.py", INSTALL)

    def test_the_rpm_holds_what_it_should(self):
        make("rpm", RPM_FLAGS="--nodeps")  # this machine's libraries are no packages of rpm's
        built = glob.glob(os.path.join(ROOT, "build/packages/rpm/msspd-0*.rpm"))
        listed = subprocess.run(["rpm", "-qlp"] + built, capture_output=True, text=True, check=True).stdout
        for path in ("/usr/sbin/msspd", "/usr/bin/msspctl", "/usr/lib/systemd/system/msspd.service",
                     "/usr/lib/sysusers.d/msspd.conf", "/usr/share/man/man5/msspd.yaml.5"):
            self.assertIn(path, listed)
        self.assertNotIn("/var/", listed)
        scripts = subprocess.run(["rpm", "-qp", "--scripts"] + built, capture_output=True, text=True, check=True).stdout
        self.assertIn("try-restart msspd.service", scripts)
        self.assertIn("disable --now msspd.service msspd-backup.timer", scripts)
        self.assertNotRegex(scripts, r"\b(rm|rmdir|userdel|unlink)\b")  # the journal is no package's, and stays
        self.life_of_an_rpm(built[0])

    def life_of_an_rpm(self, rpm):
        """Installed below a folder, installed again, erased: what an administrator and msspd wrote is there after all of it."""
        run = harness.Run()
        self.addCleanup(run.close)
        mine = [run.path("root/var/lib/msspd/journal.db"), run.path("root/etc/msspd/msspd.yaml"),
                run.path("root/etc/msspd/conf.d/contoso.yaml")]
        for path in mine:
            run.write(os.path.relpath(path, run.dir), "mine")
        for words in (["-U", rpm], ["-U", "--replacepkgs", rpm], ["-e", "msspd"]):
            subprocess.run(["rpm", "--root", run.path("root"), "--nodeps", "--noscripts", "--nosignature"] + words, check=True,
                           capture_output=True, text=True)
            self.assertEqual(os.path.exists(run.path("root/usr/sbin/msspd")), words[0] != "-e")
            for path in mine:
                self.assertEqual(run.read(path), "mine")

    def test_a_tarball_is_the_same_each_time(self):
        bytes_of = []
        for _ in range(2):
            make("dist", VERSION="9.9")
            with open(os.path.join(ROOT, "build/dist/msspd-9.9.tar.gz"), "rb") as f:
                bytes_of.append(f.read())
        self.assertEqual(bytes_of[0], bytes_of[1])

    def test_the_bill_of_materials_names_every_library(self):
        make("sbom", VERSION="9.9")
        with open(os.path.join(ROOT, "build/dist/msspd-9.9.cdx.json"), encoding="utf-8") as f:
            bill = json.load(f)
        self.assertEqual((bill["bomFormat"], bill["metadata"]["component"]["version"]), ("CycloneDX", "9.9"))
        linked = subprocess.run(["readelf", "-d", os.path.join(ROOT, "build/msspd")], capture_output=True, text=True,
                                check=True).stdout
        known = {so for c in bill["components"] for p in c["properties"] for so in p["value"].split()}
        for line in linked.splitlines():
            if "(NEEDED)" in line:
                self.assertIn(line.split("[")[1].rstrip("]").split(".so")[0], known)

    def test_what_it_is_built_without_is_no_material(self):
        make("sbom", "WITHOUT=libisal libsystemd", VERSION="9.8")
        with open(os.path.join(ROOT, "build/dist/msspd-9.8.cdx.json"), encoding="utf-8") as f:
            names = {c["name"] for c in json.load(f)["components"]}
        self.assertEqual(names, {"libcurl", "jansson", "libevent", "sqlite3", "libfyaml", "openssl", "zlib", "rdkafka", "libc"})


if __name__ == "__main__":
    unittest.main()
