#include "judge.h"

static enum bench_verdict judge_deadline(const struct bench_user *user, int64_t patience_ms,
                                         int64_t now_ms, const char **why)
{
    if (now_ms >= user->start_ms + patience_ms)
        return user->consent_ms == BENCH_NEVER ? BENCH_WAITED : BENCH_MISSED;
    *why = "the deadline came early";
    return BENCH_FALSE;
}

enum bench_verdict bench_judge(const struct bench_user *user, int64_t patience_ms, bool ended,
                               const struct scalekit_watch_event *event, int64_t now_ms,
                               const char **why)
{
    *why = NULL;
    if (ended)
        *why = "an event after the final one";
    else if (event->final != (event->kind >= SCALEKIT_WATCH_SETTLED))
        *why = "an event of the wrong finality";
    else if (!event->final)
        return BENCH_ON_THE_WAY;
    else if (event->kind == SCALEKIT_WATCH_DEADLINE)
        return judge_deadline(user, patience_ms, now_ms, why);
    else if (event->kind != SCALEKIT_WATCH_SETTLED && event->kind != SCALEKIT_WATCH_ALREADY_ACTIVE)
        *why = "an end that no user has caused";
    else if (event->status != SCALEKIT_ACCOUNT_ACTIVE)
        *why = "a status that no account has had";
    else if (user->consent_ms > now_ms)
        *why = "settled before the consent";
    else
        return BENCH_TOLD;
    return BENCH_FALSE;
}
