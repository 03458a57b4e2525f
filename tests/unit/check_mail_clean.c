/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/format/mail_clean.h"

static const struct {
	const char *says, *text, *want;
	unsigned flags;
} cases[] = {
	{ "text as it is", "A thing, at 10:30.", "A thing, at 10:30.", 0 },
	{ "blanks at the ends go", " \t x \n ", "x", 0 },
	{ "line ends are blanks", "a\r\nb\nc\rd", "a b c d", 0 },
	{ "or stay", "a\r\nb\n\n\n\nc", "a\nb\n\nc", MAIL_LINES },
	{ "the lines of Unicode are lines",
	    "a\xe2\x80\xa8"
	    "b\xc2\x85"
	    "c",
	    "a\nb\nc", MAIL_LINES },
	{ "controls are shown",
	    "a\x07"
	    "b\x1b[31m",
	    "a[U+0007]b[U+001B][31m", 0 },
	{ "so are C1 ones",
	    "a\xc2\x9b"
	    "b",
	    "a[U+009B]b", 0 },
	{ "direction is shown", "x\xe2\x80\xaegnp.exe", "x[U+202E]gnp.exe", 0 },
	{ "isolates, too", "\xe2\x81\xa6x\xe2\x81\xa9", "[U+2066]x[U+2069]", 0 },
	{ "marks of direction", "a\xe2\x80\x8f\xe2\x80\x8e", "a[U+200F][U+200E]", 0 },
	{ "what has no width", "pay\xe2\x80\x8bpal", "pay[U+200B]pal", 0 },
	{ "a joiner in Latin", "pay\xe2\x80\x8dpal", "pay[U+200D]pal", 0 },
	{ "a joiner where letters need one", "\xd9\x85\xe2\x80\x8c\xdb\x8c",
	    "\xd9\x85\xe2\x80\x8c\xdb\x8c", 0 },
	{ "bytes that are no UTF-8", "a\xff\xc3", "a\xef\xbf\xbd\xef\xbf\xbd", 0 },
	{ "a link", "see http://evil.example/a.html?b=c.d now",
	    "see hxxp://evil[.]example/a[.]html?b=c[.]d now", 0 },
	{ "case does not matter", "HTTPS://Evil.Example", "hxxps://Evil[.]Example", 0 },
	{ "a link behind a word", "xhttp://e.example", "xhxxp://e[.]example", 0 },
	{ "other schemes", "ssh://h.example/", "ssh[:]//h[.]example/", 0 },
	{ "ftp", "ftp://h.example/", "fxp://h[.]example/", 0 },
	{ "a link ends with its quotes", "<a href=\"http://e.example\">x.exe",
	    "<a href=\"hxxp://e[.]example\">x.exe", 0 },
	{ "a bare host", "go to evil.com.", "go to evil[.]com.", 0 },
	{ "with a path", "evil.co/x", "evil[.]co/x", 0 },
	{ "www without a domain that is known", "www.x.exe", "www[.]x[.]exe", 0 },
	{ "letters of other scripts", "\xd0\xbf\xd1\x80.\xd1\x80\xd1\x84",
	    "\xd0\xbf\xd1\x80[.]\xd1\x80\xd1\x84", 0 },
	{ "Punycode", "x.xn--p1ai", "x[.]xn--p1ai", 0 },
	{ "files stay", "powershell.exe a.ps1 x.TXT", "powershell.exe a.ps1 x.TXT", 0 },
	{ "so do paths", "C:\\Windows\\x.dll", "C:\\Windows\\x.dll", 0 },
	{ "and versions and addresses", "v1.0 10.0.0.1 T1059.001", "v1.0 10.0.0.1 T1059.001", 0 },
	{ "an end of a sentence", "It ran. Then it ended.", "It ran. Then it ended.", 0 },
	{ "a file that is a domain", "a.zip", "a[.]zip", 0 },
	{ "an address of mail", "from ceo@evil.example", "from ceo[@]evil[.]example", 0 },
	{ "a user's name", "ana@contoso.example", "ana@contoso.example", MAIL_PERSON },
	{ "who is called a link", "http://e.example/@x", "hxxp://e[.]example/[@]x", MAIL_PERSON },
	{ "a share", "run \\\\evil\\x.dll", "run [\\\\]evil\\x.dll", 0 },
	{ "whose host is one", "\\\\evil.example\\a.b", "[\\\\]evil[.]example\\a.b", 0 },
	{ "a folder is called like a person", "C:\\Users\\ana.ruiz\\x", "C:\\Users\\ana.ruiz\\x",
	    0 },
	{ "or like a domain", "C:\\Users\\evil.com\\x.py", "C:\\Users\\evil[.]com\\x.py", 0 },
	{ "a path with two backslashes each", "C:\\\\Users\\\\ana.ruiz", "C:\\\\Users\\\\ana.ruiz",
	    0 },
	{ "a scheme before a share", "file:\\\\evil.example\\x", "file:[\\\\]evil[.]example\\x",
	    0 },
	{ "a path of Linux in a text", "/home/ana.ruiz/x", "/home/ana[.]ruiz/x", 0 },
	{ "and where one is known to be", "/home/ana.ruiz/x.sh", "/home/ana.ruiz/x.sh", MAIL_PATH },
	{ "a file that ends like a domain", "evil.com", "evil[.]com", MAIL_PATH },
	{ "a file that is a link", "http://e.example", "hxxp://e[.]example", MAIL_PATH },
	{ "a file that is a mail's address", "ceo@evil.com", "ceo[@]evil[.]com", MAIL_PATH },
	{ "a resource", "providers/Microsoft.Compute/x", "providers/Microsoft.Compute/x",
	    MAIL_PATH },
	{ "an address with a path", "curl 45.9.1.2/a", "curl 45[.]9[.]1[.]2/a", 0 },
	{ "an address with a port", "45.9.1.2:80", "45[.]9[.]1[.]2:80", 0 },
	{ "a network", "45.9.1.0/24", "45.9.1.0/24", 0 },
	{ "a device", "ws-1.contoso.com", "ws-1.contoso.com", MAIL_DEVICE },
	{ "a device that is more", "ws-1.evil.com/x", "ws-1[.]evil[.]com/x", MAIL_DEVICE },
	{ "a device on the web", "www.evil.com", "www[.]evil[.]com", MAIL_DEVICE },
	{ "a user's short name", "ana.ruiz", "ana.ruiz", MAIL_PERSON },
	{ "words with a user's name", "see evil.com", "see evil[.]com", MAIL_PERSON },
	{ "no share", "a\\\\\\b", "a\\\\\\b", 0 },
	{ "the operator's words", "http://soc.example", "http://soc.example", MAIL_TRUSTED },
	{ "but not their controls", "a\x01", "a[U+0001]", MAIL_TRUSTED },
};

