/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/record/fields.h"

/*
 * The kinds of evidence, as microsoft.graph.security names them and writes their
 * members. What is about the state of a device rather than about the threat
 * counts as PART_OTHER: it changes by itself, day by day.
 */

#define S struct user_account
static const struct field account_rows[] = {
	TEXT("accountName", account_name, PART_EVIDENCE),
	TEXT("domainName", domain_name, PART_EVIDENCE),
	TEXT("userSid", sid, PART_EVIDENCE),
	TEXT("azureAdUserId", aad_id, PART_EVIDENCE),
	TEXT("userPrincipalName", upn, PART_EVIDENCE),
	TEXT("displayName", display_name, PART_EVIDENCE),
};
static const struct fields account = FIELDS(account_rows, S);

static const struct field logged_on_rows[] = {
	TEXT("accountName", account_name, PART_OTHER),
	TEXT("domainName", domain_name, PART_OTHER),
};
static const struct fields logged_on = FIELDS(logged_on_rows, S);
#undef S

#define S struct file_details
static const struct field details_rows[] = {
	TEXT("sha1", sha1, PART_EVIDENCE),
	TEXT("sha256", sha256, PART_EVIDENCE),
	TEXT("md5", md5, PART_EVIDENCE),
	TEXT("sha256Ac", sha256_ac, PART_EVIDENCE),
	TEXT("fileName", name, PART_EVIDENCE),
	TEXT("filePath", path, PART_EVIDENCE),
	INT("fileSize", size, PART_EVIDENCE),
	TEXT("filePublisher", publisher, PART_EVIDENCE),
	TEXT("signer", signer, PART_EVIDENCE),
	TEXT("issuer", issuer, PART_EVIDENCE),
};
static const struct fields details = FIELDS(details_rows, S);
#undef S

#define S struct mail_sender
static const struct field sender_rows[] = {
	TEXT("emailAddress", address, PART_EVIDENCE),
	TEXT("displayName", name, PART_EVIDENCE),
	TEXT("domainName", domain, PART_EVIDENCE),
};
static const struct fields sender = FIELDS(sender_rows, S);
#undef S

#define S struct str
static const struct field stream_rows[] = {
	{ .name = "name", .len = 4, .type = FIELD_TEXT, .part = PART_EVIDENCE },
};
static const struct fields stream = FIELDS(stream_rows, S);
#undef S

/* From here on all rows are of an evidence. */
#define S struct evidence

static const struct field location_rows[] = {
	TEXT("city", ip.city, PART_EVIDENCE),
	TEXT("state", ip.state, PART_EVIDENCE),
};
static const struct fields location = FIELDS(location_rows, S);

/* What all kinds begin with. @odata.type is looked for beforehand. */
#define BASE \
	IGNORED("@odata.type"), TIME("createdDateTime", created, PART_NONE), \
	    TEXT("verdict", verdict, PART_EVIDENCE), \
	    TEXT("remediationStatus", remediation_status, PART_REMEDIATION), \
	    TEXT("remediationStatusDetails", remediation_details, PART_REMEDIATION), \
	    LIST("roles", roles, PART_EVIDENCE), \
	    LIST("detailedRoles", detailed_roles, PART_EVIDENCE), LIST("tags", tags, PART_OTHER)

