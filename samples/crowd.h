/* crowd.h - the users of a fleet: an emulator in which accounts change at random moments.
 *
 * It has a process of its own.  An account that turns ACTIVE takes a quarter of a kilobyte more, and
 * an answer takes more CPU than reading it: in the process of the watches, that would look like their
 * cost.  Both processes have the same plan; the moments at which accounts really changed are in
 * memory that they share.
 *
 * It may post what happens.  Its users are then verified, too, so that there are two events of each
 * that can be lost, or come in the wrong order: consent, and decision. */
#ifndef SAMPLES_CROWD_H
#define SAMPLES_CROWD_H

#include "common.h"
#include <sys/types.h>

#define CROWD_TEXT_SIZE 64 /* of a webhook's URL, and of its secret */

struct crowd_config {
    int64_t users, connections, seed;
    int64_t duration_ms; /* at its end, all have decided; up to a day */
    bool verifies;       /* who decides has consented some time before */
};

/* In milliseconds since crowd_begin(). */
struct crowd_plan {
    uint32_t comes_ms;    /* when the watch starts: in the first tenth */
    uint32_t consents_ms; /* when it is PENDING_VERIFICATION; with `verifies` only */
    uint32_t decides_ms;  /* when it is what it will be: any time from then to the end */
    enum scalekit_account_status outcome;
};

/* Closing takes what is all zero, too. */
struct crowd {
    struct crowd_config config;
    struct crowd_plan *plans;
    struct crowd_shared *shared;
    size_t shared_size;
    pid_t process;
    int wire;                             /* to the process; it ends when this is closed */
    struct scalekit_emulator_stats stats; /* in the end, once it is closed */
};

/* Returns when the emulator listens, and has the accounts.  Call it before there is a thread, or an
 * event loop. */
bool crowd_open(struct crowd *crowd, const struct crowd_config *config, char problem[PROBLEM_SIZE]);

/* Ends the process and waits for it.  False when it did not end well. */
bool crowd_close(struct crowd *crowd);

/* The settings of a client for it; borrowed. */
void crowd_settings(const struct crowd *crowd, struct scalekit_config *config);

/* The time of the plans begins; by crowd_now_ms().  `webhook`: where events are posted, with URL and
 * secret; NULL: nowhere. */
bool crowd_begin(struct crowd *crowd, int64_t now_ms,
                 const struct scalekit_emulator_webhook *webhook);

/* When a user's account became what it is in the end, or 0: not yet. */
int64_t crowd_changed_ms(const struct crowd *crowd, size_t user);

#define CROWD_NAME_SIZE 32
void crowd_name(const struct crowd *crowd, size_t user, char connection[CROWD_NAME_SIZE],
                char identifier[CROWD_NAME_SIZE]);

/* Milliseconds that never go back, the same in both processes. */
int64_t crowd_now_ms(void);

#endif