START_TEST(test_clean)
{
	struct buf out = BUF_INIT(1000);

	mail_clean(&out, str_of(cases[_i].text), 500, cases[_i].flags);
	ck_assert_msg(str_is(buf_peek(&out), cases[_i].want), "%s: %s", cases[_i].says, out.p);
	buf_release(&out);
}
END_TEST

START_TEST(test_nul)
{
	struct buf out = BUF_INIT(1000);

	mail_clean(&out, (struct str){ "a\0b", 3 }, 500, 0);
	ck_assert_str_eq(out.p, "a[U+0000]b");
	buf_release(&out);
}
END_TEST

/* Every limit: whole characters, and the cut is told with the right number. */
START_TEST(test_limit)
{
	static const char text[] = "caf\xc3\xa9 http://evil.example/x caf\xc3\xa9";
	struct str in = { text, sizeof(text) - 1 };

	for (size_t limit = 1; limit < 80; limit++) {
		struct buf out = BUF_INIT(1000);
		const char *cut;

		mail_clean(&out, in, limit, 0);
		ck_assert(utf8_valid(out.p, out.n));
		cut = strstr(out.p, "… [cut: ");
		ck_assert(cut != NULL ||
			  strcmp(out.p, "caf\xc3\xa9 hxxp://evil[.]example/x caf\xc3\xa9") == 0);
		ck_assert(cut == NULL || (size_t)(cut - out.p) <= limit + 10);
		ck_assert(cut == NULL || strtoul(cut + 10, NULL, 10) < in.n);
		ck_assert_ptr_null(strstr(out.p, "http"));
		buf_release(&out);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail_clean");
	TCase *tc = tcase_create("mail_clean");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_clean, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_nul);
	tcase_add_test(tc, test_limit);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
