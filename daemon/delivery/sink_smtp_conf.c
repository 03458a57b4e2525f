/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_conf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "lib/config/conf.h"
#include "lib/config/url.h"

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY    (1440 * MINUTE)

#define PORT_SUBMISSION  587
#define PORT_SUBMISSIONS 465

/* In the order of their enums. */
static const char *const modes[] = { "starttls", "off", NULL };
static const char *const versions[] = { "1.2", "1.3", NULL };
static const char *const auths[] = { "auto", "plain", "login", "xoauth2", NULL };
enum { AUTH_AUTO, AUTH_PLAIN, AUTH_LOGIN, AUTH_XOAUTH2 };
static const char *const login_options[] = { "AUTH=PLAIN;AUTH=LOGIN", "AUTH=PLAIN", "AUTH=LOGIN",
	"AUTH=XOAUTH2" };

/* ---- the server -------------------------------------------------------------------- */

static bool
has_port(struct str rest, const struct url *u)
{
	const char *end = u->host.s + u->host.n + (u->is_ipv6 ? 1 : 0);

	return end < rest.s + rest.n && *end == ':';
}

static bool
parse_server(const char *text, struct lane_opts *o, char **host, struct err *err)
{
	bool is_implicit = str_starts(str_of(text), "smtps://");
	struct err unused;
	struct url u;
	char *as_http;
	bool ok;

	if (!is_implicit && !str_starts(str_of(text), "smtp://"))
		return err_set(err, ERR_CONF, "\"%.200s\" begins with neither smtp:// nor smtps://", text);
	as_http = xasprintf("http://%s", strstr(text, "://") + 3);
	ok = url_split(str_of(as_http), &u, &unused) && u.path.n <= 1;
	if (ok) {
		o->is_implicit_tls = is_implicit;
		o->is_ipv6 = u.is_ipv6;
		o->port = has_port(str_of(as_http), &u) ? u.port :
		    is_implicit ? PORT_SUBMISSIONS : PORT_SUBMISSION;
		*host = xstrndup(u.host.s, u.host.n);
	} else {
		(void)err_set(err, ERR_CONF, "\"%.200s\" is not smtp://host:port or smtps://host:port"
		    " (an IPv6 address stands in brackets)", text);
	}
	free(as_http);
	return ok;
}

static bool
check_server(const char *text, struct err *err)
{
	struct lane_opts unused = { .port = 0 };
	char *host;

	if (!parse_server(text, &unused, &host, err))
		return false;
	free(host);
	return true;
}

/* RFC 5321: a domain, or an address in brackets. It becomes a part of curl's URL. */
static bool
check_helo(const char *text, struct err *err)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";

	return (text[0] != '\0' && strlen(text) < 254 && strspn(text, allowed) == strlen(text)) ||
	    err_set(err, ERR_CONF, "\"%.100s\" is not the name of a host; write one like"
	    " msspd.soc.example", text);
}

bool
sink_smtp_server(const struct sink_smtp_conf *c, const char *hostname, struct lane_opts *o,
    char **host, struct err *err)
{
	struct err unused;

	*o = (struct lane_opts){
		.mode = c->tls.mode, .tls = &c->tls.opts, .username = c->username,
		.password_file = c->password_file.n > 0 ? c->password_file.v[0] : NULL,
		.token_file = c->oauth_token_file.n > 0 ? c->oauth_token_file.v[0] : NULL,
		.login_options = c->oauth_token_file.n > 0 ? login_options[AUTH_XOAUTH2] :
		    login_options[c->auth],
		.connect_timeout_ms = c->connect_timeout_ms, .timeout_ms = c->timeout_ms,
	};
	if (c->helo != NULL)
		o->helo = c->helo;
	else if (check_helo(hostname, &unused))
		o->helo = hostname;
	if (!parse_server(c->server, o, host, err))
		return false;
	o->host = *host;
	return true;
}

/* ---- templates ------------------------------------------------------------------------ */

