# SPDX-License-Identifier: Apache-2.0
"""Times that are read again: replays, and what a parked sink or a new one has missed."""
import json
import os
import time
import unittest

import harness
from scene import Scene, syslog_sink
from truth import Delivered, Truth, event_id


def newest(truth):
    """The event id of each alert's last version."""
    return {event_id(max(alert.values(), key=lambda v: v["version"])) for alert in truth.alerts.values()}


def is_replay(delivered, name):
    return delivered.fields[name][2].get("MicrosoftDefenderOrigin") == "replay"


class Replay(Scene):
    more, streams = "", ["alerts"]

    def scene(self, *options, lookback="30d", sinks=1, **more):
        self.graph = harness.FakeGraph(self.run_, "--tenants", 2, *options)
        self.siems = [harness.SyslogNg(self.run_, "siem%d" % i) for i in range(sinks)]
        confs = {"siem%d" % i: syslog_sink("tcp://127.0.0.1:%d" % s.octet, framing="octet-counting",
                                           confirm_after="1s") for i, s in enumerate(self.siems)}
        confs["siem%d" % (sinks - 1)].update(more)
        self.confs, self.lookback = confs, lookback
        self.msspd = harness.Msspd(self.run_, self.config())
        return self.msspd.start()

    def config(self, **sinks):
        return harness.config(self.graph, harness.tenants(2), dict(self.confs, **sinks),
                              first_lookback=self.lookback, page_size=50, budget=10000,
                              streams=self.streams) + self.more

    def delivered(self, i=0):
        return Delivered(self.siems[i].rows())

    def wait_events(self, n, i=0, seconds=30):
        harness.wait_for("%d events" % n, seconds, lambda: len(self.siems[i].rows()) >= n)

    def wait_quiet(self, i=0):
        """Until nothing has come for a while."""
        last, since = -1, time.monotonic()
        while time.monotonic() - since < 2.5 * harness.SLOW:
            n = len(self.siems[i].rows())
            if n != last:
                last, since = n, time.monotonic()
            time.sleep(0.1)
        return self.delivered(i)

    def replays(self):
        return json.loads(self.msspd.ctl("replays", "--json").stdout)["replays"]

    def replay(self, *options, code=0):
        done = self.msspd.ctl("replay", "--tenant", "t001", *options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def cursor(self):
        return {t["tenant"]: t["cursor"] for t in self.msspd.status()["tenants"]}

    def of_tenant(self, names, i=1):
        return {n for n in names if n.startswith(harness.FakeGraph.tenant_id(i))}

    def test_a_replay_delivers_what_is_missing_once(self):
        self.scene("--alerts", 300, "--history", 72000, lookback="2h")
        self.wait_events(20)
        before = self.wait_quiet()
        wanted = newest(Truth(self.graph.truth_file))
        missing = self.of_tenant(wanted - set(before.events))
        self.assertGreater(len(missing), 150)
        cursor = self.cursor()
        done = self.replay("--from", "2d")
        self.assertIn("done", done.stdout)
        after = self.wait_quiet()
        self.assertEqual(set(after.events) - set(before.events), missing)
        self.assertEqual(after.repeats(), 0)
        self.assertTrue(all(is_replay(after, name) for name in missing))
        self.assertFalse(any(is_replay(after, name) for name in before.events))
        self.assertEqual(self.cursor(), cursor)
        # It is known now: the same again brings nothing.
        self.replay("--from", "2d")
        self.assertEqual(self.wait_quiet().events, after.events)
        last = self.replays()[-1]
        self.assertEqual((last["state"], last["percent"], last["delivered"]), ("done", 100, 0))

    def test_all_delivers_everything_of_the_time_marked(self):
        self.scene("--alerts", 200, "--history", 72000, sinks=2)
        self.wait_events(400)
        self.wait_events(400, 1)
        wanted = self.of_tenant(newest(Truth(self.graph.truth_file)))
        self.replay("--from", "2d", "--all", "--sink", "siem1")
        second = self.wait_quiet(1)
        self.assertEqual({n for n, count in second.events.items() if count == 2}, wanted)
        self.assertEqual(second.repeats(), len(wanted))
        self.assertTrue(all(is_replay(second, name) for name in wanted))
        self.assertEqual(self.delivered(0).repeats(), 0)
        self.replay("--from", "2d", "--all")
        self.assertEqual(self.wait_quiet(0).repeats(), len(wanted))

    def test_a_replay_for_one_sink_delivers_what_that_one_lacks(self):
        """Nobody else hears of it, and what the sink has it does not hear of again."""
        self.scene("--alerts", 150, "--history", 72000)
        self.wait_events(300)
        self.siems.append(harness.SyslogNg(self.run_, "late"))
        self.confs["late"] = dict(self.confs["siem0"], servers=["tcp://127.0.0.1:%d" % self.siems[1].octet])
        self.msspd.configure(self.config())
        self.assertEqual(self.msspd.ctl("reload").returncode, 0)
        self.graph.ask("/_control/story", {"tenant": "*", "make": 20})
        self.wait_events(40, 1)
        before = self.wait_quiet(1)
        wanted = self.of_tenant(newest(Truth(self.graph.truth_file)))
        missing = wanted - set(before.events)
        self.assertGreater(len(missing), 100)
        self.replay("--from", "2d", "--sink", "siem0")
        self.assertEqual(self.replays()[-1]["delivered"], 0, "it has everything")
        self.replay("--from", "2d", "--sink", "late")
        after = self.wait_quiet(1)
        self.assertEqual(set(after.events) - set(before.events), missing)
        self.assertEqual(after.repeats(), 0)
        self.assertTrue(all(is_replay(after, name) for name in missing))
        self.assertEqual(self.delivered(0).repeats(), 0)
        self.replay("--from", "2d", "--sink", "late")
        self.assertEqual(self.replays()[-1]["delivered"], 0, "now it has it, too")

    def replay_of(self, streams, *options):
        """A tenant that is read for these: a replay brings what is missing of each, and once."""
        self.streams = streams
        self.scene("--history", 72000, *options, lookback="2h")
        self.wait_events(4)
        before = self.wait_quiet()
        truth = Truth(self.graph.truth_file).read_as(lambda tenant: streams)
        missing = self.of_tenant(newest(truth) - set(before.events))
        self.assertGreater(len(missing), 30)
        self.replay("--from", "2d")
        after = self.wait_quiet()
        self.assertEqual(set(after.events) - set(before.events), missing)
        self.assertEqual(after.repeats(), 0)
        self.assertTrue(all(is_replay(after, name) for name in missing))
        return missing

    def test_a_replay_of_two_streams(self):
        missing = self.replay_of(["alerts", "incidents"], "--alerts", 150, "--incidents", 120)
        self.assertTrue(any("/incident:" in n for n in missing) and any("/alert:" in n for n in missing))
        self.assertEqual({r["stream"] for r in self.replays()}, {"alerts", "incidents"})

    def test_a_replay_of_both_alert_streams(self):
        self.replay_of(["alerts", "mde-alerts"], "--alerts", 120, "--mde-only", 40)
        self.assertEqual(len(self.replays()), 1, "they share what is known, and so the time")

    def test_a_replay_of_the_endpoint_api_alone(self):
        self.replay_of(["mde-alerts"], "--alerts", 150, "--mde-only", 50)

    def test_what_is_asked_for_wrongly_is_refused(self):
        self.scene("--alerts", 5)
        for options, why in ((("--from", "200d"), "180 days"), (("--from", "yesterday"), "no time"),
                             (("--from", "1h", "--to", "2h"), "ends before"),
                             (("--from", "1h", "--sink", "nobody"), "no sink")):
            self.assertIn(why, self.replay(*options, code=1).stderr)
        self.assertIn("no replay", self.msspd.ctl("replay-cancel", "77").stderr)

    def test_a_replay_survives_a_kill_and_can_be_cancelled(self):
        self.scene("--alerts", 3000, "--history", 72000, lookback="1h")
        self.wait_quiet()
        before = self.delivered()
        self.graph.fault("1:latency=300")
        self.replay("--from", "2d", "--detach")
        harness.wait_for("some of it was read", 20, lambda: self.replays()[-1]["read"] > 400)
        self.msspd.kill()
        self.msspd.start()
        again = self.replays()[-1]
        self.assertIn(again["state"], ("reading",))
        self.assertGreater(again["read"], 300)
        self.graph.ask("/_control/fault", {"clear": True})
        harness.wait_for("the replay ends", 60, lambda: self.replays()[-1]["state"] == "done")
        after = self.wait_quiet()
        self.assertEqual(self.of_tenant(newest(Truth(self.graph.truth_file)) - set(after.events)), set())
        self.assertEqual(len(set(before.events) - set(after.events)), 0)
        self.graph.fault("1:latency=300")
        self.replay("--from", "2d", "--all", "--detach")
        number = str(self.replays()[-1]["number"])
        harness.wait_for("it has begun", 20, lambda: self.replays()[-1]["read"] > 0)
        self.assertIn("is cancelled", self.msspd.ctl("replay-cancel", number).stdout)
        self.graph.ask("/_control/fault", {"clear": True})
        self.wait_quiet()
        last = self.replays()[-1]
        self.assertEqual(last["state"], "cancelled")
        self.assertLess(last["read"], 2000)

    def test_live_reading_does_not_wait_for_a_replay(self):
        self.scene("--alerts", 9000, "--history", 72000, lookback="1h")
        self.wait_quiet()
        self.graph.fault("1:latency=400")  # 72 s for all of it
        self.replay("--from", "2d", "--all", "--detach")
        harness.wait_for("it has begun", 20, lambda: self.replays()[-1]["read"] > 0)
        late = []
        for _ in range(4):
            had = set(self.delivered().events)
            began = time.time()
            self.graph.ask("/_control/story", {"tenant": 1, "make": 1})
            fresh = self.newest_made(had)
            harness.wait_for("the new alert", 40, lambda: any(fresh in row["msg"] for row in self.siems[0].rows()))
            delivered = self.delivered()
            late.append(delivered.received[fresh][0] - began)
            self.assertFalse(is_replay(delivered, fresh))
        self.assertEqual(self.replays()[-1]["state"], "reading")
        # An interval, a page of the replay, and what receivers take to show it.
        self.assertLess(sorted(late)[0], 3 * harness.SLOW, late)
        self.assertLess(sorted(late)[1], 10 * harness.SLOW, late)  # a busy machine's; all of it would be 72

    def test_a_new_sink_gets_what_came_before_it(self):
        self.scene("--alerts", 120, "--history", 72000, sinks=2)
        second = self.confs.pop("siem1")
        self.msspd.stop()
        self.msspd.configure(self.config())
        self.msspd.start()
        self.wait_events(240)
        harness.wait_for("the second has its part", 20, lambda: not self.sink("siem0")["backlog"])
        self.confs["late"] = dict(second, **{"from": "10h"})
        self.msspd.configure(self.config())
        self.assertEqual(self.msspd.ctl("reload").returncode, 0)
        harness.wait_for("both tenants are read again", 30,
                         lambda: [r["state"] for r in self.replays()] == ["done"] * 2)
        late = [r["delivered"] for r in self.replays()]
        self.assertTrue(all(30 < n < 100 for n in late), late)
        # Known now: neither a reload nor a start gives it anything again.
        self.assertEqual(self.msspd.ctl("reload").returncode, 0)
        self.msspd.stop()
        self.msspd.start()
        self.wait_quiet(1)
        self.assertEqual(len(self.replays()), 2)
        self.assertEqual(self.delivered(0).repeats(), 0)

    def test_a_sink_that_lost_its_disk_gets_it_again(self):
        """From the journal, as it was; only what is of before the journal's time is read from Microsoft."""
        self.scene("--alerts", 200, "--history", 72000, sinks=2)
        self.wait_events(400, 0)
        self.wait_events(400, 1)
        harness.wait_for("all is settled", 30, lambda: not any(s["backlog"] for s in self.msspd.status()["sinks"]))
        had = self.delivered(1)
        self.siems[1].kill()
        os.unlink(self.siems[1].out)
        self.siems[1]._read, self.siems[1]._rows = 0, []
        self.siems[1].start()
        self.assertIn("no sink", self.msspd.ctl("resend", "--sink", "nobody", "--from", "10m").stderr)
        self.assertIn("180 days", self.msspd.ctl("resend", "--sink", "siem1", "--from", "200d").stderr)
        done = self.msspd.ctl("resend", "--sink", "siem1", "--from", "10m")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2 streams", done.stdout)
        self.wait_events(len(had.events), 1)
        harness.wait_for("what is older was read", 30,
                         lambda: all(r["state"] == "done" for r in self.replays()))
        again = self.wait_quiet(1)
        self.assertEqual(set(again.events), set(had.events))
        self.assertEqual({r["sink"] for r in self.replays()}, {"siem1"})
        self.assertGreaterEqual(sum(r["delivered"] for r in self.replays()), len(had.events))
        self.assertLess(again.repeats(), 100)
        self.assertGreater(sum(not is_replay(again, n) for n in again.events), 300)
        self.assertEqual(self.delivered(0).repeats(), 0)
        late = self.newest_after_one_more()
        harness.wait_for("it goes on", 20, lambda: late in self.delivered(1).events)

    def newest_after_one_more(self):
        had = set(self.delivered(0).events)
        self.graph.ask("/_control/story", {"tenant": 1, "make": 1})
        return self.newest_made(had)

    def freeze_past_the_limit(self, **more):
        """One of two sinks is frozen until it is parked; the other one has everything."""
        self.scene("--alerts", 50, "--rate", 2, sinks=2, backlog={"size": "8MiB"}, **more)
        self.wait_events(100, 1)
        self.siems[1].freeze()
        self.graph.ask("/_control/story", {"tenant": "*", "make": 1500})
        harness.wait_for("it is parked", 90, lambda: self.sink("siem1")["over_backlog"])
        self.assertIn("it is parked", self.run_.read(self.msspd.log))
        self.assertIn("over its backlog", self.msspd.ctl("status").stdout)
        self.graph.ask("/_control/story", {"tenant": 2, "make": 300})

    def sink(self, name):
        return next(s for s in self.msspd.status()["sinks"] if s["sink"] == name)

    def assert_refilled(self, repeats=1):
        harness.wait_for("it is not parked any more", 60, lambda: not self.sink("siem1")["over_backlog"])
        self.graph.stop_story()
        harness.wait_for("what it missed is read", 90,
                         lambda: self.replays() and all(r["state"] == "done" for r in self.replays()))
        self.wait_quiet(1)
        wanted = newest(Truth(self.graph.truth_file))
        for i in (0, 1):
            harness.wait_for("everything is at %d" % i, 60, lambda i=i: not wanted - set(self.delivered(i).events))
        self.assertTrue(all(r["why"] == "gap" and r["sink"] == "siem1" for r in self.replays()))
        whole, refilled = self.delivered(0), self.delivered(1)
        self.assertLess(whole.repeats(), repeats)
        self.assertFalse(any(is_replay(whole, n) for n in whole.events))
        self.assertTrue(any(is_replay(refilled, n) for n in refilled.events))
        if repeats == 1:
            self.assertLess(refilled.repeats(), 400)

    def told(self, i=0):
        """Health records of sinks' backlogs."""
        words = ("health.over-its-backlog", "health.being-refilled", "health.complete")
        return [h["class_id"] for h, _ in self.delivered(i).health if h["class_id"] in words]

    def test_a_frozen_sink_is_parked_and_refilled(self):
        self.more = "health: {settle: 1s}\n"
        self.freeze_past_the_limit(health="daemon")
        wanted = newest(Truth(self.graph.truth_file))
        harness.wait_for("the other goes on", 60, lambda: len(wanted - set(self.delivered(0).events)) < 20)
        harness.wait_for("the newest are let go", 20, lambda: self.sink("siem1")["backlog"] < 2700)
        self.siems[1].thaw()
        self.assert_refilled()
        harness.wait_for("it is told that it has all", 30, lambda: self.told(1)[-1:] == ["health.complete"])
        self.assertEqual(self.told(1)[0], "health.over-its-backlog")

    def test_a_sink_that_pauses_polling_misses_nothing(self):
        """when_full: pause. The tenants wait for it, in so many words, and nothing is read again."""
        self.scene("--alerts", 50, "--rate", 2, sinks=2, backlog={"size": "8MiB", "when_full": "pause"})
        self.wait_events(100, 1)
        self.siems[1].freeze()
        self.graph.ask("/_control/story", {"tenant": "*", "make": 1500})
        harness.wait_for("its tenants are paused", 90, lambda: self.sink("siem1")["pauses_polling"] and all(
            t["state"] == "paused" for t in self.msspd.status()["tenants"]))
        text = self.msspd.ctl("status").stdout
        self.assertIn("when_full: pause", text)
        self.assertIn("are not polled", self.run_.read(self.msspd.log))
        time.sleep(2)
        polls = [t["polls"] for t in self.msspd.status()["tenants"]]
        time.sleep(3)
        self.assertEqual([t["polls"] for t in self.msspd.status()["tenants"]], polls)
        self.siems[1].thaw()
        harness.wait_for("polling goes on", 60, lambda: not any(
            t["state"] == "paused" for t in self.msspd.status()["tenants"]))
        self.graph.stop_story()
        wanted = newest(Truth(self.graph.truth_file))
        for i in (0, 1):
            harness.wait_for("everything is at %d" % i, 90, lambda i=i: not wanted - set(self.delivered(i).events))
            got = self.delivered(i)
            self.assertFalse(any(is_replay(got, n) for n in got.events))
        self.assertEqual(self.replays(), [])

    def test_a_parked_sink_is_refilled_after_a_kill(self):
        self.freeze_past_the_limit()
        # What the other has not accepted yet comes again, on a busy machine all that was made.
        harness.wait_for("the other has it all", 90, lambda: self.sink("siem0")["backlog"] < 20)
        self.msspd.kill()
        self.siems[1].thaw()
        self.msspd.start()
        self.assert_refilled(repeats=60)  # what the other had not settled when it was killed

    def newest_made(self, had):
        tenant = harness.FakeGraph.tenant_id(1)
        versions = [v for v in Truth(self.graph.truth_file).versions() if v["tenant"] == tenant]
        name = event_id(max(versions, key=lambda v: v["visible_from"]))
        self.assertNotIn(name, had)
        return name


if __name__ == "__main__":
    unittest.main()