static const struct field device_rows[] = {
	BASE,
	TIME("firstSeenDateTime", device.first_seen, PART_OTHER),
	TEXT("mdeDeviceId", device.mde_device_id, PART_EVIDENCE),
	TEXT("azureAdDeviceId", device.aad_device_id, PART_EVIDENCE),
	TEXT("deviceDnsName", device.dns_name, PART_EVIDENCE),
	TEXT("hostName", device.host_name, PART_EVIDENCE),
	TEXT("ntDomain", device.nt_domain, PART_EVIDENCE),
	TEXT("dnsDomain", device.dns_domain, PART_EVIDENCE),
	TEXT("osPlatform", device.os_platform, PART_OTHER),
	INT("osBuild", device.os_build, PART_OTHER),
	TEXT("version", device.version, PART_OTHER),
	TEXT("healthStatus", device.health_status, PART_OTHER),
	TEXT("riskScore", device.risk_score, PART_OTHER),
	INT("rbacGroupId", device.rbac_group_id, PART_OTHER),
	TEXT("rbacGroupName", device.rbac_group_name, PART_OTHER),
	TEXT("onboardingStatus", device.onboarding_status, PART_OTHER),
	TEXT("defenderAvStatus", device.av_status, PART_OTHER),
	LIST("ipInterfaces", device.ips, PART_EVIDENCE),
	TEXT("lastIpAddress", device.last_ip, PART_OTHER),
	TEXT("lastExternalIpAddress", device.last_external_ip, PART_OTHER),
	OBJECTS("loggedOnUsers", device.logged_on, device.nlogged_on, logged_on),
	IGNORED("resourceAccessEvents"),
	IGNORED("vmMetadata"),
};

static const struct field user_rows[] = {
	BASE,
	OBJECT("stream", user.stream, stream),
	OBJECT("userAccount", user.account, account),
};

static const struct field process_rows[] = {
	BASE,
	INT("processId", process.pid, PART_EVIDENCE),
	INT("parentProcessId", process.parent_pid, PART_EVIDENCE),
	TEXT("processCommandLine", process.command_line, PART_EVIDENCE),
	TIME("processCreationDateTime", process.created, PART_EVIDENCE),
	TIME("parentProcessCreationDateTime", process.parent_created, PART_EVIDENCE),
	TEXT("detectionStatus", process.detection_status, PART_EVIDENCE),
	TEXT("mdeDeviceId", process.mde_device_id, PART_EVIDENCE),
	OBJECT("imageFile", process.image, details),
	OBJECT("parentProcessImageFile", process.parent_image, details),
	OBJECT("userAccount", process.account, account),
};

static const struct field file_rows[] = {
	BASE,
	TEXT("detectionStatus", file.detection_status, PART_EVIDENCE),
	TEXT("mdeDeviceId", file.mde_device_id, PART_EVIDENCE),
	OBJECT("fileDetails", file.details, details),
};

static const struct field hash_rows[] = {
	BASE,
	TEXT("algorithm", hash.algorithm, PART_EVIDENCE),
	TEXT("value", hash.value, PART_EVIDENCE),
};

static const struct field ip_rows[] = {
	BASE,
	TEXT("ipAddress", ip.address, PART_EVIDENCE),
	TEXT("countryLetterCode", ip.country, PART_EVIDENCE),
	FIELD_ROW(FIELD_OBJECT, "location", .of = &location),
	IGNORED("stream"),
};

static const struct field url_rows[] = {
	BASE,
	TEXT("url", url.url, PART_EVIDENCE),
};

static const struct field message_rows[] = {
	BASE,
	TEXT("networkMessageId", message.network_id, PART_EVIDENCE),
	TEXT("internetMessageId", message.internet_id, PART_EVIDENCE),
	TEXT("subject", message.subject, PART_EVIDENCE),
	TEXT("language", message.language, PART_EVIDENCE),
	TEXT("senderIp", message.sender_ip, PART_EVIDENCE),
	TEXT("recipientEmailAddress", message.recipient, PART_EVIDENCE),
	TEXT("antiSpamDirection", message.direction, PART_EVIDENCE),
	TEXT("deliveryAction", message.delivery_action, PART_EVIDENCE),
	TEXT("deliveryLocation", message.delivery_location, PART_EVIDENCE),
	TEXT("urn", message.urn, PART_EVIDENCE),
	LIST("threats", message.threats, PART_EVIDENCE),
	LIST("threatDetectionMethods", message.detection_methods, PART_EVIDENCE),
	LIST("urls", message.urls, PART_EVIDENCE),
	INT("urlCount", message.url_count, PART_EVIDENCE),
	INT("attachmentsCount", message.attachments, PART_EVIDENCE),
	TIME("receivedDateTime", message.received, PART_EVIDENCE),
	OBJECT("p1Sender", message.p1, sender),
	OBJECT("p2Sender", message.p2, sender),
};