static bool
read_file(const char *path, struct buf *b, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char piece[4096];
	ssize_t n = 1;

	if (fd < 0)
		return err_sys(err, ERR_CONF, errno, "cannot read %.200s", path);
	while (n > 0 && buf_ok(b)) {
		n = read(fd, piece, sizeof(piece));
		if (n > 0)
			buf_add(b, piece, (size_t)n);
	}
	if (n < 0)
		(void)err_sys(err, ERR_CONF, errno, "cannot read %.200s", path);
	else if (!buf_ok(b))
		(void)err_set(err, ERR_CONF, "%.200s is larger than %d bytes", path, MAIL_TEMPLATE_MAX);
	close(fd);
	return n == 0 && buf_ok(b);
}

static bool
is_subject(size_t kind)
{
	return kind == MAIL_SUBJECT || kind == MAIL_DIGEST_SUBJECT;
}

static struct mail_template *
read_template(const struct sink_smtp_conf *c, size_t kind, struct err *err)
{
	struct buf text = BUF_INIT(MAIL_TEMPLATE_MAX);
	struct mail_template *t = NULL;

	if (is_subject(kind))
		buf_puts(&text, c->templates[kind]);
	if (is_subject(kind) || read_file(c->templates[kind], &text, err))
		t = mail_template_new((enum mail_template_kind)kind, buf_peek(&text), err);
	if (t == NULL)
		(void)err_wrap(err, "template %.200s", c->templates[kind]);
	buf_release(&text);
	return t;
}

bool
sink_smtp_templates(const struct sink_smtp_conf *c, struct mail_template *out[MAIL_TEMPLATES],
    struct err *err)
{
	bool ok = true;

	for (size_t i = 0; i < MAIL_TEMPLATES; i++) {
		out[i] = ok && c->templates[i] != NULL ? read_template(c, i, err) : NULL;
		ok = ok && (c->templates[i] == NULL || out[i] != NULL);
	}
	for (size_t i = 0; !ok && i < MAIL_TEMPLATES; i++)
		mail_template_free(out[i]);
	return ok;
}

/* ---- the tables -------------------------------------------------------------------------- */

/* What is an absolute path and no SECRET is opened by curl, by that name, or read at once. */

#define F(field) offsetof(struct smtp_tls, field)
static const struct conf_opt smtp_tls_options[] = {
	{ .name = "mode", .type = CONF_CHOICE, .off = F(mode), .def = "starttls", .choices = modes,
	  .help = "With smtp://. starttls: a server that does not offer STARTTLS gets nothing. off:"
	    " mails, and the password, are sent in the clear." },
	{ .name = "ca_file", .type = CONF_STR, .off = F(opts.ca_file), .check = conf_check_absolute,
	  .help = "PEM file of the authorities that may have issued the server's certificate."
	    " Without it, those of the system." },
	{ .name = "certificate_file", .type = CONF_STR, .off = F(opts.certificate_file),
	  .check = conf_check_absolute,
	  .help = "PEM file of our own certificate, followed by its chain, for servers that"
	    " ask for one." },
	{ .name = "key_file", .type = CONF_SECRET, .off = F(opts.key_file), .max = 1, .min = 1,
	  .help = "PEM file of that certificate's private key, without a passphrase: an absolute path,"
	    " or the name of a systemd credential." },
	{ .name = "verify", .type = CONF_BOOL, .off = F(opts.verify), .def = "true",
	  .help = "Check the server's certificate and name. Without it anybody on the way can read"
	    " and change all mails, and learn the password." },
	{ .name = "server_name", .type = CONF_STR, .off = F(opts.server_name), .check = check_helo,
	  .help = "Name that must be in the server's certificate, where it is not the one in `server`." },
	{ .name = "min_version", .type = CONF_CHOICE, .off = F(opts.min_version), .def = "1.2",
	  .choices = versions,
	  .help = "Oldest version of TLS that is spoken." },
	{ .name = NULL },
};
#undef F

