/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/onboard/checklist.h"
#include "daemon/onboard/requests.h"
#include "lib/base/alloc.h"
#include "lib/base/ticks.h"
#include "lib/format/consent.h"
#include "lib/format/wrap.h"

#define CLIENT "6f0c8a5e-0000-4000-8000-000000000001"
#define TENANT "11111111-2222-3333-4444-555555555555"
#define OURS   "99999999-2222-3333-4444-555555555555"
/* A name that JSON and a terminal have to be protected from. */
#define ODD "A \\\"quoted\\\" \\\\ name\\n\\u001b[31m & S\xc3\xb6hne"

static const char config[] =
    "mssp: { name: \"" ODD "\", tenant: " OURS ", domain: soc.mssp.example }\n"
    "apps:\n"
    "  soc: { client_id: " CLIENT ", secret_file: s, redirect_uri: 'https://soc.example/consented' }\n"
    "  gov: { cloud: gcc-high, client_id: " CLIENT ", secret_file: s }\n"
    "  dod: { cloud: dod, client_id: " CLIENT ", secret_file: s }\n"
    "defaults: { app: soc, sinks: [out] }\n"
    "customers: { contoso: { name: Contoso Ltd, access_expires: 2027-03-01 } }\n"
    "sinks: { out: { type: file, path: /tmp/x, format: cef } }\n"
    "tenants:\n"
    "  contoso-eu: { id: " TENANT ", customer: contoso, domain: contoso.onmicrosoft.com }\n"
    "  agency: { id: " TENANT ", app: gov }\n"
    "  forces: { id: 21111111-2222-3333-4444-555555555555, app: dod }\n";

static struct settings *settings;

static void
on_problem(void *arg, bool is_error, const char *line)
{
	(void)arg;
	ck_assert_msg(!is_error, "%s", line);
}

/* config, with `was` written as `now`. */
static void
setup_with(const char *was, const char *now)
{
	char dir[] = "/tmp/check-onboard-XXXXXX", *file;
	const char *at = strstr(config, was);
	FILE *f;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	file = xasprintf("%s/msspd.yaml", dir);
	f = fopen(file, "w");
	fprintf(f, "%.*s%s%s", (int)(at - config), config, now, at + strlen(was));
	fclose(f);
	settings = settings_load(file, false, on_problem, NULL);
	ck_assert_ptr_nonnull(settings);
	unlink(file);
	rmdir(dir);
	free(file);
}

static void
setup(void)
{
	setup_with("", "");
}

static void
teardown(void)
{
	settings_unref(settings);
}

static const struct tenant *
tenant(const char *name)
{
	const struct tenant *t = settings_tenant(settings, name);

	ck_assert_ptr_nonnull(t);
	return t;
}

/* ---- the checklist -------------------------------------------------------------- */

/* Every run of white space as one blank, so that a fact is found across lines. */
static char *
flat(struct str s)
{
	struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] != ' ' && s.s[i] != '\n')
			buf_byte(&b, s.s[i]);
		else if (b.n > 0 && b.p[b.n - 1] != ' ')
			buf_byte(&b, ' ');
	}
	buf_byte(&b, '\0');
	return buf_take(&b);
}

