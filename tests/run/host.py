# SPDX-License-Identifier: Apache-2.0
"""For scripts that run inside a container (container.py): its systemd, and msspd's place on it."""
import grp
import os
import subprocess

import harness

UNIT = "msspd.service"


def systemctl(*words, check=True):
    done = subprocess.run(["systemctl"] + list(words), capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError("systemctl %s: %s\n%s" % (" ".join(words), done.stderr, journal()))
    return done


def journal():
    return subprocess.run(["journalctl", "-u", UNIT, "--no-pager", "-o", "cat", "-n", "60"],
                          capture_output=True, text=True, check=False).stdout


def show(name):
    return systemctl("show", UNIT, "-p", name, "--value").stdout.strip()


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path, mode)


def configure(graph, siem, more=""):
    """Two tenants into one SIEM, as /etc/msspd/msspd.yaml."""
    sinks = {"siem": {"type": "syslog", "servers": "tcp://127.0.0.1:%d" % siem.octet,
                      "framing": "octet-counting", "confirm_after": "500ms"}}
    app = harness.app(graph, secret_file="graph-secret")
    put("/etc/msspd/graph-secret", harness.FakeGraph.SECRET, 0o600)
    put("/etc/msspd/msspd.yaml", harness.config(graph, harness.tenants(2), sinks, apps={"soc": app}) + more, 0o640)
    os.chown("/etc/msspd/msspd.yaml", 0, grp.getgrnam("msspd").gr_gid)
