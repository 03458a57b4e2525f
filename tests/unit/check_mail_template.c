/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/mail_stage.h"

static const struct {
	const char *says;
	enum mail_template_kind kind;
	const char *text, *wrong; /* wrong: the message; NULL: it is good */
} templates[] = {
	{ "a subject", MAIL_SUBJECT, "{severity}: {title} {label.tier}", NULL },
	{ "a typo", MAIL_TEXT, "a\nb {severty}",
	    "line 2, column 3: unknown variable {severty}; did you mean {severity}?" },
	{ "nothing like it", MAIL_SUBJECT, "{foobarbaz}",
	    "line 1, column 1: unknown variable {foobarbaz}; docs/FORMATS.md lists those of a "
	    "mail, "
	    "and {{ is a brace" },
	{ "blanks in it", MAIL_TEXT, "{ title }",
	    "line 1, column 1: unknown variable { title }; did you mean {title}?" },
	{ "a digest has no title", MAIL_DIGEST_SUBJECT, "{device} {count}",
	    "line 1, column 1: unknown variable {device}; docs/FORMATS.md lists those of a digest, "
	    "and {{ is a brace" },
	{ "no details in a subject", MAIL_SUBJECT, "{details}",
	    "line 1, column 1: unknown variable {details}; docs/FORMATS.md lists those of a mail, "
	    "and {{ is a brace" },
	{ "style sheets are no variables", MAIL_HTML, "<style>p {color: red} a{}</style>", NULL },
	{ "a part that is not closed", MAIL_TEXT, "{?device}x",
	    "line 1, column 11: {?device} is not closed; {/device} does" },
	{ "closed in another order", MAIL_TEXT, "{?device}{?user}{/device}{/user}",
	    "line 1, column 17: {/device} where {/user} was expected" },
	{ "closed without being open", MAIL_TEXT, "{/user}",
	    "line 1, column 1: {/user} closes nothing; {?user} opens it" },
	{ "empty", MAIL_TEXT, "", "it is empty" },
	{ "nothing but blanks", MAIL_SUBJECT, "  ", "it is empty" },
	{ "nothing but blanks and line ends", MAIL_TEXT, " \r\n\t\n", "it is empty" },
	{ "no UTF-8", MAIL_TEXT, "\xff", "it is no UTF-8; save it as that" },
	{ "two lines of subject", MAIL_SUBJECT, "a\nb", "line 1, column 2: a subject is one line" },
};

START_TEST(test_template_check)
{
	struct err err;
	struct mail_template *t =
	    mail_template_new(templates[_i].kind, str_of(templates[_i].text), &err);

	if (templates[_i].wrong == NULL)
		ck_assert_msg(t != NULL, "%s: %s", templates[_i].says, err.text);
	else
		ck_assert_msg(t == NULL && strcmp(err.text, templates[_i].wrong) == 0, "%s: %s",
		    templates[_i].says, t == NULL ? err.text : "taken");
	mail_template_free(t);
}
END_TEST

static struct mail_template *
template_of(enum mail_template_kind kind, const char *text)
{
	struct err err;
	struct mail_template *t = mail_template_new(kind, str_of(text), &err);

	ck_assert_msg(t != NULL, "%s", err.text);
	return t;
}

START_TEST(test_template)
{
	struct mail_style style = plain;
	struct mail_template
	    *subject = template_of(MAIL_SUBJECT, "{customer_name} {title}"),
	    *text = template_of(MAIL_TEXT,
		"{{x}} {?device}D {device}{/device}{?title}T {title}{/title} "
		"{label.tier}\r\n{details}"),
	    *html = template_of(
		MAIL_HTML, "<style>p {color:red}</style><div title=\"{title}\">{subject}</div>");
	struct made m;
	struct read r;

	style.subject = subject;
	style.text = text;
	style.html = html;
	make_alert(&m);
	m.record.alert.title = STR("\"a\" <b>\r\nBcc: x");
	write_one(&r, &style, &m.event);
	assert_header(&r, "ours", "Subject", "Contoso Ltd \"a\" <b> Bcc: x");
	ck_assert_msg(
	    str_starts(buf_peek(&r.text), "{x}} T \"a\" <b> Bcc: x gold\nOpen in"), "%s", r.text.p);
	ck_assert_str_eq(r.html.p,
	    "<style>p {color:red}</style><div title=\"&quot;a&quot; &lt;b&gt; Bcc: x\">"
	    "Contoso Ltd &quot;a&quot; &lt;b&gt; Bcc: x</div>\n");
	release(&r);
	mail_template_free(subject);
	mail_template_free(text);
	mail_template_free(html);
}
END_TEST

static const struct {
	const char *says, *text, *title;
} no_subjects[] = {
	{ "a value that is not there", "{comment}", "T" },
	{ "blanks around it", " {comment} ", "T" },
	{ "a title of blanks alone", "{?user} {/user}", " \t " },
};

/* A mail always has a subject: where the template makes none, ours. */
START_TEST(test_no_subject)
{
	struct mail_template *subject = template_of(MAIL_SUBJECT, no_subjects[_i].text);
	struct mail_style style = plain;
	struct buf got = BUF_INIT(1000);
	struct made m;
	struct read r;

	style.subject = subject;
	make_alert(&m);
	m.record.alert.title = str_of(no_subjects[_i].title);
	write_one(&r, &style, &m.event);
	ck_assert(mail_header(&got, buf_peek(&r.message), "Subject"));
	ck_assert_msg(strncmp(got.p, "[High] Contoso Ltd:", 19) == 0, "%s: %s", no_subjects[_i].says, got.p);
	buf_release(&got);
	release(&r);
	mail_template_free(subject);
}
END_TEST

START_TEST(test_digest_template)
{
	struct mail_style style = plain;
	struct mail_template *text =
	    template_of(MAIL_DIGEST_TEXT, "{count}{?more} +{more}{/more}\n{table}");
	struct mail_digest *d = digest_of(3, false);
	struct read r;

	style.digest_text = text;
	write_digest(&r, &style, d, MAIL_DIGEST_PERIOD);
	ck_assert_msg(strncmp(r.text.p, "3\n2026-11-22 ", 13) == 0, "%s", r.text.p);
	release(&r);
	mail_digest_free(d);
	mail_template_free(text);
}
END_TEST

/* A template that makes too much gives way to our own text: the alert is what matters. */
START_TEST(test_template_too_large)
{
	struct buf huge = BUF_INIT(MAIL_TEMPLATE_MAX);
	struct mail_style style = plain;
	struct mail_template *text;
	static char long_text[4000];
	struct made m;
	struct read r;

	for (unsigned i = 0; i < 300; i++)
		buf_puts(&huge, "{description}");
	text = template_of(MAIL_TEXT, huge.p);
	style.text = text;
	memset(long_text, 'x', sizeof(long_text));
	make_alert(&m);
	m.record.alert.description = (struct str){ long_text, sizeof(long_text) };
	write_one(&r, &style, &m.event);
	ck_assert(strncmp(r.text.p, "High: New alert", 15) == 0);
	release(&r);
	mail_template_free(text);
	buf_release(&huge);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("mail_template");
	TCase *tc = tcase_create("template");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_loop_test(tc, test_template_check, 0, (int)ARRAY_LEN(templates));
	tcase_add_test(tc, test_template);
	tcase_add_loop_test(tc, test_no_subject, 0, (int)ARRAY_LEN(no_subjects));
	tcase_add_test(tc, test_digest_template);
	tcase_add_test(tc, test_template_too_large);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
