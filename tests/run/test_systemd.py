# SPDX-License-Identifier: Apache-2.0
"""The real unit under a real systemd, installed as `make install` does."""
import unittest

from container import check_inside

INSTALL = """
make -s -C "$ROOT" install DESTDIR="$root" PREFIX=/usr
systemd-sysusers --root="$root" msspd.conf
systemd-tmpfiles --root="$root" --create msspd.conf
"""


class Systemd(unittest.TestCase):
    def test_the_unit_boots_and_lives_under_full_hardening(self):
        check_inside(self, "booted.py", INSTALL)
