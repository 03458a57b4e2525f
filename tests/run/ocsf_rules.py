# SPDX-License-Identifier: Apache-2.0
"""What OCSF 1.8 requires of the events that msspd writes: attributes, their types, enumerations, observables.

OBJECTS has a line for each object that msspd writes: attribute, "!" where it is required, and its type: str, int, bool,
ms (milliseconds since 1970), any (whatever JSON there is), object (of no fixed attributes), the name of another object;
in brackets a list of them. ANY_OF has the attributes of which an object must have one.
"""
import ipaddress
import re

OBJECTS = {
    "finding": "class_uid! int category_uid! int activity_id! int activity_name str type_uid! int class_name str "
               "category_name str type_name str timezone_offset int time! ms metadata! metadata cloud! cloud is_alert bool "
               "severity_id! int severity str status_id int status str verdict_id int verdict str message str end_time ms "
               "finding_info! finding_info assignee user tickets [ticket] remediation remediation malware [malware] "
               "comment str evidences [evidence] resources [resource] observables [observable] unmapped object raw_data str",
    "incident": "class_uid! int category_uid! int activity_id! int activity_name str type_uid! int class_name str "
                "category_name str type_name str timezone_offset int time! ms metadata! metadata cloud! cloud "
                "severity_id! int severity str status_id! int status str verdict_id int verdict str message str desc str "
                "src_url str assignee user assignee_group group comment str finding_info_list! [finding_info] "
                "observables [observable] unmapped object raw_data str",
    "notice": "class_uid! int category_uid! int activity_id! int activity_name str type_uid! int class_name str "
              "category_name str type_name str timezone_offset int time! ms metadata! metadata cloud! cloud severity_id! int "
              "severity str status_id int status str status_code str status_detail str message str start_time ms "
              "unmapped object raw_data str",
    "metadata": "version! str uid str original_event_uid str tenant_uid str product! product profiles [str] "
                "is_truncated bool labels [str] log_name str log_provider str logged_time ms original_time str "
                "extensions [extension]",
    "extension": "name! str uid! str version! str",
    "product": "name str vendor_name str feature feature",
    "feature": "name str",
    "cloud": "provider! str account account",
    "account": "name str uid str type str type_id int",
    "finding_info": "uid! str uid_alt str title str desc str types [str] created_time ms modified_time ms "
                    "first_seen_time ms last_seen_time ms src_url str data_sources [str] product product analytic analytic "
                    "related_analytics [analytic] related_events [related_event] attacks [attack] tags [tag]",
    "analytic": "uid str name str type str type_id! int",
    "related_event": "uid! str type_name str type_uid int",
    "attack": "tactic named technique named sub_technique named",
    "named": "uid str name str",
    "tag": "name! str values [str]",
    "ticket": "uid str src_url str",
    "remediation": "desc! str",
    "malware": "name str classification_ids! [int]",
    "user": "name str uid str uid_alt str domain str email_addr address full_name str type str type_id int",
    "group": "name str uid str",
    "resource": "name str uid str type str",
    "observable": "name str type_id! int type str value str",
    "evidence": "name str verdict_id int verdict str device device user user process process file file actor actor "
                "src_endpoint endpoint dst_endpoint endpoint url url email email reg_key reg_key reg_value reg_value "
                "resources [resource] data object",
    "device": "hostname str name str uid str uid_alt str ip ip domain str os os network_interfaces [interface] "
              "first_seen_time ms risk_level_id int risk_level str groups [group] type str type_id! int",
    "os": "name! str type_id! int type str build str version str",
    "interface": "ip ip type_id int type str",
    "process": "pid int name str cmd_line str created_time ms file file parent_process process",
    "file": "name! str path str parent_folder str size int company_name str hashes [hash] signatures [signature] "
            "type str type_id! int",
    "hash": "value! str algorithm_id! int algorithm str",
    "signature": "algorithm_id! int algorithm str developer_uid str",
    "actor": "user user app_name str app_uid str",
    "endpoint": "ip ip location location",
    "location": "country str region str city str",
    "url": "url_string str scheme str hostname str path str query_string str",
    "email": "from address to [address] return_path address subject str message_uid str uid str x_originating_ip [ip] urls [url]",
    "reg_key": "path! str",
    "reg_value": "path! str name! str is_default bool type str data str",
}

ANY_OF = {
    "incident": "assignee assignee_group", "attack": "tactic technique sub_technique", "ticket": "uid src_url",
    "analytic": "name uid", "malware": "name uid", "user": "name uid account", "group": "name uid", "resource": "name uid",
    "device": "ip uid name hostname", "process": "pid uid cpid", "actor": "process user app_name app_uid",
    "endpoint": "ip uid name hostname", "location": "city country postal_code region", "url": "url_string path",
    "email": "from to", "interface": "ip mac name hostname uid", "named": "name uid", "product": "name uid",
    # With the Windows extension, resources alone are not enough.
    "evidence": "actor data device dst_endpoint email file process src_endpoint url user reg_key reg_value",
}

