/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/format/address.h"
#include "lib/format/ocsf_parts.h"
#include "lib/format/shape_table.h"

/* Devices and accounts. */

static const struct ocsf_name systems[] = {
	OCSF_NAME("windows", 100, "Windows"),
	OCSF_NAME("linux", 200, "Linux"),
	OCSF_NAME("ubuntu", 200, "Linux"),
	OCSF_NAME("redhat", 200, "Linux"),
	OCSF_NAME("centos", 200, "Linux"),
	OCSF_NAME("debian", 200, "Linux"),
	OCSF_NAME("suse", 200, "Linux"),
	OCSF_NAME("oracle", 200, "Linux"),
	OCSF_NAME("amazon", 200, "Linux"),
	OCSF_NAME("android", 201, "Android"),
	OCSF_NAME("macos", 300, "macOS"),
	OCSF_NAME("ios", 301, "iOS"),
	OCSF_NAME("ipados", 302, "iPadOS"),
};

/* By how the name begins: "Windows11", "WindowsServer2022", "Linux", "macOS". */
static void
put_system(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;
	struct str name = e->device.os_platform;

	(void)row;
	for (size_t i = 0; i < ARRAY_LEN(systems); i++) {
		struct str begin = systems[i].text;

		if (name.n >= begin.n && str_same_nocase((struct str){ name.s, begin.n }, begin)) {
			ocsf_word(s, STR("type_id"), STR("type"), systems[i].word);
			return;
		}
	}
	ocsf_word(s, STR("type_id"), STR("type"), (struct ocsf_word){ 0, STR("Unknown") });
}

static void
put_number_text(struct shape *s, const char *name, int64_t number)
{
	char room[24];
	struct buf text = { .p = room, .room = sizeof(room), .max = sizeof(room) - 1 };

	if (number < 0)
		return;
	buf_int(&text, number);
	shape_text(s, name, buf_peek(&text), OBSERVABLE_NONE);
}

static void
put_build(struct shape *s, const struct shape_row *row, const void *base)
{
	put_number_text(s, row->name, ((const struct evidence *)base)->device.os_build);
}

/* The device's own addresses; the one that its whole site shares only where there is no other. */
static struct str
best_address(const struct evidence *e)
{
	struct address_best best = { .rank4 = ADDRESS_NONE };

	for (size_t i = 0; i < e->device.ips.n; i++)
		address_best_add(&best, e->device.ips.v[i]);
	address_best_add(&best, e->device.last_ip);
	if (best.rank4 <= ADDRESS_LOCAL && best.rank6 == ADDRESS_NONE)
		address_best_add(&best, e->device.last_external_ip);
	return best.v4.n != 0 ? best.v4 : best.v6;
}

static void
put_ip(struct shape *s, const struct shape_row *row, const void *base)
{
	struct ocsf *o = ocsf_of(s);

	o->device_ip = best_address(base);
	shape_put_text(s, shape_row_name(row), o->device_ip, OBSERVABLE_IP);
}

static void
put_interface(struct shape *s, struct str address)
{
	bool is_noted = str_same(address, ocsf_of(s)->device_ip);
	enum address_rank rank;

	if (address_family(address, &rank) == 0) {
		ocsf_of(s)->needs_whole = true;
		return;
	}
	shape_open(s, NULL);
	shape_text(s, "ip", address, is_noted ? OBSERVABLE_NONE : OBSERVABLE_IP);
	ocsf_word(s, STR("type_id"), STR("type"), (struct ocsf_word){ 0, STR("Unknown") });
	shape_close(s);
}

static void
put_interfaces(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), true);
	for (size_t i = 0; i < e->device.ips.n; i++)
		put_interface(s, e->device.ips.v[i]);
	shape_close(s);
}

static const struct ocsf_name risks[] = {
	OCSF_NAME("informational", 0, "Info"),
	OCSF_NAME("low", 1, "Low"),
	OCSF_NAME("medium", 2, "Medium"),
	OCSF_NAME("high", 3, "High"),
};

/* "none" and words of next year have no number: they stay in data. */
static void
put_risk(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	(void)row;
	for (size_t i = 0; i < ARRAY_LEN(risks); i++) {
		if (str_same_nocase(e->device.risk_score, risks[i].text))
			ocsf_word(s, STR("risk_level_id"), STR("risk_level"), risks[i].word);
	}
}