/* Microsoft: "Provide managed security service provider (MSSP) access" and its neighbours. */
static const struct {
	const char *says, *tenant, *want;
} facts[] = {
	{ "whose page it is", "contoso-eu", "Onboarding of Contoso Ltd by" },
	{ "which tenant", "contoso-eu", "tenant contoso-eu, " TENANT },
	{ "the link of consent", "contoso-eu",
	  "https://login.microsoftonline.com/" TENANT "/adminconsent?client_id=" CLIENT
	  "&redirect_uri=https%3A%2F%2Fsoc.example%2Fconsented" },
	{ "the permission that it grants", "contoso-eu", "SecurityAlert.Read.All" },
	{ "how to see whether it works", "contoso-eu", "sudo msspctl check-tenant contoso-eu" },
	{ "group of tier 1", "contoso-eu", "- Tier 1 Analyst -" },
	{ "group of tier 2", "contoso-eu", "- Tier 2 Analyst -" },
	{ "group of approvers", "contoso-eu", "- MSSP Analyst Approvers" },
	{ "where roles are", "contoso-eu", "Permissions > Endpoints roles & groups > Roles" },
	{ "who may make them", "contoso-eu", "as Global or Security Administrator" },
	{ "how a role gets its group", "contoso-eu", "Assigned user groups" },
	{ "where roles are in newer tenants", "contoso-eu",
	  "Permissions > Microsoft Defender XDR > Roles" },
	{ "role of tier 1", "contoso-eu",
	  "Tier 1 Analyst: every permission but live response and manage security settings" },
	{ "role of tier 2", "contoso-eu", "Tier 2 Analyst: the same and live response" },
	{ "approvers have none", "contoso-eu", "MSSP Analyst Approvers: no role" },
	{ "we are a connected organization", "contoso-eu",
	  "by its tenant " OURS " (soc.mssp.example)" },
	{ "a tenant of their own for analysts", "contoso-eu", "best in a tenant of their own" },
	{ "the catalog", "contoso-eu", "make MSSP Accesses" },
	{ "a package for tier 1", "contoso-eu", "MSSP Tier 1 Analyst: group Tier 1 Analyst" },
	{ "a package for tier 2", "contoso-eu", "MSSP Tier 2 Analyst: group Tier 2 Analyst" },
	{ "a package for approvers", "contoso-eu",
	  "MSSP Analyst Approvers: group MSSP Analyst Approvers" },
	{ "only our users may request", "contoso-eu", "only by users of the connected organization" },
	{ "approval by the approvers", "contoso-eu",
	  "approval: required, by a member of MSSP Analyst Approvers" },
	{ "365 days", "contoso-eu", "the access expires after 365 days" },
	{ "extension", "contoso-eu", "people may ask to extend it" },
	{ "yearly review", "contoso-eu", "access review: every year" },
	{ "the durable My Access link", "contoso-eu",
	  "stays the same for analysts who come later. All packages are at: "
	  "https://myaccess.microsoft.com/@contoso.onmicrosoft.com#/" },
	{ "where requests are decided", "contoso-eu", "decide there, under Approvals" },
	{ "the portal by its tenant", "contoso-eu", "- https://security.microsoft.com/?tid=" TENANT },
	{ "what happens without it", "contoso-eu", "without its tid= the portal opens their own" },
	{ "all customers at once", "contoso-eu",
	  "all customers in one view: https://mto.security.microsoft.com/" },
	{ "the day on which it ends", "contoso-eu", "contoso: { access_expires: YYYY-MM-DD" },
	{ "first box of the mail rule", "contoso-eu", "- Include organization name" },
	{ "second box of the mail rule", "contoso-eu", "- Include tenant-specific portal link" },
	{ "licences", "contoso-eu", "Governance or P2 licences" },
	{ "login host of GCC High", "agency", "https://login.microsoftonline.us/" TENANT },
	{ "portal of GCC High", "agency", "https://security.microsoft.us/?tid=" TENANT },
	{ "My Access of GCC High", "agency", "https://myaccess.microsoft.us/@CUSTOMER-DOMAIN#/" },
	{ "Entra of GCC High", "agency", "https://entra.microsoft.us" },
	{ "portal of DoD", "forces", "https://security.apps.mil/?tid=2" },
	{ "what is not known is asked for", "agency", "tenants.agency.domain: a domain of that" },
};

START_TEST(test_fact)
{
	struct buf out = BUF_INIT(1 << 20);
	char *text;

	checklist_put(&out, settings, tenant(facts[_i].tenant));
	text = flat(buf_peek(&out));
	ck_assert_msg(strstr(text, facts[_i].want) != NULL, "%s: no \"%s\" in:\n%.*s", facts[_i].says,
	    facts[_i].want, STR_ARG(buf_peek(&out)));
	free(text);
	buf_release(&out);
}
END_TEST

START_TEST(test_nothing_is_asked_for_that_is_known)
{
	struct buf out = BUF_INIT(1 << 20);

	checklist_put(&out, settings, tenant("contoso-eu"));
	buf_byte(&out, '\0');
	ck_assert_ptr_null(strstr(out.p, "would then be complete"));
	ck_assert_ptr_null(strstr(out.p, "CUSTOMER-DOMAIN"));
	buf_release(&out);
}
END_TEST