#define F(field) offsetof(struct sink_smtp_conf, field)
const struct conf_opt sink_smtp_options[] = {
	{ .name = "server", .type = CONF_STR, .off = F(server), .flags = CONF_REQUIRED,
	  .check = check_server,
	  .help = "Mail server (submission) as smtp://host, with STARTTLS on port 587, or smtps://host,"
	    " with TLS from the first byte on port 465; :port where it is another." },
	{ .name = "username", .type = CONF_STR, .off = F(username), .shown = "none: no authentication",
	  .help = "Whom to authenticate as." },
	{ .name = "password_file", .type = CONF_SECRET, .off = F(password_file), .min = 1, .max = 1,
	  .help = "File with its password: an absolute path, or the name of a systemd credential. Read"
	    " anew for each mail." },
	{ .name = "oauth_token_file", .type = CONF_SECRET, .off = F(oauth_token_file), .min = 1,
	  .max = 1,
	  .help = "Instead of a password: file with an OAuth 2 access token, for XOAUTH2. Whoever writes"
	    " it renews it; it is read anew for each mail." },
	{ .name = "auth", .type = CONF_CHOICE, .off = F(auth), .def = "auto", .choices = auths,
	  .help = "How the password is given. auto: PLAIN, else LOGIN. xoauth2 goes with"
	    " oauth_token_file, and is meant where that is set." },
	{ .name = "tls", .type = CONF_MAP, .off = F(tls), .sub = smtp_tls_options,
	  .help = "Encryption, required unless it is switched off." },
	{ .name = "helo", .type = CONF_STR, .off = F(helo), .check = check_helo,
	  .shown = "this host's name",
	  .help = "What msspd calls itself when it greets the server." },
	{ .name = "from", .type = CONF_STR, .off = F(from), .flags = CONF_REQUIRED,
	  .check = mail_address_check,
	  .help = "Sender: `alerts@soc.example` or `Defender alerts <alerts@soc.example>`." },
	{ .name = "list_id", .type = CONF_STR, .off = F(list_id), .check = mail_list_id_check,
	  .shown = "msspd and the domain of `from`",
	  .help = "List-Id of all mails, for people's filters." },
	{ .name = "limit", .type = CONF_STR, .off = F(limit), .def = "60/h", .check = quota_check,
	  .help = "Most mails in a time, for each rule and customer. The last tenth of them is kept for"
	    " digests, which hold all that is over; nothing is dropped, and other rules and customers"
	    " do not notice. `none`: no limit." },
	{ .name = "replay_digest", .type = CONF_TIME, .off = F(replay_digest_ms), .def = "10m",
	  .min = SECOND, .max = DAY,
	  .help = "What is read again (a replay, a new sink's `from`, what a parked sink missed, alerts"
	    " made before a tenant's `first_lookback`) comes as one digest a customer, when nothing more"
	    " of it came for this long." },
	{ .name = "rules", .type = CONF_TREE, .off = F(rules_tree),
	  .flags = CONF_REQUIRED | CONF_LISTED,
	  .sub = smtp_rule_options, .help = "Who gets a mail about what; see the section on rules."
	    " Every rule that matches sends, and each recipient gets one mail about the same event." },
	{ .name = "subject", .type = CONF_STR, .off = F(templates[MAIL_SUBJECT]),
	  .check = mail_subject_check, .shown = "msspd's own",
	  .help = "Template of the subject; the variables are in docs/FORMATS.md." },
	{ .name = "text_template", .type = CONF_STR, .off = F(templates[MAIL_TEXT]),
	  .check = conf_check_absolute, .shown = "msspd's own",
	  .help = "File with the template of the plain text." },
	{ .name = "html_template", .type = CONF_STR, .off = F(templates[MAIL_HTML]),
	  .check = conf_check_absolute, .shown = "msspd's own",
	  .help = "File with the template of the HTML." },
	{ .name = "digest_subject", .type = CONF_STR, .off = F(templates[MAIL_DIGEST_SUBJECT]),
	  .check = mail_digest_subject_check, .shown = "msspd's own",
	  .help = "Template of a digest's subject." },
	{ .name = "digest_text_template", .type = CONF_STR, .off = F(templates[MAIL_DIGEST_TEXT]),
	  .check = conf_check_absolute, .shown = "msspd's own",
	  .help = "File with the template of a digest's plain text." },
	{ .name = "digest_html_template", .type = CONF_STR, .off = F(templates[MAIL_DIGEST_HTML]),
	  .check = conf_check_absolute, .shown = "msspd's own",
	  .help = "File with the template of a digest's HTML." },
	{ .name = "connections", .type = CONF_INT, .off = F(connections), .def = "4", .min = 1,
	  .max = 32,
	  .help = "Most connections to the server at a time. Of several the last is for recipients that have"
	    " none of the others, so that a slow one does not hold them back." },
	{ .name = "connect_timeout", .type = CONF_TIME, .off = F(connect_timeout_ms), .def = "20s",
	  .min = 100, .max = 120 * SECOND,
	  .help = "Longest wait for the server's name, its connection, and TLS's handshake." },
	{ .name = "timeout", .type = CONF_TIME, .off = F(timeout_ms), .def = "2m", .min = SECOND,
	  .max = 15 * MINUTE,
	  .help = "Longest time for one mail, from connecting to the server's answer." },
	{ .name = NULL },
};
#undef F

