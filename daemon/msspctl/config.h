/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MSSPCTL_CONFIG_H
#define MSSPCTL_CONFIG_H

#include "daemon/msspctl/args.h"
#include "daemon/settings.h"

/*
 * config: the configuration for verbs that work without a daemon, and the tenants that
 * their names mean. Secrets' files are not looked at. What is wrong is said on standard
 * error.
 */

/* control_socket as FILE has it, or what stands for it where it does not say one; the caller's. NULL
 * with *status (78): it cannot be used. */
char *config_socket(const char *file, bool *is_said, int *status);

struct chosen {
	struct settings *settings;
	const struct tenant **tenants; /* of settings, in the order asked for, each once */
	size_t n;
};

/*
 * A name is a tenant's, or else a customer's and means all of its tenants; no names mean
 * all there are. False with *status (78, also where there is none; 64): nothing is chosen.
 */
bool choose(struct chosen *c, const struct args *a, int *status);
void chosen_release(struct chosen *c);

#endif
