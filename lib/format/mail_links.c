/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/mail_links.h"

static bool
is_letter(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(unsigned char c)
{
	return c >= '0' && c <= '9';
}

bool
links_is_word_byte(unsigned char c)
{
	return is_letter(c) || is_digit(c) || c >= 0x80 ||
	       (c != '\0' && strchr(".-_@+", c) != NULL);
}

bool
links_ends_url(unsigned char c)
{
	return c <= ' ' || c == '"' || c == '<' || c == '>' || c == 0x7f;
}

/* ---- ends of names ---------------------------------------------------------------------- */

/* Ends of file names that are no top-level domains, so that powershell.exe stays as it is. */
static const char *const file_ends[] = { "7z", "aspx", "bat", "bin", "cab", "chm", "cmd", "conf",
	"config", "cpl", "crt", "csv", "dat", "db", "dll", "dmp", "doc", "docm", "docx", "dot",
	"elf", "eml", "evtx", "exe", "gif", "gz", "hta", "htm", "html", "img", "inf", "ini", "iso",
	"jar", "jpg", "js", "jse", "json", "jsp", "key", "lnk", "log", "msg", "msi", "ocx", "one",
	"pdf", "pem", "php", "pif", "png", "ppt", "pptx", "ps1", "psd1", "psm1", "rar", "reg",
	"rtf", "scr", "sct", "sql", "svg", "sys", "tar", "temp", "tgz", "tmp", "ttf", "txt", "url",
	"vbe", "vbs", "vhd", "vhdx", "wsf", "wsh", "xls", "xlsm", "xlsx", "xml", "yaml", "yml",
	NULL };

/* Ends of two letters that are files' in paths, though they are countries' elsewhere. */
static const char *const short_file_ends[] = { "cc", "cs", "md", "pl", "ps", "py", "rs", "sh",
	"so", NULL };

/* The domains that most names on the net end with; what has two letters is a country's. */
static const char *const domains[] = { "app", "art", "biz", "blog", "bond", "cfd", "click",
	"cloud", "club", "com", "cyou", "dev", "digital", "edu", "email", "fun", "gov", "group",
	"help", "host", "icu", "info", "int", "lat", "life", "link", "live", "lol", "media", "mil",
	"mobi", "mom", "monster", "name", "net", "network", "news", "ngo", "ninja", "one", "online",
	"org", "page", "pics", "press", "pro", "quest", "rest", "review", "rocks", "run", "sbs",
	"services", "shop", "site", "skin", "social", "solutions", "space", "store", "stream",
	"support", "systems", "tech", "today", "tokyo", "top", "vip", "website", "wiki", "win",
	"work", "world", "wtf", "xyz", "zip", "zone", NULL };

static bool
is_one_of(struct str label, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++) {
		if (str_same_nocase(label, str_of(list[i])))
			return true;
	}
	return false;
}

/* "com", "рф", "xn--p1ai": letters only, two at least. */
static bool
is_like_top_level(struct str label)
{
	if (label.n > 4 && str_same_nocase((struct str){ label.s, 4 }, STR("xn--")))
		return true;
	for (size_t i = 0; i < label.n; i++) {
		if (!is_letter((unsigned char)label.s[i]) && (unsigned char)label.s[i] < 0x80)
			return false;
	}
	return label.n >= 2 && !is_one_of(label, file_ends);
}

static bool
is_well_known_domain(struct str label)
{
	if (label.n == 2)
		return is_like_top_level(label) && !is_one_of(label, short_file_ends);
	return is_one_of(label, domains);
}

/* ---- names ------------------------------------------------------------------------------ */

static bool
begins_like_web(struct str word)
{
	return word.n > 4 && str_same_nocase((struct str){ word.s, 4 }, STR("www."));
}

bool
links_is_name(struct str word, enum links_place place)
{
	const char *dot, *sign;
	struct str end;

	while (word.n > 0 && strchr(".-_", word.s[word.n - 1]) != NULL)
		word.n--;
	dot = word.n > 0 ? memrchr(word.s, '.', word.n) : NULL;
	sign = word.n > 0 ? memchr(word.s, '@', word.n) : NULL;
	if (dot == NULL || dot == word.s)
		return false;
	if (begins_like_web(word))
		return true;
	end = (struct str){ dot + 1, (size_t)(word.s + word.n - dot - 1) };
	switch (place) {
	case LINKS_TEXT:
		return sign != NULL || is_like_top_level(end);
	case LINKS_PATH:
		return is_well_known_domain(end);
	case LINKS_PERSON:
		return sign == NULL && is_like_top_level(end);
	}
	return true;
}

/* "45.9.1.2" where "/x" or ":80" follows. */
bool
links_is_address(struct str word, struct str behind)
{
	size_t dots = 0;

	for (size_t i = 0; i < word.n; i++) {
		if (word.s[i] == '.')
			dots++;
		else if (!is_digit((unsigned char)word.s[i]))
			return false;
	}
	if (dots != 3 || behind.n < 2)
		return false;
	return (behind.s[0] == '/' && !is_digit((unsigned char)behind.s[1])) ||
	       (behind.s[0] == ':' && is_digit((unsigned char)behind.s[1]));
}

bool
links_is_plain_name(struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		if (!links_is_word_byte((unsigned char)text.s[i]))
			return false;
	}
	return !begins_like_web(text);
}

/* ---- what is more than a name ----------------------------------------------------------- */

void
links_break_scheme(struct buf *out, struct str word)
{
	static const struct {
		struct str name;
		const char *instead;
	} schemes[] = { { STR("https"), "hxxps://" }, { STR("http"), "hxxp://" },
		{ STR("ftp"), "fxp://" } };

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
		size_t n = schemes[i].name.n;

		if (word.n < n ||
		    !str_same_nocase((struct str){ word.s + word.n - n, n }, schemes[i].name))
			continue;
		buf_add(out, word.s, word.n - n);
		buf_puts(out, schemes[i].instead);
		return;
	}
	buf_str(out, word);
	buf_puts(out, "[:]//");
}

/* Behind a word, a drive or a third backslash they are a path's, as programs write them. */
bool
links_is_share(struct str text, size_t at)
{
	unsigned char before = at > 0 ? (unsigned char)text.s[at - 1] : ' ';

	if (text.n - at < 3 || text.s[at] != '\\' || text.s[at + 1] != '\\' ||
	    !links_is_word_byte((unsigned char)text.s[at + 2]))
		return false;
	if (before == ':')
		return at < 2 || !is_letter((unsigned char)text.s[at - 2]) ||
		       (at > 2 && links_is_word_byte((unsigned char)text.s[at - 3]));
	return before != '\\' && !links_is_word_byte(before);
}
