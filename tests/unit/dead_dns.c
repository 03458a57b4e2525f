/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/dead_dns.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

static const char resolv_conf[] = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n";

/* Root needs no user namespace, and others get one only where the kernel allows it. */
static bool
leave(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) == 0)
		return true;
	return unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) == 0;
}

static bool
replace_resolv_conf(void)
{
	char path[] = "/tmp/dead_dns.XXXXXX";
	int fd = mkstemp(path);
	bool ok;

	if (fd < 0)
		return false;
	ok = write(fd, resolv_conf, sizeof(resolv_conf) - 1) == sizeof(resolv_conf) - 1;
	(void)close(fd);
	ok = ok && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
	ok = ok && mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) == 0;
	(void)unlink(path);
	return ok;
}

/* The sockets stay open: a closed port would be answered at once by the kernel. */
static bool
start_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_port = htons(53),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int udp = socket(AF_INET, SOCK_DGRAM, 0);

	return udp >= 0 && ioctl(udp, SIOCSIFFLAGS, &lo) == 0 &&
	       bind(udp, (struct sockaddr *)&sin, sizeof(sin)) == 0;
}

bool
dead_dns_enter(void)
{
	return leave() && replace_resolv_conf() && start_network();
}
