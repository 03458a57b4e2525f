# SPDX-License-Identifier: Apache-2.0
"""What msspd wrote of an alert, read by readers that know nothing of msspd, and compared value by value with the alert.

usage: readback.py WRITE-FORMATS SEED COUNT   random alerts through that program; says what is wrong, and how many were right

The JSON formats are read by Python's json; CEF and LEEF by the few lines here, made after the vendors' guides. The
tables are docs/FORMATS.md once more, written by hand: a source, and the places that its value must be found at.
"""
import calendar
import functools
import ipaddress
import json
import re
import subprocess
import sys
import urllib.parse

import ecs_rules
import ocsf_rules
import random_alerts

NO_TITLE = "Microsoft Defender alert"
PRODUCT = {"microsoftDefenderForEndpoint": "Microsoft Defender for Endpoint",
           "microsoft365Defender": "Microsoft Defender XDR"}
TENANT = "11111111-2222-3333-4444-555555555555"
LONE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Wrong(Exception):
    pass


# ---- what a source means -------------------------------------------------------------------

def mend(s):
    """Unpaired surrogates are U+FFFD."""
    return s if s.isascii() else LONE.sub("\ufffd", s)


def text(v):
    """Numbers and booleans where Graph has text are taken as such; None: absent."""
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    return mend(v) if isinstance(v, str) and v != "" else None


def texts(v):
    return [t for t in map(text, v) if t] if isinstance(v, list) else [text(v)] if text(v) else []


def number(v):
    if isinstance(v, str) and re.fullmatch("-?(0|[1-9][0-9]*)", v):
        v = int(v)
    good = isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 2 ** 63
    return v if good else None


TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


def ticks(v):
    m = TIME.fullmatch(v) if isinstance(v, str) else None
    if m is None or v.startswith("0001-"):
        return None
    seconds, zone = calendar.timegm(tuple(map(int, m.groups()[:6]))), m.group(8)
    if zone != "Z":
        seconds -= (int(zone[1:3]) * 3600 + int(zone[4:]) * 60) * (1 if zone[0] == "+" else -1)
    return seconds * 10 ** 7 + int(((m.group(7) or "") + "0000000")[:7])


def stamp(v):
    """Of a time in UTC: with seven digits, more cut off."""
    whole, _, fraction = v[:-1].partition(".")
    return whole + "." + (fraction + "0000000")[:7] + "Z"


def ms(v):
    t = ticks(v)
    return None if t is None else t // 10000


def obj(v):
    return v if isinstance(v, dict) else {}


def first(*values):
    return next((v for v in values if v is not None), None)


def last_of(path):
    return path and (path.rsplit("/" if path[0] == "/" else "\\", 1)[-1] or None)


def join(folder, name):
    folder, name = folder or "", name or ""
    slash = "/" if folder.startswith("/") else "\\"
    if name and len(folder) > len(name) and folder.endswith(slash + name):
        return folder
    return (folder + ("" if not folder or not name or folder.endswith(slash) else slash) + name) or None


@functools.lru_cache(maxsize=4096)
def is_address(v):
    try:
        return ipaddress.ip_address(v).version if v and "%" not in v else 0
    except ValueError:
        return 0


# ---- JSON ------------------------------------------------------------------------------------

def canonical(raw):
    """JSON text with nothing but its values left: numbers as they are written, members in their order."""
    value = json.loads(raw, parse_int=lambda n: "#" + n, parse_float=lambda n: "#" + n)
    return mend(json.dumps(value, ensure_ascii=False))


class Source:
    """The text of an alert, and what it is canonically, when somebody asks."""

    def __init__(self, raw):
        self.text = raw.decode("utf-8", "replace")

    @functools.cached_property
    def canonical(self):
        return canonical(self.text)

    def same(self, got, where):
        if got != self.text:
            same(canonical(got), self.canonical, where)


def at(value, path):
    for step in path.split("."):
        if isinstance(value, list):
            value = value[int(step)] if int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return mend(value) if isinstance(value, str) else [mend(v) for v in value if isinstance(v, str)] if isinstance(
        value, list) and value and isinstance(value[0], str) else value


def same(got, want, where):
    if got != want and not (want == [] and got is None):
        raise Wrong("%s: %r, not %r" % (where, got, want))


# ---- OCSF ------------------------------------------------------------------------------------

SEVERITY = {"unknown": 0, "informational": 1, "low": 2, "medium": 3, "high": 4}
OCSF_TEXTS = {"id": ("finding_info.uid", "metadata.original_event_uid"), "providerAlertId": ("finding_info.uid_alt",),
              "description": ("finding_info.desc",), "detectorId": ("finding_info.analytic.uid",),
              "detectionSource": ("finding_info.data_sources.0", "finding_info.product.feature.name"),
              "alertPolicyId": ("finding_info.related_analytics.0.uid",), "assignedTo": ("assignee.name",),
              "incidentId": ("finding_info.related_events.0.uid", "tickets.0.uid"),
              "recommendedActions": ("remediation.desc",), "serviceSource": ("unmapped.serviceSource",),
              "classification": ("unmapped.classification",), "determination": ("unmapped.determination",),
              "actorDisplayName": ("unmapped.actorDisplayName",), "threatFamilyName": ("unmapped.threatFamilyName",),
              "investigationState": ("unmapped.investigationState",)}
