# SPDX-License-Identifier: Apache-2.0
"""What msspd wrote of an incident, compared value by value with it, as readback.py does for alerts; whole and shortened.

usage: readback_incidents.py WRITE-FORMATS SEED COUNT
"""
import json
import subprocess
import sys

import ecs_rules
import ocsf_rules
import random_alerts
from readback import (FORMATS, SEVERITY, SHOWN, TENANT, Source, Wrong, at, check_unreadable, first, is_readable, mend, ms, number,
                      read_cef, read_leef, same, same_in_line, stamp, text, texts)

NO_NAME = "Microsoft Defender incident"
OCSF_TEXTS = {"id": ("finding_info_list.0.uid", "metadata.original_event_uid"), "lastModifiedBy": ("unmapped.lastModifiedBy",),
              "assignedTo": ("assignee.name",), "summary": ("unmapped.summary",), "classification": ("unmapped.classification",),
              "determination": ("unmapped.determination",),
              "redirectIncidentId": ("unmapped.redirectIncidentId", "finding_info_list.0.related_events.0.uid")}
ECS_TEXTS = {"id": ("event.id", "msspd.incident_id"), "displayName": ("msspd.title",), "severity": ("msspd.severity",),
             "status": ("msspd.status",), "classification": ("msspd.classification",), "determination": ("msspd.determination",),
             "redirectIncidentId": ("msspd.merged_into",), "assignedTo": ("msspd.assigned_to",),
             "lastModifiedBy": ("msspd.last_modified_by",), "resolvingComment": ("msspd.resolving_comment",)}
STATUS = {"unknown": 0, "active": 1, "inprogress": 2, "awaitingaction": 3, "resolved": 4, "redirected": 5}
VERDICT = {"unknown": 0, "falsepositive": 1, "truepositive": 2, "informationalexpectedactivity": 5, "benignpositive": 5}
SIZES = (1 << 20, 4000, 1500, 1000)
PAGE = 100


def word(i, name, numbers):
    said = text(i.get(name))
    return numbers.get(said.lower(), 99) if said else 0


def comments_of(i):
    return [c for c in (text(c["comment"]) for c in i.get("comments") or []) if c]


def check_ocsf(i, source, line):
    got = json.loads(line)
    source.same(got["raw_data"], "raw_data")
    for name, paths in OCSF_TEXTS.items():
        for path in paths:
            same(at(got, path), text(i.get(name)), path)
    info, name = got["finding_info_list"][0], first(text(i.get("displayName")), NO_NAME)
    same((mend(got["message"]), mend(info["title"])), (name, name), "name")
    desc = first(text(i.get("description")), text(i.get("summary")))
    same((at(got, "desc"), at(info, "desc")), (desc, desc), "desc")
    times = ms(i.get("createdDateTime")), ms(i["lastUpdateDateTime"])
    same((info.get("created_time"), info.get("modified_time")), times, "times")
    same(got["time"], first(ms(i.get("createdDateTime")), ms(i["lastUpdateDateTime"])), "time")
    same((got["severity_id"], got["status_id"]), (word(i, "severity", SEVERITY), word(i, "status", STATUS)), "words")
    if (text(i.get("determination")) or "").lower() not in ("securitytesting", "notenoughdatatovalidate"):
        same(got["verdict_id"], word(i, "classification", VERDICT), "verdict_id")
    same(at(got, "unmapped.priorityScore"), number(i.get("priorityScore")), "priorityScore")
    tags = {tag["name"]: [mend(v) for v in tag["values"]] for tag in info.get("tags", [])}
    same(tags, {n: texts(i.get(n)) for n in ("customTags", "systemTags") if texts(i.get(n))}, "tags")
    every = i.get("comments") or []
    same(at(got, "comment"), first(text(i.get("resolvingComment")), text(every[-1]["comment"]) if every else None), "comment")
    same([mend(c["comment"]) for c in got["unmapped"].get("comments", []) if "comment" in c], comments_of(i), "comments")
    same((at(got, "cloud.account.uid"), at(got, "metadata.tenant_uid"), got["type_uid"]), (TENANT, TENANT, 200501), "whose")


def check_ecs(i, source, line):
    got = json.loads(line)
    source.same(got["event"]["original"], "event.original")
    for name, paths in ECS_TEXTS.items():
        for path in paths:
            same(at(got, path), text(i.get(name)), "ECS " + path)
    same(ms(at(got, "event.created")), ms(i.get("createdDateTime")), "ECS created")
    same(at(got, "message"), first(*(text(i.get(n)) for n in ("description", "summary", "displayName")), NO_NAME), "ECS message")
    same(at(got, "tags"), texts(i.get("customTags")), "ECS tags")
    same(at(got, "msspd.system_tags"), texts(i.get("systemTags")), "ECS systemTags")
    same(at(got, "msspd.priority_score"), number(i.get("priorityScore")), "ECS priorityScore")
    same(at(got, "msspd.comments"), comments_of(i), "ECS comments")


