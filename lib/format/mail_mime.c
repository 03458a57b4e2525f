/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/base/base64.h"
#include "lib/base/ticks.h"
#include "lib/format/mail.h"
#include "lib/format/mail_mime.h"

#define FOLD_AT    76
#define WORD_MAX   45  /* bytes in one encoded word: 60 of base64, and its frame */
#define PLAIN_WORD 900 /* an ASCII word that is longer cannot be folded */
#define QUOTED_MAX 75  /* and a soft line end */

/* ---- fields ----------------------------------------------------------------------------- */

#define WORD_FRAME 12

/* A field being written. */
struct field_line {
	struct buf *out;
	size_t column;
	bool has_words;
};

static struct field_line
begin(struct buf *out, const char *name)
{
	buf_puts(out, name);
	buf_byte(out, ':');
	return (struct field_line){ out, strlen(name) + 1, false };
}

/* A blank and a word; on a new line where this one is full, but never an empty one above it. */
static void
put_word(struct field_line *l, struct str word)
{
	if (l->column + 1 + word.n > FOLD_AT && l->has_words) {
		buf_puts(l->out, "\r\n");
		l->column = 0;
	}
	buf_byte(l->out, ' ');
	buf_str(l->out, word);
	l->column += 1 + word.n;
	l->has_words = true;
}

static void
finish(struct field_line *l)
{
	buf_puts(l->out, "\r\n");
}

