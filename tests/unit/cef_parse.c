/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <string.h>

#include "tests/unit/cef_parse.h"

#define NHEADER 6

enum value_type { TEXT, NUMBER, IPV4, IPV6 };

/* The producer dictionary of the CEF standard, for the keys in use, and our own keys. */
static const struct {
	const char *key;
	enum value_type type;
	size_t max;
} dictionary[] = {
	{ "act", TEXT, 63 },
	{ "c6a2", IPV6, 45 },
	{ "c6a2Label", TEXT, 1023 },
	{ "c6a3", IPV6, 45 },
	{ "c6a3Label", TEXT, 1023 },
	{ "cat", TEXT, 1023 },
	{ "cn1", NUMBER, 19 },
	{ "cn1Label", TEXT, 1023 },
	{ "cn2", NUMBER, 19 },
	{ "cn2Label", TEXT, 1023 },
	{ "cn3", NUMBER, 19 },
	{ "cn3Label", TEXT, 1023 },
	{ "cs1", TEXT, 4000 },
	{ "cs1Label", TEXT, 1023 },
	{ "cs2", TEXT, 4000 },
	{ "cs2Label", TEXT, 1023 },
	{ "cs3", TEXT, 4000 },
	{ "cs3Label", TEXT, 1023 },
	{ "cs4", TEXT, 4000 },
	{ "cs4Label", TEXT, 1023 },
	{ "cs5", TEXT, 4000 },
	{ "cs5Label", TEXT, 1023 },
	{ "cs6", TEXT, 4000 },
	{ "cs6Label", TEXT, 1023 },
	{ "destinationServiceName", TEXT, 1023 },
	{ "deviceCustomDate1", NUMBER, 19 },
	{ "deviceCustomDate1Label", TEXT, 1023 },
	{ "deviceCustomDate2", NUMBER, 19 },
	{ "deviceCustomDate2Label", TEXT, 1023 },
	{ "deviceExternalId", TEXT, 255 },
	{ "deviceFacility", TEXT, 1023 },
	{ "dst", IPV4, 15 },
	{ "duser", TEXT, 1023 },
	{ "dvchost", TEXT, 100 },
	{ "end", NUMBER, 19 },
	{ "externalId", TEXT, 40 },
	{ "fileHash", TEXT, 255 },
	{ "filePath", TEXT, 1023 },
	{ "flexString1", TEXT, 1023 },
	{ "flexString1Label", TEXT, 128 },
	{ "flexString2", TEXT, 1023 },
	{ "flexString2Label", TEXT, 128 },
	{ "fname", TEXT, 1023 },
	{ "fsize", NUMBER, 19 },
	{ "msg", TEXT, 1023 },
	{ "reason", TEXT, 1023 },
	{ "request", TEXT, 1023 },
	{ "rt", NUMBER, 19 },
	{ "shost", TEXT, 1023 },
	{ "sntdom", TEXT, 255 },
	{ "sourceDnsDomain", TEXT, 255 },
	{ "sourceServiceName", TEXT, 1023 },
	{ "spid", NUMBER, 19 },
	{ "sproc", TEXT, 1023 },
	{ "src", IPV4, 15 },
	{ "start", NUMBER, 19 },
	{ "suid", TEXT, 1023 },
	{ "suser", TEXT, 1023 },
	{ "MicrosoftDefenderActor", TEXT, 255 },
	{ "MicrosoftDefenderChanged", TEXT, 255 },
	{ "MicrosoftDefenderCommandLine", TEXT, 4000 },
	{ "MicrosoftDefenderEventId", TEXT, 2000 },
	{ "MicrosoftDefenderIncidentId", TEXT, 255 },
	{ "MicrosoftDefenderMergedInto", TEXT, 255 },
	{ "MicrosoftDefenderOrigin", TEXT, 63 },
	{ "MicrosoftDefenderSha256", TEXT, 255 },
	{ "MicrosoftDefenderTags", TEXT, 1023 },
	{ "msspdWas", TEXT, 255 },
};

static const size_t header_max[NHEADER] = { 63, 63, 31, 1023, 512, 9 };

static const char *
check_bytes(struct str line)
{
	for (size_t i = 0, len; i < line.n; i += len) {
		uint32_t cp;

		len = utf8_next(line.s + i, line.n - i, &cp);
		if (len == 0)
			return "not UTF-8";
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029)
			return "a control character";
	}
	return NULL;
}

/* Unescapes s to the end of text; NULL or what is wrong. */
static const char *
unescape(struct buf *text, struct str s, const char *from, const char *to)
{
	for (size_t i = 0; i < s.n; i++) {
		const char *at;

		if (s.s[i] != '\\') {
			buf_byte(text, s.s[i]);
			continue;
		}
		i++;
		at = i < s.n ? strchr(from, s.s[i]) : NULL;
		if (at == NULL || s.s[i] == '\0')
			return "a backslash that begins no escape";
		buf_byte(text, to[at - from]);
	}
	return NULL;
}

/* Length of the part before the first c that is not escaped; s.n when there is none. */
static size_t
find(struct str s, char c)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] == '\\')
			i++;
		else if (s.s[i] == c)
			return i;
	}
	return s.n;
}

