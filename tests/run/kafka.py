# SPDX-License-Identifier: Apache-2.0
"""A real Apache Kafka broker for the runs: one process, KRaft, on loopback, unprivileged."""
import json
import os
import subprocess

import harness
from harness import wait_for

LIBS = os.path.join(harness.ROOT, "build", "kafka")
USER, PASSWORD = "msspd", "kafka-pass-19"
PLAIN, PLAIN_PASSWORD = "msspd-plain", "kafka-pass-23"  # whom SCRAM does not know

# Each kind of sign-in has a listener of its own; the timestamps are the broker's, of when it had it.
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:%(controller)d
listeners=CLEAR://127.0.0.1:%(clear)d,TLS://127.0.0.1:%(tls)d,SASL://127.0.0.1:%(sasl)d,WAY://127.0.0.1:%(way)d,CONTROLLER://127.0.0.1:%(controller)d
advertised.listeners=CLEAR://127.0.0.1:%(clear)d,TLS://127.0.0.1:%(tls)d,SASL://127.0.0.1:%(sasl)d,WAY://127.0.0.1:%(told)d
listener.security.protocol.map=WAY:PLAINTEXT,CONTROLLER:PLAINTEXT,CLEAR:PLAINTEXT,TLS:SSL,SASL:SASL_SSL
controller.listener.names=CONTROLLER
inter.broker.listener.name=CLEAR
log.dirs=%(dir)s/data
log.message.timestamp.type=LogAppendTime
num.partitions=4
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
controller.quorum.election.timeout.ms=300
controller.quorum.fetch.timeout.ms=1000
auto.create.topics.enable=%(auto_create)s
group.initial.rebalance.delay.ms=0
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=true
super.users=User:ANONYMOUS
ssl.keystore.type=PEM
ssl.keystore.location=%(dir)s/server.pem
ssl.truststore.type=PEM
ssl.truststore.location=%(pki)s/ca.crt
listener.name.tls.ssl.client.auth=required
listener.name.sasl.ssl.client.auth=none
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%(user)s="%(password)s";
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="x";
"""

LOG4J = """log4j.rootLogger=WARN, out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
"""


class Kafka:
    """Outlives its kills: what it stored stays."""

    def __init__(self, run, name="kafka", auto_create=True, proxy=None):
        """What is behind the port `way` is told to clients as the proxy's."""
        self.run, self.name, self.child = run, name, None
        self.dir = run.path(name)
        os.makedirs(self.dir)
        self.pki = harness.Pki(run)
        self.clear, self.tls, self.sasl, self.way, self.controller = (harness.free_port() for _ in range(5))
        self.brokers = "127.0.0.1:%d" % self.clear
        with open(os.path.join(self.dir, "server.pem"), "w", encoding="ascii") as out:
            for part in ("server.key", "server.crt"):
                with open(self.pki(part), encoding="ascii") as f:
                    out.write(f.read())
        self.file = run.write(name + "/server.properties", PROPERTIES % dict(
            dir=self.dir, pki=self.pki(""), user=PLAIN, password=PLAIN_PASSWORD, clear=self.clear,
            tls=self.tls, sasl=self.sasl, way=self.way, told=proxy.port if proxy else self.way, controller=self.controller, auto_create=str(auto_create).lower()))
        self.log4j = run.write(name + "/log4j.properties", LOG4J)
        self._format()
        self.start()

    def _java(self, *args):
        assert os.path.exists(os.path.join(LIBS, ".complete")), "no broker in build/kafka: run 'make check-deps'"
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.net.preferIPv4Stack=true",
                "-Dlog4j.configuration=file:" + self.log4j,
                "-cp", LIBS + "/*"] + list(args)

    def _format(self):
        subprocess.run(self._java("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAQACAAAAAAAAAAQ", "-c", self.file,
                                  "--add-scram", "SCRAM-SHA-512=[name=%s,password=%s]" % (USER, PASSWORD)),
                       check=True, capture_output=True)

    def start(self):
        self.child = self.run.start(self._java("kafka.Kafka", self.file), log=self.name + "/broker.log")
        wait_for("Kafka answers", 60, lambda: self.child.poll() is None and harness.is_open(self.clear)
                 and harness.is_open(self.sasl))
        return self

    def kill(self):
        self.child.kill()
        self.child.wait()

    def tool(self, *args):
        done = subprocess.run([os.path.join(harness.BIN, "kafka-tool"), self.brokers] + list(args), check=False,
                              capture_output=True, timeout=60 * harness.SLOW)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def create(self, topic, **config):
        self.tool("create", topic, *["config.%s=%s" % (k.replace("_", "."), v) for k, v in config.items()])

    def forbid(self, topic):
        """Who signs in may not write to it any more."""
        self.tool("forbid", topic)

    def messages(self, prefix=""):
        """All that is in the topics whose names begin so, partition by partition in its order."""
        lines = self.tool("read", prefix).split(b"\n")
        return [json.loads(line, strict=False) for line in lines if line]

    def stored(self, topic):
        """Bytes of its files, as they are compressed."""
        data = os.path.join(self.dir, "data")
        return sum(os.path.getsize(os.path.join(data, d, f)) for d in os.listdir(data) if d.startswith(topic + "-")
                   for f in os.listdir(os.path.join(data, d)) if f.endswith(".log"))

    def rows(self):
        """As truth.Delivered takes them: of a sink with format cef."""
        return [{"msg": m["value"], "received": m["at_ms"] / 1000} for m in self.messages()
                if not m["topic"].startswith("__")]


def sink(kafka, topic="alerts", **more):
    return dict({"type": "kafka", "brokers": [kafka.brokers], "topic": topic}, **more)


def disorder(messages):
    """Per alert: versions that came for the first time after a later one, and alerts whose last message is not
    their last version. Empty when order was kept."""
    newest, last, wrong = {}, {}, []
    for m in messages:
        key, (_, _, version) = m["key"], m["headers"]["event-id"].rpartition("/")
        seen, new = newest.setdefault(key, (set(), ""))
        if version < new and version not in seen:
            wrong.append("%s came after %s" % (m["headers"]["event-id"], new))
        seen.add(version)
        newest[key] = (seen, max(new, version))
        last[key] = version
    return wrong + ["%s ends with %s, not %s" % (k, v, newest[k][1]) for k, v in last.items() if v != newest[k][1]]