/* Only a link may be longer than a line, and it stands alone; nothing moves the cursor. */
START_TEST(test_fits_a_terminal)
{
	struct buf out = BUF_INIT(1 << 20);
	char *save = NULL;

	checklist_put(&out, settings, tenant("contoso-eu"));
	buf_byte(&out, '\0');
	ck_assert_ptr_null(strchr(out.p, '\x1b'));
	for (char *l = strtok_r(out.p, "\n", &save); l != NULL; l = strtok_r(NULL, "\n", &save)) {
		if (strlen(l) > 80)
			ck_assert_msg(strncmp(l, "       https://", 15) == 0 ||
					  strncmp(l, "       - https://", 17) == 0, "long: %s", l);
	}
	buf_release(&out);
}
END_TEST

/* ---- the requests ------------------------------------------------------------------ */

static json_t *
make(const char *name)
{
	int64_t now;

	ck_assert(ticks_parse(STR("2026-11-22T10:00:00Z"), &now));
	return requests_make(settings, tenant(name), now);
}

/* The body of the i-th request to a path that ends so. */
static const json_t *
find(const json_t *all, const char *end, size_t i)
{
	size_t at, n = strlen(end);
	json_t *r;

	json_array_foreach((json_t *)all, at, r) {
		const char *url = json_string_value(json_object_get(r, "url"));

		if (strlen(url) < n || strcmp(url + strlen(url) - n, end) != 0)
			continue;
		if (i-- == 0)
			return json_object_get(r, "body");
	}
	ck_abort_msg("no such request: %s", end);
	return NULL;
}

/* "a/b/0/c" as text. */
static char *
value_at(const json_t *v, const char *path)
{
	char *copy = xstrdup(path), *save = NULL, *text;

	for (char *k = strtok_r(copy, "/", &save); k != NULL; k = strtok_r(NULL, "/", &save))
		v = k[0] >= '0' && k[0] <= '9' ? json_array_get(v, (size_t)(k[0] - '0'))
					       : json_object_get(v, k);
	text = v != NULL ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
	free(copy);
	return text != NULL ? text : xstrdup("nothing");
}

static const struct {
	const char *says, *end;
	size_t i;
	const char *path, *want;
} bodies[] = {
	{ "first group", "/v1.0/groups", 0, "displayName", "\"Tier 1 Analyst\"" },
	{ "second group", "/v1.0/groups", 1, "displayName", "\"Tier 2 Analyst\"" },
	{ "third group", "/v1.0/groups", 2, "displayName", "\"MSSP Analyst Approvers\"" },
	{ "groups are for security", "/groups", 0, "securityEnabled", "true" },
	{ "and not for mail", "/groups", 0, "mailEnabled", "false" },
	{ "our tenant", "/connectedOrganizations", 0, "identitySources/0/tenantId", "\"" OURS "\"" },
	{ "by tenant", "/connectedOrganizations", 0, "identitySources/0/@odata.type",
	  "\"#microsoft.graph.azureActiveDirectoryTenant\"" },
	{ "proposed would not be enough", "/connectedOrganizations", 0, "state", "\"configured\"" },
	{ "catalog", "/catalogs", 0, "displayName", "\"MSSP Accesses\"" },
	{ "outside users may request", "/catalogs", 0, "isExternallyVisible", "true" },
	{ "published", "/catalogs", 0, "state", "\"published\"" },
	{ "groups into the catalog", "/resourceRequests", 1, "resource/originId", "\"<tier2-group>\"" },
	{ "as admin", "/resourceRequests", 2, "requestType", "\"adminAdd\"" },
	{ "package", "/accessPackages", 1, "displayName", "\"MSSP Tier 2 Analyst\"" },
	{ "membership", "/<tier1-package>/resourceRoleScopes", 0, "role/originId",
	  "\"Member_<tier1-group>\"" },
	{ "of this resource", "/<tier2-package>/resourceRoleScopes", 0, "role/resource/id",
	  "\"<tier2-resource>\"" },
	{ "in its root", "/<tier1-package>/resourceRoleScopes", 0, "scope/isRootScope", "true" },
	{ "only our people", "/assignmentPolicies", 0, "allowedTargetScope",
	  "\"specificConnectedOrganizationUsers\"" },
	{ "by our organization", "/assignmentPolicies", 1, "specificAllowedTargets/0/connectedOrganizationId",
	  "\"<organization>\"" },
	{ "365 days", "/assignmentPolicies", 0, "expiration/duration", "\"P365D\"" },
	{ "approval", "/assignmentPolicies", 2, "requestApprovalSettings/isApprovalRequiredForAdd", "true" },
	{ "approval of extensions", "/assignmentPolicies", 0,
	  "requestApprovalSettings/isApprovalRequiredForUpdate", "true" },
	{ "by the approvers", "/assignmentPolicies", 0,
	  "requestApprovalSettings/stages/0/primaryApprovers/0/groupId", "\"<approvers-group>\"" },
	{ "extension may be asked for", "/assignmentPolicies", 0,
	  "requestorSettings/enableTargetsToSelfUpdateAccess", "true" },
	{ "review every year", "/assignmentPolicies", 0,
	  "reviewSettings/schedule/recurrence/pattern/interval", "12" },
	{ "in months", "/assignmentPolicies", 0, "reviewSettings/schedule/recurrence/pattern/type",
	  "\"absoluteMonthly\"" },
	{ "without end", "/assignmentPolicies", 0, "reviewSettings/schedule/recurrence/range/type",
	  "\"noEnd\"" },
	{ "the first before the first access ends", "/assignmentPolicies", 0,
	  "reviewSettings/schedule/startDateTime", "\"2027-10-23T00:00:00Z\"" },
	{ "each policy to its package", "/assignmentPolicies", 2, "accessPackage/id",
	  "\"<approvers-package>\"" },
};