static const char *
parse_header(struct cef_parsed *out, struct str *rest)
{
	for (size_t i = 0; i < NHEADER; i++) {
		size_t n = find(*rest, '|'), start = out->text.n;
		const char *wrong;

		if (n >= rest->n)
			return "less than seven bars";
		if (n > header_max[i])
			return "a header field is too long";
		wrong = unescape(&out->text, (struct str){ rest->s, n }, "\\|", "\\|");
		if (wrong != NULL)
			return wrong;
		out->header[i] = (struct str){ out->text.p + start, out->text.n - start };
		if (out->header[i].n == 0)
			return "an empty header field";
		if (out->header[i].s[0] == ' ' || out->header[i].s[out->header[i].n - 1] == ' ')
			return "spaces around a header field";
		if (out->header[i].s[out->header[i].n - 1] == '\\')
			return "a header field that ends in a backslash";
		*rest = (struct str){ rest->s + n + 1, rest->n - n - 1 };
	}
	return NULL;
}

static const char *
check_value(struct str key, struct str escaped, struct str value)
{
	static const char digits[] = "0123456789";
	char text[64];
	unsigned char address[16];

	for (size_t i = 0; i < ARRAY_LEN(dictionary); i++) {
		if (!str_is(key, dictionary[i].key))
			continue;
		if (escaped.n > dictionary[i].max)
			return "a value is too long";
		if (dictionary[i].type == TEXT)
			return NULL;
		if (value.n >= sizeof(text) || memchr(value.s, '\0', value.n) != NULL)
			return "no number or address";
		memcpy(text, value.s, value.n);
		text[value.n] = '\0';
		if (dictionary[i].type == NUMBER)
			return strspn(text, digits) == value.n ? NULL : "no number";
		return inet_pton(dictionary[i].type == IPV4 ? AF_INET : AF_INET6, text, address) ==
		               1
		           ? NULL
		           : "no address";
	}
	return "a key that nobody knows";
}

/* Of "value nextkey=…", the value's length: the last space before the next unescaped =. */
static size_t
value_length(struct str s)
{
	size_t eq = find(s, '='), n = eq;

	if (eq >= s.n)
		return s.n;
	while (n > 0 && s.s[n - 1] != ' ')
		n--;
	return n > 0 ? n - 1 : 0;
}

static const char *
parse_pair(struct cef_parsed *out, struct str *rest)
{
	size_t eq = find(*rest, '='), n, start = out->text.n;
	struct cef_pair *p = &out->pair[out->n];
	struct str value;
	const char *wrong;

	p->key = (struct str){ rest->s, eq };
	if (eq == 0 || eq >= rest->n)
		return "no key";
	if (out->n + 1 >= CEF_PAIRS_MAX)
		return "too many keys";
	for (size_t i = 0; i < out->n; i++) {
		if (str_same(out->pair[i].key, p->key))
			return "a key twice";
	}
	value = (struct str){ rest->s + eq + 1, rest->n - eq - 1 };
	n = value_length(value);
	*rest = (struct str){ value.s + (n < value.n ? n + 1 : n),
		value.n - (n < value.n ? n + 1 : n) };
	value.n = n;
	if (n == 0 || value.s[0] == ' ' || value.s[n - 1] == ' ')
		return "an empty value, or spaces around one";
	wrong = unescape(&out->text, value, "\\=n", "\\=\n");
	if (wrong != NULL)
		return wrong;
	p->value = (struct str){ out->text.p + start, out->text.n - start };
	out->n++;
	return check_value(p->key, value, p->value);
}

static const char *
check_labels(const struct cef_parsed *p)
{
	static const char *const prefixes[] = { "cs", "cn", "c6a", "flexString",
		"deviceCustomDate" };

	for (size_t i = 0; i < p->n; i++) {
		struct str k = p->pair[i].key;
		char other[64];
		bool is_label = k.n > 5 && memcmp(k.s + k.n - 5, "Label", 5) == 0, needs = is_label;

		for (size_t j = 0; j < ARRAY_LEN(prefixes); j++)
			needs |= str_starts(k, prefixes[j]);
		if (!needs || k.n > 50)
			continue;
		memcpy(other, k.s, k.n);
		other[k.n] = '\0';
		if (is_label)
			other[k.n - 5] = '\0';
		else
			memcpy(other + k.n, "Label", 6);
		if (cef_get(p, other).s == NULL)
			return "a label or a labelled key is alone";
	}
	return NULL;
}

const char *
cef_parse(struct cef_parsed *out, struct str line)
{
	const char *wrong = check_bytes(line);
	struct str rest;

	*out = (struct cef_parsed){ .text = BUF_INIT(line.n + 1) };
	buf_room(&out->text, line.n); /* never moves */
	if (wrong != NULL)
		return wrong;
	if (!str_starts(line, "CEF:0|"))
		return "no CEF:0";
	rest = (struct str){ line.s + 6, line.n - 6 };
	wrong = parse_header(out, &rest);
	while (wrong == NULL && rest.n > 0)
		wrong = parse_pair(out, &rest);
	return wrong != NULL ? wrong : check_labels(out);
}

void
cef_parsed_release(struct cef_parsed *p)
{
	buf_release(&p->text);
}

struct str
cef_get(const struct cef_parsed *p, const char *key)
{
	for (size_t i = 0; i < p->n; i++) {
		if (str_is(p->pair[i].key, key))
			return p->pair[i].value;
	}
	return (struct str){ NULL, 0 };
}