OCSF_TIMES = {"createdDateTime": "finding_info.created_time", "lastUpdateDateTime": "finding_info.modified_time",
              "firstActivityDateTime": "finding_info.first_seen_time", "lastActivityDateTime": "finding_info.last_seen_time"}


OCSF_ALWAYS = {"cloud.account.name": "Contoso Ltd", "cloud.account.uid": TENANT, "metadata.tenant_uid": TENANT,
               "metadata.version": "1.8.0", "metadata.log_name": "alerts", "metadata.labels": ["customer:contoso", "tenant:contoso-eu"],
               "class_uid": 2004, "category_uid": 2, "activity_id": 1, "type_uid": 200401, "is_alert": True,
               "unmapped.msspd.tenant": "contoso-eu", "unmapped.msspd.customer": "contoso", "unmapped.msspd.kind": "new"}


def account_in_ocsf(a, out):
    a = obj(a)
    names = {name: text(a.get(name)) for name in ("accountName", "userPrincipalName", "displayName", "userSid",
                                                  "azureAdUserId", "domainName")}
    return {out + "name": first(names["accountName"], names["userPrincipalName"], names["displayName"]),
            out + "uid": first(names["userSid"], names["azureAdUserId"]), out + "uid_alt": names["azureAdUserId"],
            out + "domain": names["domainName"], out + "full_name": names["displayName"]}


def file_in_ocsf(f, out):
    f = obj(f)
    sums = [text(f.get(name)) for name in ("sha256", "sha1", "md5", "sha256Ac")]
    folder = text(f.get("filePath"))
    return {out + "name": first(text(f.get("fileName")), last_of(folder), *sums), out + "parent_folder": folder,
            out + "path": folder and join(folder, text(f.get("fileName"))), out + "size": number(f.get("fileSize")),
            out + "company_name": text(f.get("filePublisher")), out + "signatures.0.developer_uid": text(f.get("signer")),
            out + "hashes": [s for s in sums if s]}


def evidence_in_ocsf(e, kind, has_device):
    """Where each value is, of an item that is written by its type."""
    t = lambda name: text(e.get(name))
    if kind == "deviceEvidence":
        return {"device.hostname": first(t("deviceDnsName"), t("hostName")), "device.name": t("hostName"),
                "device.uid": first(t("mdeDeviceId"), t("azureAdDeviceId")), "device.uid_alt": t("azureAdDeviceId"),
                "device.domain": first(t("dnsDomain"), t("ntDomain")), "device.first_seen_time": ms(e.get("firstSeenDateTime")),
                "data.healthStatus": t("healthStatus"), "data.riskScore": t("riskScore"),
                "device.os.name": t("osPlatform"), "device.os.version": t("version"), "device.os.build": text(number(e.get("osBuild"))),
                "data.ntDomain": t("ntDomain"), "data.lastIpAddress": t("lastIpAddress"),
                "data.lastExternalIpAddress": t("lastExternalIpAddress"), "device.groups.0.name": t("rbacGroupName"),
                "data.onboardingStatus": t("onboardingStatus"), "data.defenderAvStatus": t("defenderAvStatus")}
    if kind == "userEvidence":
        return account_in_ocsf(e.get("userAccount"), "user.")
    if kind == "processEvidence":
        image, parent = obj(e.get("imageFile")), obj(e.get("parentProcessImageFile"))
        return {"process.pid": number(e.get("processId")), "process.name": text(image.get("fileName")),
                "process.cmd_line": t("processCommandLine"), "process.created_time": ms(e.get("processCreationDateTime")),
                "data.detectionStatus": t("detectionStatus"), "data.issuer": text(image.get("issuer")),
                "process.parent_process.name": text(parent.get("fileName")),
                "process.parent_process.pid": number(e.get("parentProcessId")),
                "process.parent_process.created_time": ms(e.get("parentProcessCreationDateTime")), "data.mdeDeviceId": t("mdeDeviceId"),
                **file_in_ocsf(image, "process.file."), **file_in_ocsf(parent, "process.parent_process.file."), **account_in_ocsf(e.get("userAccount"), "actor.user.")}
    if kind == "fileEvidence":
        return {"data.detectionStatus": t("detectionStatus"), "data.issuer": text(obj(e.get("fileDetails")).get("issuer")),
                "data.mdeDeviceId": t("mdeDeviceId"), **file_in_ocsf(e.get("fileDetails"), "file.")}
    if kind == "fileHashEvidence":
        return {"file.hashes.0.value": t("value"), "file.name": t("value")}
    if kind == "ipEvidence":
        place, end = obj(e.get("location")), "dst_endpoint." if has_device else "src_endpoint."
        return {end + "ip": t("ipAddress"), end + "location.country": t("countryLetterCode"),
                end + "location.region": text(place.get("state")), end + "location.city": text(place.get("city"))}
    if kind == "urlEvidence":
        return {"url.url_string": t("url")}
    if kind == "analyzedMessageEvidence":
        return {"email.subject": t("subject"), "email.message_uid": t("internetMessageId"), "email.uid": t("networkMessageId"),
                "data.deliveryAction": t("deliveryAction"), "data.deliveryLocation": t("deliveryLocation"),
                "data.antiSpamDirection": t("antiSpamDirection"), "data.language": t("language"), "data.urn": t("urn"),
                "data.threats": texts(e.get("threats")), "data.threatDetectionMethods": texts(e.get("threatDetectionMethods")),
                "email.from": first(member(e, "p2Sender.emailAddress"), member(e, "p1Sender.emailAddress")),
                "email.return_path": member(e, "p1Sender.emailAddress"), "email.to.0": t("recipientEmailAddress"),
                "email.x_originating_ip.0": t("senderIp"), "data.p1SenderName": member(e, "p1Sender.displayName"),
                "data.p2SenderName": member(e, "p2Sender.displayName"), "email.urls.0.url_string": first(*texts(e.get("urls")), None),
                "data.attachmentsCount": number(e.get("attachmentsCount")), "data.urlCount": number(e.get("urlCount"))}
    if kind == "mailboxEvidence":
        return {"data.displayName": t("displayName"), "data.upn": t("upn"), "email.to.0": t("primaryAddress"), **account_in_ocsf(e.get("userAccount"), "user.")}
    if kind == "oauthApplicationEvidence":
        return {"resources.0.name": t("displayName"), "resources.0.uid": t("objectId"), "actor.app_name": t("displayName"),
                "actor.app_uid": t("appId"), "data.publisher": t("publisher")}
    hive, key = t("registryHive"), t("registryKey")
    path = "\\".join(part for part in (hive, key) if part) or None
    if kind == "registryKeyEvidence":
        return {"reg_key.path": path}
    return {"reg_value.path": path, "reg_value.name": first(t("registryValueName"), "(Default)"),
            "reg_value.type": t("registryValueType"), "reg_value.data": t("registryValue"), "data.mdeDeviceId": t("mdeDeviceId")}


