# SPDX-License-Identifier: Apache-2.0
"""Mails as check_mail writes them, read by Python's email and html packages."""
import email
import email.policy
import html.parser
import os
import re
import subprocess
import unittest

import harness

STRICT = email.policy.default.clone(raise_on_defect=True)
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """Tags that close what was opened, links, and the text between."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.links, self.words, self.wrong = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "href":
                self.links.append(value)
            elif name in ("src", "background", "action") or name.startswith("on") or "url(" in value:
                self.wrong.append((tag, name, value))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(("closes", tag))

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "title"):
            self.words.append(data)


def plain(text):
    return re.sub(r"\s+", "", text)


class Mails(unittest.TestCase):
    """The mails that check_mail writes, each in `mails`."""

    @classmethod
    def setUpClass(cls):
        run = harness.Run()
        cls.addClassCleanup(run.close)
        program = os.path.join("build", "plain", "unit", "check_mail")
        if not os.path.exists(os.path.join(harness.ROOT, program)):
            subprocess.run(["make", "-s", program], cwd=harness.ROOT, check=True, capture_output=True)
        done = subprocess.run([program], cwd=harness.ROOT, env=dict(os.environ, MSSPD_MAILS=run.dir),
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
        cls.mails = {}
        for name in sorted(os.listdir(run.dir)):
            if name.endswith(".eml"):
                with open(run.path(name), "rb") as f:
                    cls.mails[name[:-4]] = f.read()

    def parts(self, name):
        message = email.message_from_bytes(self.mails[name], policy=STRICT)
        for part in message.walk():
            self.assertEqual(part.defects, [], name)
        for field, value in message.items():
            self.assertEqual(value.defects, (), "%s: %s" % (name, field))
        self.assertEqual(message.get_content_type(), "multipart/alternative")
        text, page = message.iter_parts()
        self.assertEqual((text.get_content_type(), page.get_content_type()), ("text/plain", "text/html"))
        return message, *(part.get_content().replace("\r\n", "\n") for part in (text, page))


class Mail(Mails):
    def test_every_mail_is_read(self):
        self.assertLessEqual({"endpoint", "hostile", "unreadable", "digest", "storm"}, set(self.mails))
        for name, raw in self.mails.items():
            with self.subTest(name):
                message, text, page = self.parts(name)
                self.assertNotRegex(raw.replace(b"\r\n", b""), rb"[\r\n\x80-\xff]")
                self.assertLessEqual(max(map(len, raw.split(b"\r\n"))), 998)
                self.assertEqual(len(message.keys()), len(set(message.keys())))
                self.assertEqual(message["Auto-Submitted"], "auto-generated")
                self.assertIsNone(message["Precedence"])
                self.assertIsNotNone(message["Date"].datetime)
                self.assertEqual([a.addr_spec for a in message["To"].addresses], ["oncall@soc.example"])
                for shown in (text, page, message["Subject"]):
                    self.assertIsNone(HIDDEN.search(shown))

    def test_pages(self):
        """Well nested, nothing to fetch, one place to go to; and they say what the text says."""
        for name in self.mails:
            with self.subTest(name):
                _, text, page = self.parts(name)
                read = Page(page)
                self.assertEqual((read.open, read.wrong), ([], []))
                for link in read.links:
                    self.assertRegex(link, r"^https://security\.microsoft\.com/[a-z]+/[^/?]+\?tid=[0-9a-f-]{36}$")
                    self.assertIn(link, text)
                self.assertNotRegex(re.sub(r'<a [^>]*href="[^"]*"', "", page), r"(?i)https?://")
                words = plain("".join(read.words))
                for line in text.split("\n")[1:3]:
                    self.assertIn(plain(line), words)

    def test_hostile(self):
        message, text, page = self.parts("hostile")
        self.assertLessEqual(set(k.lower() for k in message.keys()) & {"bcc", "x-bad", "x-evil", "cc"}, set())
        self.assertIn("[U+202E]gnp", message["Subject"])
        self.assertIn("\u65e5\u672c\u8a9e", message["Subject"])
        self.assertIn("<script>alert(1)</script>", "".join(Page(page).words))
        self.assertNotIn("<script", page)
        self.assertNotRegex(text.replace(Page(page).links[0], ""), r"(?i)https?://|www\.|[a-z]\.com\b")

    def test_digest(self):
        message, text, page = self.parts("storm")
        self.assertEqual(message["X-Msspd-Count"], "10000")
        self.assertLess(len(page), 102000)  # Gmail shows no more
        listed = text.split("BY TITLE\n")[1]
        self.assertEqual(sum(int(n) for n in re.findall(r"^ +(\d+)  ", listed, flags=re.M)), 10000)
        self.assertEqual(len(Page(page).links), 60)


if __name__ == "__main__":
    unittest.main()
