/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>

#include "lib/base/ticks.h"
#include "lib/format/mail.h"
#include "lib/format/mail_mime.h"

static const struct {
	const char *says, *value, *want;
} fields[] = {
	{ "plain text", "a b", "X: a b\r\n" },
	{ "folded at blanks",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bbbbbbbb",
	    "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"
	    " bbbbbbbb\r\n" },
	{ "line ends are blanks", "a\r\nBcc: b", "X: a Bcc: b\r\n" },
	{ "half ones, too", "a\rBcc: b\nc", "X: a Bcc: b c\r\n" },
	{ "other letters are encoded",
	    "Gr\xc3\xbc\xc3\x9f"
	    "e",
	    "X: =?UTF-8?B?R3LDvMOfZQ==?=\r\n" },
	{ "a line end in them is a blank", "\xc3\xbc\r\nBcc: b",
	    "X: =?UTF-8?B?w7wgIEJjYzogYg==?=\r\n" },
	{ "what looks encoded is shown as it is",
	    "=?utf-8?q?x?=", "X: =?UTF-8?B?PT91dGYtOD9xP3g/PQ==?=\r\n" },
	{ "bytes that are no UTF-8", "\xff", "X: =?UTF-8?B?77+9?=\r\n" },
	{ "nothing", "", "X:\r\n" },
};

START_TEST(test_field)
{
	struct buf out = BUF_INIT(4000);

	mime_field(&out, "X", str_of(fields[_i].value));
	ck_assert_msg(strcmp(out.p, fields[_i].want) == 0, "%s: %s", fields[_i].says, out.p);
	buf_release(&out);
}
END_TEST

/* Any length of any text: lines of at most 78 where that can be, whole characters in each word. */
START_TEST(test_folding)
{
	char text[600];

	for (size_t n = 0; n < sizeof(text) / 2; n++) {
		struct buf out = BUF_INIT(8000);
		size_t width = 0;

		for (size_t i = 0; i < n; i++)
			memcpy(text + 2 * i, i % 7 == 3 ? "a " : "\xc3\xa9", 2);
		mime_field(&out, "X-Msspd-Customer", (struct str){ text, 2 * n });
		for (size_t i = 0; i < out.n; i++) {
			width = out.p[i] == '\n' ? 0 : width + 1;
			ck_assert_msg(width <= 79, "%zu: %s", n, out.p);
			ck_assert((unsigned char)out.p[i] < 0x7f);
		}
		ck_assert_ptr_null(strstr(out.p, "\r\n\r\n"));
		buf_release(&out);
	}
}
END_TEST

/* A word that no blank parts: as it is up to what a line may have, else encoded. */
START_TEST(test_long_word)
{
	static char text[5000];

	memset(text, 'x', sizeof(text));
	for (size_t n = 60; n < sizeof(text); n += 97) {
		struct buf out = BUF_INIT(20000);
		size_t width = 0;

		mime_field(&out, "X-Msspd-Event-Id", (struct str){ text, n });
		for (size_t i = 0; i < out.n; i++) {
			width = out.p[i] == '\n' ? 0 : width + 1;
			ck_assert_uint_le(width, 998);
		}
		buf_release(&out);
	}
}
END_TEST

