/* listening.h - scalekit webhook listen: what it does (listen.c), and what it prints
 * (listen_tell.c), a line for each thing, from inside callbacks, as it is to be seen at once. */
#ifndef CLI_LISTENING_H
#define CLI_LISTENING_H

#include "environment.h"
#include "forward.h"

/* What there was. */
struct listening_counts {
    uint64_t events, duplicates, refused;
    uint64_t forwarded, not_forwarded;
};

/* Receives deliveries until a signal, the deadline, or enough of them.  Returns the exit status. */
int webhook_listen(struct environment *environment);

/* Each of these has an object per line with --json.  What is refused shows nothing of itself: nobody
 * knows who has sent it. */
void tell_listening(const struct options *options, const char *url);
void tell_delivery(const struct options *options, const struct scalekit_webhook_event *event,
                   bool duplicate);
void tell_refused(const struct options *options, const char *why);
void tell_forwarded(const struct options *options, const struct forward_result *result);
void tell_not_forwarded(const struct options *options, const char *delivery_id,
                        const char *problem);
void tell_summary(const struct options *options, const struct listening_counts *counts);

#endif