static void
put_groups(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	shape_put_open(s, shape_row_name(row), true);
	shape_open(s, NULL);
	shape_text(s, "name", e->device.rbac_group_name, OBSERVABLE_NONE);
	put_number_text(s, "uid", e->device.rbac_group_id);
	shape_close(s);
	shape_close(s);
}

/* A build of nothing is none in OCSF. */
static void
look_for_system(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct evidence *e = base;

	(void)row;
	if (e->device.os_platform.n == 0 && (e->device.version.n != 0 || e->device.os_build >= 0))
		ocsf_of(s)->needs_whole = true;
}

#define S struct evidence
const struct shape_row ocsf_device_rows[] = {
	CALL(NULL, look_for_system, NULL),
	OPEN("device"),
	MARKED("hostname", device.dns_name, OBSERVABLE_HOSTNAME, "deviceDnsName"),
	MARKED("hostname", device.host_name, OBSERVABLE_HOSTNAME, "else hostName"),
	TEXT("name", device.host_name, "hostName"),
	MARKED("uid", device.mde_device_id, OBSERVABLE_DEVICE_UID, "mdeDeviceId"),
	MARKED("uid", device.aad_device_id, OBSERVABLE_DEVICE_UID, "else azureAdDeviceId"),
	CALL(
	    "ip", put_ip, "the best of ipInterfaces and lastIpAddress, else lastExternalIpAddress"),
	IF_TEXT("uid_alt", device.aad_device_id, "azureAdDeviceId"),
	IF_TEXT("domain", device.dns_domain, "dnsDomain"),
	IF_TEXT("domain", device.nt_domain, "else ntDomain"),
	IF_OPEN("os"),
	TEXT("name", device.os_platform, "osPlatform"),
	IF_CALL("type_id", put_system, "by how osPlatform begins"),
	IF_CALL("build", put_build, "osBuild"),
	IF_TEXT("version", device.version, "version"),
	CLOSE,
	IF_CALL("network_interfaces", put_interfaces, "ipInterfaces: ip of each"),
	IF_TIME("first_seen_time", device.first_seen, "firstSeenDateTime"),
	IF_CALL("risk_level_id", put_risk,
	    "and risk_level, riskScore: informational 0, low 1, medium 2, high 3"),
	IF_CALL("groups", put_groups, "rbacGroupName, rbacGroupId"),
	CONST("type", "Unknown"),
	NUMBER("type_id", 0),
	CLOSE,
	END,
};
#undef S

/* One that is no address ("ana@corp") has no place where an accountName is the name. */
static void
put_account_email(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct user_account *a = base;

	if (!ocsf_email(s, row->name, a->upn) && a->upn.n != 0 && a->account_name.n != 0)
		ocsf_of(s)->needs_whole = true;
}

/* A domain alone is no user. */
static void
look_for_user(struct shape *s, const struct shape_row *row, const void *base)
{
	const struct user_account *a = base;

	(void)row;
	if (a->account_name.n + a->upn.n + a->display_name.n + a->sid.n + a->aad_id.n == 0 &&
	    a->domain_name.n != 0)
		ocsf_of(s)->needs_whole = true;
}

#define S struct user_account
const struct shape_row ocsf_account_rows[] = {
	CALL(NULL, look_for_user, NULL),
	MARKED("name", account_name, OBSERVABLE_USER_NAME, "accountName"),
	MARKED("name", upn, OBSERVABLE_USER_NAME, "else userPrincipalName"),
	MARKED("name", display_name, OBSERVABLE_USER_NAME, "else displayName"),
	MARKED("uid", sid, OBSERVABLE_USER_UID, "userSid"),
	MARKED("uid", aad_id, OBSERVABLE_USER_UID, "else azureAdUserId"),
	IF_TEXT("uid_alt", aad_id, "azureAdUserId"),
	IF_TEXT("domain", domain_name, "domainName"),
	IF_CALL("email_addr", put_account_email, "userPrincipalName"),
	IF_TEXT("full_name", display_name, "displayName"),
	CONST("type", "User"),
	NUMBER("type_id", 1),
	END,
};
#undef S
