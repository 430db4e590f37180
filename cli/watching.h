/* watching.h - what the two forms of scalekit watch share: accounts (watch.c), and the whole of a
 * connection (watch_connection.c). */
#ifndef CLI_WATCHING_H
#define CLI_WATCHING_H

#include "environment.h"

/* Watches the connection of --connection until a signal or the deadline.  Returns the exit status. */
int watch_connection(struct environment *environment);

/* With --stats: a line of the engine's figures now and then.  False: memory ran out. */
bool watch_stats(struct environment *environment);

#endif
