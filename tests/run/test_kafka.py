# SPDX-License-Identifier: Apache-2.0
"""msspd and a real Apache Kafka broker: every way in, topics that take nothing, kills of both."""
import base64
import json
import os
import re
import signal
import sys
import time

import harness
import kafka
from harness import wait_for
from proxy import ForgetfulProxy
from scene import Scene

TENANTS = 50


def figures(msspd):
    return {s["sink"]: s for s in msspd.status()["sinks"]}


class Ways(Scene):
    """Each way to sign in, and what is refused."""

    busy = True

    def token(self, seconds):
        def part(o):
            return base64.urlsafe_b64encode(json.dumps(o).encode()).decode().rstrip("=")
        now = int(time.time())
        return "%s.%s." % (part({"alg": "none"}), part({"sub": kafka.USER, "iat": now, "exp": now + seconds}))

    def sinks(self, broker, pki):
        password = self.run_.write("password", kafka.PASSWORD + "\n")
        wrong = self.run_.write("wrong", "wrong-pass-21\n")
        token = self.run_.write("token", self.token(3600) + "\n")
        tls = {"ca_file": pki("ca.crt")}
        mutual = dict(tls, certificate_file=pki("client.crt"), key_file=pki("client.key"))
        sasl, mtls = ["127.0.0.1:%d" % broker.sasl], ["127.0.0.1:%d" % broker.tls]
        user = {"brokers": sasl, "username": kafka.USER, "password_file": password, "tls": tls}

        def sink(topic, rdkafka=None, **more):
            return kafka.sink(broker, topic, rdkafka=rdkafka or {}, **more)
        return {
            "clear": sink("clear", {"compression.type": "zstd"}),
            "mutual": sink("mutual", brokers=mtls, tls=mutual),
            "scram": sink("scram", {"compression.type": "lz4", "debug": "security,conf"}, **user),
            "plain": sink("plain", {"sasl.mechanism": "PLAIN"}, **dict(
                user, username=kafka.PLAIN, password_file=self.run_.write("plain", kafka.PLAIN_PASSWORD))),
            "oauth": sink("oauth", brokers=sasl, tls=tls, oauth_token_file=token),
            "wrong": sink("wrong", **dict(user, password_file=wrong)),
            "nobody": sink("nobody", brokers=mtls, tls=tls),
            "stranger": sink("stranger", **dict(user, tls={"ca_file": pki("stranger.crt")})),
        }

    def test_ways_in(self):
        broker = kafka.Kafka(self.run_)
        graph = harness.FakeGraph(self.run_, "--tenants", 1, "--alerts", 20, "--rate", 0)
        sinks = self.sinks(broker, broker.pki)
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(1, customer="contoso"), sinks)
                              + "instance: soc-7\ncustomers: {contoso: {name: Contoso Ltd}}\n")
        done = msspd.call("-n")
        self.assertEqual(done.returncode, 0, done.stderr)
        msspd.start("-v")
        good, bad = ("clear", "mutual", "scram", "plain", "oauth"), ("wrong", "nobody", "stranger")
        wait_for("all that may have accepted", 60, lambda: all(
            figures(msspd)[name]["accepted"] >= 20 for name in good))
        wait_for("all others are refused", 30, lambda: all(
            figures(msspd)[name]["link"] == "refused" for name in bad))
        for name in good:
            self.read_ocsf(broker, name)
        for name in ("clear", "scram"):  # zstd and lz4 are at work
            self.assertLess(broker.stored(name), sum(len(m["value"]) for m in broker.messages(name)) * 2 / 3)
        for name in bad:
            self.assertEqual(broker.messages(name), [])
        self.check_test_records(msspd, broker)
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 2.5 * harness.SLOW)
        log = self.run_.read(msspd.log)
        for secret in (kafka.PASSWORD, kafka.PLAIN_PASSWORD, "wrong-pass-21"):
            self.assertNotIn(secret, log)
        self.assertIn("librdkafka: SASL", log, "it is told all that there is to tell")
        self.assertIn("min.insync.replicas 1", log)
        self.assert_no_secret_in_logs(msspd.log)

    def check_test_records(self, msspd, broker):
        answer = json.loads(msspd.ctl("test-sink", "mutual", "--json").stdout)
        self.assertTrue(answer["accepted"] and answer["acknowledged"], answer)
        self.assertIn("in-sync replica", answer["means"])
        there = [m["headers"]["event-id"] for m in broker.messages("mutual") if m["headers"]["event-kind"] == "canary"]
        self.assertEqual(there, [answer["event_id"]])
        self.assertFalse(json.loads(msspd.ctl("test-sink", "wrong", "--json").stdout)["accepted"])

    def read_ocsf(self, broker, topic):
        messages = broker.messages(topic)
        self.assertGreaterEqual(len(messages), 20)
        self.assertEqual(kafka.disorder(messages), [])
        for m in messages:
            value, headers = json.loads(m["value"]), m["headers"]
            self.assertTrue(m["key"].startswith(headers["tenant-id"] + ":"))
            known = value["unmapped"]["msspd"]
            self.assertEqual(headers, {
                "tenant": "t001", "tenant-id": harness.FakeGraph.tenant_id(1), "customer": "contoso", "stream": "alerts",
                "event-kind": known["kind"], "event-id": value["metadata"]["uid"], "format": "ocsf",
                "format-version": value["metadata"]["version"], "content-type": "application/json", "instance": "soc-7"})