/* ---- what one option alone cannot show ------------------------------------------------------ */

void
sink_smtp_read(void *conf, const struct sink_reading *r)
{
	struct sink_smtp_conf *c = conf;

	smtp_rules_read(&c->rules, r, c->rules_tree, c->limit);
	c->rules_tree = NULL;
}

const struct match *const *
sink_smtp_wants(const void *conf, size_t *n)
{
	const struct sink_smtp_conf *c = conf;

	*n = c->rules.nwants;
	return c->rules.wants;
}

static bool
check_authentication(const struct sink_smtp_conf *c, struct err *err)
{
	bool has_password = c->password_file.n > 0, has_token = c->oauth_token_file.n > 0;

	if (has_password && has_token)
		return err_set(err, ERR_CONF, "password_file and oauth_token_file are two ways to"
		    " authenticate; leave one out");
	if (c->username == NULL && (has_password || has_token))
		return err_set(err, ERR_CONF, "username is missing; %s goes with it",
		    has_token ? "oauth_token_file" : "password_file");
	if (c->username != NULL && !has_password && !has_token)
		return err_set(err, ERR_CONF, "password_file is missing; username goes with it, or with"
		    " oauth_token_file");
	if (has_token ? c->auth != AUTH_AUTO && c->auth != AUTH_XOAUTH2 : c->auth == AUTH_XOAUTH2)
		return err_set(err, ERR_CONF, "auth: xoauth2 goes with oauth_token_file, and all else with"
		    " password_file");
	return true;
}

static void
warn_about(const struct sink_smtp_conf *c, const struct lane_opts *o,
    void (*warn)(void *arg, const char *text), void *arg)
{
	bool is_local = strncmp(o->host, "127.", 4) == 0 || strcmp(o->host, "::1") == 0 ||
	    strcmp(o->host, "localhost") == 0;
	bool has_tls = o->is_implicit_tls || c->tls.mode == LANE_TLS_STARTTLS;

	if (!has_tls && !is_local)
		warn(arg, c->username != NULL ? "tls: {mode: off} sends mails and the password in the clear" :
		    "tls: {mode: off} sends mails in the clear");
	if (o->is_implicit_tls && c->tls.mode == LANE_TLS_OFF)
		warn(arg, "tls.mode: off has no effect: smtps:// is encrypted from the first byte");
	if (has_tls && !c->tls.opts.verify)
		warn(arg, "tls.verify: false: anybody on the way can read and change the mails");
}

bool
sink_smtp_check(const void *conf, void (*warn)(void *arg, const char *text), void *arg,
    struct err *err)
{
	const struct sink_smtp_conf *c = conf;
	struct mail_template *templates[MAIL_TEMPLATES];
	struct lane_opts o;
	char *host;

	if (!check_authentication(c, err) || !tls_check(&c->tls.opts, err) ||
	    !sink_smtp_server(c, "", &o, &host, err))
		return false;
	if (!sink_smtp_templates(c, templates, err)) {
		free(host);
		return false;
	}
	for (size_t i = 0; i < MAIL_TEMPLATES; i++)
		mail_template_free(templates[i]);
	warn_about(c, &o, warn, arg);
	free(host);
	return true;
}

void
sink_smtp_check_origin(const void *conf, const struct origin *o,
    void (*warn)(void *arg, const char *text), void *arg)
{
	const struct sink_smtp_conf *c = conf;
	char text[400];

	for (size_t i = 0; i < c->rules.n; i++) {
		if (!smtp_rule_reaches_nobody(&c->rules.v[i], o))
			continue;
		snprintf(text, sizeof(text), "customer %.100s has none of the contacts that %.100s names, so"
		    " its mails reach nobody; give it some, or an address of your own to the rule",
		    o->customer, c->rules.v[i].name);
		warn(arg, text);
	}
}
