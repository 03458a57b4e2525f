# SPDX-License-Identifier: Apache-2.0
"""A strict reader of CEF lines, independent of the program's own writer.

The rules are those of the CEF implementation standard: seven header fields in
which only backslash and bar are escaped, then key=value pairs in which
backslash, equals sign and line ends are.
"""
import re

HEADER = ("version", "vendor", "product", "device_version", "class_id", "name", "severity")


def _header(text):
    fields, field, i = [], [], 0
    while len(fields) < 7:
        if i >= len(text):
            raise ValueError("header ends early: %r" % text[:80])
        c = text[i]
        if c == "\\":
            if text[i + 1:i + 2] not in ("\\", "|"):
                raise ValueError("odd escape in the header: %r" % text[i:i + 2])
            field.append(text[i + 1])
            i += 2
            continue
        if c == "|":
            fields.append("".join(field))
            field = []
        else:
            field.append(c)
        i += 1
    return fields, text[i:]


def _unescape(value):
    out, i = [], 0
    while i < len(value):
        c = value[i]
        if c == "=":
            raise ValueError("an equals sign that is not escaped: %r" % value)
        if c == "\\":
            n = value[i + 1:i + 2]
            if n not in ("\\", "=", "n", "r"):
                raise ValueError("odd escape: %r in %r" % (value[i:i + 2], value))
            out.append({"n": "\n", "r": "\r"}.get(n, n))
            i += 2
            continue
        out.append(c)
        i += 1
    return "".join(out)


# A key is a word directly before an equals sign that no backslash stands before.
_KEY = re.compile(r"(?:^| )([A-Za-z0-9_]+)(?<!\\)=")


def parse(line):
    """(header dict, extension dict); ValueError says what breaks the standard."""
    if not line.startswith("CEF:"):
        raise ValueError("does not start with CEF: %r" % line[:40])
    if re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", line):
        raise ValueError("a control character in %r" % line)
    fields, extension = _header(line[4:])
    header = dict(zip(HEADER, fields))
    keys = [(m.group(1), m.start(), m.end()) for m in _KEY.finditer(extension)]
    pairs = {}
    for n, (key, _, end) in enumerate(keys):
        stop = keys[n + 1][1] if n + 1 < len(keys) else len(extension)
        if key in pairs:
            raise ValueError("%s stands twice" % key)
        pairs[key] = _unescape(extension[end:stop])
        if not pairs[key]:
            raise ValueError("%s is empty" % key)
    return header, pairs