class Topics(Scene):
    """Topics that are absent, forbidden or narrow hold back no other."""

    busy = True

    def sinks(self, broker):
        user = {"brokers": ["127.0.0.1:%d" % broker.sasl], "username": kafka.USER,
                "password_file": self.run_.write("password", kafka.PASSWORD), "tls": {"ca_file": broker.pki("ca.crt")}}
        return {"lake": kafka.sink(broker, "of-{tenant}", format="cef", **user),
                "narrow": kafka.sink(broker, "narrow", format="raw"),
                "long": kafka.sink(broker, "long", rdkafka={"message.max.bytes": "2000"})}

    def test_one_of_many_takes_nothing(self):
        broker = kafka.Kafka(self.run_, auto_create=False)
        for i in range(2, TENANTS + 1):
            broker.create("of-t%03d" % i)
        broker.forbid("of-t002")
        broker.create("narrow", max_message_bytes=6000)
        broker.create("long")
        graph = harness.FakeGraph(self.run_, "--tenants", TENANTS, "--alerts", 20, "--rate", 0.2)
        tenants = harness.tenants(TENANTS, sinks=["lake"])
        tenants["t003"]["sinks"] = ["lake", "narrow", "long"]
        msspd = harness.Msspd(self.run_, harness.config(graph, tenants, self.sinks(broker)))
        msspd.start()
        self.mark_up()
        others = ["of-t%03d" % i for i in range(3, TENANTS + 1)]
        wait_for("all other topics have something", 60, lambda: set(others) <= self.topics(broker), 1)
        self.assertNotIn("of-t002", self.topics(broker))
        self.assertEqual(figures(msspd)["lake"]["link"], "up")
        began = time.time()
        time.sleep(8 * harness.SLOW)
        late = self.lateness(broker, began)
        print("%d alerts while two of %d topics took nothing; the latest %.1f s after it was seen" % (
            len(late), TENANTS, max(late)), file=sys.stderr)
        self.assertLess(max(late), 3 * harness.SLOW)
        graph.stop_story()
        self.check_sizes(broker, msspd)
        broker.create("of-t001")
        wait_for("the absent topic has something", 90, lambda: "of-t001" in self.topics(broker))
        self.assertIn("of-t002 takes nothing", self.run_.read(msspd.log))
        msspd.stop()

    @staticmethod
    def topics(broker):
        return {m["topic"] for m in broker.messages("of-")}

    @staticmethod
    def lateness(broker, since):
        """Of each alert that was read since then: how long after it changed was it in its topic?"""
        late = []
        for m in broker.messages("of-"):
            stamp = m["headers"]["event-id"].rpartition("/")[2]
            changed = time.mktime(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
            if changed >= since:
                late.append(m["at_ms"] / 1000 - changed - 1)  # polled each second
        return late

    def check_sizes(self, broker, msspd):
        """What the topic finds too large is a dead letter, each for itself; what we know to be too long is shortened."""
        messages = broker.messages("narrow")
        dead = wait_for("dead letters", 30, lambda: figures(msspd)["narrow"]["dead_letters"])
        self.assertGreater(len(messages), 0)
        self.assertIn("MSG_SIZE_TOO_LARGE", self.run_.read(msspd.log))
        wait_for("the others are there", 30, lambda: figures(msspd)["long"]["accepted"] ==
                 figures(msspd)["narrow"]["accepted"] + figures(msspd)["narrow"]["dead_letters"])
        self.assertEqual(figures(msspd)["long"]["dead_letters"], 0)
        self.assertLess(max(len(m["value"].encode()) for m in broker.messages("long")), 2000)
        print("narrow: %d arrived, %d dead" % (len(messages), dead), file=sys.stderr)


class Sizes(Scene):
    """Alerts that are longer than the megabyte that brokers allow."""

    busy = True

    def test_the_broker_s_megabyte(self):
        broker = kafka.Kafka(self.run_)
        graph = harness.FakeGraph(self.run_, "--alerts", 6, "--fault", "1:fat=1200:for=1")
        more = {"message.max.bytes": "4000000", "compression.type": "none"}
        sinks = {"usual": kafka.sink(broker, "usual"), "wide": kafka.sink(broker, "wide", format="raw", rdkafka=more)}
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(1), sinks)).start()
        wait_for("what we keep to a megabyte is accepted", 60, lambda: figures(msspd)["usual"]["accepted"] == 6)
        wait_for("what the broker refuses is dead", 60, lambda: figures(msspd)["wide"]["dead_letters"] == 6)
        self.assertEqual(figures(msspd)["usual"]["dead_letters"], 0)
        self.assertIn("topic wide: Broker: Message size too large (MSG_SIZE_TOO_LARGE)", msspd.ctl("dead").stdout.replace("\n", " "))
        for m in broker.messages("usual"):
            self.assertLess(len(m["value"].encode()), 1000000)
            self.assertTrue(json.loads(m["value"])["metadata"]["is_truncated"])
        graph.ask("/_control/story", {"tenant": 1, "make": 4})  # of the usual size
        wait_for("nobody waits behind them", 60, lambda: figures(msspd)["wide"]["accepted"] == 4)
        self.assertEqual(len(broker.messages("wide")), 4)
        msspd.stop()


