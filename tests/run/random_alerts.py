# SPDX-License-Identifier: Apache-2.0
"""Alerts of Graph's shape with anything at all in them: every kind of evidence, every member that msspd knows, odd
characters, odd types, odd times. The same seed gives the same alerts."""
import json
import random

PIECES = ("|", "=", "\\", "\\\\", "\n", "\r\n", "\r", "\t", "\0", "\x1b[31m", "\x7f", "\x85", "\u2028", "\u202e", "\ufeff",
          "\ud800", "\udc00", "\U0001f600", "\u65e5\u672c", "\xe9", '"', "</script>", " act=x", "cs1=", "%s%n", "{tenant}",
          "\\n", "\\u0000", "  ", "\ufffe", "a=b c=d", "CEF:0|", "\x08\x0c", "msg=", "http://x/?a=b&c", "\ufffd", "'", "x09",
          "\U0010ffff", "\tact=x", "LEEF:2.0|", "]", "\x01")
BAD = "@@BAD@@"  # becomes bytes that are no UTF-8
WORDS = ("alpha", "Bravo", "charlie.exe", "C:\\Windows\\x", "/usr/bin/y", "ana@contoso.example", "10.1.2.3", "2001:db8::7",
         "f" * 40, "a" * 64, "S-1-5-21-1-2-3", "Suspicious thing", "T1059.001", "Execution", "ws-1.corp.example")
KINDS = {  # texts, numbers, times, lists, objects
    "deviceEvidence": ("lastIpAddress lastExternalIpAddress mdeDeviceId azureAdDeviceId deviceDnsName hostName ntDomain dnsDomain osPlatform version "
                       "healthStatus riskScore rbacGroupName onboardingStatus defenderAvStatus",
                       "osBuild rbacGroupId", "firstSeenDateTime", "", ""),
    "userEvidence": ("", "", "", "", "userAccount"),
    "processEvidence": ("processCommandLine detectionStatus mdeDeviceId", "processId parentProcessId",
                        "processCreationDateTime parentProcessCreationDateTime", "",
                        "imageFile parentProcessImageFile userAccount"),
    "fileEvidence": ("detectionStatus mdeDeviceId", "", "", "", "fileDetails"),
    "fileHashEvidence": ("algorithm value", "", "", "", ""),
    "ipEvidence": ("ipAddress countryLetterCode", "", "", "", "location"),
    "urlEvidence": ("url", "", "", "", ""),
    "analyzedMessageEvidence": ("networkMessageId internetMessageId subject language senderIp recipientEmailAddress "
                                "antiSpamDirection deliveryAction deliveryLocation urn", "urlCount attachmentsCount",
                                "receivedDateTime", "threats threatDetectionMethods urls", "p1Sender p2Sender"),
    "mailboxEvidence": ("primaryAddress displayName upn", "", "", "", "userAccount"),
    "cloudApplicationEvidence": ("displayName instanceName", "appId instanceId saasAppId", "", "", ""),
    "oauthApplicationEvidence": ("appId displayName objectId publisher", "", "", "", ""),
    "registryKeyEvidence": ("registryKey registryHive", "", "", "", ""),
    "registryValueEvidence": ("mdeDeviceId registryKey registryHive registryValue registryValueName registryValueType",
                              "", "", "", ""),
    "azureResourceEvidence": ("resourceId resourceName resourceType", "", "", "", ""),
    "kindOfNextYearEvidence": ("newThing otherThing", "howMany", "", "things", ""),
}
OBJECTS = {
    "userAccount": ("accountName domainName userSid azureAdUserId userPrincipalName displayName", ""),
    "imageFile": ("sha1 sha256 md5 sha256Ac fileName filePath filePublisher signer issuer", "fileSize"),
    "location": ("city state", ""),
    "p1Sender": ("emailAddress displayName domainName", ""),
}
OBJECTS["parentProcessImageFile"] = OBJECTS["fileDetails"] = OBJECTS["imageFile"]
OBJECTS["p2Sender"] = OBJECTS["p1Sender"]
ALERT = ("providerAlertId incidentId serviceSource detectionSource productName detectorId title description "
         "recommendedActions category assignedTo alertPolicyId actorDisplayName threatDisplayName threatFamilyName "
         "investigationState").split()
