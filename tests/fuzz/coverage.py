#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How much of its target each fuzzer's own corpus reaches: the seeds are what a quick run begins with.

usage: coverage.py [NAME]...

Prints a line for each source file; fails where fewer than 90 % of the lines are reached.
Needs the fuzzers that `make fuzz` builds.
"""
import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LEAST = 90

# What each fuzzer is for; a new one is a new line.
TARGETS = {
    "cef": ("lib/format/cef.c", "lib/format/cef_facts.c", "lib/format/cef_evidence.c", "lib/format/escape.c"),
    "formats": ("lib/format/ocsf.c", "lib/format/ocsf_device.c", "lib/format/ocsf_envelope.c", "lib/format/ocsf_evidence.c",
                "lib/format/ocsf_file.c", "lib/format/ocsf_finding.c", "lib/format/ocsf_incident.c",
                "lib/format/ocsf_network.c", "lib/format/ocsf_notice.c", "lib/format/ocsf_observables.c",
                "lib/format/ocsf_words.c", "lib/format/attack.c", "lib/format/json_line.c", "lib/format/path.c",
                "lib/format/shape.c", "lib/format/leef.c", "lib/format/headline.c", "lib/format/web_url.c",
                "lib/format/ecs.c", "lib/format/ecs_alert.c", "lib/format/ecs_evidence.c"),
    "config": ("lib/config/yaml.c", "lib/config/conf.c", "lib/config/url.c"),
    "error_body": ("daemon/intake/graph.c",),
    "inflate": ("lib/base/inflate.c",),
    "jwt": ("lib/policy/jwt_look.c",),
    "link": ("lib/policy/link.c",),
    "mail": ("lib/format/mail.c", "lib/format/mail_clean.c", "lib/format/mail_digest.c", "lib/format/mail_digest_html.c",
             "lib/format/mail_digest_text.c", "lib/format/mail_evidence.c", "lib/format/mail_html.c", "lib/format/mail_links.c",
             "lib/format/mail_manual.c", "lib/format/mail_message.c", "lib/format/mail_mime.c", "lib/format/mail_sheet.c", "lib/format/mail_template.c",
             "lib/format/mail_text.c", "lib/format/mail_values.c"),
    "portal": ("lib/format/portal.c",),
    "reader": ("lib/json/reader.c", "lib/json/repair.c", "lib/json/unescape.c", "lib/json/skim.c"),
    "record": ("lib/record/alert.c", "lib/record/evidence.c", "lib/record/fields.c", "lib/record/record.c",
               "lib/record/parts.c", "lib/record/incident.c", "lib/record/mde.c"),
    "retry_after": ("lib/policy/retry_after.c",),
    "split": ("lib/json/split.c",),
    "ticks": ("lib/base/ticks.c",),
    "token_answer": ("daemon/intake/token_answer.c",),
}


def tool(name):
    """The one of clang's own version where there are several."""
    said = subprocess.run(["clang", "--version"], capture_output=True, check=True, text=True).stdout
    version = re.search(r"version (\d+)", said).group(1)
    found = shutil.which("%s-%s" % (name, version)) or shutil.which(name)
    if found is None:
        raise FileNotFoundError("%s of clang %s is not installed" % (name, version))
    return found


def program_of(name):
    return os.path.join(ROOT, "build/fuzz/fuzz/fuzz_" + name)


def run_corpus(name, folder):
    raw, merged = os.path.join(folder, "raw"), os.path.join(folder, "merged")
    done = subprocess.run([program_of(name), "-runs=0", os.path.join(HERE, "corpus", name)],
                          cwd=folder, env=dict(os.environ, LLVM_PROFILE_FILE=raw), capture_output=True,
                          text=True, errors="replace", check=False)
    if done.returncode != 0:
        raise RuntimeError("fuzz_%s does not like its own corpus:\n%s" % (name, done.stderr[-6000:]))
    subprocess.run([tool("llvm-profdata"), "merge", "-sparse", raw, "-o", merged], check=True)
    return merged


def measure(name):
    """{source: percent of its lines} after the fuzzer has run its corpus and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        merged = run_corpus(name, folder)
        out = subprocess.run([tool("llvm-cov"), "export", "-summary-only", "-instr-profile=" + merged,
                              program_of(name)] + [os.path.join(ROOT, source) for source in TARGETS[name]],
                             cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = json.loads(out)["data"][0]["files"]
    return {os.path.relpath(f["filename"], ROOT): f["summary"]["lines"]["percent"] for f in files}


def check(name):
    """What is wrong, as lines; empty when nothing is."""
    reached = measure(name)
    for source in TARGETS[name]:
        print("%-12s %-32s %5.1f %%" % (name, source, reached.get(source, 0)), flush=True)
    return ["%s: its corpus reaches %.1f %% of %s" % (name, reached.get(source, 0), source)
            for source in TARGETS[name] if reached.get(source, 0) < LEAST]


def unlisted():
    """Fuzzers without a line in the table, and the other way round."""
    there = {os.path.basename(p)[5:-2] for p in glob.glob(os.path.join(HERE, "fuzz_*.c"))}
    return sorted(there ^ set(TARGETS))


def main(names):
    wrong = ["%s: not both a fuzzer and a line of TARGETS" % name for name in unlisted()]
    for name in names or sorted(TARGETS):
        wrong += check(name)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
