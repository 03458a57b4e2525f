# SPDX-License-Identifier: Apache-2.0
"""Boots a real systemd in a throw-away overlay of this machine's own root, and runs a script in it."""
import os
import re
import shutil
import subprocess
import sys

import harness
from harness import ROOT

CHECK_UNIT = """[Unit]
Description=Checks of msspd
After=basic.target
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
Environment=MSSPD_BIN=build TMPDIR=/tmp PATH=%(path)s
StandardOutput=append:/out/result
StandardError=append:/out/result
ExecStart=%(python)s %(root)s/tests/run/%(script)s
"""

# Everything below is in a mount namespace of its own, and gone with it.
BOOT = r"""set -eu
mount -t tmpfs tmpfs "$PLACE/layers"
mkdir "$PLACE/layers/upper" "$PLACE/layers/work" "$PLACE/layers/root"
root=$PLACE/layers/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$PLACE/layers/upper,workdir=$PLACE/layers/work" "$root"
rm -rf "$root"/etc/systemd/system/*.wants "$root"/run/* "$root"/var/lib/msspd "$root"/etc/msspd
rm -f "$root"/etc/systemd/system/msspd.service "$root"/usr/sbin/policy-rc.d
mkdir -p "$root/out" "$root/tmp"
cp "$PLACE/check.service" "$root/etc/systemd/system/msspd-check.service"
eval "$PREPARE"
# A group of our own for systemd to live in, where the hierarchy is the old one.
for h in systemd unified; do
	[ -d "/sys/fs/cgroup/$h" ] || continue
	mkdir -p "/sys/fs/cgroup/$h/$NAME"
	echo $$ > "/sys/fs/cgroup/$h/$NAME/cgroup.procs"
done
exec timeout -k 5 240 systemd-nspawn --quiet -D "$root" -M "$NAME" --register=no --keep-unit \
	--link-journal=no --resolv-conf=off --timezone=off --console=pipe --private-network \
	--bind="$PLACE/out:/out" --bind-ro="$ROOT" --boot systemd.unit=msspd-check.service
"""


def check_inside(test, script, prepare):
    """Runs tests/run/SCRIPT, unittests, as root in it; `prepare` is shell that fills "$root" before."""
    if os.geteuid() != 0 or not shutil.which("systemd-nspawn"):
        test.skipTest("wants root and systemd-nspawn")
    run = harness.Run()
    test.addCleanup(run.close)
    for name in ("layers", "out"):
        os.mkdir(run.path(name))
    run.write("check.service", CHECK_UNIT % dict(path=os.environ["PATH"], python=sys.executable, root=ROOT,
                                                 script=script))
    name = os.path.basename(run.dir).replace("_", "0")  # a machine has the name of a host
    env = dict(os.environ, PLACE=run.dir, ROOT=ROOT, NAME=name, PREPARE=prepare)
    boot = subprocess.run(["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT], env=env,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False)
    for h in ("systemd", "unified"):
        subprocess.run("rmdir /sys/fs/cgroup/%s/%s/* /sys/fs/cgroup/%s/%s" % (h, name, h, name), shell=True,
                       stderr=subprocess.DEVNULL, check=False)
    said = run.read("out/result")
    test.assertRegex(said, r"Ran [1-9]\d* test", boot.stdout[-3000:] + boot.stderr[-3000:])
    test.assertTrue(re.search(r"^OK$", said, re.M), said)
