/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/delivery/sink_smtp_lane_parts.h"

/* ---- what an end means --------------------------------------------------------- */

/* RFC 4954: authentication is required, refused, or needs more than it got. */
static bool
is_about_us(unsigned reply)
{
	return reply == 530 || reply == 534 || reply == 535 || reply == 538;
}

static enum lane_end
judge_reply(enum lane_phase phase, unsigned reply)
{
	bool is_final = reply >= 500;

	if (is_about_us(reply))
		return LANE_REFUSED;
	switch (phase) {
	case PHASE_CONNECT:
	case PHASE_HELLO:
	case PHASE_STARTTLS:
	case PHASE_AUTH:
	case PHASE_NOOP:
	case PHASE_RSET:
	case PHASE_QUIT:
		return is_final ? LANE_REFUSED : LANE_DOWN;
	case PHASE_MAIL:
		/* 552: this message is too large; all else is about the sender, which is us. */
		if (is_final)
			return reply == 552 ? LANE_NEVER : LANE_REFUSED;
		return LANE_LATER;
	case PHASE_RCPT:
	case PHASE_DATA:
	case PHASE_BODY:
		return is_final ? LANE_NEVER : LANE_LATER;
	}
	return LANE_DOWN;
}

enum lane_end
lane_judge(const struct lane_facts *f)
{
	bool is_mail = f->phase >= PHASE_MAIL && f->phase <= PHASE_BODY;

	if (f->is_done)
		return LANE_ACCEPTED;
	if (f->reply >= 400 && f->reply != 421)
		return judge_reply(f->phase, f->reply);
	if (f->is_tls_refused || f->is_login_refused)
		return LANE_REFUSED;
	return is_mail ? LANE_CUT : LANE_DOWN;
}

/* ---- words ------------------------------------------------------------------------- */

static const char *const phases[] = { [PHASE_CONNECT] = "greeting", [PHASE_HELLO] = "EHLO",
	[PHASE_STARTTLS] = "STARTTLS", [PHASE_AUTH] = "AUTH", [PHASE_NOOP] = "NOOP",
	[PHASE_MAIL] = "MAIL", [PHASE_RCPT] = "RCPT", [PHASE_DATA] = "DATA",
	[PHASE_BODY] = "the message", [PHASE_RSET] = "RSET", [PHASE_QUIT] = "QUIT" };

bool
lane_is_tls_refusal(CURLcode code)
{
	switch ((int)code) {
	case CURLE_USE_SSL_FAILED:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CIPHER:
		return true;
	}
	return false;
}

const char *
lane_phase_text(enum lane_phase phase)
{
	return phases[phase];
}

void
lane_explain(const struct lane *l, CURLcode code, struct err *err)
{
	const char *host = l->opts->host;
	const char *curls = l->detail[0] != '\0' ? l->detail : curl_easy_strerror(code);

	if (l->reply >= 400)
		(void)err_set(err, ERR_TEMP, "%s:%u: %s: %s", host, l->opts->port, lane_phase_text(l->phase),
		    buf_peek(&l->text).s);
	else if (code == CURLE_USE_SSL_FAILED)
		(void)err_set(err, ERR_TEMP, "%s:%u does not offer STARTTLS; use smtps:// where it speaks TLS"
		    " at once, or tls: {mode: off} to send in the clear", host, l->opts->port);
	else if (code == CURLE_LOGIN_DENIED)
		(void)err_set(err, ERR_TEMP, "%s:%u: no way to authenticate that both know (%s)", host,
		    l->opts->port, curls);
	else if (code == CURLE_PEER_FAILED_VERIFICATION)
		(void)err_set(err, ERR_TEMP, "%s:%u: its certificate is refused (%s); set tls.ca_file to the"
		    " file of the authority that issued it, or tls.server_name to a name that is in it", host,
		    l->opts->port, curls);
	else
		(void)err_set(err, ERR_TEMP, "%s:%u: %s", host, l->opts->port, curls);
}
