# SPDX-License-Identifier: Apache-2.0
"""Reads OCSF events, one a line, with py-ocsf-models, a typed reader that is not ours. Runs in build/readers.

Prints what is wrong, one line each. That package knows one of our classes, Detection Finding; the others are put together here of
its base event and its objects. It is narrower than OCSF 1.8 in places, which are listed: attributes that it requires
and OCSF recommends, and numbers of enumerations that are newer than it.
"""
import json
import sys
from typing import List, Optional

from pydantic import Field, ValidationError
from py_ocsf_models.events.base_event import BaseEvent
from py_ocsf_models.events.findings.activity_id import ActivityID
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from py_ocsf_models.objects.cloud import Cloud
from py_ocsf_models.objects.finding_info import FindingInformation
from py_ocsf_models.objects.group import Group
from py_ocsf_models.objects.user import User
from py_ocsf_models.objects.verdict import VerdictID


class Notice(BaseEvent):
    cloud: Cloud
    time: int
    start_time: Optional[int] = None


class IncidentFinding(BaseEvent):
    activity_id: ActivityID
    cloud: Cloud
    time: int
    status_id: int  # of this class, which has other ones
    verdict_id: Optional[VerdictID] = None
    finding_info_list: List[FindingInformation] = Field(min_length=1)
    assignee: Optional[User] = None
    assignee_group: Optional[Group] = None
    comment: Optional[str] = None
    desc: Optional[str] = None
    src_url: Optional[str] = None


CLASSES = {2004: DetectionFinding, 2005: IncidentFinding, 6008: Notice, 0: Notice}
NARROWER = {
    ("evidences.device.network_interfaces.hostname", "missing"), ("evidences.device.network_interfaces.mac", "missing"),
    ("evidences.device.network_interfaces.name", "missing"), ("evidences.device.region", "missing"),
    ("assignee.account", "missing"), ("assignee.uid", "missing"), ("evidences.device.name", "missing"), ("evidences.device.uid", "missing"), ("evidences.device.hostname", "missing"),
    ("evidences.device.ip", "missing"), ("finding_info.attacks.technique.name", "missing"),
    ("finding_info.analytic.name", "missing"), ("cloud.account.type_id", "enum"), ("observables.type_id", "enum"),
}


def faults(event):
    try:
        CLASSES[event["class_uid"]].model_validate(event)
    except ValidationError as wrong:
        for fault in wrong.errors():
            path = ".".join(part for part in fault["loc"] if isinstance(part, str))
            if (path, fault["type"]) not in NARROWER:
                yield "%s: %s" % (path, fault["msg"])


def main():
    count = 0
    for line in sys.stdin.buffer:
        event = json.loads(line)
        count += 1
        for fault in faults(event):
            print("%s: %s" % (event["metadata"]["uid"], fault))
    print("%d events" % count, file=sys.stderr)


if __name__ == "__main__":
    main()
