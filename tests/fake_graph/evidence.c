/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "tests/fake_graph/evidence.h"
#include "tests/fake_graph/json_out.h"

/* Nested kinds end here: the schema allows them to go round in circles. */
#define MAX_DEPTH 4

#define WORDS(name, ...) static const char *const name[] = { __VA_ARGS__, NULL }

#define NVERDICTS 4
static const char *const verdicts[NVERDICTS] = { "unknown", "suspicious", "malicious",
	"noThreatsFound" };
WORDS(remediation, "none", "remediated", "prevented", "blocked", "notFound", "|", "active",
    "pendingApproval", "declined", "unremediated", "running", "partiallyRemediated");
WORDS(roles, "unknown", "contextual", "scanned", "source", "destination", "created", "added",
    "compromised", "edited", "attacked", "attacker", "commandAndControl", "loaded", "suspicious",
    "policyViolator");
WORDS(detailed_roles, "PrimaryDevice", "Main device", "Initiating process");
WORDS(tags, "HighValue", "VIP", "PCI-DSS", "Büro Köln");
WORDS(detection, "detected", "blocked", "prevented");
WORDS(health, "active", "inactive", "impairedCommunication", "noSensorData",
    "noSensorDataImpairedCommunication", "unknown");
WORDS(risk, "none", "informational", "low", "medium", "high");
WORDS(onboarding, "insufficientInfo", "onboarded", "canBeOnboarded", "unsupported");
WORDS(av, "notReporting", "disabled", "notUpdated", "updated", "unknown", "notSupported");
WORDS(os_platforms, "Windows11", "Windows10", "WindowsServer2022", "macOS", "Linux", "iOS");
WORDS(os_versions, "24H2", "23H2", "14.5", "22.04", "Other");
WORDS(groups, "Workstations", "Servers", "Tier-0 | Domain Controllers", "Ungrouped");
WORDS(directions, "inbound", "outbound", "intraorg");
WORDS(deliveries, "Delivered", "Junked", "Blocked", "Replaced");
WORDS(locations, "Inbox/folder", "JunkFolder", "Quarantine", "External", "Failed");
WORDS(languages, "en", "de", "ja", "pt-br");
WORDS(threats, "Phish", "Malware", "Spam", "ZapPhish");
WORDS(methods, "URL malicious reputation", "Fingerprint matching", "General filter");
WORDS(countries, "DE", "US", "BR", "JP", "ZA");
WORDS(country_names, "Germany", "United States", "Brasil", "日本", "Côte d'Ivoire");
WORDS(cities, "Köln", "São Paulo", "東京", "Springfield");
WORDS(browsers, "Edge 126", "Chrome 126", "curl");
WORDS(protocols, "tcp", "udp", "|", "icmp");
WORDS(logon_protocols, "Kerberos", "NTLM", "SAML2.0", "OAuth2:Token");
WORDS(apps, "Microsoft Exchange Online", "Salesforce", "Dropbox", "Box = Files");
WORDS(streams, "alert", "activity");
WORDS(clouds, "azure", "amazonWebServices", "googleCloudPlatform");
WORDS(resource_types, "Microsoft.Compute/virtualMachines", "Microsoft.Storage/storageAccounts",
    "aws-s3-bucket", "gcp-compute-instance");
WORDS(location_types, "regional", "zonal", "global");
WORDS(regions, "europe-west3", "us-east1");
WORDS(algorithms, "md5", "sha1", "sha256", "sha256ac");
WORDS(hives, "HKEY_LOCAL_MACHINE", "HKEY_CURRENT_USER", "HKEY_USERS");
WORDS(value_types, "String", "DWord", "Binary", "ExpandString");
WORDS(mailbox_config, "mailForwardingRule", "owaSettings", "ewsSettings", "mailDelegation",
    "userInboxRule");