ENUMS = {
    ("finding", "activity_id"): {1: "Create", 2: "Update", 3: "Close"},
    ("incident", "activity_id"): {1: "Create", 2: "Update", 3: "Close"},
    ("notice", "activity_id"): {1: "General Error", 99: None},
    ("finding", "status_id"): {0: "Unknown", 1: "New", 2: "In Progress", 4: "Resolved", 99: None},
    ("incident", "status_id"): {0: "Unknown", 1: "New", 2: "In Progress", 3: "On Hold", 4: "Resolved", 5: "Closed", 99: None},
    ("notice", "status_id"): {1: "Success", 2: "Failure"},
    ("device", "type_id"): {0: "Unknown"},
    ("interface", "type_id"): {0: "Unknown"},
    ("related_event", "type_uid"): {200501: None},
    ("device", "risk_level_id"): {0: "Info", 1: "Low", 2: "Medium", 3: "High"},
    ("os", "type_id"): {0: "Unknown", 100: "Windows", 200: "Linux", 201: "Android", 300: "macOS", 301: "iOS", 302: "iPadOS"},
    ("hash", "algorithm_id"): {0: "Unknown", 1: "MD5", 2: "SHA-1", 3: "SHA-256", 4: "SHA-512", 99: None},
    ("signature", "algorithm_id"): {0: "Unknown"},
    ("account", "type_id"): {17: "M365 Tenant"},
    ("user", "type_id"): {1: "User"},
    ("file", "type_id"): {1: "Regular File"},
    ("analytic", "type_id"): {1: "Rule"},
    ("observable", "type_id"): {
        1: "Hostname", 2: "IP Address", 4: "User Name", 5: "Email Address", 6: "URL String", 7: "File Name", 8: "Hash",
        9: "Process Name", 10: "Resource UID", 13: "Command Line", 31: "User Object: uid", 40: "Email Object: subject",
        41: "Email Object: uid", 42: "Message UID", 43: "Registry Value Object: name", 45: "File Path",
        46: "Registry Key Path", 47: "Device Object: uid"},
}
SEVERITIES = {0: "Unknown", 1: "Informational", 2: "Low", 3: "Medium", 4: "High", 99: None}
VERDICTS = {0: "Unknown", 1: "False Positive", 2: "True Positive", 4: "Suspicious", 5: "Benign", 6: "Test",
            7: "Insufficient Data", 99: None}
CLASSES = {2004: ("finding", 2, "Detection Finding", "Findings"), 2005: ("incident", 2, "Incident Finding", "Findings"),
           6008: ("notice", 6, "Application Error", "Application Activity"), 0: ("notice", 0, "Base Event", "Uncategorized")}
# What has a type of observable wherever it stands, by the end of its path; the type of the schema's attribute or object.
OBSERVED = {
    "device.hostname": 1, "url.hostname": 1, "urls.hostname": 1, "device.ip": 2, "network_interfaces.ip": 2, "src_endpoint.ip": 2,
    "dst_endpoint.ip": 2, "email.x_originating_ip": 2, "user.name": 4, "user.email_addr": 5, "email.from": 5, "email.to": 5,
    "email.return_path": 5, "assignee.email_addr": 5, "url.url_string": 6, "urls.url_string": 6, "file.name": 7, "hashes.value": 8, "process.name": 9,
    "parent_process.name": 9, "resources.uid": 10, "process.cmd_line": 13, "user.uid": 31, "email.subject": 40, "email.uid": 41,
    "email.message_uid": 42, "reg_value.name": 43, "file.path": 45, "reg_key.path": 46, "reg_value.path": 46, "device.uid": 47,
}
OBSERVABLES_MAX = 1024
EMAIL = re.compile(r"[a-zA-Z0-9!#$%&'*+\-/=?^_`{|}~.,]+@[a-zA-Z0-9-]+\.[a-zA-Z0-9.-]+")


def is_address(text):
    try:
        ipaddress.ip_address(text)
        return True
    except ValueError:
        return False


SCALARS = {
    "str": lambda v: isinstance(v, str), "bool": lambda v: isinstance(v, bool), "any": lambda v: True,
    "int": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "ms": lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << 48,
    "object": lambda v: isinstance(v, dict), "ip": lambda v: isinstance(v, str) and is_address(v),
    "address": lambda v: isinstance(v, str) and EMAIL.fullmatch(v) is not None,
}


def parse(line):
    words = line.split()
    return {name.rstrip("!"): (kind, name.endswith("!")) for name, kind in zip(words[::2], words[1::2])}


TABLE = {name: parse(line) for name, line in OBJECTS.items()}