class Sleeps(Scene):
    """msspd stands still for a while, and those on the way forget its connections."""

    def test_connections_that_are_dead_after_a_sleep(self):
        """What is not acknowledged goes again over new ones, soon; nothing counts as accepted that is not there."""
        proxy = ForgetfulProxy(0)
        self.addCleanup(proxy.close)
        broker = kafka.Kafka(self.run_, proxy=proxy)
        proxy.to = broker.way
        graph = harness.FakeGraph(self.run_, "--tenants", 3, "--alerts", 20)
        sink = kafka.sink(broker, format="cef", brokers=["127.0.0.1:%d" % proxy.port])
        msspd = harness.Msspd(self.run_, harness.config(graph, harness.tenants(3), {"lake": sink})).start()
        wait_for("all are there", 60, lambda: figures(msspd)["lake"]["accepted"] >= 60)
        for is_amid in (False, True):
            if is_amid:  # what is sent meanwhile is answered by nobody
                proxy.forget()
                graph.ask("/_control/story", {"tenant": "*", "make": 5})
                wait_for("some is under way", 30, lambda: figures(msspd)["lake"]["in_flight"] > 0)
            before = figures(msspd)["lake"]["accepted"]
            msspd.child.send_signal(signal.SIGSTOP)
            proxy.forget()
            time.sleep(6)
            graph.ask("/_control/story", {"tenant": "*", "make": 5})
            msspd.child.send_signal(signal.SIGCONT)
            woke = time.monotonic()
            wait_for("new alerts", 60, lambda n=before + 15 * (1 + is_amid): figures(msspd)["lake"]["accepted"] >= n)
            self.assertLess(time.monotonic() - woke, 20 * harness.SLOW)
            self.assertGreaterEqual(len({m["headers"]["event-id"] for m in broker.messages("alerts")}),
                                    before + 15 * (1 + is_amid))
        self.assertEqual(len(re.findall(r"stood still, for \d+ s; the connections to Kafka are made anew",
                                        self.run_.read(msspd.log))), 2)
        self.assertEqual(figures(msspd)["lake"]["trouble"], "")
        graph.stop_story()
        self.assert_all_arrived(graph, msspd, broker)
        self.assertEqual(kafka.disorder(broker.messages("alerts")), [])
        self.assertEqual(msspd.stop()[1], 0)


