#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Turns the configuration reference (Markdown on stdin, as msspd prints it) into msspd.yaml(5).

It knows what that page uses and no more: headings, paragraphs, lists, `code`, links, and
tables of option, value, default and meaning, which become tagged lists.
"""
import re
import sys

HEAD = """.Dd November 22, 2026
.Dt MSSPD.YAML 5
.Os
.Sh NAME
.Nm msspd.yaml
.Nd configuration of the alert forwarder msspd
.Sh DESCRIPTION
"""
TAIL = """.Sh SEE ALSO
.Xr msspctl 8 ,
.Xr msspd 8
"""


def inline(text):
    """Text of one line of a manual: no markup, nothing that roff takes for a request."""
    text = re.sub(r"\[([^]]+)\]\([^)]*\)", r"\1", text)
    text = text.replace("\\|", "|").replace("\\", "\\e")
    text = re.sub(r"``|`([^`]*)`", lambda m: "\\fB" + (m[1] or '""') + "\\fR", text)
    text = text.replace("-", "\\-")
    return ("\\&" + text) if text[:1] in (".", "'") else text


def sentences(text):
    """One sentence a line, as roff wants them."""
    return "\n".join(inline(s) for s in re.split(r"(?<=[a-z`)][.;:]) (?=[A-Z`])", text))


def rows(lines):
    """The options of a table: (option, value, default, meaning)."""
    for line in lines[2:]:
        cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
        yield [c.strip() for c in cells]


def table(lines):
    out = [".Bl -tag -width Ds"]
    for option, value, default, meaning in rows(lines):
        facts = value if default == "" else "%s; default: %s" % (value, default)
        out += [".It " + inline(option), "(%s)" % inline(facts), ".br", sentences(meaning)]
    return out + [".El"]


def bullets(lines):
    items = re.split(r"^- ", "\n".join(lines), flags=re.M)[1:]
    out = [".Bl -bullet"]
    for item in items:
        out += [".It", sentences(" ".join(item.split()))]
    return out + [".El"]


def block(lines):
    first = lines[0]
    if first.startswith("## "):
        return [".Sh " + first[3:].replace("`", "").replace("-", "\\-")]
    if first.startswith("|"):
        return table(lines)
    if first.startswith("- "):
        return bullets(lines)
    return [".Pp", sentences(" ".join(lines))]


def main():
    blocks = [b.split("\n") for b in sys.stdin.read().strip().split("\n\n")]
    out = []
    for lines in blocks[1:]:  # the first is the title
        more = block(lines)
        if more[0] == ".Pp" and (not out or out[-1].startswith(".Sh ")):
            more = more[1:]
        out += more
    sys.stdout.write(HEAD + "\n".join(out) + "\n" + TAIL)


if __name__ == "__main__":
    main()
