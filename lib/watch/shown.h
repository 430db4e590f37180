/* shown.h - when events last told of an account, so that they can be held to what looks show.
 *
 * A table that grows up to a limit.  What it has to forget then it forgets knowingly: of the time up
 * to the newest thing forgotten it says nothing at all. */
#ifndef SKI_WATCH_SHOWN_H
#define SKI_WATCH_SHOWN_H

#include "base/mem.h"
#include <scalekit/types.h>

struct ski_shown_slot;

#define SKI_SHOWN_ACCOUNTS 4096 /* at first, in 96 KiB */

struct ski_shown {
    const struct ski_mem *mem;
    struct ski_shown_slot *slots; /* NULL: not begun */
    size_t rows, most_rows;
    scalekit_time since; /* what happened up to then is not known */
};

/* `most`: accounts at most, SKI_SHOWN_ACCOUNTS or that doubled some times. */
void ski_shown_init(struct ski_shown *shown, const struct ski_mem *mem, size_t most);
void ski_shown_free(struct ski_shown *shown); /* not begun again */

/* Begins anew, with what happens after `since`.  false: out of memory. */
bool ski_shown_begin(struct ski_shown *shown, scalekit_time since);

/* An event of an account, named by its id's hash, has been shown, which happened at that time. */
void ski_shown_note(struct ski_shown *shown, uint64_t account, scalekit_time at);

/* Whether certainly nothing that happened to the account at that time or later has been shown. */
bool ski_shown_lacks(const struct ski_shown *shown, uint64_t account, scalekit_time from);

/* Whether something that happened to the account after that time has been shown, as far as it is
 * remembered. */
bool ski_shown_has_later(const struct ski_shown *shown, uint64_t account, scalekit_time at);

#endif