WHOLE = ("kindOfNextYearEvidence", "cloudApplicationEvidence", "azureResourceEvidence")


def leaves(v, name=""):
    """(member, value) of all that is no object and no list."""
    if isinstance(v, dict):
        for name, inner in v.items():
            yield from leaves(inner, name)
    elif isinstance(v, list):
        for inner in v:
            yield from leaves(inner, name)
    elif v is not None and v != "":
        yield name, v


def known_members(kind):
    texts, numbers, times, lists, objects = (names.split() for names in random_alerts.KINDS[kind])
    inner = [name for o in objects for names in random_alerts.OBJECTS[o] for name in names.split()]
    return set(texts + numbers + times + lists + inner + ["verdict", "remediationStatus", "roles", "tags", "createdDateTime", "ipInterfaces"])


def same_value(v):
    """One thing for a value as it was sent, and in each of the ways that it is written in."""
    t = ticks(v)
    return text(v) if t is None else t // 10000


def check_nothing_is_lost(got, e, kind, where):
    """Whatever stands in a member that msspd knows is somewhere in the item, of whatever type it is."""
    known = known_members(kind)
    said = {same_value(v) for _, v in leaves(got)} | {v for _, v in leaves(got) if isinstance(v, int)} | {None}
    for name, v in leaves({name: v for name, v in e.items() if name in known or isinstance(v, dict)}):
        if name not in known or same_value(v) in said or isinstance(v, str) and v.startswith("0001-"):
            continue
        if name == "algorithm":  # "sha1" is "SHA-1"
            found = v.lower() in {s.lower().replace("-", "") for s in said if isinstance(s, str)}
        else:  # hive, key and name are one path
            found = name.startswith("registry") and any(text(v) in s for s in said if isinstance(s, str))
        if not found:
            raise Wrong("%s%s: %r is lost" % (where, name, v))


def check_item(got, e, has_device, where):
    kind = e["@odata.type"].rsplit(".", 1)[1]
    same(got.get("name"), kind, where + "name")
    whole = mend(json.dumps(got.get("data"), ensure_ascii=False)) == mend(json.dumps(e, ensure_ascii=False))
    if kind in WHOLE and not whole:
        raise Wrong("%s: not the whole item: %r" % (where, got.get("data")))
    if whole:
        return
    check_nothing_is_lost(got, e, kind, where)
    for name in ("verdict", "remediationStatus", "remediationStatusDetails"):
        same(at(got, "data." + name), text(e.get(name)), where + "data." + name)
    for name in ("roles", "detailedRoles", "tags"):
        same(at(got, "data." + name), texts(e.get(name)), where + "data." + name)
    for path, want in evidence_in_ocsf(e, kind, has_device).items():
        value = at(got, path)
        if path.endswith(".hashes"):
            value = [mend(h["value"]) for h in value or []]
        same(value, want, where + path)


