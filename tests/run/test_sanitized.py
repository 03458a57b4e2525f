# SPDX-License-Identifier: Apache-2.0
"""The runs again with the programs that sanitizers watch: address and undefined behaviour, and threads.

A report in any log fails its run (harness.REPORT). A choice of them, made shorter, in `make check`;
all of them, as long as they are, in `make soak`.
"""
import os
import unittest
from unittest import mock

import harness
import test_disk
import test_fake_graph
import test_health
import test_http
import test_http2
import test_kill
import test_networks
import test_oidc
import test_onboard
import test_receivers
import test_replay
import test_service
import test_siem
import test_signin
import test_sinks
import test_smtp
import test_soak
import test_storm
import test_streams
import test_tenants
import test_values

# How many times as long it takes: measured, and room for a machine that does other things as well.
SLOW = {"address-undefined": 3, "thread": 8}
KILL = dict(kills=3, tenants=6, alerts=200)
# Variant, runs, which of them when there is little time (None: all), and how they are made shorter.
RUNS = (
    ("address-undefined", test_kill.KillMsspd, None, KILL),
    ("address-undefined", test_siem.Siem, ("test_tls_cut_at_random_bytes",), dict(rounds=3)),
    ("address-undefined", test_fake_graph.Faults, None, {}),
    ("address-undefined", test_service.Service, None, {}),
    ("address-undefined", test_signin.SignIn,
     ("test_roll_over_in_place", "test_from_secret_to_certificate_and_nothing_secret_anywhere"), {}),
    ("address-undefined", test_onboard.Onboard, ("test_each_failing_step", "test_every_stream", "test_command_line"), {}),
    ("address-undefined", test_receivers.Receivers, None, {}),
    ("address-undefined", test_receivers.Files, None, {}),
    ("address-undefined", test_sinks.ManySinks, (), {}),
    ("address-undefined", test_streams.Streams, ("test_incidents_beside_alerts", "test_endpoint_alerts_once"), {}),
    ("address-undefined", test_tenants.Paging, (), {}),
    ("address-undefined", test_tenants.Tenants, (), {}),
    ("address-undefined", test_disk.FullDisk, (), {}),
    ("address-undefined", test_health.States, (), {}),
    ("address-undefined", test_health.Many, (), {}),
    ("address-undefined", test_http.Http,
     ("test_metrics_tell_what_happened", "test_slow_clients_hold_up_nobody", "test_nonsense_is_refused_and_forgotten"), {}),
    ("address-undefined", test_http2.Http2, (), {}),
    ("address-undefined", test_networks.Networks, (), {}),
    ("address-undefined", test_oidc.Oidc, (), {}),
    ("address-undefined", test_replay.Replay, (), {}),
    ("address-undefined", test_smtp.Rules, ("test_contacts_are_the_customers_own", "test_other_ways_in"), {}),
    ("address-undefined", test_smtp.Refusals, (), {}),
    ("address-undefined", test_smtp.Kills, (), {}),
    ("address-undefined", test_smtp.Digests, (), {}),
    ("address-undefined", test_soak.Soak, (), {}),
    ("address-undefined", test_storm.Storm, (), {}),
    ("address-undefined", test_values.Values, None, {}),
    ("thread", test_kill.KillMsspd, None, KILL),
    ("thread", test_service.Service, ("test_reload", "test_once"), {}),
)


class Sanitized:
    """Before a run's own class: the same with the programs of another variant."""

    variant = None

    @classmethod
    def setUpClass(cls):
        folder = os.path.join(harness.ROOT, "build", cls.variant)
        for change in (mock.patch.object(harness, "BIN", folder),
                       mock.patch.object(harness, "SLOW", SLOW[cls.variant]),
                       mock.patch.dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1")):
            change.start()
            cls.addClassCleanup(change.stop)
        super().setUpClass()

    def setUp(self):
        self.assertTrue(harness.is_sanitized(), "%s is not of its variant" % harness.BIN)
        super().setUp()


def load_tests(loader, _tests, _pattern):
    """Nothing where MSSPD_BIN is given: whoever chooses the programs chooses the runs."""
    suite = unittest.TestSuite()
    if "MSSPD_BIN" in os.environ:
        return suite
    for variant, runs, names, shorter in RUNS:
        attributes = dict({} if harness.SOAK else shorter, variant=variant, __module__=__name__)
        again = type("%s_%s" % (runs.__name__, variant.replace("-", "_")), (Sanitized, runs), attributes)
        chosen = loader.getTestCaseNames(again) if harness.SOAK or names is None else names
        suite.addTests(again(name) for name in chosen)
    return suite


if __name__ == "__main__":
    unittest.main()
