/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/onboard/facts.h"

#include <stdlib.h>

#include "daemon/intake/streams.h"
#include "lib/base/alloc.h"
#include "lib/format/consent.h"
#include "lib/policy/clouds.h"

#define TEXT_MAX (64 * 1024)

static const char *const names[FACT_COUNT] = {
	[FACT_MSSP] = "mssp",
	[FACT_MSSP_TENANT] = "mssp_tenant",
	[FACT_CUSTOMER] = "customer",
	[FACT_CUSTOMER_KEY] = "customer_key",
	[FACT_TENANT] = "tenant",
	[FACT_TENANT_ID] = "tenant_id",
	[FACT_CLIENT_ID] = "client_id",
	[FACT_ROLES] = "roles",
	[FACT_CONSENT] = "consent",
	[FACT_PORTAL] = "portal",
	[FACT_MULTI_TENANT] = "multi_tenant",
	[FACT_MY_ACCESS] = "my_access",
	[FACT_ENTRA] = "entra",
};

static char *
consent_link(const struct tenant *t)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	consent_put(&b, &(struct consent){ .login_url = t->app->login_url,
			    .tenant_id = t->id,
			    .client_id = t->app->client_id,
			    .redirect_uri = t->app->redirect_uri });
	return buf_take(&b);
}

static char *
mssp_tenant(const struct mssp *m)
{
	if (m->tenant_id != NULL && m->domain != NULL)
		return xasprintf("tenant %s (%s)", m->tenant_id, m->domain);
	if (m->tenant_id != NULL)
		return xasprintf("tenant %s", m->tenant_id);
	return m->domain != NULL ? xasprintf("domain %s", m->domain) : xstrdup("tenant YOUR-TENANT-ID");
}

/* "A, B and C": what the tenant's streams need, and nothing else. */
static char *
list_roles(const struct tenant *t)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	for (size_t i = 0; i < t->nstreams; i++)
		buf_printf(&b, "%s%s (%s)", i == 0 ? "" : i + 1 < t->nstreams ? ", " : " and ",
		    t->streams[i].kind->role, api_kinds[t->streams[i].kind->api].name);
	return buf_take(&b);
}

static char *
list_missing(const struct settings *s, const struct tenant *t)
{
	struct buf b = BUF_INIT(TEXT_MAX);

	if (s->mssp.name[0] == '\0')
		buf_puts(&b, "mssp.name: your organization's name\n");
	if (s->mssp.tenant_id == NULL && s->mssp.domain == NULL)
		buf_puts(&b, "mssp.tenant: ID of the tenant that your analysts' accounts are in\n");
	if (t->domain == NULL)
		buf_printf(&b, "tenants.%s.domain: a domain of that tenant\n", t->name);
	if (t->customer == NULL)
		buf_printf(&b, "tenants.%s.customer: its customer, which has a name for people\n",
		    t->name);
	buf_byte(&b, '\0');
	return buf_take(&b);
}

void
facts_init(struct facts *f, const struct settings *s, const struct tenant *t)
{
	const struct cloud_hosts *hosts = &cloud_hosts[t->app->cloud];

	*f = (struct facts){ .missing = list_missing(s, t) };
	f->v[FACT_MSSP] = xstrdup(s->mssp.name[0] != '\0' ? s->mssp.name : "the MSSP");
	f->v[FACT_MSSP_TENANT] = mssp_tenant(&s->mssp);
	f->v[FACT_CUSTOMER] = xstrdup(t->origin->customer_name);
	f->v[FACT_CUSTOMER_KEY] = xstrdup(t->origin->customer);
	f->v[FACT_TENANT] = xstrdup(t->name);
	f->v[FACT_TENANT_ID] = xstrdup(t->id);
	f->v[FACT_CLIENT_ID] = xstrdup(t->app->client_id);
	f->v[FACT_ROLES] = list_roles(t);
	f->v[FACT_CONSENT] = consent_link(t);
	f->v[FACT_PORTAL] = xasprintf("%s/?tid=%s", t->app->portal_url, t->id);
	f->v[FACT_MULTI_TENANT] = hosts->multi_tenant != NULL
				      ? xasprintf("all customers in one view: %s/", hosts->multi_tenant)
				      : xstrdup("");
	f->v[FACT_MY_ACCESS] = xasprintf(
	    "%s/@%s#/", hosts->my_access, t->domain != NULL ? t->domain : "CUSTOMER-DOMAIN");
	f->v[FACT_ENTRA] = xstrdup(hosts->entra);
}

void
facts_release(struct facts *f)
{
	for (size_t i = 0; i < FACT_COUNT; i++)
		free(f->v[i]);
	free(f->missing);
}

static const char *
find(const struct facts *f, struct str name)
{
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (str_is(name, names[i]))
			return f->v[i];
	}
	BUG("a page names {%.*s}, which is no fact", STR_ARG(name));
}

void
facts_write(struct buf *out, const struct facts *f, const char *text)
{
	const char *close;

	for (; *text != '\0'; text++) {
		if (*text != '{' || text[1] == ' ') {
			buf_byte(out, *text);
			continue;
		}
		close = strchr(text, '}');
		BUG_IF(close == NULL);
		buf_puts(out, find(f, (struct str){ text + 1, (size_t)(close - text - 1) }));
		text = close;
	}
}