def check_ocsf(a, source, line):
    got = json.loads(line)
    source.same(got["raw_data"], "raw_data")
    for name, paths in OCSF_TEXTS.items():
        for path in paths:
            same(at(got, path), text(a.get(name)), path)
    for name, path in OCSF_TIMES.items():
        same(at(got, path), ms(a.get(name)), path)
    title = first(text(a.get("title")), NO_TITLE)
    same((at(got, "message"), at(got, "finding_info.title")), (title, title), "title")
    same(at(got, "malware.0.name"), first(text(a.get("threatDisplayName")), text(a.get("threatFamilyName"))), "malware")
    same(at(got, "finding_info.tags.0.values"), texts(a.get("systemTags")), "systemTags")
    comments = [text(c["comment"]) for c in a.get("comments") or []]
    same(got.get("comment") and mend(got["comment"]), comments[-1] if comments else None, "comment")
    severity = text(a.get("severity"))
    same(got["severity_id"], SEVERITY.get(severity.lower(), 99) if severity else 0, "severity_id")
    for path, want in OCSF_ALWAYS.items():
        same(at(got, path), want, path)
    for o in got.get("observables", []):
        if "value" in o:
            same(mend(o["value"]), at(got, re.sub(r"\[(\d+)\]", r".\1", o["name"])), o["name"])
    evidence, has_device = a["evidence"], any("deviceEvidence" in e["@odata.type"] for e in a["evidence"])
    same(at(got, "unmapped.evidenceCount"), len(evidence), "evidenceCount")
    items = got.get("evidences", [])
    same(len(items), len(evidence), "evidences")
    for i, e in enumerate(evidence):
        check_item(items[i], e, has_device, "evidences[%d]." % i)


# ---- ECS -------------------------------------------------------------------------------------

ECS_TEXTS = {"id": "event.id", "serviceSource": "event.provider", "detectorId": "rule.id", "alertPolicyId": "rule.uuid",
             "category": "rule.category", "actorDisplayName": "threat.group.name", "severity": "msspd.severity",
             "status": "msspd.status", "classification": "msspd.classification", "determination": "msspd.determination",
             "incidentId": "msspd.incident_id", "providerAlertId": "msspd.provider_alert_id", "assignedTo": "msspd.assigned_to",
             "detectionSource": "msspd.detection_source", "productName": "msspd.product_name", "title": "rule.name",
             "investigationState": "msspd.investigation_state", "recommendedActions": "msspd.recommended_actions"}
ECS_TIMES = {"createdDateTime": "event.created", "firstActivityDateTime": "event.start", "lastActivityDateTime": "event.end",
             "resolvedDateTime": "msspd.resolved"}


# Of the first item of a kind; of devices a primary one. The second source is for where the first is not there.
ECS_EVIDENCE = {
    "deviceEvidence": {"host.name": "deviceDnsName hostName", "host.hostname": "hostName", "host.id": "mdeDeviceId",
                       "host.domain": "dnsDomain ntDomain", "host.os.name": "osPlatform", "host.os.version": "version"},
    "userEvidence": {"user.name": "userAccount.accountName userAccount.userPrincipalName",
                     "user.id": "userAccount.userSid userAccount.azureAdUserId", "user.domain": "userAccount.domainName",
                     "user.email": "userAccount.userPrincipalName", "user.full_name": "userAccount.displayName"},
    "processEvidence": {"process.name": "imageFile.fileName", "process.command_line": "processCommandLine",
                        "process.hash.sha1": "imageFile.sha1", "process.parent.name": "parentProcessImageFile.fileName",
                        "process.user.name": "userAccount.accountName userAccount.userPrincipalName",
                        "process.user.domain": "userAccount.domainName"},
    "fileEvidence": {"file.name": "fileDetails.fileName", "file.directory": "fileDetails.filePath",
                     "file.hash.md5": "fileDetails.md5", "file.hash.sha1": "fileDetails.sha1", "file.hash.sha256": "fileDetails.sha256"},
    "urlEvidence": {"url.original": "url"},
    "analyzedMessageEvidence": {"email.from.address.0": "p2Sender.emailAddress", "email.sender.address": "p1Sender.emailAddress",
                                "email.to.address.0": "recipientEmailAddress", "email.subject": "subject",
                                "email.message_id": "internetMessageId", "email.local_id": "networkMessageId"},
}


def check_ecs_evidence(a, got):
    for kind, paths in ECS_EVIDENCE.items():
        items = [e for e in a["evidence"] if e["@odata.type"].endswith("." + kind)]
        best = next((e for e in items if kind == "deviceEvidence" and is_primary(e)), items[0] if items else None)
        for path, sources in paths.items():
            if best is not None:
                same(at(got, path), first(*(member(best, s) for s in sources.split())), "ECS " + path)