WORDS(k8s_platforms, "aks", "eks", "gke", "arc");
WORDS(k8s_names, "payments", "kube-system", "frontend-7d4b9", "default");
WORDS(k8s_services, "clusterIP", "externalName", "nodePort", "loadBalancer");
WORDS(k8s_types, "Deployment", "DaemonSet", "StatefulSet");
WORDS(secret_types, "Opaque", "kubernetes.io/tls");
WORDS(distributions, "Ubuntu", "Azure Linux");
WORDS(sp_types, "application", "managedIdentity", "legacy");
WORDS(agents, "copilotStudio", "azureAIFoundry", "|", "securityCopilot");
WORDS(teams_actions, "delivered", "deliveredAsSpam", "blocked", "replaced");
WORDS(teams_places, "teams", "quarantine", "failed");
WORDS(thread_types, "chat", "channel", "meeting");
WORDS(importance, "low", "normal", "high");
WORDS(device_types, "PLC", "IP camera", "Printer");
WORDS(models, "S7-1200", "AXIS P3245", "LaserJet");
WORDS(sas_services, "blob", "file", "queue");
WORDS(sas_permissions, "read", "list", "write");
WORDS(cluster_bys, "BodyFingerprintBin1;P2SenderDomain", "Subject;SenderIp");
WORDS(report_types, "Phish", "Junk", "NotJunk");
WORDS(registries, "contoso.azurecr.io", "ghcr.io", "docker.io");
WORDS(owner_types, "User", "Organization");
WORDS(args, "-c", "sleep 1000", "--privileged=true", "a=b|c");
WORDS(malware, "Trojan:Win32/Emotet!ml", "HackTool:Win64/Mimikatz", "Ransom:Linux/BlackCat");
WORDS(malware_kinds, "Trojan", "HackTool", "Ransomware");

/* An element of one of the kinds below, as a maker's argument. */
static make_fn make_nested, make_nested_list, make_object_list;

#define OBJECT(name, ...) static const struct field name[] = { __VA_ARGS__, { NULL, NULL, NULL } }

OBJECT(file_details, { "sha1", make_hex40, NULL }, { "sha256", make_hex64, NULL },
    { "md5", make_hex32, NULL }, { "sha256Ac", make_null, NULL },
    { "fileName", make_file_name, NULL }, { "filePath", make_dir, NULL },
    { "fileSize", make_int64, NULL }, { "filePublisher", make_publisher, NULL },
    { "signer", make_publisher, NULL }, { "issuer", make_null, NULL });
OBJECT(access_event, { "accessDateTime", make_stamp, NULL }, { "accountId", make_sid, NULL },
    { "ipAddress", make_ip, NULL }, { "resourceIdentifier", make_digits, NULL });
OBJECT(user_account, { "accountName", make_user, NULL }, { "domainName", make_netbios, NULL },
    { "userSid", make_sid, NULL }, { "azureAdUserId", make_guid, NULL },
    { "userPrincipalName", make_upn, NULL }, { "displayName", make_display_name, NULL },
    { "activeDirectoryObjectGuid", make_guid, NULL }, { "tenantId", make_guid, NULL },
    { "resourceAccessEvents", make_object_list, access_event });
OBJECT(email_sender, { "emailAddress", make_foreign_mail, NULL },
    { "displayName", make_text, NULL }, { "domainName", make_foreign_domain, NULL });
OBJECT(logged_on, { "accountName", make_user, NULL }, { "domainName", make_netbios, NULL });
OBJECT(vm_metadata, { "vmId", make_guid, NULL }, { "cloudProvider", make_word, clouds },
    { "resourceId", make_resource_id, NULL }, { "subscriptionId", make_guid, NULL });
OBJECT(geo, { "city", make_word, cities }, { "countryName", make_word, country_names },
    { "latitude", make_latitude, NULL }, { "longitude", make_latitude, NULL },
    { "state", make_null, NULL });
OBJECT(stream, { "name", make_word, streams });
OBJECT(file_hash, { "algorithm", make_word, algorithms }, { "value", make_hex64, NULL });
OBJECT(service_port, { "appProtocol", make_null, NULL }, { "name", make_word, k8s_names },
    { "nodePort", make_port, NULL }, { "port", make_port, NULL },
    { "protocol", make_word, protocols }, { "targetPort", make_digits, NULL });

