/* SPDX-License-Identifier: Apache-2.0 */
#ifndef REPLAY_CTL_H
#define REPLAY_CTL_H

#include "daemon/msspctl/args.h"

/* replay: the verbs replay, resend, replays and replay-cancel. They return the exit code. */
int do_replay(const struct args *a);
int do_resend(const struct args *a);
int do_replays(const struct args *a);
int do_replay_cancel(const struct args *a);

#endif
