/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CREDENTIAL_WATCH_H
#define CREDENTIAL_WATCH_H

#include "daemon/expiries.h"
#include "daemon/settings.h"

/*
 * credential_watch: says to expiries when what the apps sign in with ends: secrets by
 * the dates in the configuration, certificates by their own, as kind "app".
 *
 * It knows nothing of whether a credential works. A federated token is renewed by
 * others and has no end here, nor has a secret without a date. Certificates are
 * looked at again each hour, and within half a minute after a file was replaced: a stat()
 * each, and a small read of all.
 */
struct credential_watch;

struct credential_watch *credential_watch_new(const struct engine_env *env, struct expiries *x);
void credential_watch_free(struct credential_watch *w);
/* A reference to s is kept. */
void credential_watch_configure(struct credential_watch *w, const struct settings *s);

#endif
