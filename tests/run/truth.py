# SPDX-License-Identifier: Apache-2.0
"""Compares what a receiver understood with what existed (fake-graph's truth)."""
import collections
import json

import cef

LATE_MS = 500  # what a poll may be late on a loaded machine

CEF_SEVERITY = {"informational": "1", "low": "3", "medium": "6", "high": "8", "unknown": "Unknown",
                None: "Unknown"}


class Truth:
    """The versions of all alerts, by (tenant GUID, alert key)."""

    def __init__(self, path):
        self.alerts = collections.defaultdict(dict)
        with open(path, encoding="utf-8") as f:
            for line in f:
                if not line.endswith("\n"):
                    break
                o = json.loads(line)
                alert = self.alerts[o["tenant"], o["key"]]
                if o["t"] == "v":
                    alert[o["version"]] = o
                else:
                    alert[o["version"]].update(replaced_at=o["replaced_at"],
                                               poller_could_see=o["poller_could_see"])

    def versions(self):
        for alert in self.alerts.values():
            yield from alert.values()

    def read_as(self, streams_of, wait_ms=0):
        """Leaves what a tenant is read for: streams_of(GUID) says its streams. Who is read for both alert
        streams has the endpoint API's own alerts wait_ms after they came to be, and what both APIs have by
        either of them, since Graph is not waited for longer; without wait_ms Graph is always well."""
        for (tenant, key), alert in list(self.alerts.items()):
            first, streams = next(iter(alert.values())), set(streams_of(tenant))
            way = way_of(first, streams)
            if way is None:
                del self.alerts[tenant, key]
                continue
            waits = wait_ms if way == "mde-alerts" and "alerts" in streams else 0
            for v in alert.values():
                v["due"] = max(v["visible_from"], first["visible_from"] + waits)
                if way == "mde-alerts" or (wait_ms and way_of(first, streams & {"mde-alerts"})):
                    v["evidence"] = None  # its items are counted otherwise
        return self

    def required(self, interval_ms, up):
        """What must have been delivered: the last state of each alert, and each that stood for two
        intervals while msspd ran, as pairs of the state and the alert's versions. `up` holds
        (from, to) in wall clock ms. A state is a list of versions of which one is enough: after the
        first only lastUpdateDateTime differs."""
        for alert in self.alerts.values():
            states = []
            for v in alert.values():
                if v["change"] == "touched" and states:
                    states[-1].append(v)
                else:
                    states.append([v])
            for n, state in enumerate(states):
                seen = [v for v in state if v["poller_could_see"]]
                last = n + 1 == len(states)
                if seen and (last or self.stood(due(seen[0]), states[n + 1][0]["visible_from"],
                                                interval_ms, up)):
                    yield seen, alert

    @staticmethod
    def stood(since, gone, interval_ms, up):
        return any(min(gone, to) - max(since, frm)
                   >= 2 * interval_ms + LATE_MS for frm, to in up)


def way_of(version, streams):
    """The stream by which an alert or incident comes; None: by none of these."""
    if version["stream"] == "incidents":
        return "incidents" if "incidents" in streams else None
    if "alerts" in streams and version["mde"] != "only":
        return "alerts"
    return "mde-alerts" if "mde-alerts" in streams and version["mde"] != "no" else None


def due(version):
    return version.get("due", version["visible_from"])


def event_id(version):
    stream = "incident" if version.get("stream") == "incidents" else "alert"
    kind = "unreadable" if version["reads"] == "unreadable" else stream
    name = version["id"] if version["id"] is not None else version["sha256"]
    return "%s/%s:%s/%s" % (version["tenant"], kind, name, version["updated"])


class Delivered:
    """Rows of receivers, parsed; every oddity is kept in `wrong`."""

    def __init__(self, rows):
        self.wrong, self.torn = [], 0
        self.health = []  # records of msspd's own: no truth of fake-graph's knows them
        self.events = collections.Counter()
        self.fields = {}
        self.received = collections.defaultdict(list)
        self.texts = collections.defaultdict(set)
        for row in rows:
            if "torn" in row:
                self.torn += 1
                continue
            self.take(row)

    def take(self, row):
        try:
            header, fields = cef.parse(row["msg"])
        except ValueError as e:
            self.wrong.append("%s in %r" % (e, row["msg"][:200]))
            return
        name = fields.get("MicrosoftDefenderEventId")
        if name is None:
            self.wrong.append("no event id in %r" % row["msg"][:200])
            return
        if fields.get("cs3") != name.split("/")[0]:
            self.wrong.append("tenant %s in cs3 of %s" % (fields.get("cs3"), name))
        if "/health:" in name:
            self.health.append((header, fields))
            return
        if "/canary:" in name:
            return
        self.events[name] += 1
        self.fields[name] = (row, header, fields)
        self.received[name].append(row.get("received", 0))
        self.texts[name].add(row["msg"])

    def repeats(self):
        return sum(n - 1 for n in self.events.values())

    def unequal(self):
        """Events of which one copy is not like another, as the first bytes of each: where nothing else changed
        it would have been cut or mixed on its way."""
        return {name: sorted(t[:200] for t in texts) for name, texts in self.texts.items() if len(texts) > 1}


def unreadable_name(name):
    """Without the version: an unreadable slice may show none that can be trusted."""
    return name.rsplit("/", 1)[0]


def compare(truth, delivered, interval_ms, up):
    """Everything that is wrong, as lines; empty when nothing is."""
    wrong = list(delivered.wrong)
    unreadable = {unreadable_name(n) for n in delivered.events if "/unreadable:" in n}
    known = {event_id(v) for v in truth.versions()}
    for state, alert in truth.required(interval_ms, up):
        wrong += compare_state(state, alert, delivered, unreadable)
    for name in delivered.events:
        if "/unreadable:" not in name and name not in known:
            wrong.append("never existed: %s" % name)
    return wrong


def tells_nothing_new(version, alert, delivered):
    """The newest version before it that was seen looks the same: what lay between was not seen."""
    before = [v for n, v in alert.items() if n < version["version"] and event_id(v) in delivered.events]
    return bool(before) and max(before, key=lambda v: v["version"])["state"] == version["state"]


def compare_state(state, alert, delivered, unreadable):
    """One of the state's versions must be there, as it was."""
    first = state[0]
    if first["reads"] == "unreadable":
        name = unreadable_name(event_id(first))
        return [] if name in unreadable else ["lost: %s (%s)" % (name, first["hostile"])]
    for v in state:
        name = event_id(v)
        if name in delivered.events:
            return compare_fields(v, name, delivered.fields[name])
    if tells_nothing_new(first, alert, delivered):
        return []
    return ["lost: %s %s %s, stood from %d to %d" % (event_id(first), first["event"], first["hostile"] or "",
                                                     first["visible_from"], state[-1]["replaced_at"])]


def compare_fields(v, name, delivered):
    _, header, fields = delivered
    pairs = [("severity", CEF_SEVERITY.get(v["severity"], "Unknown"), header["severity"]),
             ("status", v["status"], fields.get("cs5", "unknown"))]
    if v["evidence"] is not None:
        pairs.append(("evidence", str(v["evidence"]), fields.get("cn2", "0")))
    return ["%s: %s is %s, delivered as %s" % (name, what, was, now)
            for what, was, now in pairs if was != now]
