#ifndef NOTIFY_H
#define NOTIFY_H

/*
 * notify: tells the service manager how we are (sd_notify(3)). Does nothing
 * where there is none, or where msspd was built without libsystemd.
 */
void notify_ready(const char *status);
void notify_reloading(void);
void notify_stopping(void);

#endif