def check_ecs(a, source, line):
    got = json.loads(line)
    source.same(got["event"]["original"], "event.original")
    for name, path in ECS_TEXTS.items():
        same(at(got, path), text(a.get(name)), path)
    for name, path in ECS_TIMES.items():
        same(ms(at(got, path)), ms(a.get(name)), path)
    same(at(got, "message"), first(text(a.get("description")), text(a.get("title")), NO_TITLE), "message")
    same(at(got, "threat.software.name"), first(text(a.get("threatDisplayName")), text(a.get("threatFamilyName"))), "software")
    same(at(got, "tags"), texts(a.get("systemTags")), "tags")
    same(at(got, "msspd.evidence_count"), len(a["evidence"]), "evidence_count")
    check_ecs_evidence(a, got)


# ---- CEF and LEEF ------------------------------------------------------------------------------

CEF_LINE = re.compile(r"CEF:0" + r"\|((?:[^|\\]|\\[|\\])*)" * 6 + r"\|(.*)")
CEF_KEY = re.compile(r"(?:^| )([A-Za-z0-9_]+)=")
CEF_ESCAPE = re.compile(r"\\(.)")
EXTERNAL = {"n": "\n", "r": "\r", "\\": "\\", "=": "="}


def read_cef(line):
    m = CEF_LINE.fullmatch(line)
    if m is None:
        raise Wrong("no CEF: %.200s" % line)
    parts = CEF_KEY.split(m.group(7))
    if parts[0] != "":
        raise Wrong("before the first key: %r" % parts[0])
    pairs = dict(zip(parts[1::2], (CEF_ESCAPE.sub(lambda e: EXTERNAL[e.group(1)], v) for v in parts[2::2])))
    if len(pairs) * 2 != len(parts) - 1:
        raise Wrong("a key twice")
    return [CEF_ESCAPE.sub(r"\1", h) for h in m.groups()[:6]], pairs


def read_leef(line):
    head = line.split("|", 6)
    if head[0] != "LEEF:2.0" or head[5] != "x09":
        raise Wrong("no LEEF: %.200s" % line)
    pairs = [pair.split("=", 1) for pair in head[6].split("\t")]
    if len(dict(pairs)) != len(pairs):
        raise Wrong("a key twice")
    return head, dict(pairs)


ENDS = re.compile("\r\n|\r|\n")
BLANK_ENDS = re.compile("^[ \x00-\x1f\x7f-\x9f\u2028\u2029]+|[ \x00-\x1f\x7f-\x9f\u2028\u2029]+$")


def in_line(v, line_end):
    """A value as it is in a line: line ends are one thing, other controls spaces, none at the ends."""
    v = BLANK_ENDS.sub("", ENDS.sub("\n", v))
    return CONTROL.sub(lambda c: line_end if c.group() == "\n" else " ", v)


def same_in_line(got, want, limit, line_end, where, uncut=None):
    """limit: bytes; what is longer is cut, and says so. got: None where the key is not there.
    uncut: what is cut, where it is more than would be there without a limit."""
    whole, got = uncut or want or "", "" if got is None else mend(got)
    want = in_line(want or "", line_end)
    if got == want:
        return
    is_long = len(want.encode()) * 2 > limit  # escaped it may be twice as long
    if not (got.endswith("...") and is_long and want.startswith(got[:-3])):
        raise Wrong("%s: %r, not %r" % (where, got[:300] + " … " + got[-100:], want[:300] + " … " + want[-100:]))