#define STAMP   make_stamp, NULL
#define NEST(t) make_nested, t
#define LIST(t) make_nested_list, t
#define IP      NEST("ipEvidence")

OBJECT(ad_domain, { "activeDirectoryDomainName", make_domain, NULL },
    { "trustedDomains", LIST("activeDirectoryDomainEvidence") });
OBJECT(ai_agent, { "agentId", make_guid, NULL }, { "agentName", make_display_name, NULL },
    { "hostingPlatformType", make_word, agents }, { "instructions", make_text, NULL });
OBJECT(amazon, { "amazonAccountId", make_digits, NULL }, { "amazonResourceId", make_digits, NULL },
    { "resourceName", make_host, NULL }, { "resourceType", make_word, resource_types });
OBJECT(message, { "networkMessageId", make_guid, NULL },
    { "internetMessageId", make_foreign_mail, NULL }, { "subject", make_subject, NULL },
    { "language", make_word, languages }, { "senderIp", make_ip, NULL },
    { "recipientEmailAddress", make_upn, NULL }, { "antiSpamDirection", make_word, directions },
    { "deliveryAction", make_word, deliveries }, { "deliveryLocation", make_word, locations },
    { "urn", make_digits, NULL }, { "threats", make_words, threats },
    { "threatDetectionMethods", make_words, methods }, { "urls", make_urls, NULL },
    { "urlCount", make_small, NULL }, { "attachmentsCount", make_small, NULL },
    { "receivedDateTime", STAMP }, { "p1Sender", make_object, email_sender },
    { "p2Sender", make_object, email_sender });
OBJECT(azure, { "resourceId", make_resource_id, NULL }, { "resourceName", make_host, NULL },
    { "resourceType", make_word, resource_types });
OBJECT(blob_container, { "name", make_word, k8s_names }, { "url", make_url, NULL },
    { "storageResource", NEST("azureResourceEvidence") });
OBJECT(blob, { "name", make_file_name, NULL }, { "url", make_url, NULL },
    { "etag", make_digits, NULL }, { "blobContainer", NEST("blobContainerEvidence") },
    { "fileHashes", make_object_list, file_hash });
OBJECT(cloud_app, { "appId", make_int64, NULL }, { "displayName", make_word, apps },
    { "instanceId", make_small, NULL }, { "instanceName", make_word, apps },
    { "saasAppId", make_int32, NULL }, { "stream", make_object, stream });
OBJECT(cloud_request, { "requestId", make_guid, NULL });
OBJECT(cloud_session, { "sessionId", make_guid, NULL }, { "account", NEST("userEvidence") },
    { "browser", make_word, browsers }, { "deviceName", make_host, NULL },
    { "operatingSystem", make_word, os_platforms }, { "previousLogonDateTime", STAMP },
    { "protocol", make_word, logon_protocols }, { "startUtcDateTime", STAMP },
    { "userAgent", make_user_agent, NULL });
OBJECT(container, { "containerId", make_hex64, NULL }, { "name", make_word, k8s_names },
    { "args", make_words, args }, { "command", make_words, args },
    { "image", NEST("containerImageEvidence") }, { "isPrivileged", make_true_false, NULL },
    { "pod", NEST("kubernetesPodEvidence") });
OBJECT(image, { "imageId", make_hex64, NULL }, { "digestImage", NEST("containerImageEvidence") },
    { "registry", NEST("containerRegistryEvidence") });
