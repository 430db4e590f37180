/* follow.h - an account that is watched, as connect and watch tell of it. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "environment.h"

struct follow {
    const char *connection, *identifier;
    scalekit_watch *watch; /* of connect, until its final event; NULL */
    bool ended;            /* that has come */
    int status;            /* the exit status, after it */
};

/* Tells of an event and keeps what it means.  These lines are written from inside callbacks, for
 * they are to be seen at once.  False: nobody reads them any more. */
bool follow_event(struct follow *follow, const struct scalekit_watch_event *event,
                  const struct options *options);

#endif
