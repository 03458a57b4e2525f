# SPDX-License-Identifier: Apache-2.0
"""The fields of the Elastic Common Schema 8.17 that msspd writes, by type, and msspd's own below "msspd".

A receiver that knows the schema refuses an event where a date, an address or a number is none.
"""
import re

from ocsf_rules import is_address

FIELDS = {
    "keyword": "ecs.version event.kind event.category event.type event.action event.module event.dataset event.id "
               "event.provider event.url event.original event.reason message tags rule.name rule.id rule.uuid rule.category "
               "threat.framework threat.tactic.name threat.tactic.id threat.technique.id threat.technique.subtechnique.id "
               "threat.software.name threat.group.name organization.id organization.name cloud.provider cloud.account.id "
               "cloud.account.name observer.vendor observer.product host.name host.hostname host.id host.domain host.os.name "
               "host.os.version user.name user.id user.domain user.email user.full_name process.name process.command_line "
               "process.executable process.hash.md5 process.hash.sha1 process.hash.sha256 process.parent.name "
               "process.user.name process.user.id process.user.domain process.user.email process.user.full_name file.name "
               "file.directory file.path file.hash.md5 file.hash.sha1 file.hash.sha256 file.hash.sha512 "
               "source.geo.country_iso_code source.geo.region_name source.geo.city_name destination.geo.country_iso_code "
               "destination.geo.region_name destination.geo.city_name url.original url.scheme url.domain url.path url.query "
               "email.from.address email.sender.address email.to.address email.subject email.message_id email.local_id "
               "registry.hive registry.key registry.value registry.path registry.data.strings registry.data.type "
               "service.name related.hosts related.user related.hash",
    "date": "@timestamp event.created event.start event.end process.start process.parent.start email.delivery_timestamp",
    "ip": "host.ip source.ip destination.ip related.ip",
    "long": "event.severity process.pid process.parent.pid file.size",
}
LISTS = set("event.category event.type tags threat.tactic.name threat.tactic.id threat.technique.id "
            "threat.technique.subtechnique.id host.ip email.from.address email.to.address registry.data.strings related.ip "
            "related.hosts related.user related.hash".split())
REQUIRED = "@timestamp ecs.version event.kind event.action message organization.id msspd.event_id msspd.kind".split()
OF_ALERTS = ["event.category", "event.id"]  # health and canaries are about no alert and no incident
ALLOWED = {
    "event.kind": {"alert", "event", "state"}, "event.type": {"info"},
    "event.category": {"intrusion_detection", "host", "iam", "process", "file", "network", "web", "email", "registry"},
}
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}Z")
CHECKS = {
    "keyword": lambda v: isinstance(v, str) and v, "date": lambda v: isinstance(v, str) and DATE.fullmatch(v),
    "ip": lambda v: isinstance(v, str) and is_address(v),
    "long": lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 63,
}
TYPE = {path: kind for kind, paths in FIELDS.items() for path in paths.split()}


def leaves(value, path=""):
    """Each (path, value) that is no object; lists of values as they are."""
    for name, inner in value.items():
        here = path + "." + name if path else name
        if isinstance(inner, dict):
            yield from leaves(inner, here)
        else:
            yield here, inner


def faults(event):
    """All that is wrong with an event, as text; empty when nothing is."""
    seen = {}
    for path, value in leaves(event):
        seen[path] = value
        if path.startswith("msspd."):
            continue
        if path not in TYPE:
            yield "%s: the schema has no such field" % path
            continue
        if isinstance(value, list) != (path in LISTS):
            yield "%s: %r" % (path, value)
        for one in value if isinstance(value, list) else [value]:
            if not CHECKS[TYPE[path]](one):
                yield "%s: %r is no %s" % (path, one, TYPE[path])
            if one not in ALLOWED.get(path, {one}):
                yield "%s: %r" % (path, one)
    for path in REQUIRED + (OF_ALERTS if seen.get("event.kind") == "alert" else []):
        if path not in seen:
            yield "%s is missing" % path