static const struct field mailbox_rows[] = {
	BASE,
	TEXT("primaryAddress", mailbox.primary_address, PART_EVIDENCE),
	TEXT("displayName", mailbox.display_name, PART_EVIDENCE),
	TEXT("upn", mailbox.upn, PART_EVIDENCE),
	OBJECT("userAccount", mailbox.account, account),
};

static const struct field cloud_app_rows[] = {
	BASE,
	INT("appId", cloud_app.app_id, PART_EVIDENCE),
	TEXT("displayName", cloud_app.display_name, PART_EVIDENCE),
	INT("instanceId", cloud_app.instance_id, PART_EVIDENCE),
	TEXT("instanceName", cloud_app.instance_name, PART_EVIDENCE),
	INT("saasAppId", cloud_app.saas_app_id, PART_EVIDENCE),
	OBJECT("stream", cloud_app.stream, stream),
};

static const struct field oauth_app_rows[] = {
	BASE,
	TEXT("appId", oauth_app.app_id, PART_EVIDENCE),
	TEXT("displayName", oauth_app.display_name, PART_EVIDENCE),
	TEXT("objectId", oauth_app.object_id, PART_EVIDENCE),
	TEXT("publisher", oauth_app.publisher, PART_EVIDENCE),
};

static const struct field registry_key_rows[] = {
	BASE,
	TEXT("registryKey", registry.key, PART_EVIDENCE),
	TEXT("registryHive", registry.hive, PART_EVIDENCE),
};

static const struct field registry_value_rows[] = {
	BASE,
	TEXT("mdeDeviceId", registry.mde_device_id, PART_EVIDENCE),
	TEXT("registryKey", registry.key, PART_EVIDENCE),
	TEXT("registryHive", registry.hive, PART_EVIDENCE),
	TEXT("registryValue", registry.value, PART_EVIDENCE),
	TEXT("registryValueName", registry.name, PART_EVIDENCE),
	TEXT("registryValueType", registry.value_type, PART_EVIDENCE),
};

static const struct field azure_rows[] = {
	BASE,
	TEXT("resourceId", azure.id, PART_EVIDENCE),
	TEXT("resourceName", azure.name, PART_EVIDENCE),
	TEXT("resourceType", azure.resource_type, PART_EVIDENCE),
};

/*
 * Holders. No two kinds have a member of one name that holds different things,
 * so one table serves them all: a row that is not a kind's own finds nothing.
 */
static const struct field holder_rows[] = {
	BASE,
	EVIDENCE("account", "userEvidence"),
	EVIDENCE("host", "deviceEvidence"),
	EVIDENCE("dnsServerIp", "ipEvidence"),
	EVIDENCE("hostIpAddress", "ipEvidence"),
	EVIDENCE("ipAddresses", "ipEvidence"),
	EVIDENCE("files", "fileEvidence"),
	EVIDENCE("processes", "processEvidence"),
	EVIDENCE("urls", "urlEvidence"),
	EVIDENCE("sourceAddress", "ipEvidence"),
	EVIDENCE("destinationAddress", "ipEvidence"),
	EVIDENCE("storageResource", "azureResourceEvidence"),
	EVIDENCE("blobContainer", "blobContainerEvidence"),
	EVIDENCE("fileHashes", "fileHashEvidence"),
	EVIDENCE("ipAddress", "ipEvidence"),
	EVIDENCE("ioTHub", "azureResourceEvidence"),
	EVIDENCE("nics", "nicEvidence"),
	EVIDENCE("sourceRef", "urlEvidence"),
	EVIDENCE("podIp", "ipEvidence"),
	EVIDENCE("containers", "containerEvidence"),
	EVIDENCE("initContainers", "containerEvidence"),
	EVIDENCE("ephemeralContainers", "containerEvidence"),
	EVIDENCE("pod", "kubernetesPodEvidence"),
	EVIDENCE("image", "containerImageEvidence"),
	EVIDENCE("digestImage", "containerImageEvidence"),
	EVIDENCE("registry", "containerRegistryEvidence"),
	EVIDENCE("controller", "kubernetesControllerEvidence"),
	EVIDENCE("namespace", "kubernetesNamespaceEvidence"),
	EVIDENCE("cluster", "kubernetesClusterEvidence"),
	EVIDENCE("serviceAccount", "kubernetesServiceAccountEvidence"),
	EVIDENCE("clusterIP", "ipEvidence"),
	EVIDENCE("externalIPs", "ipEvidence"),
	EVIDENCE("cloudResource", NULL),
	EVIDENCE("trustedDomains", "activeDirectoryDomainEvidence"),
};

