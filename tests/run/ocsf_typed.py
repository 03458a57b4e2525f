# SPDX-License-Identifier: Apache-2.0
"""Reads OCSF events, one a line, with py-ocsf-models, a typed reader that is not ours. Runs in build/readers.

Prints what is wrong, one line each. That package is narrower than OCSF 1.8 in places, which are listed here:
attributes that it requires and OCSF recommends, and numbers of enumerations that are newer than it.
"""
import json
import sys

from pydantic import ValidationError
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

NARROWER = {
    ("evidences.device.network_interfaces.hostname", "missing"), ("evidences.device.network_interfaces.mac", "missing"),
    ("evidences.device.network_interfaces.name", "missing"), ("evidences.device.region", "missing"),
    ("evidences.device.name", "missing"), ("evidences.device.uid", "missing"), ("evidences.device.hostname", "missing"),
    ("evidences.device.ip", "missing"), ("finding_info.attacks.technique.name", "missing"),
    ("finding_info.analytic.name", "missing"), ("cloud.account.type_id", "enum"), ("observables.type_id", "enum"),
}


def faults(event):
    try:
        DetectionFinding.model_validate(event)
    except ValidationError as wrong:
        for fault in wrong.errors():
            path = ".".join(part for part in fault["loc"] if isinstance(part, str))
            if (path, fault["type"]) not in NARROWER:
                yield "%s: %s" % (path, fault["msg"])


def main():
    count = 0
    for line in sys.stdin.buffer:
        event = json.loads(line)
        if event["class_uid"] == 2004:
            count += 1
            for fault in faults(event):
                print("%s: %s" % (event["metadata"]["uid"], fault))
    print("%d events" % count, file=sys.stderr)


if __name__ == "__main__":
    main()