static bool
is_blank(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* The next word of a value, of which line ends and controls part words as well. */
static struct str
next_word(struct str *rest)
{
	struct str word;
	size_t n = 0;

	while (rest->n > 0 && is_blank(rest->s[0]))
		*rest = (struct str){ rest->s + 1, rest->n - 1 };
	while (n < rest->n && !is_blank(rest->s[n]))
		n++;
	word = (struct str){ rest->s, n };
	*rest = (struct str){ rest->s + n, rest->n - n };
	return word;
}

/* What a reader would show as it stands here: ASCII that is no encoded word, and can be folded. */
static bool
is_plain(struct str value)
{
	size_t run = 0;

	for (size_t i = 0; i < value.n; i++) {
		if ((unsigned char)value.s[i] >= 0x7f)
			return false;
		if (value.s[i] == '=' && i + 1 < value.n && value.s[i + 1] == '?')
			return false;
		run = is_blank(value.s[i]) ? 0 : run + 1;
		if (run > PLAIN_WORD)
			return false;
	}
	return true;
}

static void
put_encoded(struct field_line *l, const char *s, size_t n)
{
	char room[128];
	struct buf word = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	buf_puts(&word, "=?UTF-8?B?");
	base64(&word, (struct str){ s, n });
	buf_puts(&word, "?=");
	put_word(l, buf_peek(&word));
}

/* How many bytes of text go into the next encoded word: the first shares its line with the name. */
static size_t
word_room(const struct field_line *l)
{
	size_t used = l->column + 1 + WORD_FRAME;

	if (l->has_words || used + 16 > FOLD_AT)
		return WORD_MAX;
	return (FOLD_AT - used) / 4 * 3 < WORD_MAX ? (FOLD_AT - used) / 4 * 3 : WORD_MAX;
}

/* Each encoded word holds whole characters. */
static void
put_encoded_words(struct field_line *l, struct str value)
{
	char piece[WORD_MAX];
	size_t n = 0;

	for (size_t i = 0; i < value.n;) {
		uint32_t cp = 0;
		size_t len = utf8_next(value.s + i, value.n - i, &cp);
		size_t take = len != 0 ? len : 3;

		if (n + take > word_room(l)) {
			put_encoded(l, piece, n);
			n = 0;
		}
		if (len == 0)
			memcpy(piece + n, "\xef\xbf\xbd", 3);
		else if (utf8_is_control(cp))
			memset(piece + n, ' ', take);
		else
			memcpy(piece + n, value.s + i, len);
		n += take;
		i += len != 0 ? len : 1;
	}
	if (n > 0)
		put_encoded(l, piece, n);
}

static void
put_words(struct field_line *l, struct str value)
{
	while (value.n > 0) {
		struct str word = next_word(&value);

		if (word.n > 0)
			put_word(l, word);
	}
}

void
mime_field(struct buf *out, const char *name, struct str value)
{
	struct field_line l = begin(out, name);

	if (is_plain(value))
		put_words(&l, value);
	else
		put_encoded_words(&l, value);
	finish(&l);
}

void
mime_field_plain(struct buf *out, const char *name, const char *value)
{
	struct field_line l = begin(out, name);

	put_words(&l, str_of(value));
	finish(&l);
}

void
mime_field_date(struct buf *out, int64_t ticks)
{
	static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct ticks_date d;
	int64_t day = ticks_to_sec(ticks) / 86400;

	ticks_date(ticks, &d);
	buf_printf(out, "Date: %s, %02u %s %04d %02u:%02u:%02u +0000\r\n",
	    days[((day % 7) + 7) % 7], d.day, months[d.month - 1], d.year, d.hour, d.minute,
	    d.second);
}

/* ---- addresses -------------------------------------------------------------------------- */

static bool
is_atom(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* One dot-string; where no dots are allowed at its ends or in a row. */
static bool
is_dotted(struct str s, bool is_host)
{
	bool was_dot = true;

	for (size_t i = 0; i < s.n; i++) {
		bool is_dot = s.s[i] == '.';

		if (is_dot ? was_dot : !is_atom(s.s[i]))
			return false;
		if (is_host && !is_dot && strchr("!#$%&'*+/=?^`{|}~", s.s[i]) != NULL)
			return false;
		was_dot = is_dot;
	}
	return s.n > 0 && !was_dot;
}

struct str
mail_address_bare(const char *text)
{
	const char *open = strrchr(text, '<'), *close = strrchr(text, '>');

	if (open != NULL && close != NULL && close > open)
		return (struct str){ open + 1, (size_t)(close - open - 1) };
	return str_of(text);
}

/* What stands before the angle bracket, without blanks and quotes around it. */
static struct str
address_name(const char *text)
{
	const char *open = strrchr(text, '<');
	struct str name = { text, open != NULL ? (size_t)(open - text) : 0 };

	while (name.n > 0 && is_blank(name.s[name.n - 1]))
		name.n--;
	while (name.n > 0 && is_blank(name.s[0]))
		name = (struct str){ name.s + 1, name.n - 1 };
	if (name.n >= 2 && name.s[0] == '"' && name.s[name.n - 1] == '"')
		name = (struct str){ name.s + 1, name.n - 2 };
	return name;
}

static bool
check_bare(struct str bare, struct err *err)
{
	const char *at = bare.n > 0 ? memrchr(bare.s, '@', bare.n) : NULL;
	struct str local, host;

	if (at == NULL)
		return err_set(err, ERR_CONF, "\"%.*s\" has no @; an address is name@host",
		    STR_ARG(((struct str){ bare.s, bare.n < 80 ? bare.n : 80 })));
	local = (struct str){ bare.s, (size_t)(at - bare.s) };
	host = (struct str){ at + 1, bare.n - local.n - 1 };
	if (bare.n > 254 || local.n > 64)
		return err_set(err, ERR_CONF,
		    "the address has %zu bytes, %zu of them before the @; 254 and 64 are possible",
		    bare.n, local.n);
	if (!is_dotted(local, false) || !is_dotted(host, true))
		return err_set(err, ERR_CONF,
		    "\"%.*s\" is no address; name@host in ASCII, without blanks, or A name "
		    "<name@host>",
		    STR_ARG(((struct str){ bare.s, bare.n < 80 ? bare.n : 80 })));
	return true;
}

bool
mail_address_check(const char *text, struct err *err)
{
	const char *open = strrchr(text, '<');
	struct str name = address_name(text);

	if (open != NULL && (strchr(open, '>') == NULL || strchr(open, '>')[1] != '\0'))
		return err_set(err, ERR_CONF, "the address ends with no >; A name <name@host>");
	if (name.n > 200 || !utf8_valid(name.s, name.n))
		return err_set(err, ERR_CONF, "the name has more than 200 bytes, or is no UTF-8");
	for (size_t i = 0; i < name.n; i++) {
		if ((unsigned char)name.s[i] < ' ' || name.s[i] == 0x7f)
			return err_set(err, ERR_CONF, "the name has a control character in it");
		if (name.s[i] == '<' || name.s[i] == '>')
			return err_set(err, ERR_CONF, "this is more than one address");
	}
	return check_bare(mail_address_bare(text), err);
}

bool
mail_list_id_check(const char *text, struct err *err)
{
	if (strlen(text) <= 200 && strchr(text, '.') != NULL && is_dotted(str_of(text), true))
		return true;
	return err_set(
	    err, ERR_CONF, "\"%.80s\" is no list id; one looks like alerts.soc.example", text);
}

/* A name as a quoted string; blanks in it are where it may be folded. */
static void
put_quoted_name(struct field_line *l, struct str name)
{
	struct buf quoted = BUF_INIT(1000);

	buf_byte(&quoted, '"');
	for (size_t i = 0; i < name.n; i++) {
		if (name.s[i] == '"' || name.s[i] == '\\')
			buf_byte(&quoted, '\\');
		buf_byte(&quoted, name.s[i]);
	}
	buf_byte(&quoted, '"');
	put_words(l, buf_peek(&quoted));
	buf_release(&quoted);
}

void
mime_field_address(struct buf *out, const char *name, const char *address)
{
	struct field_line l = begin(out, name);
	struct str bare = mail_address_bare(address), person = address_name(address);
	struct buf angle = BUF_INIT(300);

	if (person.n == 0) {
		put_word(&l, bare);
		finish(&l);
		return;
	}
	if (is_plain(person))
		put_quoted_name(&l, person);
	else
		put_encoded_words(&l, person);
	buf_printf(&angle, "<%.*s>", STR_ARG(bare));
	put_word(&l, buf_peek(&angle));
	buf_release(&angle);
	finish(&l);
}

/* ---- quoted-printable ------------------------------------------------------------------- */

/* A blank at the end of a line is lost on some ways. */
static bool
is_literal(struct str text, size_t i)
{
	unsigned char c = (unsigned char)text.s[i];
	bool is_last = i + 1 == text.n || text.s[i + 1] == '\n';

	if (c == ' ')
		return !is_last;
	return c > ' ' && c < 0x7f && c != '=';
}

void
mime_quoted(struct buf *out, struct str text)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t column = 0;

	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.s[i];
		size_t width = is_literal(text, i) ? 1 : 3;

		if (c == '\n') {
			buf_puts(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + width > QUOTED_MAX) {
			buf_puts(out, "=\r\n");
			column = 0;
		}
		column += width;
		if (width == 1) {
			buf_byte(out, (char)c);
			continue;
		}
		buf_byte(out, '=');
		buf_byte(out, hex[c >> 4]);
		buf_byte(out, hex[c & 15]);
	}
	if (column > 0)
		buf_puts(out, "\r\n");
}