static const struct field generic_rows[] = { BASE };

static const struct evidence_type generic = { "", EVIDENCE_GENERIC, FIELDS(generic_rows, S) };

static const struct evidence_type types[] = {
	{ "deviceEvidence", EVIDENCE_DEVICE, FIELDS(device_rows, S) },
	{ "userEvidence", EVIDENCE_USER, FIELDS(user_rows, S) },
	{ "processEvidence", EVIDENCE_PROCESS, FIELDS(process_rows, S) },
	{ "fileEvidence", EVIDENCE_FILE, FIELDS(file_rows, S) },
	{ "fileHashEvidence", EVIDENCE_FILE_HASH, FIELDS(hash_rows, S) },
	{ "ipEvidence", EVIDENCE_IP, FIELDS(ip_rows, S) },
	{ "urlEvidence", EVIDENCE_URL, FIELDS(url_rows, S) },
	{ "analyzedMessageEvidence", EVIDENCE_MESSAGE, FIELDS(message_rows, S) },
	{ "mailboxEvidence", EVIDENCE_MAILBOX, FIELDS(mailbox_rows, S) },
	{ "cloudApplicationEvidence", EVIDENCE_CLOUD_APP, FIELDS(cloud_app_rows, S) },
	{ "oauthApplicationEvidence", EVIDENCE_OAUTH_APP, FIELDS(oauth_app_rows, S) },
	{ "registryKeyEvidence", EVIDENCE_REGISTRY_KEY, FIELDS(registry_key_rows, S) },
	{ "registryValueEvidence", EVIDENCE_REGISTRY_VALUE, FIELDS(registry_value_rows, S) },
	{ "azureResourceEvidence", EVIDENCE_AZURE_RESOURCE, FIELDS(azure_rows, S) },
#define HOLDER(name) \
	{ \
		name, EVIDENCE_HOLDER, FIELDS(holder_rows, S) \
	}
	HOLDER("hostLogonSessionEvidence"),
	HOLDER("cloudLogonSessionEvidence"),
	HOLDER("dnsEvidence"),
	HOLDER("malwareEvidence"),
	HOLDER("networkConnectionEvidence"),
	HOLDER("teamsMessageEvidence"),
	HOLDER("blobEvidence"),
	HOLDER("blobContainerEvidence"),
	HOLDER("sasTokenEvidence"),
	HOLDER("nicEvidence"),
	HOLDER("ioTDeviceEvidence"),
	HOLDER("containerEvidence"),
	HOLDER("containerImageEvidence"),
	HOLDER("kubernetesPodEvidence"),
	HOLDER("kubernetesServiceEvidence"),
	HOLDER("kubernetesControllerEvidence"),
	HOLDER("kubernetesNamespaceEvidence"),
	HOLDER("kubernetesClusterEvidence"),
	HOLDER("kubernetesSecretEvidence"),
	HOLDER("kubernetesServiceAccountEvidence"),
	HOLDER("activeDirectoryDomainEvidence"),
#undef HOLDER
};
#undef S

const struct evidence_type *
evidence_type(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (name.n != 0 && str_is(name, types[i].name))
			return &types[i];
	}
	return &generic;
}