# Fact: key of CEF, its limit, its label; key of LEEF, its limit. A limit below 0: left out rather than cut.
KEYS = {
    "time": ("rt", 20, "", "devTime", 20), "act": ("act", 63, "", "act", 63), "short id": ("externalId", -40, "", "", 0),
    "category": ("cat", 1023, "", "cat", 255), "tenant": ("cs3", 4000, "TenantId", "tenantId", 64),
    "customer": ("cs4", 4000, "Customer", "customer", 1023), "id": ("flexString2", 1023, "AlertId", "alertId", 1023),
    "event id": ("MicrosoftDefenderEventId", 2000, "", "eventId", 2000),
    "incident": ("cn1", 20, "IncidentId", "incidentId", 255),
    "incident word": ("MicrosoftDefenderIncidentId", 255, "", "incidentId", 255),
    "status": ("cs5", 4000, "Status", "status", 1023), "verdict": ("cs6", 4000, "Verdict", "verdict", 1023),
    "first": ("start", 20, "", "startTime", 20), "last": ("end", 20, "", "endTime", 20),
    "created": ("deviceCustomDate1", 20, "Created", "createdTime", 20),
    "resolved": ("deviceCustomDate2", 20, "Resolved", "resolvedTime", 20),
    "service": ("sourceServiceName", 1023, "", "service", 255), "source": ("deviceFacility", 1023, "", "detectionSource", 255),
    "host": ("shost", 1023, "", "identHostName", 255), "short host": ("dvchost", -100, "", "", 0),
    "host domain": ("sourceDnsDomain", 255, "", "hostDomain", 255), "device": ("deviceExternalId", 255, "", "deviceId", 255),
    "src": ("src", 45, "", "src", 45), "dst": ("dst", 45, "", "dst", 45),
    "src6": ("c6a2", 45, "Source IPv6 Address", "src", 45), "dst6": ("c6a3", 45, "Destination IPv6 Address", "dst", 45),
    "user": ("suser", 1023, "", "usrName", 255), "domain": ("sntdom", 255, "", "domain", 255),
    "sid": ("suid", 1023, "", "userId", 255), "recipient": ("duser", 1023, "", "recipient", 255),
    "pid": ("spid", 20, "", "pid", 20), "process": ("sproc", 1023, "", "process", 1023),
    "file": ("fname", 1023, "", "fileName", 1023), "size": ("fsize", 20, "", "fileSize", 20),
    "hash": ("fileHash", 255, "", "fileHash", 255), "folder": ("filePath", 1023, "", "filePath", 1023),
    "url": ("request", 1023, "", "url", 1023), "app": ("destinationServiceName", 1023, "", "resource", 1023),
    "count": ("cn2", 20, "EvidenceCount", "evidenceCount", 20), "threat": ("cs1", 4000, "ThreatName", "threatName", 1023),
    "techniques": ("cs2", 4000, "MitreTechniques", "mitreTechniques", 1023),
    "actor": ("MicrosoftDefenderActor", 255, "", "actor", 255), "sha256": ("MicrosoftDefenderSha256", 255, "", "sha256", 255),
    "link": ("flexString1", 1023, "AlertUrl", "alertUrl", 1023),
    "command": ("MicrosoftDefenderCommandLine", 4000, "", "commandLine", 4000), "message": ("msg", 1023, "", "description", 1023),
    "reason": ("reason", 1023, "", "recommendedActions", 1023), "instance": ("msspdInstance", 255, "", "instance", 255),
}
# Of each kind the first item that says something; facts of a group come from one item only, the first here.
ROWS = (("deviceEvidence", "host", 0, "deviceDnsName"), ("deviceEvidence", "host", 0, "hostName"),
        ("deviceEvidence", "host domain", 0, "dnsDomain"), ("deviceEvidence", "device", 0, "mdeDeviceId"),
        ("userEvidence", "user", 1, "userAccount.userPrincipalName"), ("userEvidence", "user", 1, "userAccount.accountName"),
        ("userEvidence", "domain", 1, "userAccount.domainName"), ("userEvidence", "sid", 1, "userAccount.userSid"),
        ("processEvidence", "command", 2, "processCommandLine"),
        ("processEvidence", "user", 1, "userAccount.userPrincipalName"), ("processEvidence", "user", 1, "userAccount.accountName"),
        ("processEvidence", "domain", 1, "userAccount.domainName"), ("processEvidence", "sid", 1, "userAccount.userSid"),
        ("fileEvidence", "file", 3, "fileDetails.fileName"), ("fileEvidence", "folder", 3, "fileDetails.filePath"),
        ("fileEvidence", "hash", 3, "fileDetails.sha1"), ("fileEvidence", "hash", 3, "fileDetails.sha256"),
        ("fileEvidence", "sha256", 3, "fileDetails.sha256"), ("fileHashEvidence", "hash", 3, "value"),
        ("urlEvidence", "url", 4, "url"),
        ("analyzedMessageEvidence", "user", 1, "p2Sender.emailAddress"), ("analyzedMessageEvidence", "user", 1, "p1Sender.emailAddress"),
        ("analyzedMessageEvidence", "recipient", 5, "recipientEmailAddress"), ("mailboxEvidence", "recipient", 5, "primaryAddress"),
        ("mailboxEvidence", "recipient", 5, "upn"), ("cloudApplicationEvidence", "app", 6, "displayName"),
        ("cloudApplicationEvidence", "app", 6, "instanceName"), ("oauthApplicationEvidence", "app", 6, "displayName"))


def member(e, path):
    for step in path.split("."):
        e = obj(e).get(step)
    return text(e)


def says_something(e, kind):
    if kind == "ipEvidence":
        return is_address(text(e.get("ipAddress")))
    if kind == "processEvidence" and (member(e, "imageFile.fileName") or number(e.get("processId")) is not None):
        return True
    return any(row[0] == kind and member(e, row[3]) for row in ROWS)


def is_primary(e):
    return any(r.lower().startswith("primary") for name in ("roles", "detailedRoles") for r in texts(e.get(name)))


def choose(evidence):
    chosen = {}
    for e in evidence:
        kind = e["@odata.type"].rsplit(".", 1)[1]
        better = kind not in chosen or (kind == "deviceEvidence" and is_primary(e) and not is_primary(chosen[kind]))
        if better and says_something(e, kind):
            chosen[kind] = e
    return chosen


