#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what msspd is made of (CycloneDX 1.5): the libraries that it is linked with, as they are here.

usage: sbom.py VERSION PACKAGE...      (of pkg-config: those that it was built with)
"""
import json
import subprocess
import sys

# pkg-config name, licence (SPDX), the libraries' names as the linker knows them
LIBRARIES = [
    ("libcurl", "curl", "libcurl"),
    ("jansson", "MIT", "libjansson"),
    ("libevent", "BSD-3-Clause", "libevent-2.1 libevent_openssl-2.1 libevent_pthreads-2.1"),
    ("sqlite3", "blessing", "libsqlite3"),
    ("libfyaml", "MIT", "libfyaml"),
    ("openssl", "Apache-2.0", "libssl libcrypto"),
    ("libsystemd", "LGPL-2.1-or-later", "libsystemd"),
    ("zlib", "Zlib", "libz"),
    ("libisal", "BSD-3-Clause", "libisal"),
    ("rdkafka", "BSD-2-Clause", "librdkafka"),
]
SYSTEM = {"type": "library", "name": "libc", "properties": [{"name": "msspd:soname", "value": "libc libm"}]}


def version_of(package):
    done = subprocess.run(["pkg-config", "--modversion", package], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def component(package, licence, sonames):
    return {"type": "library", "name": package, "version": version_of(package),
            "licenses": [{"license": {"id": licence}}], "purl": "pkg:generic/%s@%s" % (package, version_of(package)),
            "properties": [{"name": "msspd:soname", "value": sonames}]}


def main(version, *packages):
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": {"type": "application", "name": "msspd", "version": version,
                                   "licenses": [{"license": {"id": "Apache-2.0"}}]}},
        "components": [component(*row) for row in LIBRARIES if row[0] in packages] + [SYSTEM],
    }
    print(json.dumps(bill, indent=2))


if __name__ == "__main__":
    main(*sys.argv[1:])
