# SPDX-License-Identifier: Apache-2.0
"""Mails in a real browser, and by the rules of readers that are none: Outlook's Word, and Gmail.

MSSPD_PICTURES=docs/pictures keeps pictures of them there, for people to look at.
"""
import os
import re
import unittest

import harness
import test_mail_format
from browser import Browser, find

PICTURES = os.environ.get("MSSPD_PICTURES")
# What Word draws: tables, text, colours. It knows no padding but that of cells, no max-width, no flex, grid or position.
TAGS = {"html", "head", "meta", "title", "style", "body", "table", "tr", "td", "div", "span", "a", "b", "br"}
STYLES = {"font-family", "font-size", "font-weight", "line-height", "color", "background-color", "text-align", "text-decoration",
          "padding", "border", "border-top", "border-left", "width", "height", "margin"}
# What it leaves out without harm: others draw it.
EXTRAS = {"border-radius", "max-width", "word-break", "overflow-wrap", "-webkit-text-size-adjust", "display", "margin-top",
          "margin-bottom", "white-space"}
HIDDEN = "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all"
GMAIL_SHOWS = 102000
GMAIL_STYLE = 8192
# Name of the mail, of the picture, width, theme.
PAGES = (("endpoint", "mail-alert", 720, "light"), ("endpoint", "mail-alert-dark", 720, "dark"),
         ("endpoint", "mail-alert-phone", 390, "light"), ("incident", "mail-incident", 720, "light"), ("digest", "mail-digest", 820, "light"), ("storm", None, 820, "dark"),
         ("mixed", None, 390, "light"), ("health", "mail-health", 720, "light"), ("unreadable", "mail-unreadable", 720, "light"),
         ("canary", "mail-canary", 720, "light"), ("hostile", None, 390, "light"), ("largest", None, 390, "dark"),
         ("digest-largest", None, 390, "light"))


class MailPages(test_mail_format.Mails):
    def pages(self):
        return [self.parts(name)[2] for name in self.mails]

    def test_what_word_draws(self):
        for page in self.pages():
            body = re.sub(r"(?s)<style>.*?</style>", "", page)
            for tag, attributes in re.findall(r"<([a-z]+)((?: [^<>]*)?)>", body):
                self.assertIn(tag, TAGS)
                style = re.search(r'style="([^"]*)"', attributes)
                if style is None or style.group(1) == HIDDEN:
                    continue
                rules = dict(rule.split(":", 1) for rule in style.group(1).split(";") if rule)
                self.assertLessEqual(set(rules), STYLES | EXTRAS, attributes)
                self.assertIn(rules.get("display", "inline-block"), ("inline-block",))
                self.assertNotRegex(style.group(1), r"url\(|calc\(|var\(|expression|!important|-\d")
                # Padding is a cell's; where it is another's it must not be missed: a badge's sides.
                if "padding" in rules and tag not in ("td", "body"):
                    self.assertEqual((tag, rules["padding"]), ("span", "0 9px"))
                # A colour behind a block is given the old way, too.
                if "background-color" in rules and tag in ("td", "table", "body"):
                    self.assertIn('bgcolor="%s"' % rules["background-color"], attributes)
                self.assertFalse("background-color" in rules and tag == "div", "Word draws none behind a div")
                if "max-width" in rules:
                    self.assertRegex(body, r'<!--\[if mso\]><table role="presentation" width="\d+">')

    def test_what_gmail_shows(self):
        """All of a page, and what its style sheet adds is not needed."""
        for page in self.pages():
            self.assertLess(len(page.encode()), GMAIL_SHOWS)
            style = re.search(r"(?s)<style>(.*?)</style>", page).group(1)
            self.assertLess(len(style), GMAIL_STYLE)
            self.assertNotRegex(style, r"url\(|@import|@font-face")
            self.assertEqual(style.count("{"), style.count("}"))

    def test_in_a_browser(self):
        """Nothing is wider than the window, nothing is fetched, nothing is complained about."""
        if not find():
            self.skipTest("no chromium: make check-deps")
        run = harness.Run()
        self.addCleanup(run.close)
        b = Browser(run)
        self.addCleanup(b.close)
        for name, picture, width, theme in PAGES:
            with self.subTest(name + " " + theme):
                path = run.write(name + ".html", self.parts(name)[2])
                b.requests.clear()
                b.size(width, 900, mobile=width < 500)
                b.theme(theme)
                b.go("file://" + path)
                b.wait("it is there", "document.readyState === 'complete' && location.protocol === 'file:'")
                b.pump(0.2)
                self.assertLessEqual(b.eval("document.documentElement.scrollWidth"), width, name)
                self.assertEqual(set(b.requests), {"file://" + path})
                self.assertEqual(b.complaints, [])
                if PICTURES and picture:
                    b.size(width, 100)
                    b.size(width, b.eval("document.documentElement.scrollHeight"))
                    b.picture(os.path.join(harness.ROOT, PICTURES, picture + ".png"))


if __name__ == "__main__":
    unittest.main()