OBJECT(registry, { "registry", make_word, registries });
OBJECT(device, { "firstSeenDateTime", STAMP }, { "mdeDeviceId", make_hex40, NULL },
    { "azureAdDeviceId", make_guid, NULL }, { "deviceDnsName", make_dns_name, NULL },
    { "hostName", make_host, NULL }, { "ntDomain", make_netbios, NULL },
    { "dnsDomain", make_domain, NULL }, { "osPlatform", make_word, os_platforms },
    { "osBuild", make_int32, NULL }, { "version", make_word, os_versions },
    { "healthStatus", make_word, health }, { "riskScore", make_word, risk },
    { "rbacGroupId", make_small, NULL }, { "rbacGroupName", make_word, groups },
    { "onboardingStatus", make_word, onboarding }, { "defenderAvStatus", make_word, av },
    { "lastIpAddress", make_private_ip, NULL }, { "lastExternalIpAddress", make_ip, NULL },
    { "ipInterfaces", make_ips, NULL }, { "loggedOnUsers", make_object_list, logged_on },
    { "resourceAccessEvents", make_object_list, access_event },
    { "vmMetadata", make_object, vm_metadata });
OBJECT(dns, { "domainName", make_foreign_domain, NULL }, { "dnsServerIp", IP },
    { "hostIpAddress", IP }, { "ipAddresses", LIST("ipEvidence") });
OBJECT(file, { "detectionStatus", make_word, detection }, { "mdeDeviceId", make_hex40, NULL },
    { "fileDetails", make_object, file_details });
OBJECT(hash, { "algorithm", make_word, algorithms }, { "value", make_hex64, NULL });
OBJECT(gh_org, { "company", make_publisher, NULL }, { "displayName", make_publisher, NULL },
    { "email", make_foreign_mail, NULL }, { "login", make_user, NULL },
    { "orgId", make_digits, NULL }, { "webUrl", make_url, NULL });
OBJECT(gh_repo, { "baseUrl", make_url, NULL }, { "login", make_user, NULL },
    { "owner", make_user, NULL }, { "ownerType", make_word, owner_types },
    { "repoId", make_digits, NULL });
OBJECT(gh_user, { "email", make_upn, NULL }, { "login", make_user, NULL },
    { "name", make_display_name, NULL }, { "userId", make_digits, NULL },
    { "webUrl", make_url, NULL });
OBJECT(google, { "fullResourceName", make_resource_id, NULL }, { "location", make_word, regions },
    { "locationType", make_word, location_types }, { "projectId", make_host, NULL },
    { "projectNumber", make_int64, NULL }, { "resourceName", make_host, NULL },
    { "resourceType", make_word, resource_types });
OBJECT(host_session, { "sessionId", make_digits, NULL }, { "account", NEST("userEvidence") },
    { "host", NEST("deviceEvidence") }, { "startUtcDateTime", STAMP }, { "endUtcDateTime", STAMP });
OBJECT(iot, { "deviceId", make_guid, NULL }, { "deviceName", make_host, NULL },
    { "devicePageLink", make_url, NULL }, { "deviceType", make_word, device_types },
    { "deviceSubType", make_null, NULL }, { "importance", make_word, importance },
    { "ioTHub", NEST("azureResourceEvidence") }, { "ioTSecurityAgentId", make_guid, NULL },
    { "ipAddress", IP }, { "isAuthorized", make_true_false, NULL },
    { "isProgramming", make_true_false, NULL }, { "isScanner", make_true_false, NULL },
    { "macAddress", make_mac, NULL }, { "manufacturer", make_publisher, NULL },
    { "model", make_word, models }, { "nics", LIST("nicEvidence") },
    { "operatingSystem", make_word, os_platforms }, { "owners", make_words, groups },
    { "protocols", make_words, protocols }, { "purdueLayer", make_digits, NULL },
    { "sensor", make_host, NULL }, { "serialNumber", make_digits, NULL },
    { "site", make_word, cities }, { "source", make_word, streams },
    { "sourceRef", NEST("urlEvidence") }, { "zone", make_word, groups });
OBJECT(ip, { "ipAddress", make_ip, NULL }, { "countryLetterCode", make_word, countries },
    { "location", make_object, geo }, { "stream", make_object, stream });
OBJECT(k8s_cluster, { "cloudResource", NEST("azureResourceEvidence") },
    { "distribution", make_word, distributions }, { "name", make_word, k8s_names },
    { "platform", make_word, k8s_platforms }, { "version", make_word, os_versions });