INCIDENT = ("displayName description summary assignedTo incidentWebUrl redirectIncidentId resolvingComment "
            "lastModifiedBy").split()
WORDED = {"status": ("new", "inProgress", "resolved", "unknown", "NEW"), "severity": ("low", "medium", "high", "informational"),
          "classification": ("truePositive", "falsePositive", "unknown"), "determination": ("malware", "phishing", "unknown")}
TIMES = ("createdDateTime", "resolvedDateTime", "firstActivityDateTime", "lastActivityDateTime")
ADDRESSES = ("10.1.2.3", "192.168.7.7", "203.0.113.9", "2001:db8::7", "fe80::1", "127.0.0.1", "999.1.1.1", "x")
MAILS = ("ana@contoso.example", "billing@evil-updates.example", "x+y@a.b.example")
USUAL = {"emailAddress": MAILS, "recipientEmailAddress": MAILS, "primaryAddress": MAILS, "senderIp": ADDRESSES[:3],
         "processId": (4, 4711, 65536), "parentProcessId": (1, 888), "ipAddress": ADDRESSES, "lastIpAddress": ADDRESSES,
         "lastExternalIpAddress": ADDRESSES, "algorithm": ("sha256", "SHA256", "sha1", "md5"), "incidentId": ("17", "924521"),
         "serviceSource": ("microsoftDefenderForEndpoint", "microsoft365Defender")}
BROKEN = ('{"id":"a","lastUpdateDateTime":}', '{"id":tru}', '{"id":"a","id":"b","lastUpdateDateTime":"2026-01-01T00:00:00Z"}',
          '{"title":"no id"}', '7', '"text"', 'null', '[1,2]', '{"id":"x","lastUpdateDateTime":"yesterday"}', '{"a" 1}')