START_TEST(test_body)
{
	json_t *all = make("contoso-eu");
	char *got = value_at(find(all, bodies[_i].end, bodies[_i].i), bodies[_i].path);

	ck_assert_msg(strcmp(got, bodies[_i].want) == 0, "%s: %s is %s", bodies[_i].says,
	    bodies[_i].path, got);
	free(got);
	json_decref(all);
}
END_TEST

START_TEST(test_hosts_are_of_the_cloud)
{
	json_t *all = make("forces"), *r;
	size_t i;

	json_array_foreach(all, i, r)
		ck_assert_msg(strncmp(json_string_value(json_object_get(r, "url")),
				  "https://dod-graph.microsoft.us/v1.0/", 36) == 0, "request %zu", i);
	json_decref(all);
}
END_TEST

/* What is printed is what somebody sends: each body parses, and names came through whole. */
START_TEST(test_text_holds_the_bodies)
{
	json_t *all = make("contoso-eu"), *r, *again;
	struct buf out = BUF_INIT(1 << 20);
	size_t i, bodies_seen = 0;
	json_error_t e;
	char *at;

	requests_put(&out, all);
	buf_byte(&out, '\0');
	ck_assert_ptr_null(strchr(out.p, '\x1b'));
	at = out.p;
	json_array_foreach(all, i, r) {
		const json_t *body = json_object_get(r, "body");

		if (body == NULL)
			continue;
		at = strstr(at, "\n{\n");
		ck_assert_ptr_nonnull(at);
		again = json_loads(at + 1, JSON_DISABLE_EOF_CHECK, &e);
		ck_assert_msg(again != NULL, "body %zu: %s", i, e.text);
		ck_assert(json_equal(again, body));
		json_decref(again);
		at++;
		bodies_seen++;
	}
	ck_assert_uint_eq(bodies_seen, 17);
	ck_assert_str_eq(json_string_value(json_object_get(find(all, "/connectedOrganizations", 0),
	    "displayName")), settings->mssp.name);
	ck_assert_ptr_nonnull(strchr(settings->mssp.name, '\x1b'));
	json_decref(all);
	buf_release(&out);
}
END_TEST

/* Each name in angle brackets was kept from an earlier answer. */
START_TEST(test_names_are_known_before_they_are_used)
{
	json_t *all = make("contoso-eu"), *known = json_object(), *r;
	size_t i;

	json_array_foreach(all, i, r) {
		char *text;
		json_t *sent = json_pack("{s:O, s:O*}", "u", json_object_get(r, "url"), "b",
		    json_object_get(r, "body"));

		text = json_dumps(sent, 0);
		for (char *p = strchr(text, '<'); p != NULL; p = strchr(p + 1, '<')) {
			char *name = xstrndup(p, strcspn(p, ">") + 1);

			ck_assert_msg(json_object_get(known, name) != NULL, "request %zu: %s", i, name);
			free(name);
		}
		free(text);
		json_decref(sent);
		json_object_update(known, json_object_get(r, "keep"));
	}
	json_decref(known);
	json_decref(all);
}
END_TEST