OBJECT(k8s_controller, { "labels", make_labels, NULL }, { "name", make_word, k8s_names },
    { "namespace", NEST("kubernetesNamespaceEvidence") }, { "type", make_word, k8s_types });
OBJECT(k8s_namespace, { "cluster", NEST("kubernetesClusterEvidence") },
    { "labels", make_labels, NULL }, { "name", make_word, k8s_names });
OBJECT(k8s_pod, { "name", make_word, k8s_names }, { "containers", LIST("containerEvidence") },
    { "controller", NEST("kubernetesControllerEvidence") },
    { "ephemeralContainers", make_empty_list, NULL },
    { "initContainers", LIST("containerEvidence") }, { "labels", make_labels, NULL },
    { "namespace", NEST("kubernetesNamespaceEvidence") }, { "podIp", IP },
    { "serviceAccount", NEST("kubernetesServiceAccountEvidence") });
OBJECT(k8s_secret, { "name", make_word, k8s_names },
    { "namespace", NEST("kubernetesNamespaceEvidence") },
    { "secretType", make_word, secret_types });
OBJECT(k8s_account, { "name", make_word, k8s_names },
    { "namespace", NEST("kubernetesNamespaceEvidence") });
OBJECT(k8s_service, { "clusterIP", IP }, { "externalIPs", LIST("ipEvidence") },
    { "labels", make_labels, NULL }, { "name", make_word, k8s_names },
    { "namespace", NEST("kubernetesNamespaceEvidence") }, { "selector", make_labels, NULL },
    { "servicePorts", make_object_list, service_port }, { "serviceType", make_word, k8s_services });
OBJECT(mail_cluster, { "clusterBy", make_word, cluster_bys },
    { "clusterByValue", make_digits, NULL }, { "emailCount", make_small, NULL },
    { "networkMessageIds", make_words, tags }, { "query", make_text, NULL },
    { "urn", make_digits, NULL });
OBJECT(mailbox_configuration, { "configurationId", make_guid, NULL },
    { "configurationType", make_word, mailbox_config }, { "displayName", make_display_name, NULL },
    { "externalDirectoryObjectId", make_guid, NULL }, { "mailboxPrimaryAddress", make_upn, NULL },
    { "upn", make_upn, NULL });
OBJECT(mailbox, { "displayName", make_display_name, NULL }, { "primaryAddress", make_upn, NULL },
    { "upn", make_upn, NULL }, { "userAccount", make_object, user_account });
OBJECT(malware_fields, { "name", make_word, malware }, { "category", make_word, malware_kinds },
    { "files", LIST("fileEvidence") }, { "processes", LIST("processEvidence") });
OBJECT(connection, { "sourceAddress", IP }, { "sourcePort", make_port, NULL },
    { "destinationAddress", IP }, { "destinationPort", make_port, NULL },
    { "protocol", make_word, protocols });
OBJECT(nic, { "ipAddress", IP }, { "macAddress", make_mac, NULL }, { "vlans", make_words, groups });
OBJECT(oauth_app, { "appId", make_guid, NULL }, { "displayName", make_word, apps },
    { "objectId", make_guid, NULL }, { "publisher", make_publisher, NULL });
OBJECT(process, { "processId", make_int32, NULL }, { "parentProcessId", make_int32, NULL },
    { "processCommandLine", make_command_line, NULL }, { "processCreationDateTime", STAMP },
    { "parentProcessCreationDateTime", STAMP }, { "detectionStatus", make_word, detection },
    { "mdeDeviceId", make_hex40, NULL }, { "imageFile", make_object, file_details },
    { "parentProcessImageFile", make_object, file_details },
    { "userAccount", make_object, user_account });
OBJECT(
    registry_key, { "registryKey", make_registry_key, NULL }, { "registryHive", make_word, hives });
OBJECT(registry_value, { "mdeDeviceId", make_hex40, NULL },
    { "registryKey", make_registry_key, NULL }, { "registryHive", make_word, hives },
    { "registryValue", make_command_line, NULL }, { "registryValueName", make_file_name, NULL },
    { "registryValueType", make_word, value_types });