def rank(a):
    """How good an address is as a device's; 0: not at all."""
    ip = ipaddress.ip_address(a)
    if ip.version == 6:
        return 3 if ip in ipaddress.ip_network("2000::/3") else 2 if ip in ipaddress.ip_network("fc00::/7") else 0
    first_byte = int(a.split(".")[0])
    if first_byte == 0 or first_byte >= 224:
        return 0
    if ip.is_loopback or ip.is_link_local:
        return 1
    return 2 if any(ip in ipaddress.ip_network(n) for n in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")) else 3


def device_addresses(e):
    best = {4: (0, None), 6: (0, None)}

    def add(a):
        version = is_address(a)
        if version and rank(a) > best[version][0]:
            best[version] = (rank(a), a)

    for a in texts(e.get("ipInterfaces")) + [text(e.get("lastIpAddress"))]:
        add(a)
    if best[4][0] <= 1 and best[6][0] == 0:
        add(text(e.get("lastExternalIpAddress")))
    return best[4][1], best[6][1]


def clip(v, most=1100, dots=""):
    return v if v is None or len(v.encode()) <= most else v.encode()[:most].decode(errors="ignore") + dots


def facts_of_evidence(a, f):
    chosen, owner = choose(a["evidence"]), {}
    for kind, fact, group, path in ROWS:
        value = member(chosen[kind], path) if kind in chosen else None
        if value is None or owner.setdefault(group, kind) != kind:
            continue
        f.setdefault(fact, value)
    f["short host"] = f.get("host")
    if "deviceEvidence" in chosen:
        f["src"], f["src6"] = device_addresses(chosen["deviceEvidence"])
    if "processEvidence" in chosen:
        p = chosen["processEvidence"]
        f["pid"], image = number(p.get("processId")), obj(p.get("imageFile"))
        f["process"] = join(clip(text(image.get("filePath"))), clip(text(image.get("fileName"))))
    if "fileEvidence" in chosen:
        f["size"] = number(obj(chosen["fileEvidence"].get("fileDetails")).get("fileSize"))
    if owner.get(3) == "fileHashEvidence" and (member(chosen["fileHashEvidence"], "algorithm") or "").lower() == "sha256":
        f["sha256"] = f["hash"]
    if "ipEvidence" in chosen:
        ip = text(chosen["ipEvidence"]["ipAddress"])
        fact = ("dst" if "deviceEvidence" in chosen else "src") + ("6" if is_address(ip) == 6 else "")
        f[fact] = first(f.get(fact), ip)


def facts(a, event_id):
    t = lambda name: text(a.get(name))
    f = {"time": first(ms(a.get("createdDateTime")), ms(a["lastUpdateDateTime"])), "act": "new", "short id": t("id"), "id": t("id"),
         "category": facts_category(a), "tenant": TENANT, "customer": "Contoso Ltd", "instance": "soc1",
         "event id": event_id, "status": t("status"), "service": t("serviceSource"), "source": t("detectionSource"),
         "first": ms(a.get("firstActivityDateTime")), "last": ms(a.get("lastActivityDateTime")),
         "created": ms(a.get("createdDateTime")), "resolved": ms(a.get("resolvedDateTime")), "count": len(a["evidence"]),
         "threat": first(t("threatDisplayName"), t("threatFamilyName")), "actor": t("actorDisplayName"),
         "techniques": ",".join(texts(a.get("mitreTechniques"))) or None, "message": t("description"), "reason": t("recommendedActions"),
         "link": "https://security.microsoft.com/alerts/%s?tid=%s" % (urllib.parse.quote(t("id"), safe="-._~"), TENANT)}
    incident = t("incidentId")
    f["incident" if incident and re.fullmatch("[0-9]{1,18}", incident) else "incident word"] = incident
    known, judged = t("classification"), t("determination")
    f["verdict"] = (clip(known, dots="...") or "unknown") + "/" + clip(judged, dots="...") if judged else known
    facts_of_evidence(a, f)
    return {fact: str(v) for fact, v in f.items() if v is not None}


def check_keys(f, pairs, of_cef):
    line_end, left = "\n" if of_cef else " ", dict(pairs)
    for fact, (key, limit, label, leef_key, leef_limit) in KEYS.items():
        if not of_cef:
            key, limit = leef_key, leef_limit
        want = f.get(fact)
        if not key or want is None:
            continue
        if not of_cef and fact in ("src6", "dst6") and f.get(fact[:-1]):
            continue
        got = left.pop(key, None)
        if limit < 0 and len(re.sub(r"([\\=\n])", r"\\\1", in_line(want, "\n")).encode()) > -limit:
            same(got, None, key)
            continue
        same_in_line(got, want, abs(limit), line_end, key)
        if of_cef and label and got is not None:
            same(left.pop(key + "Label", None), label, key + "Label")
    if left:
        raise Wrong("keys that have no source: %r" % left)


def kind_name(a, limit):
    """detectorId, else the category, of letters, digits and a few others."""
    for v in (text(a.get("detectorId")), facts_category(a)):
        v = re.sub("[^A-Za-z0-9 ._-]", "-", BLANK_ENDS.sub("", v or "").encode()[:limit].decode(errors="replace"))
        if re.search("[A-Za-z0-9]", v):
            return v.rstrip(" ")
    return "unknown"


def facts_category(a):
    return first(text(a.get("category")), *texts(a.get("categories")), None)


def check_lines(a, cef, leef, event_id):
    head, pairs = read_cef(cef)
    _, leefs = read_leef(leef)
    title = first(text(a.get("title")), "")
    # A header's field has no backslash at its end: many readers would take it for the escape of the bar.
    named = re.sub(r"[\\ \x00-\x1f\x7f-\x9f\u2028\u2029]+$", "", title)
    same_in_line(head[4], named if in_line(named, " ") else NO_TITLE, 512, " ", "CEF name", title)
    same_in_line(leefs.pop("title"), title if in_line(title, " ") else NO_TITLE, 512, " ", "LEEF title")
    same((head[:2], head[2]), (["Microsoft", PRODUCT.get(text(a.get("serviceSource")), "Microsoft Defender")], "1.0"), "CEF header")
    same(head[3], kind_name(a, 1023), "CEF class")
    severity = (text(a.get("severity")) or "").lower()
    number_of = {"informational": "1", "low": "3", "medium": "6", "high": "8"}.get(severity)
    same((head[5], leefs.pop("sev")), (number_of or "Unknown", number_of or "5"), "severity")
    f = facts(a, event_id)
    check_keys(f, pairs, True)
    check_keys(f, leefs, False)


# ---- one slice ---------------------------------------------------------------------------------

def is_readable(a):
    return isinstance(a, dict) and isinstance(a.get("id"), str) and ticks(a.get("lastUpdateDateTime")) is not None


def check_unreadable(raw, lines):
    cef, leef, ocsf, ecs, whole = lines
    got = json.loads(whole)
    same(got["unreadable"]["text"], raw.decode("utf-8", "replace"), "unreadable text")
    ids = {read_cef(cef)[1]["MicrosoftDefenderEventId"], read_leef(leef)[1]["eventId"], json.loads(ocsf)["metadata"]["uid"],
           json.loads(ecs)["msspd"]["event_id"], got["msspd"]["event_id"]}
    if len(ids) != 1 or "/unreadable:" not in ids.pop():
        raise Wrong("event ids of what is unreadable: %s" % ids)


def check(raw, lines):
    """lines: as write_formats writes them, in its order. Wrong, where anything is."""
    if any("\n" in line or line == "!" for line in lines):
        raise Wrong("not one line each: %r" % lines)
    try:
        a = json.loads(raw.decode("utf-8", "replace"))
    except ValueError:
        a = None
    if not is_readable(a) or raw.count(b'"id":"') > 1 and raw.startswith(b'{"id":"a","id"'):
        check_unreadable(raw, lines)
        return
    cef, leef, ocsf, ecs, whole = lines
    source = Source(raw)
    envelope = json.loads(whole)["msspd"]
    source.same(whole[whole.index('"alert":') + 8:-1], "raw")
    check_ocsf(a, source, ocsf)
    check_ecs(a, source, ecs)
    event_id = "%s/alert:%s/%s" % (TENANT, mend(a["id"]), stamp(a["lastUpdateDateTime"]))
    check_lines(a, cef, leef, event_id)
    ids = {envelope["event_id"], json.loads(ecs)["msspd"]["event_id"], json.loads(ocsf)["metadata"]["uid"]}
    same(ids, {event_id}, "event ids")


# ---- many ----------------------------------------------------------------------------------------

PAGE = 200
FORMATS = 5
SHOWN = 5
JUDGED = 20  # one of so many is held to the whole schema as well


def check_schemas(lines):
    wrong = ocsf_rules.faults(json.loads(lines[2])) + list(ecs_rules.faults(json.loads(lines[3])))
    if wrong:
        raise Wrong("by the schema: %s" % wrong)


def main(program, seed, count):
    maker, right, wrong = random_alerts.Maker(seed), 0, 0
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
        while right + wrong < count:
            slices, page = maker.page(min(PAGE, count - right - wrong))
            writer.stdin.write(b"%d\n" % len(page) + page)
            writer.stdin.flush()
            for raw in slices:
                lines = [writer.stdout.readline().decode()[:-1] for _ in range(FORMATS)]
                try:
                    check(raw, lines)
                    if (right + wrong) % JUDGED == 0:
                        check_schemas(lines)
                    right += 1
                except (Wrong, ValueError, LookupError, TypeError) as fault:
                    wrong += 1
                    if wrong <= SHOWN:
                        print("%s: %s\n%r\n%s\n" % (type(fault).__name__, fault, raw, "\n".join(lines)))
        writer.stdin.close()
        rest = writer.stdout.read()
    print("%d right, %d wrong, %d bytes too many, %d" % (right, wrong, len(rest), writer.returncode))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
