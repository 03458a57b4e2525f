"""The built packages: the deb installed, upgraded, removed and purged under a real systemd; the rpm's list."""
import glob
import json
import os
import subprocess
import unittest

from container import check_inside
from harness import ROOT

INSTALL = 'cp "$ROOT"/build/packages/deb/msspd_*.deb "$root/opt/msspd.deb"'


def make(*words, **env):
    subprocess.run(["make", "-s"] + list(words), cwd=ROOT, env=dict(os.environ, **env), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


class Packages(unittest.TestCase):
    """Of the last commit: what is not committed is in no package."""

    apart = "packages"  # all are built below build/

    def test_the_deb_installs_upgrades_and_leaves(self):
        make("deb", DEB_BUILD_OPTIONS="noautodbgsym")
        changes = glob.glob(os.path.join(ROOT, "build/packages/deb/*.changes"))
        said = subprocess.run(["lintian", "--allow-root", "--fail-on", "error,warning"] + changes,
                              capture_output=True, text=True, check=False)
        self.assertEqual((said.returncode, said.stdout), (0, ""))
        check_inside(self, "packaged.py", INSTALL)

    def test_the_rpm_holds_what_it_should(self):
        make("rpm", RPM_FLAGS="--nodeps")  # this machine's libraries are no packages of rpm's
        built = glob.glob(os.path.join(ROOT, "build/packages/rpm/msspd-0*.rpm"))
        listed = subprocess.run(["rpm", "-qlp"] + built, capture_output=True, text=True, check=True).stdout
        for path in ("/usr/sbin/msspd", "/usr/bin/msspctl", "/usr/lib/systemd/system/msspd.service",
                     "/usr/lib/sysusers.d/msspd.conf", "/usr/share/man/man5/msspd.yaml.5"):
            self.assertIn(path, listed)

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


if __name__ == "__main__":
    unittest.main()
