/* judge.h - what an observation means to a watch.  Pure: no clock, no memory, no engine.
 *
 * Sources only observe; this one function decides which event fires, so that no two sources can
 * disagree or fire twice. */
#ifndef SKI_WATCH_JUDGE_H
#define SKI_WATCH_JUDGE_H

#include <scalekit/watch.h>

/* What a watch has seen of its account, and what it was asked to tell; in 4 bytes, as every watch
 * has one.  A status is an enum scalekit_account_status. */
struct ski_view {
    unsigned
        status : 4; /* the last one seen, or known from the start; UNKNOWN: none, or a new word */
    unsigned previous : 4; /* the one seen before */
    unsigned base : 4;     /* the settling status that is no news; UNKNOWN: each is */
    unsigned begun : 1;    /* it has seen the account, or knew it from the start */
    unsigned settled : 1;  /* it has told that it settled */
    unsigned until_reauthorized : 1, progress : 1, follow : 1; /* as scalekit_watch_params */
};

/* It is known from the start what the account is; UNKNOWN: it is not. */
void ski_view_know(struct ski_view *view, enum scalekit_account_status status);

#define SKI_NO_EVENT (-1)

/* An account was seen with that status.  `changed_text`: the word of an unknown status is another
 * than that seen last.  `*known_at`: the updated_at of the status that is no news, 0 while it is not
 * known; kept for it from call to call.
 *
 * Returns an enum scalekit_watch_event_kind, or SKI_NO_EVENT. */
int ski_judge(struct ski_view *view, enum scalekit_account_status status, bool changed_text,
              scalekit_time updated_at, scalekit_time *known_at);

/* Whether an event of that kind ends such a watch. */
bool ski_judge_is_final(const struct ski_view *view, enum scalekit_watch_event_kind kind);

bool ski_status_settles(enum scalekit_account_status status);

#endif