def enum_faults(name, value, where):
    for attribute, number in value.items():
        words = ENUMS.get((name, attribute)) or (SEVERITIES if attribute == "severity_id" else
                                                 VERDICTS if attribute == "verdict_id" else None)
        if words is None:
            continue
        said = value.get({"activity_id": "activity_name"}.get(attribute, attribute[:-3]))
        if number not in words:
            yield "%s.%s: there is no %r" % (where, attribute, number)
        elif words[number] is not None and said not in (None, words[number]):
            yield "%s.%s: %r is %r, not %r" % (where, attribute, number, words[number], said)


def value_faults(kind, value, where):
    if kind.startswith("["):
        if not isinstance(value, list) or not value:
            yield "%s is no list, or empty" % where
            return
        for i, one in enumerate(value):
            yield from value_faults(kind[1:-1], one, "%s[%d]" % (where, i))
    elif kind in SCALARS:
        if not SCALARS[kind](value):
            yield "%s: %r is no %s" % (where, value, kind)
    elif not isinstance(value, dict):
        yield "%s: %r is no object" % (where, value)
    else:
        yield from object_faults(kind, value, where)


def object_faults(name, value, where):
    table = TABLE[name]
    for attribute, (kind, is_required) in table.items():
        if attribute in value:
            yield from value_faults(kind, value[attribute], "%s.%s" % (where, attribute))
        elif is_required:
            yield "%s.%s is missing" % (where, attribute)
    for attribute in value:
        if attribute not in table:
            yield "%s.%s: OCSF has no such attribute" % (where, attribute)
    if name in ANY_OF and not any(a in value for a in ANY_OF[name].split()):
        yield "%s has none of %s" % (where, ANY_OF[name])
    yield from enum_faults(name, value, where)


def at(event, path):
    for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        event = event[name] if name else event[int(index)]
    return event


def texts(value, path=""):
    """Each text below a value, and the names on the way to it, without indexes."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from texts(inner, path + "." + name)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner, path)
    elif isinstance(value, str):
        yield path, value


def observed_as(path):
    return OBSERVED.get(".".join(path.split(".")[-2:]))


def observable_faults(event):
    told = set()
    for o in event.get("observables", []):
        try:
            found = at(event, o["name"])
        except (KeyError, IndexError, TypeError):
            found = None
        if found is None or found != o.get("value"):
            yield "observable %s: %r is not what stands there" % (o["name"], o.get("value"))
        if observed_as(re.sub(r"\[\d+\]", "", o["name"])) != o["type_id"]:
            yield "observable %s is of another type than %r" % (o["name"], o["type_id"])
        told.add((o["type_id"], o.get("value")))
    if "observables" not in event and event["metadata"].get("is_truncated") or len(event.get("observables", [])) == OBSERVABLES_MAX:
        return
    for evidence in event.get("evidences", []):
        for path, value in texts({name: inner for name, inner in evidence.items() if name != "data"}):
            if observed_as(path) and (observed_as(path), value) not in told and not is_stand_in(path, value, evidence):
                yield "evidence%s: %r is no observable" % (path, value)


def is_stand_in(path, value, evidence):
    """A name that msspd gave, where there was none: the default value of a registry key, a file's hash. And nobody looks for
    the number that Microsoft gave a cloud application."""
    return path == ".resources.uid" or (path == ".reg_value.name" and evidence["reg_value"].get("is_default")) or (
        path.endswith("file.name") and any(inner == value for inner_path, inner in texts(evidence)
                                           if inner_path.endswith("hashes.value")))


def faults(event):
    """All that is wrong with an event, as text; empty when nothing is."""
    if event.get("class_uid") not in CLASSES:
        return ["there is no class %r" % event.get("class_uid")]
    name, category, class_name, category_name = CLASSES[event["class_uid"]]
    found = list(object_faults(name, event, "")) + list(observable_faults(event))
    if event["category_uid"] != category or event["type_uid"] != event["class_uid"] * 100 + event["activity_id"]:
        found.append("category_uid or type_uid do not go with the class")
    activity = "Other" if event["activity_id"] == 99 else event.get("activity_name")
    names = {"class_name": class_name, "category_name": category_name, "type_name": "%s: %s" % (class_name, activity)}
    found += ["%s is %r" % (a, event[a]) for a, want in names.items() if event.get(a, want) != want]
    return found + list(metadata_faults(event, name))


def metadata_faults(event, name):
    metadata = event["metadata"]
    if metadata.get("version") != "1.8.0":
        yield "metadata.version"
    if metadata.get("profiles") != ["cloud", "incident"][:2 if name == "finding" else 1]:
        yield "metadata.profiles are %r" % metadata.get("profiles")
    has_registry = any("reg_key" in e or "reg_value" in e for e in event.get("evidences", []))
    if has_registry and [e["name"] for e in metadata.get("extensions", [])] != ["win"]:
        yield "the extension win is not declared"
