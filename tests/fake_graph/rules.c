/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fake_graph/rules.h"

static const struct product products[] = {
	{ "microsoftDefenderForEndpoint", "microsoftDefenderForEndpoint",
	    "Microsoft Defender for Endpoint", false },
	{ "microsoftDefenderForEndpoint", "antivirus", "Microsoft Defender for Endpoint", false },
	{ "microsoftDefenderForOffice365", "microsoftDefenderForOffice365",
	    "Microsoft Defender for Office 365", false },
	{ "microsoftDefenderForIdentity", "microsoftDefenderForIdentity",
	    "Microsoft Defender for Identity", false },
	{ "azureAdIdentityProtection", "azureAdIdentityProtection", "Microsoft Entra ID Protection",
	    false },
	{ "microsoftDefenderForCloudApps", "cloudAppSecurity", "Microsoft Defender for Cloud Apps",
	    false },
	{ "microsoft365Defender", "customDetection", "Microsoft Defender XDR", false },
	{ "microsoftDefenderForCloud", "microsoftDefenderForContainers",
	    "Microsoft Defender for Cloud", true },
	{ "microsoftSentinel", "scheduledAlerts", "Microsoft Sentinel", true },
	{ "dataLossPrevention", "microsoftDataLossPrevention", "Microsoft Data Loss Prevention",
	    false },
};
#define MDE      (&products[0])
#define AV       (&products[1])
#define MDO      (&products[2])
#define MDI      (&products[3])
#define AAD      (&products[4])
#define MCAS     (&products[5])
#define XDR      (&products[6])
#define MDC      (&products[7])
#define SENTINEL (&products[8])
#define DLP      (&products[9])

#define DEVICE  "deviceEvidence"
#define PROCESS "processEvidence"
#define USER    "userEvidence"
#define FILE_   "fileEvidence"
#define IP      "ipEvidence"
#define MAIL    "analyzedMessageEvidence"
#define MAILBOX "mailboxEvidence"
#define URL     "urlEvidence"
#define APP     "cloudApplicationEvidence"
#define OAUTH   "oauthApplicationEvidence"
#define REGVAL  "registryValueEvidence"
#define POD     "kubernetesPodEvidence"
#define AZURE   "azureResourceEvidence"

const struct rule rules[] = {
	{ "Suspicious PowerShell command line", "Execution", "T1059.001", MDE, SEV_MEDIUM,
	    { DEVICE, PROCESS, USER, FILE_ } },
	{ "Possible credential dumping from LSASS", "CredentialAccess", "T1003.001", MDE, SEV_HIGH,
	    { DEVICE, PROCESS, USER, FILE_ } },
	{ "Ransomware activity on one endpoint", "Ransomware", "T1486", MDE, SEV_HIGH,
	    { DEVICE, PROCESS, FILE_, FILE_ } },
	{ "'Emotet' malware was prevented", "Malware", "T1204.002", AV, SEV_INFORMATIONAL,
	    { DEVICE, FILE_, USER, "malwareEvidence" } },
	{ "An active 'HackTool' was detected", "Malware", "T1588.002", AV, SEV_LOW,
	    { DEVICE, FILE_, PROCESS, USER } },
	{ "Anomalous registry modification for persistence", "Persistence", "T1547.001", MDE,
	    SEV_MEDIUM, { DEVICE, REGVAL, PROCESS, USER } },
	{ "Connection to a command and control server", "CommandAndControl", "T1071.001", MDE,
	    SEV_HIGH, { DEVICE, IP, URL, PROCESS } },
	{ "Email messages containing malicious URL removed after delivery", "InitialAccess",
	    "T1566.002", MDO, SEV_INFORMATIONAL, { MAIL, MAILBOX, URL, USER } },
	{ "User clicked a potentially malicious URL", "InitialAccess", "T1566.002", MDO, SEV_HIGH,
	    { USER, URL, MAIL, MAILBOX } },
	{ "Email reported by user as malware or phish", "InitialAccess", "T1566", MDO, SEV_LOW,
	    { MAIL, "submissionMailEvidence", MAILBOX, "mailClusterEvidence" } },
	{ "Suspicious inbox forwarding rule", "Exfiltration", "T1114.003", MCAS, SEV_MEDIUM,
	    { USER, "mailboxConfigurationEvidence", IP, APP } },
	{ "Suspected DCSync attack (replication of directory services)", "CredentialAccess",
	    "T1003.006", MDI, SEV_HIGH, { USER, DEVICE, IP, "activeDirectoryDomainEvidence" } },
	{ "Suspected brute-force attack (Kerberos, NTLM)", "CredentialAccess", "T1110", MDI,
	    SEV_MEDIUM, { USER, DEVICE, "hostLogonSessionEvidence", IP } },
	{ "Unfamiliar sign-in properties", "InitialAccess", "T1078", AAD, SEV_LOW,
	    { USER, IP, "cloudLogonRequestEvidence", "cloudLogonSessionEvidence" } },
	{ "Atypical travel", "InitialAccess", "T1078.004", AAD, SEV_MEDIUM,
	    { USER, IP, IP, "cloudLogonSessionEvidence" } },
	{ "Impossible travel activity", "InitialAccess", "T1078", MCAS, SEV_MEDIUM,
	    { USER, IP, APP, IP } },
	{ "Suspicious OAuth app file download activities", "Exfiltration", "T1567.002", MCAS,
	    SEV_HIGH, { OAUTH, USER, IP, "servicePrincipalEvidence" } },
	{ "Multi-stage incident: lateral movement from one endpoint", "LateralMovement",
	    "T1021.002", XDR, SEV_HIGH, { DEVICE, DEVICE, USER, PROCESS } },
	{ "Custom detection: new local administrator", "PrivilegeEscalation", "T1136.001", XDR,
	    SEV_LOW, { DEVICE, USER, PROCESS, "securityGroupEvidence" } },
	{ "Privileged container started in cluster", "PrivilegeEscalation", "T1610", MDC,
	    SEV_MEDIUM, { POD, "containerEvidence", "kubernetesClusterEvidence", AZURE } },
	{ "Access from a suspicious IP address to a storage blob container", "Collection", "T1530",
	    MDC, SEV_LOW, { AZURE, IP, "blobContainerEvidence", "sasTokenEvidence" } },
	{ "Analytics rule: rare process as SYSTEM", "DefenseEvasion", "T1036", SENTINEL, SEV_MEDIUM,
	    { DEVICE, PROCESS, USER, IP } },
	{ "DLP policy (Personal data – EU) matched for document", "Exfiltration", "T1052", DLP,
	    SEV_LOW, { USER, FILE_, APP, DEVICE } },
	{ "Süspicious Zugriff | 不審なサインイン", "SuspiciousActivity", "T1078", AAD, SEV_LOW,
	    { USER, IP, DEVICE, APP } },
};
const size_t nrules = sizeof(rules) / sizeof(rules[0]);