OBJECT(sas, { "allowedIpAddresses", make_ip, NULL },
    { "allowedResourceTypes", make_words, streams },
    { "allowedServices", make_words, sas_services }, { "expiryDateTime", STAMP },
    { "permissions", make_words, sas_permissions }, { "protocol", make_word, protocols },
    { "signatureHash", make_base64, NULL }, { "signedWith", make_digits, NULL },
    { "startDateTime", STAMP }, { "storageResource", NEST("azureResourceEvidence") });
OBJECT(group, { "securityGroupId", make_guid, NULL }, { "displayName", make_word, groups },
    { "activeDirectoryObjectGuid", make_guid, NULL }, { "distinguishedName", make_text, NULL },
    { "friendlyName", make_word, groups }, { "sid", make_sid, NULL });
OBJECT(service_principal, { "appId", make_guid, NULL }, { "appOwnerTenantId", make_guid, NULL },
    { "servicePrincipalName", make_word, apps }, { "servicePrincipalObjectId", make_guid, NULL },
    { "servicePrincipalType", make_word, sp_types }, { "tenantId", make_guid, NULL });
OBJECT(submission, { "networkMessageId", make_guid, NULL }, { "recipient", make_upn, NULL },
    { "reportType", make_word, report_types }, { "sender", make_foreign_mail, NULL },
    { "senderIp", make_ip, NULL }, { "subject", make_subject, NULL },
    { "submissionDateTime", STAMP }, { "submissionId", make_guid, NULL },
    { "submitter", make_upn, NULL });
OBJECT(teams, { "campaignId", make_guid, NULL }, { "channelId", make_digits, NULL },
    { "deliveryAction", make_word, teams_actions }, { "deliveryLocation", make_word, teams_places },
    { "files", LIST("fileEvidence") }, { "groupId", make_guid, NULL },
    { "isExternal", make_true_false, NULL }, { "isOwned", make_true_false, NULL },
    { "lastModifiedDateTime", STAMP }, { "messageDirection", make_word, directions },
    { "messageId", make_digits, NULL }, { "owningTenantId", make_guid, NULL },
    { "parentMessageId", make_null, NULL }, { "receivedDateTime", STAMP },
    { "recipients", make_words, groups }, { "senderFromAddress", make_foreign_mail, NULL },
    { "senderIP", make_ip, NULL }, { "sourceAppName", make_word, apps },
    { "sourceId", make_digits, NULL }, { "subject", make_subject, NULL },
    { "suspiciousRecipients", make_empty_list, NULL }, { "threadId", make_digits, NULL },
    { "threadType", make_word, thread_types }, { "urls", LIST("urlEvidence") });
OBJECT(url, { "url", make_url, NULL });
OBJECT(user, { "stream", make_object, stream }, { "userAccount", make_object, user_account });
OBJECT(unknown, { "novelty", make_text, NULL }, { "parts", make_labels, NULL },
    { "host", NEST("deviceEvidence") });
OBJECT(untyped, { "ipAddress", make_ip, NULL }, { "url", make_url, NULL });

