/* Sockets of machines in their run folders (sockets.c). */
#ifndef MONITOR_SOCKETS_H
#define MONITOR_SOCKETS_H

#include "base/base.h"

/* A listening stream socket run/NAME/FILE of this user only; -1: *error. */
int socket_listen(const char *name, const char *file, struct error *error);
/* A connection to it; -1: *error, which says when the machine does not run. */
int socket_connect(const char *name, const char *file, struct error *error);

#endif