class Maker:
    def __init__(self, seed, incidents=False):
        self.random = random.Random(seed)
        self.make = self.incident if incidents else self.alert
        self.n = 0

    def text(self):
        r = self.random
        dice = r.random()
        if dice < 0.6:
            return r.choice(WORDS) + (str(r.randrange(1000)) if dice < 0.3 else "")
        if dice < 0.62:
            return r.choice(("", " ", "   ", "\n", "\t \x01"))
        parts = [r.choice(PIECES) if r.random() < 0.6 else r.choice(WORDS) for _ in range(r.randrange(1, 7))]
        if dice > 0.99:
            parts *= r.randrange(1, 400)
        if dice > 0.985:
            parts.insert(r.randrange(len(parts) + 1), BAD)
        return "".join(parts)

    def odd(self):
        return self.random.choice((None, True, False, 0, -1, 12345678901234567890, [], ["x"], {}, {"a": "b"}))

    def texts(self):
        return [self.text() for _ in range(self.random.randrange(4))]

    def number(self):
        return self.random.choice((0, 1, 4711, 2 ** 31 - 1, 2 ** 31, 2 ** 63 - 1, 2 ** 63, -5, "17", "x", self.random.randrange(10 ** 9)))

    def time(self, whole=False):
        r = self.random
        base = "20%02d-%02d-%02dT%02d:%02d:%02d" % (r.randrange(100), r.randrange(1, 13), r.randrange(1, 29), r.randrange(24),
                                                    r.randrange(60), r.randrange(60))
        digits = r.choice((0, 0, 3, 7, 7, 9))
        base += "." + "".join(r.choice("0123456789") for _ in range(digits)) if digits else ""
        if whole or r.random() < 0.85:
            return base + "Z"
        return r.choice((base + "+02:00", "0001-01-01T00:00:00Z", None, "soon", ""))

    def fill(self, into, names, value, often=0.8):
        r = self.random
        for name in names:
            if r.random() > often:
                continue
            if r.random() < 0.02:
                into[name] = self.odd()
            elif name in USUAL and r.random() < 0.7:
                into[name] = r.choice(USUAL[name])
            else:
                into[name] = value()

    def evidence(self):
        r = self.random
        kind = r.choice(tuple(KINDS))
        texts, numbers, times, lists, objects = (names.split() for names in KINDS[kind])
        item = {"@odata.type": "#microsoft.graph.security." + kind}
        if r.random() < 0.9:
            item["createdDateTime"] = self.time(True)
        self.fill(item, ("verdict", "remediationStatus", "remediationStatusDetails"), self.text, 0.4)
        self.fill(item, ("roles", "detailedRoles", "tags"), self.texts, 0.2)
        self.fill(item, texts, self.text)
        self.fill(item, numbers, self.number)
        self.fill(item, times, self.time)
        self.fill(item, lists, self.texts)
        for name in objects:
            if r.random() < 0.9:
                item[name] = {}
                self.fill(item[name], OBJECTS[name][0].split(), self.text)
                self.fill(item[name], OBJECTS[name][1].split(), self.number)
        if kind == "deviceEvidence":
            item["ipInterfaces"] = [r.choice(ADDRESSES) for _ in range(r.randrange(3))]
            self.fill(item, ("roles",), lambda: [r.choice(("PrimaryDevice", "compromised"))], 0.3)
        if r.random() < 0.05:
            item["memberOfNextYear"] = {"deep": [self.text(), [1.5, {"x": self.text()}]]}
        return item

    def details(self):
        value = {self.text() or "x": self.text(), "n": [1e300, -0.5, 12345678901234567890123, True, None]}
        for _ in range(self.random.choice((0, 0, 3, 60))):
            value = {"in": value} if self.random.random() < 0.5 else [value]
        return value if isinstance(value, dict) else {"list": value}

    def alert(self):
        r = self.random
        self.n += 1
        a = {"id": "%d-%s" % (self.n, r.choice(("x", "da\xdf", "a/b?c=d|e", "\\", "\u65e5"))),
             "lastUpdateDateTime": self.time(True)}
        self.fill(a, ALERT, self.text)
        for name, words in WORDED.items():
            a[name] = r.choice(words) if r.random() < 0.8 else self.text()
        self.fill(a, TIMES, self.time, 0.9)
        self.fill(a, ("categories", "mitreTechniques", "systemTags"), self.texts, 0.5)
        if r.random() < 0.3:
            a["comments"] = [{"comment": self.text(), "createdByDisplayName": self.text(), "createdDateTime": self.time()}
                             for _ in range(r.randrange(1, 4))]
        if r.random() < 0.3:
            a["customDetails"] = self.details()
        if r.random() < 0.1:
            a["additionalData"] = self.details()
        if r.random() < 0.05:
            a["ofNextYear"] = self.details()
        a["evidence"] = [self.evidence() for _ in range(r.choice((0, 1, 2, 3, 5)))]
        if r.random() < 0.5:
            names = list(a)
            r.shuffle(names)
            a = {name: a[name] for name in names}
        return a

    def incident(self):
        r = self.random
        self.n += 1
        i = {"id": str(self.n) if r.random() < 0.8 else "%d-\u65e5|=\\" % self.n, "lastUpdateDateTime": self.time(True)}
        self.fill(i, INCIDENT, self.text)
        for name, words in dict(WORDED, status=("active", "inProgress", "awaitingAction", "resolved", "redirected", "unknown")).items():
            i[name] = r.choice(words) if r.random() < 0.8 else self.text()
        self.fill(i, ("createdDateTime",), self.time, 0.9)
        self.fill(i, ("priorityScore",), self.number, 0.5)
        self.fill(i, ("customTags", "systemTags"), self.texts, 0.5)
        if r.random() < 0.3:
            i["comments"] = [{"comment": self.text(), "createdByDisplayName": self.text(), "createdDateTime": self.time()}
                             for _ in range(r.randrange(1, 4))]
        if r.random() < 0.3:
            i["alerts"] = [self.alert()]
        return i

    def slice(self):
        """JSON text, as bytes; now and then what is no alert."""
        r = self.random
        if r.random() < 0.01:
            self.n += 1
            return r.choice(BROKEN).encode()
        alert, indent = self.make(), 1 if r.random() < 0.1 else None
        try:
            raw = json.dumps(alert, ensure_ascii=r.random() < 0.5, indent=indent).encode()
        except UnicodeEncodeError:
            raw = json.dumps(alert, indent=indent).encode()
        return raw.replace(BAD.encode(), b"\xff\xc3")

    def page(self, n):
        slices = [self.slice() for _ in range(n)]
        return slices, b'{"value":[' + b",".join(slices) + b"]}"