static const struct {
	const char *says, *text, *want, *bare; /* want NULL: refused */
} addresses[] = {
	{ "a bare one", "a@b.example", "To: a@b.example\r\n", "a@b.example" },
	{ "with a name", "SOC <a.b+c@d-e.example>", "To: \"SOC\" <a.b+c@d-e.example>\r\n",
	    "a.b+c@d-e.example" },
	{ "a name in quotes", "\"SOC, on call\" <a@b.example>",
	    "To: \"SOC, on call\" <a@b.example>\r\n", "a@b.example" },
	{ "a quote in it", "S\"OC <a@b.example>", "To: \"S\\\"OC\" <a@b.example>\r\n",
	    "a@b.example" },
	{ "a name in other letters", "B\xc3\xbcro <a@b.example>",
	    "To: =?UTF-8?B?QsO8cm8=?= <a@b.example>\r\n", "a@b.example" },
	{ "a host without dots", "root@localhost", "To: root@localhost\r\n", "root@localhost" },
	{ "no @", "a", NULL, NULL },
	{ "nothing", "", NULL, NULL },
	{ "no name of a mailbox", "@b.example", NULL, NULL },
	{ "no host", "a@", NULL, NULL },
	{ "two dots", "a..b@c.example", NULL, NULL },
	{ "a dot at the end", "a@b.example.", NULL, NULL },
	{ "two recipients", "a@b.example, c@d.example", NULL, NULL },
	{ "two with names", "A <a@b.example>, C <c@d.example>", NULL, NULL },
	{ "a line end", "a@b.example\r\nBcc: x@y.example", NULL, NULL },
	{ "a line end in the name", "a\r\nBcc: x <a@b.example>", NULL, NULL },
	{ "a blank", "a b@c.example", NULL, NULL },
	{ "something behind it", "A <a@b.example> x", NULL, NULL },
	{ "letters of other scripts", "\xc3\xbc@b.example", NULL, NULL },
	{ "not closed", "A <a@b.example", NULL, NULL },
	{ "a route", "<@x.example:a@b.example>", NULL, NULL },
};

START_TEST(test_address)
{
	struct buf out = BUF_INIT(4000);
	struct err err = { .kind = ERR_NONE };
	bool is_good = mail_address_check(addresses[_i].text, &err);

	ck_assert_msg(
	    is_good == (addresses[_i].want != NULL), "%s: %s", addresses[_i].says, err.text);
	if (!is_good) {
		ck_assert_int_eq(err.kind, ERR_CONF);
		return;
	}
	mime_field_address(&out, "To", addresses[_i].text);
	ck_assert_str_eq(out.p, addresses[_i].want);
	ck_assert(str_is(mail_address_bare(addresses[_i].text), addresses[_i].bare));
	buf_release(&out);
}
END_TEST

START_TEST(test_list_id)
{
	struct err err;

	ck_assert(mail_list_id_check("alerts.soc.example", &err));
	ck_assert(!mail_list_id_check("alerts", &err));
	ck_assert(!mail_list_id_check("a.b>\r\nX: y", &err));
	ck_assert(!mail_list_id_check("", &err));
}
END_TEST

START_TEST(test_date)
{
	struct buf out = BUF_INIT(100);

	mime_field_date(&out, 0);
	ck_assert_str_eq(out.p, "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n");
	buf_clear(&out);
	mime_field_date(&out, INT64_C(1795320662) * TICKS_SEC);
	ck_assert_str_eq(out.p, "Date: Sun, 22 Nov 2026 04:11:02 +0000\r\n");
	buf_release(&out);
}
END_TEST

static const struct {
	const char *says, *text, *want;
} quoted[] = {
	{ "text", "a\nb", "a\r\nb\r\n" },
	{ "an equals sign", "a=b", "a=3Db\r\n" },
	{ "a blank at the end of a line", "a \nb ", "a=20\r\nb=20\r\n" },
	{ "other letters", "\xc3\xbc", "=C3=BC\r\n" },
	{ "a carriage return", "a\rb", "a=0Db\r\n" },
	{ "a long line",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=\r\n"
	    "ab\r\n" },
};

START_TEST(test_quoted)
{
	struct buf out = BUF_INIT(1000);

	mime_quoted(&out, str_of(quoted[_i].text));
	ck_assert_msg(strcmp(out.p, quoted[_i].want) == 0, "%s: %s", quoted[_i].says, out.p);
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail_mime");
	TCase *tc = tcase_create("mail_mime");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_field, 0, (int)ARRAY_LEN(fields));
	tcase_add_test(tc, test_folding);
	tcase_add_test(tc, test_long_word);
	tcase_add_loop_test(tc, test_address, 0, (int)ARRAY_LEN(addresses));
	tcase_add_test(tc, test_list_id);
	tcase_add_test(tc, test_date);
	tcase_add_loop_test(tc, test_quoted, 0, (int)ARRAY_LEN(quoted));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