class Kills(Scene):
    """Either is killed in mid-drain, again and again: nothing is lost, and each alert keeps its order."""

    busy = True
    kills = 20 if harness.SOAK else 2
    limit = 3600 if harness.SOAK else 300

    def scene(self, alerts, rate):
        broker = kafka.Kafka(self.run_)
        graph = harness.FakeGraph(self.run_, "--tenants", 20, "--alerts", alerts, "--rate", rate, "--touches", 10)
        sinks = {"lake": kafka.sink(broker, format="cef", rdkafka={"message.timeout.ms": "10000"})}
        return broker, graph, harness.Msspd(self.run_, harness.config(graph, harness.tenants(20), sinks))

    def finish(self, broker, graph, msspd, what):
        graph.stop_story()
        delivered = self.assert_all_arrived(graph, msspd, broker, seconds=120)
        took, code = msspd.stop()
        self.assertEqual(code, 0)
        self.assertLess(took, 2.5 * harness.SLOW)
        self.assertEqual(kafka.disorder(broker.messages("alerts")), [])
        print("%d kills of %s: %d events, %d repeats" % (
            self.kills + (what == "msspd"), what, len(delivered.events), delivered.repeats()), file=sys.stderr)

    def start(self, msspd):
        """Until everything there was is read: what stands for two intervals from now on must arrive."""
        msspd.start()
        wait_for("everything there was is read", 120, lambda: all(
            t["state"] == "healthy" and t["polls"] > 1 for t in msspd.status()["tenants"]))
        self.mark_up()

    def test_kill_9_of_the_broker(self):
        rng = harness.rng(self.id())
        broker, graph, msspd = self.scene(60, 1)
        self.start(msspd)
        for n in range(self.kills):
            time.sleep(rng.choice((0.1, 0.5, 2)) * rng.uniform(0.5, 1.5) * harness.SLOW)
            broker.kill()
            time.sleep((0.1, 7)[n % 2] * harness.SLOW)  # shorter and longer than the link counts as up
            broker.start()
        time.sleep(2 * harness.SLOW)
        self.finish(broker, graph, msspd, "the broker")

    def test_kill_9_of_msspd(self):
        rng = harness.rng(self.id())
        broker, graph, msspd = self.scene(200, 1)
        for _ in range(self.kills + 1):
            msspd.start(wait=False)
            time.sleep(rng.choice((0.3, 0.6, 1.2)) * rng.uniform(0.5, 1.5) * harness.SLOW)
            msspd.kill()
        self.start(msspd)
        time.sleep(3 * harness.SLOW)
        self.finish(broker, graph, msspd, "msspd")


if __name__ == "__main__":
    import unittest
    unittest.main()
