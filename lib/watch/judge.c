#include "watch/judge.h"

bool ski_status_settles(enum scalekit_account_status status)
{
    return status != SCALEKIT_ACCOUNT_UNKNOWN && !scalekit_account_status_is_pending(status);
}

void ski_view_know(struct ski_view *view, enum scalekit_account_status status)
{
    view->begun = status != SCALEKIT_ACCOUNT_UNKNOWN;
    view->status = status & 15;
    view->base = (ski_status_settles(status) ? status : SCALEKIT_ACCOUNT_UNKNOWN) & 15;
}

bool ski_judge_is_final(const struct ski_view *view, enum scalekit_watch_event_kind kind)
{
    if (kind == SCALEKIT_WATCH_SETTLED || kind == SCALEKIT_WATCH_ALREADY_ACTIVE)
        return !view->follow;
    return kind > SCALEKIT_WATCH_SETTLED;
}

/* It has settled, and the status that did it is no news from now on. */
static int settle(struct ski_view *view, enum scalekit_account_status status,
                  enum scalekit_watch_event_kind kind)
{
    view->base = status & 15;
    view->settled = true;
    view->until_reauthorized = false;
    return kind;
}

/* It is what it was known to be.  While `known_at` is not known, that is what it is learned from. */
static int judge_same(struct ski_view *view, enum scalekit_account_status status,
                      scalekit_time updated_at, scalekit_time *known_at)
{
    if (view->settled)
        return SKI_NO_EVENT;
    if (!view->until_reauthorized)
        return settle(view, status,
                      status == SCALEKIT_ACCOUNT_ACTIVE ? SCALEKIT_WATCH_ALREADY_ACTIVE
                                                        : SCALEKIT_WATCH_SETTLED);
    if (status == SCALEKIT_ACCOUNT_ACTIVE && *known_at && updated_at > *known_at)
        return settle(view, status, SCALEKIT_WATCH_SETTLED);
    if (!*known_at)
        *known_at = updated_at;
    return SKI_NO_EVENT;
}

static int judge_settling(struct ski_view *view, enum scalekit_account_status status, bool first,
                          scalekit_time updated_at, scalekit_time *known_at)
{
    if (first)
        view->base = status & 15;
    else if (status != view->base)
        return settle(view, status, SCALEKIT_WATCH_SETTLED);
    return judge_same(view, status, updated_at, known_at);
}

static int judge_pending(struct ski_view *view, enum scalekit_account_status status, bool first)
{
    bool changed = view->previous != status;

    view->base = SCALEKIT_ACCOUNT_UNKNOWN;
    if (status == SCALEKIT_ACCOUNT_PENDING_VERIFICATION)
        return changed ? SCALEKIT_WATCH_PENDING_VERIFICATION : SKI_NO_EVENT;
    return view->progress && changed && !first ? SCALEKIT_WATCH_CHANGED : SKI_NO_EVENT;
}

int ski_judge(struct ski_view *view, enum scalekit_account_status status, bool changed_text,
              scalekit_time updated_at, scalekit_time *known_at)
{
    bool first = !view->begun;

    view->previous = view->status;
    view->status = status & 15;
    view->begun = true;
    if (ski_status_settles(status))
        return judge_settling(view, status, first, updated_at, known_at);
    if (status != SCALEKIT_ACCOUNT_UNKNOWN)
        return judge_pending(view, status, first);
    view->base = SCALEKIT_ACCOUNT_UNKNOWN;
    return changed_text ? SCALEKIT_WATCH_UNKNOWN_STATUS : SKI_NO_EVENT;
}