START_TEST(test_domain_where_the_tenant_is_not_known)
{
	const json_t *source;
	json_t *all;

	teardown();
	setup_with("tenant: " OURS ", ", "");
	all = make("contoso-eu");
	source = json_array_get(
	    json_object_get(find(all, "/connectedOrganizations", 0), "identitySources"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(source, "@odata.type")),
	    "#microsoft.graph.domainIdentitySource");
	ck_assert_str_eq(json_string_value(json_object_get(source, "domainName")), "soc.mssp.example");
	json_decref(all);
}
END_TEST

/* ---- links and lines ------------------------------------------------------------------ */

static const struct {
	const char *says, *redirect, *state, *want;
} links[] = {
	{ "bare", NULL, NULL, "" },
	{ "a redirect is encoded", "https://a.example/x?y=1&z", NULL,
	  "&redirect_uri=https%3A%2F%2Fa.example%2Fx%3Fy%3D1%26z" },
	{ "so is a state", NULL, "a b&c=\xc3\xb6", "&state=a%20b%26c%3D%C3%B6" },
	{ "both", "https://a.example", "1-2_3.4~5", "&redirect_uri=https%3A%2F%2Fa.example&state=1-2_3.4~5" },
};

START_TEST(test_consent)
{
	struct buf out = BUF_INIT(10000);
	char *want = xasprintf("https://login.example/t/adminconsent?client_id=c%s", links[_i].want);

	consent_put(&out, &(struct consent){ "https://login.example", "t", "c", links[_i].redirect,
			    links[_i].state });
	ck_assert_msg(str_is(buf_peek(&out), want), "%s: %.*s", links[_i].says, STR_ARG(buf_peek(&out)));
	free(want);
	buf_release(&out);
}
END_TEST

#define TEN "123456789 "
static const struct {
	const char *says, *text, *want;
} wraps[] = {
	{ "nothing", "", "- \n" },
	{ "blanks collapse", "  a   b ", "- a b\n" },
	{ "78 columns fit", TEN TEN TEN TEN TEN TEN TEN "123456", "- " TEN TEN TEN TEN TEN TEN TEN "123456\n" },
	{ "79 do not", TEN TEN TEN TEN TEN TEN TEN "1234567",
	  "- " TEN TEN TEN TEN TEN TEN "123456789\n  1234567\n" },
	{ "a link stays whole", "see https://example.org/" TEN TEN "x",
	  "- see https://example.org/" TEN TEN "x\n" },
	{ "characters count, not bytes", "\xc3\xb6\xc3\xb6\xc3\xb6 " TEN TEN TEN TEN TEN TEN TEN "12",
	  "- \xc3\xb6\xc3\xb6\xc3\xb6 " TEN TEN TEN TEN TEN TEN TEN "12\n" },
	{ "controls are blanks", "a\x1b[2Jb\nc", "- a [2Jb c\n" },
	{ "no UTF-8", "a\xff" "b", "- a?b\n" },
	{ "what turns text is shown", "x\xe2\x80\xaegnp.exe", "- x\\u{202e}gnp.exe\n" },
	{ "and what nobody sees", "a\xe2\x80\x8b" "b", "- a\\u{200b}b\n" },
};

START_TEST(test_wrap)
{
	struct buf out = BUF_INIT(10000);

	wrap_put(&out, "- ", "  ", wraps[_i].text);
	ck_assert_msg(str_is(buf_peek(&out), wraps[_i].want), "%s: %.*s", wraps[_i].says,
	    STR_ARG(buf_peek(&out)));
	buf_release(&out);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("onboard");
	TCase *tc = tcase_create("pages"), *plain = tcase_create("texts");
	SRunner *sr = srunner_create(s);
	int failed;

	suite_add_tcase(s, tc);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_fact, 0, ARRAY_LEN(facts));
	tcase_add_test(tc, test_nothing_is_asked_for_that_is_known);
	tcase_add_test(tc, test_fits_a_terminal);
	tcase_add_loop_test(tc, test_body, 0, ARRAY_LEN(bodies));
	tcase_add_test(tc, test_hosts_are_of_the_cloud);
	tcase_add_test(tc, test_text_holds_the_bodies);
	tcase_add_test(tc, test_names_are_known_before_they_are_used);
	tcase_add_test(tc, test_domain_where_the_tenant_is_not_known);
	suite_add_tcase(s, plain);
	tcase_add_loop_test(plain, test_consent, 0, ARRAY_LEN(links));
	tcase_add_loop_test(plain, test_wrap, 0, ARRAY_LEN(wraps));
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
