/* SPDX-License-Identifier: Apache-2.0 */
#ifndef EVIDENCE_H
#define EVIDENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/str.h"

/*
 * evidence: what an alert is about, one typed value for each item of Graph's
 * `evidence` array (microsoft.graph.security.alertEvidence and its kinds).
 *
 * The kinds that SIEMs have fields for are typed; every other kind, known to
 * Microsoft today or not, is EVIDENCE_GENERIC with its name and its JSON. A kind
 * that holds others (a logon session its account and host, malware its files)
 * has them as children, typed in the same way, to a bounded depth.
 *
 * Belongs to its record: text and arrays live in the record's arena.
 */
#define EVIDENCE_MAX      256 /* kept per alert, children included */
#define EVIDENCE_DEPTH    8   /* of children */
#define EVIDENCE_LIST_MAX 64  /* kept of any list of strings or addresses */
#define RECORD_NO_NUMBER  INT64_MIN

enum evidence_kind {
	EVIDENCE_GENERIC,
	EVIDENCE_DEVICE,
	EVIDENCE_USER,
	EVIDENCE_PROCESS,
	EVIDENCE_FILE,
	EVIDENCE_FILE_HASH,
	EVIDENCE_IP,
	EVIDENCE_URL,
	EVIDENCE_MESSAGE, /* analyzedMessage */
	EVIDENCE_MAILBOX,
	EVIDENCE_CLOUD_APP,
	EVIDENCE_OAUTH_APP,
	EVIDENCE_REGISTRY_KEY,
	EVIDENCE_REGISTRY_VALUE,
	EVIDENCE_AZURE_RESOURCE,
	EVIDENCE_HOLDER, /* a kind of its own (see type) that is only as good as its children */
};

struct str_list {
	const struct str *v;
	size_t n;
};

struct user_account {
	struct str account_name, domain_name, sid, aad_id, upn, display_name;
};

struct file_details {
	struct str name, path, publisher, issuer, signer, md5, sha1, sha256, sha256_ac;
	int64_t size; /* bytes; RECORD_NO_NUMBER */
};

struct mail_sender {
	struct str name, domain, address;
};

struct evidence {
	enum evidence_kind kind;
	struct str type; /* "deviceEvidence": @odata.type without its prefix; absent when missing */
	struct str json; /* the item as it came; of children too */
	const char *member; /* what held it: "evidence"; of children "host", "files", … */
	int64_t created;
	struct str verdict, remediation_status, remediation_details;
	struct str_list roles, detailed_roles, tags;
	bool is_partial; /* a value in json was not of the type that its field is of, or too many */
	bool is_primary; /* a role or detailed role says primary (PrimaryDevice, …) */
	const struct evidence *children;
	size_t nchildren;
	union {
		struct {
			struct str mde_device_id, aad_device_id, dns_name, host_name;
			struct str nt_domain, dns_domain;
			struct str os_platform, version, health_status, risk_score, rbac_group_name;
			struct str onboarding_status, av_status, last_ip, last_external_ip;
			int64_t os_build, rbac_group_id, first_seen;
			struct str_list ips;
			/* account_name and domain_name only */
			const struct user_account *logged_on;
			size_t nlogged_on;
		} device;
		struct {
			struct user_account account;
			struct str stream;
		} user;
		struct {
			int64_t pid, parent_pid, created, parent_created;
			struct str command_line, detection_status, mde_device_id;
			struct file_details image, parent_image;
			struct user_account account;
		} process;
		struct {
			struct str detection_status, mde_device_id;
			struct file_details details;
		} file;
		struct {
			struct str algorithm, value;
		} hash;
		struct {
			struct str address, country, city, state;
		} ip;
		struct {
			struct str url;
		} url;
		struct {
			struct str subject, recipient, sender_ip, internet_id, network_id, language;
			struct str delivery_action, delivery_location, direction, urn;
			struct mail_sender p1, p2; /* envelope, header */
			int64_t received, attachments, url_count;
			struct str_list urls, threats, detection_methods;
		} message;
		struct {
			struct str display_name, primary_address, upn;
			struct user_account account;
		} mailbox;
		struct {
			struct str display_name, instance_name, stream;
			int64_t app_id, instance_id, saas_app_id;
		} cloud_app;
		struct {
			struct str app_id, display_name, object_id, publisher;
		} oauth_app;
		struct {
			/* A key has hive and key only. */
			struct str hive, key, name, value, value_type, mde_device_id;
		} registry;
		struct {
			struct str id, name, resource_type;
		} azure;
		struct {              /* generic and holder */
			uint64_t own; /* a hash of the members that have no field, for seen */
		} other;
	};
};

#endif