# Key of CEF, its limit, key of LEEF, its limit; None: there is no such key.
KEYS = {"status": ("cs5", 4000, "status", 1023), "redirectIncidentId": ("MicrosoftDefenderMergedInto", 255, "mergedInto", 255),
        "id": ("flexString2", 1023, "alertId", 1023), "resolvingComment": ("reason", 1023, "recommendedActions", 1023)}


def check_lines(i, cef, leef, event_id):
    head, pairs = read_cef(cef)
    _, leefs = read_leef(leef)
    same((head[:2], head[3]), (["Microsoft", "Microsoft Defender XDR Incident"], "incident"), "CEF header")
    for name, (key, limit, leef_key, leef_limit) in KEYS.items():
        same_in_line(pairs.get(key), text(i.get(name)), limit, "\n", key)
        same_in_line(leefs.get(leef_key), text(i.get(name)), leef_limit, " ", leef_key)
    message = first(text(i.get("description")), text(i.get("summary")))
    same_in_line(pairs.get("msg"), message, 1023, "\n", "msg")
    same_in_line(leefs.get("description"), message, 1023, " ", "description")
    score = number(i.get("priorityScore"))
    same((pairs.get("cn3"), leefs.get("priorityScore")), (score if score is None else str(score),) * 2, "priorityScore")
    tags = ",".join(texts(i.get("customTags")) + texts(i.get("systemTags")))
    same_in_line(pairs.get("MicrosoftDefenderTags"), tags, 1023, "\n", "tags")
    same((mend(pairs["MicrosoftDefenderEventId"]), mend(leefs["eventId"])), (event_id, event_id), "event id")


def check(raw, lines):
    if any("\n" in line or line == "!" for line in lines):
        raise Wrong("not one line each: %r" % lines)
    try:
        i = json.loads(raw.decode("utf-8", "replace"))
    except ValueError:
        i = None
    if not is_readable(i) or raw.count(b'"id":"') > 1 and raw.startswith(b'{"id":"a","id"'):
        check_unreadable(raw, lines)
        return
    cef, leef, ocsf, ecs, whole = lines
    source = Source(raw)
    source.same(whole[whole.index('"incident":') + 11:-1], "raw")
    check_ocsf(i, source, ocsf)
    check_ecs(i, source, ecs)
    event_id = "%s/incident:%s/%s" % (TENANT, mend(i["id"]), stamp(i["lastUpdateDateTime"]))
    check_lines(i, cef, leef, event_id)
    ids = {json.loads(whole)["msspd"]["event_id"], json.loads(ocsf)["metadata"]["uid"], json.loads(ecs)["msspd"]["event_id"]}
    same(ids, {event_id}, "ids")


def check_schemas(lines, size):
    """raw has no shorter form; what is longer than the size is in none."""
    if any(len(line.encode()) > size for line in lines):
        raise Wrong("longer than %d" % size)
    wrong = ocsf_rules.faults(json.loads(lines[2])) + list(ecs_rules.faults(json.loads(lines[3])))
    if wrong:
        raise Wrong("by the schema, of %d bytes: %s" % (size, wrong))


def main(program, seed, count):
    maker, right, wrong = random_alerts.Maker(seed, incidents=True), 0, 0
    for size in SIZES:
        with subprocess.Popen([program, str(size), "incidents"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as writer:
            left = count // len(SIZES) + (count % len(SIZES) if size == SIZES[0] else 0)
            while left > 0:
                slices, page = maker.page(min(PAGE, left))
                left -= len(slices)
                writer.stdin.write(b"%d\n" % len(page) + page)
                writer.stdin.flush()
                for raw in slices:
                    lines = [writer.stdout.readline().decode()[:-1] for _ in range(FORMATS)]
                    try:
                        if size == SIZES[0]:
                            check(raw, lines)
                        check_schemas(lines, size)
                        right += 1
                    except (Wrong, ValueError, LookupError, TypeError) as fault:
                        wrong += 1
                        if wrong <= SHOWN:
                            print("%s: %s\n%r\n%s\n" % (type(fault).__name__, fault, raw, "\n".join(lines)))
    print("%d right, %d wrong" % (right, wrong))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
