/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_WATCH_H
#define CONFIG_WATCH_H

struct event_base;

/*
 * config_watch: says that the configuration's files have changed (inotify(7)), once they
 * have been left alone for a second: an editor writes a file more than once, and several
 * files often change together.
 *
 * It looks at the file and at *.yaml of conf.d beside it, which may come and go. It reads
 * none of them and cannot fail: where the kernel has no more watches it says so in the log.
 */
struct config_watch;

struct config_watch *config_watch_start(
    struct event_base *base, const char *file, void (*changed)(void *arg), void *arg);
void config_watch_stop(struct config_watch *w); /* NULL is fine */

#endif