const struct evidence_kind evidence_kinds[] = {
	{ "activeDirectoryDomainEvidence", ad_domain },
	{ "aiAgentEvidence", ai_agent },
	{ "amazonResourceEvidence", amazon },
	{ "analyzedMessageEvidence", message },
	{ "azureResourceEvidence", azure },
	{ "blobContainerEvidence", blob_container },
	{ "blobEvidence", blob },
	{ "cloudApplicationEvidence", cloud_app },
	{ "cloudLogonRequestEvidence", cloud_request },
	{ "cloudLogonSessionEvidence", cloud_session },
	{ "containerEvidence", container },
	{ "containerImageEvidence", image },
	{ "containerRegistryEvidence", registry },
	{ "deviceEvidence", device },
	{ "dnsEvidence", dns },
	{ "fileEvidence", file },
	{ "fileHashEvidence", hash },
	{ "gitHubOrganizationEvidence", gh_org },
	{ "gitHubRepoEvidence", gh_repo },
	{ "gitHubUserEvidence", gh_user },
	{ "googleCloudResourceEvidence", google },
	{ "hostLogonSessionEvidence", host_session },
	{ "ioTDeviceEvidence", iot },
	{ "ipEvidence", ip },
	{ "kubernetesClusterEvidence", k8s_cluster },
	{ "kubernetesControllerEvidence", k8s_controller },
	{ "kubernetesNamespaceEvidence", k8s_namespace },
	{ "kubernetesPodEvidence", k8s_pod },
	{ "kubernetesSecretEvidence", k8s_secret },
	{ "kubernetesServiceAccountEvidence", k8s_account },
	{ "kubernetesServiceEvidence", k8s_service },
	{ "mailClusterEvidence", mail_cluster },
	{ "mailboxConfigurationEvidence", mailbox_configuration },
	{ "mailboxEvidence", mailbox },
	{ "malwareEvidence", malware_fields },
	{ "networkConnectionEvidence", connection },
	{ "nicEvidence", nic },
	{ "oauthApplicationEvidence", oauth_app },
	{ "processEvidence", process },
	{ "registryKeyEvidence", registry_key },
	{ "registryValueEvidence", registry_value },
	{ "sasTokenEvidence", sas },
	{ "securityGroupEvidence", group },
	{ "servicePrincipalEvidence", service_principal },
	{ "submissionMailEvidence", submission },
	{ "teamsMessageEvidence", teams },
	{ "urlEvidence", url },
	{ "userEvidence", user },
	{ "somethingNewEvidence", unknown },
	{ NULL, untyped },
};
const size_t nevidence_kinds = sizeof(evidence_kinds) / sizeof(evidence_kinds[0]);

const struct evidence_kind *
evidence_kind(const char *type)
{
	for (size_t i = 0; type != NULL && i < nevidence_kinds - 1; i++) {
		if (strcmp(evidence_kinds[i].type, type) == 0)
			return &evidence_kinds[i];
	}
	return &evidence_kinds[nevidence_kinds - 1];
}

OBJECT(base, { "roles", make_words, roles }, { "detailedRoles", make_words, detailed_roles },
    { "tags", make_words, tags });

void
make_evidence(struct maker *m, const void *arg)
{
	const struct evidence_kind *kind = arg;
	uint32_t verdict;

	buf_byte(m->b, '{');
	if (kind->type != NULL) {
		j_key(m->b, "@odata.type");
		buf_printf(m->b, "\"#microsoft.graph.security.%s\"", kind->type);
	}
	j_key(m->b, "createdDateTime");
	make_stamp(m, NULL);
	/* A revised verdict is another one, and nothing else moves. */
	verdict = rng_below(&m->rng, NVERDICTS) + m->verdicts;
	j_strs(m->b, "verdict", verdicts[verdict % NVERDICTS]);
	j_key(m->b, "remediationStatus");
	make_word(m, remediation);
	j_raw(m->b, "remediationStatusDetails", "null");
	make_fields(m, base);
	m->depth++;
	make_fields(m, kind->fields);
	m->depth--;
	buf_byte(m->b, '}');
}

static void
make_nested(struct maker *m, const void *arg)
{
	if (m->depth >= MAX_DEPTH)
		make_null(m, NULL);
	else
		make_evidence(m, evidence_kind(arg));
}

static void
make_nested_list(struct maker *m, const void *arg)
{
	unsigned n = m->depth < 2 ? rng_below(&m->rng, 3) : 0;

	buf_byte(m->b, '[');
	for (unsigned i = 0; i < n; i++) {
		j_comma(m->b);
		make_nested(m, arg);
	}
	buf_byte(m->b, ']');
}

static void
make_object_list(struct maker *m, const void *arg)
{
	unsigned n = rng_below(&m->rng, 4) == 0 ? 1 + rng_below(&m->rng, 2) : 0;

	buf_byte(m->b, '[');
	for (unsigned i = 0; i < n; i++) {
		j_comma(m->b);
		make_object(m, arg);
	}
	buf_byte(m->b, ']');
}
