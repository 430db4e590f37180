/* verdict.c - what was true in the realm, and whether an event says so. */
#include "unit/watch/referee.h"

#define LINK_GRACE_MS 30000
#define GONE_MS       20000 /* from the first of three "not found" to the last */
#define REFUSAL_MS    70000 /* a refused sign-in is not tried again for as long */
#define QUIET_MS      60000 /* without a spell before its end: a watch can expect to be answered */
#define BRISK_MS      500   /* so are the three requests of a last look */
/* While deliveries flow, pauses are a minute, and five when it has settled, give or take a fifth. */
#define GUARD_MS      72000
#define LONG_GUARD_MS 360000
#define FEED_YOUNG_MS 600000
#define BEAT_MS       7500 /* until the round of one that is due: one and a half intervals */

static int64_t now_ms(const struct referee *referee)
{
    return realm_now(referee->realm);
}

/* --- what was true ----------------------------------------------------------------------------- */

/* What the one who watches sees of a moment: NULL when there is no such account. */
static const char *word_for(const struct sight *sight, const struct realm_moment *moment)
{
    return sight->terms.id && moment->id != sight->terms.id ? NULL : moment->word;
}

static int64_t end_of(const struct sight *sight, unsigned moment)
{
    return moment + 1 < sight->account->n_moments ? sight->account->moments[moment + 1].at_ms
                                                  : INT64_MAX;
}

static bool same_word(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Whether that was ever so in [from, to]; or, turned around, anything else. */
static bool ever(const struct sight *sight, const char *word, int64_t from_ms, int64_t to_ms,
                 bool other)
{
    const struct realm_account *account = sight->account;

    for (unsigned i = 0; i < account->n_moments; i++)
        if (account->moments[i].at_ms <= to_ms && end_of(sight, i) > from_ms &&
            same_word(word_for(sight, &account->moments[i]), word) != other)
            return true;
    return false;
}

/* The oldest truth that can be news at `at_ms`: a read that was under way, of a lagging replica. */
static int64_t oldest(const struct referee *referee, int64_t at_ms)
{
    const struct realm_habits *habits = &referee->realm->habits;

    return at_ms - later(habits->lag_ms, habits->feed_lag_ms) - habits->slowest_ms -
           REFEREE_SLACK_MS;
}

static bool settles(enum scalekit_account_status status)
{
    return status != SCALEKIT_ACCOUNT_UNKNOWN && !scalekit_account_status_is_pending(status);
}

/* Whether a watch ends with that moment's status, whatever was before. */
static bool must_settle(const struct sight *sight, const struct realm_moment *moment)
{
    if (!word_for(sight, moment))
        return false;
    return sight->connects ? moment->status == SCALEKIT_ACCOUNT_ACTIVE : settles(moment->status);
}

/* Whether the feed may have been trusted for so long by then that guards are of five minutes: where an
 * event does not say enough, all the looks after it may have come from replicas that lag. */
static bool has_old_feed(const struct realm *realm, int64_t at_ms)
{
    return realm->habits.feed_status == 200 && at_ms > FEED_YOUNG_MS;
}

/* So long after a look the next has been answered at the latest, by a service that works; longer
 * when events save looks then, as each of them may be lost. */
static int64_t patience_ms(const struct sight *sight, int64_t from_ms)
{
    const struct referee *referee = sight->referee;
    const struct realm_habits *habits = &referee->realm->habits;
    bool old = has_old_feed(referee->realm, from_ms + GUARD_MS);
    int64_t guard = *sight->settled || old ? LONG_GUARD_MS : GUARD_MS;

    guard += BEAT_MS + habits->lag_ms + 6 * habits->slowest_ms + REFEREE_SLACK_MS;
    return old || referee_is_told(referee, from_ms, from_ms + guard) ? later(PROMISE_MS, guard)
                                                                     : PROMISE_MS;
}

/* When no spell is cast for so long, beginning at `from_ms` or after. */
static int64_t quiet_ms(const struct realm *realm, int64_t from_ms, int64_t patience)
{
    bool moved = true;

    while (moved) {
        moved = false;
        for (unsigned i = 0; i < realm->n_spells; i++) {
            const struct realm_spell *spell = &realm->spells[i];
            int64_t over = spell->to_ms + (int64_t)spell->retry_after_s * 1000;

            if (spell->fault == REALM_STATUS && spell->status == 429)
                over += PROMISE_MS; /* the governor feels its way up */
            if (spell->from_ms < from_ms + patience && over > from_ms) {
                from_ms = over;
                moved = true;
            }
        }
    }
    return from_ms;
}

/* When a service that works, from `from_ms` or after, has been looked at. */
static int64_t promised_by(const struct sight *sight, int64_t from_ms)
{
    int64_t patience, from = from_ms;

    do {
        from_ms = from;
        patience = patience_ms(sight, from_ms);
        from = quiet_ms(sight->referee->realm, from_ms, patience);
    } while (from != from_ms);
    return from_ms + patience;
}

/* Whether that moment begins what must be told, whatever the watch began with. */
static bool must_tell(const struct sight *sight, unsigned moment)
{
    const struct realm_moment *moments = sight->account->moments, *before;

    if (!must_settle(sight, &moments[moment]))
        return false;
    if (!sight->terms.until_reauthorized || !moment)
        return !sight->terms.until_reauthorized;
    before = &moments[moment - 1];
    return word_for(sight, before) && scalekit_account_status_is_pending(before->status) &&
           promised_by(sight, later(before->at_ms, sight->start_ms)) < moments[moment].at_ms;
}

static void check_told(struct sight *sight, unsigned first, unsigned last, int64_t since_ms,
                       int64_t until_ms)
{
    const struct realm_moment *moment = &sight->account->moments[first];
    int64_t by = promised_by(sight, later(moment->at_ms, since_ms));

    if (by < earlier(end_of(sight, last), until_ms))
        referee_fault(sight->referee, sight, "%s since %lld ms, and not told by %lld ms",
                      moment->word, (long long)moment->at_ms, (long long)by);
}

/* One that goes on: each other status that settles, from the one it has told. */
static void check_missed_after(struct sight *sight, int64_t until_ms)
{
    const struct realm_account *account = sight->account;

    for (unsigned i = 0; i < account->n_moments; i++)
        if (account->moments[i].at_ms > sight->settled_ms &&
            must_settle(sight, &account->moments[i]) &&
            strcmp(account->moments[i].word, sight->settled) != 0)
            check_told(sight, i, i, sight->settled_ms, until_ms);
}

/* The account settled, the service worked, and still it was not told. */
static void check_missed(struct sight *sight, int64_t until_ms)
{
    const struct realm_account *account = sight->account;
    int64_t start = sight->connects ? sight->link_ms : sight->start_ms;

    if (sight->wrong || (sight->connects && !sight->linked))
        return;
    if (*sight->settled) {
        check_missed_after(sight, until_ms);
        return;
    }
    for (unsigned i = 0; i < account->n_moments; i++) {
        unsigned first = i;

        if (!must_tell(sight, i))
            continue;
        while (i + 1 < account->n_moments && must_settle(sight, &account->moments[i + 1]))
            i++;
        check_told(sight, first, i, start, until_ms);
    }
}

/* --- what told it ------------------------------------------------------------------------------- */

/* The last moment of the account that an accepted delivery of that status has told; 0: none. */
static unsigned told_moment(const struct sight *sight, const struct scalekit_watch_event *event)
{
    const struct referee *referee = sight->referee;
    unsigned last = 0;

    for (unsigned i = 0; i < referee->n_receipts; i++) {
        const struct receipt *receipt = &referee->receipts[i];
        const struct realm_moment *moment = &receipt->account->moments[receipt->moment];
        char id[REALM_NAME];

        realm_id(id, moment->id);
        if (receipt->account == sight->account && receipt->has_status && receipt->moment > last &&
            same_word(moment->word, event->status_text) && strcmp(id, event->account->id) == 0)
            last = receipt->moment;
    }
    return last;
}

/* When it was like that: what is told of a delivery may have been long ago. */
static int64_t true_ms(const struct sight *sight, const struct scalekit_watch_event *event)
{
    unsigned moment = 0;

    if (event->source == SCALEKIT_WATCH_SOURCE_WEBHOOK && event->account && event->status_text)
        moment = told_moment(sight, event);
    return moment ? sight->account->moments[moment].at_ms : now_ms(sight->referee);
}

/* --- judging events ---------------------------------------------------------------------------- */

static bool could_be_absent(const struct sight *sight, int64_t at_ms)
{
    const struct realm *realm = sight->referee->realm;

    for (unsigned i = 0; i < realm->n_spells; i++)
        if (realm->spells[i].fault == REALM_FLICKER && at_ms >= realm->spells[i].from_ms &&
            at_ms < realm->spells[i].to_ms)
            return true;
    return ever(sight, NULL, at_ms - realm->habits.lag_ms, at_ms, false);
}

/* Whether it was there between two times, long enough to be seen. */
static bool was_there(const struct sight *sight, int64_t from_ms, int64_t to_ms)
{
    const struct realm_account *account = sight->account;

    for (unsigned i = 0; i < account->n_moments; i++) {
        int64_t from = later(from_ms, account->moments[i].at_ms);

        if (word_for(sight, &account->moments[i]) && from < to_ms &&
            promised_by(sight, from) < earlier(to_ms, end_of(sight, i)))
            return true;
    }
    return false;
}

/* What arrived before time stood still was told after it. */
static int64_t told_ms(const struct sight *sight, int64_t at_ms)
{
    const struct realm *realm = sight->referee->realm;

    for (unsigned i = 0; i < realm->n_spells; i++) {
        const struct realm_spell *spell = &realm->spells[i];

        if (spell->fault == REALM_PAUSED && at_ms < spell->to_ms &&
            at_ms + realm->habits.slowest_ms >= spell->from_ms)
            at_ms = spell->to_ms;
    }
    return at_ms;
}

/* At least three times not found, the first GONE_MS before the last, and not there in between. */
static void check_deleted(struct sight *sight)
{
    const struct realm_account *account = sight->account;
    unsigned n = account->n_absences, times = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;

    for (unsigned i = n > REALM_ABSENCES ? n - REALM_ABSENCES : 0; i < n; i++) {
        int64_t at = account->absences[i % REALM_ABSENCES];

        if (!could_be_absent(sight, at))
            continue;
        if (times && was_there(sight, last, at))
            times = 0;
        first = times++ ? first : at;
        last = at;
    }
    last = told_ms(sight, last);
    if (times < 3 || last - first + sight->referee->realm->habits.slowest_ms < GONE_MS)
        referee_fault(sight->referee, sight, "deleted, but was not found %u times in %lld ms only",
                      times, (long long)(last - first));
}

/* The first moment that can be news to a watch. */
static int64_t beginning(const struct sight *sight)
{
    int64_t from = oldest(sight->referee, sight->start_ms);

    return sight->terms.known_status ? earlier(from, sight->terms.known_ms) : from;
}

/* Whether nothing at all has happened to the account since. */
static bool is_unchanged(const struct sight *sight, int64_t from_ms)
{
    return realm_at(sight->account, from_ms) == realm_at(sight->account, now_ms(sight->referee));
}

/* Nothing else was known of it than that. */
static bool began_as(const struct sight *sight, enum scalekit_account_status status)
{
    return !sight->terms.known_status || sight->terms.known_status == status;
}

/* Why it may not settle as that, although it is true; NULL: it may. */
static const char *objection(const struct sight *sight, enum scalekit_account_status status,
                             const char *word)
{
    int64_t from = beginning(sight), now = now_ms(sight->referee);
    bool always = !ever(sight, word, from, now, true);

    if (sight->linked)
        return status != SCALEKIT_ACCOUNT_ACTIVE && always ? "which it was before its link" : NULL;
    if (sight->connects)
        return NULL;
    if (*sight->settled)
        return strcmp(sight->settled, word) == 0 &&
                       !ever(sight, word, oldest(sight->referee, sight->settled_ms), now, true)
                   ? "again"
                   : NULL;
    if (sight->terms.until_reauthorized)
        return began_as(sight, status) && is_unchanged(sight, from) ? "which it was before" : NULL;
    return status == SCALEKIT_ACCOUNT_ACTIVE && began_as(sight, status) && always
               ? "which it was already"
               : NULL;
}

static void check_settled(struct sight *sight, const struct scalekit_watch_event *event)
{
    struct referee *referee = sight->referee;
    const char *word = scalekit_account_status_name(event->status), *why = NULL;
    int64_t now = now_ms(referee);

    check_missed(sight, now);
    if (!settles(event->status))
        why = "which does not settle";
    else if (!ever(sight, word, beginning(sight), now, false))
        why = "which it never was";
    else if (event->kind == SCALEKIT_WATCH_SETTLED)
        why = objection(sight, event->status, word);
    else if (event->status != SCALEKIT_ACCOUNT_ACTIVE || sight->linked || *sight->word ||
             *sight->settled || sight->terms.until_reauthorized ||
             !began_as(sight, SCALEKIT_ACCOUNT_ACTIVE))
        why = "but has changed";
    if (why)
        referee_fault(referee, sight, "%s as %s, %s", scalekit_watch_event_name(event->kind), word,
                      why);
    snprintf(sight->settled, sizeof sight->settled, "%s", word);
    sight->settled_ms = true_ms(sight, event);
    if (sight->terms.follow) /* its link does not end it any more */
        sight->usable_ms = INT64_MAX;
    if (sight->terms.follow)
        sight->limit_ms = later(sight->limit_ms, sight->deadline_ms + REFEREE_LATE_MS);
}

/* Progress: it was so lately, and something else since it was told last. */
static void check_progress(struct sight *sight, const struct scalekit_watch_event *event,
                           const char *word)
{
    struct referee *referee = sight->referee;
    int64_t now = now_ms(referee);

    if (!word || !ever(sight, word, beginning(sight), now, false))
        referee_fault(referee, sight, "is told %s, which it never was", word ? word : "nothing");
    else if (strcmp(sight->word, word) == 0 &&
             !ever(sight, word, oldest(referee, sight->word_ms), now, true))
        referee_fault(referee, sight, "is told %s again", word);
    else
        snprintf(sight->word, sizeof sight->word, "%s", word);
    sight->word_ms = true_ms(sight, event);
}

/* Since when it has a status that must be told, without a pause; INT64_MAX: it has not. */
static int64_t settling_since(const struct sight *sight)
{
    const struct realm_account *account = sight->account;
    int64_t now = now_ms(sight->referee), since = INT64_MAX;

    for (unsigned i = 0; i < account->n_moments && account->moments[i].at_ms <= now; i++)
        if (!must_settle(sight, &account->moments[i]))
            since = INT64_MAX;
        else if (since != INT64_MAX || must_tell(sight, i))
            since = earlier(since, account->moments[i].at_ms);
    return since;
}

/* The last look of a watch sees what has happened before it, when the service answers. */
static void check_last_look(struct sight *sight)
{
    struct referee *referee = sight->referee;
    const struct realm *realm = referee->realm;
    int64_t over = earlier(sight->deadline_ms, sight->usable_ms), since = settling_since(sight);

    if (*sight->settled || realm->habits.slowest_ms > BRISK_MS ||
        (sight->connects && !sight->linked) ||
        quiet_ms(realm, over - QUIET_MS, PROMISE_MS) > over - QUIET_MS)
        return;
    for (unsigned i = 0; i < realm->n_spells; i++)
        if (realm->spells[i].from_ms <= now_ms(referee) && realm->spells[i].to_ms > over)
            return;
    if (since < oldest(referee, over))
        referee_fault(referee, sight, "is over, but it settled at %lld ms", (long long)since);
}

static void check_over(struct sight *sight, const struct scalekit_watch_event *event)
{
    struct referee *referee = sight->referee;
    int64_t now = now_ms(referee), wall_us = referee->realm->clock.wall_us;

    if (now < earlier(sight->deadline_ms, sight->usable_ms))
        referee_fault(referee, sight, "%s %lld ms early", scalekit_watch_event_name(event->kind),
                      (long long)(earlier(sight->deadline_ms, sight->usable_ms) - now));
    if (event->kind == SCALEKIT_WATCH_DEADLINE && now < sight->deadline_ms &&
        sight->deadline_ms != INT64_MAX)
        referee_fault(referee, sight, "deadline %lld ms early",
                      (long long)(sight->deadline_ms - now));
    if (event->kind == SCALEKIT_WATCH_LINK_EXPIRED &&
        (!sight->terms.link_expiry ||
         (wall_us < sight->terms.link_expiry && now < sight->usable_ms - LINK_GRACE_MS)))
        referee_fault(referee, sight, "link_expired, but it has not");
    check_last_look(sight);
}

/* Wrong parameters, or an answer that says so; a refused sign-in is remembered for a while. */
static void check_refused(struct sight *sight, const struct scalekit_error *error)
{
    const struct realm *realm = sight->referee->realm;
    int64_t now = realm_now(realm);
    bool right = now - realm->refused_ms <= REFEREE_SLACK_MS + realm->habits.slowest_ms ||
                 now - realm->sign_in_refused_ms <= REFUSAL_MS;

    if (sight->wrong)
        right = error && error->code == SCALEKIT_ERR_INVALID;
    if (!right)
        referee_fault(sight->referee, sight, "refused, but it was not: %s",
                      error ? error->message : "no error");
}

int64_t referee_usable_ms(const struct referee *referee, scalekit_time link_expiry)
{
    int64_t left = (link_expiry - referee->realm->clock.wall_us) / 1000 + LINK_GRACE_MS;

    return now_ms(referee) + later(0, left);
}

static void on_link(struct sight *sight, const struct scalekit_authorization_link *link)
{
    struct referee *referee = sight->referee;
    int64_t now = now_ms(referee);

    if (!sight->connects || sight->linked || !link) {
        referee_fault(referee, sight, "is told a link");
        return;
    }
    sight->linked = true;
    sight->link_ms = now;
    sight->terms.link_expiry = link->expiry;
    sight->usable_ms = INT64_MAX;
    if (link->expiry)
        sight->usable_ms = referee_usable_ms(referee, link->expiry);
    else if (sight->deadline_ms == INT64_MAX)
        sight->deadline_ms = now + REFEREE_USUAL_MS;
    sight->limit_ms = earlier(sight->deadline_ms, sight->usable_ms) + REFEREE_LATE_MS;
}

/* The first moment that can be what is told, not before that of the last event. */
static unsigned first_moment(const struct sight *sight, const struct scalekit_watch_event *event)
{
    const struct realm_account *account = sight->account;

    for (unsigned i = sight->moment; i < account->n_moments; i++) {
        const struct realm_moment *moment = &account->moments[i];

        if (moment->at_ms > now_ms(sight->referee))
            break;
        if (same_word(moment->word, event->status_text) &&
            (!event->account->updated_at || event->account->updated_at == moment->updated_us))
            return i;
    }
    return sight->moment;
}

/* One that a delivery told: it did, and what was told before is not newer. */
static void check_source(struct sight *sight, const struct scalekit_watch_event *event)
{
    struct referee *referee = sight->referee;

    if (event->source == SCALEKIT_WATCH_SOURCE_FEED && referee->realm->habits.feed_status != 200)
        referee_fault(referee, sight, "is told by a feed that does not exist");
    if (!event->account || !event->status_text)
        return;
    if (event->source == SCALEKIT_WATCH_SOURCE_WEBHOOK) {
        unsigned moment = told_moment(sight, event);

        if (!moment)
            referee_fault(referee, sight, "is told %s, but by no delivery", event->status_text);
        else if (moment < sight->moment)
            referee_fault(referee, sight, "is told %s, after what was later", event->status_text);
    }
    sight->moment = first_moment(sight, event);
}

void referee_judge(struct sight *sight, const struct scalekit_watch_event *event)
{
    struct referee *referee = sight->referee;

    switch (event->kind) {
    case SCALEKIT_WATCH_LINK:
        on_link(sight, event->link);
        break;
    case SCALEKIT_WATCH_PENDING_VERIFICATION:
        check_progress(sight, event, "PENDING_VERIFICATION");
        break;
    case SCALEKIT_WATCH_UNKNOWN_STATUS:
        check_progress(sight, event, event->status_text);
        break;
    case SCALEKIT_WATCH_CHANGED:
        if (!sight->terms.progress || settles(event->status))
            referee_fault(referee, sight, "is told a change that is none");
        check_progress(sight, event, event->status_text);
        break;
    case SCALEKIT_WATCH_SETTLED:
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        check_settled(sight, event);
        break;
    case SCALEKIT_WATCH_DELETED:
        check_deleted(sight);
        break;
    case SCALEKIT_WATCH_DEADLINE:
    case SCALEKIT_WATCH_LINK_EXPIRED:
        check_over(sight, event);
        break;
    case SCALEKIT_WATCH_REFUSED:
        check_refused(sight, event->error);
        break;
    case SCALEKIT_WATCH_FAILED:
        if (!sight->connects || sight->linked)
            referee_fault(referee, sight, "failed");
        break;
    case SCALEKIT_WATCH_STOPPED:
        if (!sight->stopped && !referee->client_freed)
            referee_fault(referee, sight, "stopped by nobody");
        break;
    }
    check_source(sight, event);
    if (!event->error &&
        (event->kind == SCALEKIT_WATCH_REFUSED || event->kind == SCALEKIT_WATCH_FAILED))
        referee_fault(referee, sight, "%s without an error",
                      scalekit_watch_event_name(event->kind));
    if (event->account && event->account->identifier) {
        char identifier[REALM_NAME];

        realm_identifier(identifier, sight->account);
        if (strcmp(identifier, event->account->identifier) != 0)
            referee_fault(referee, sight, "is told of %s", event->account->identifier);
    }
}

bool referee_is_final(const struct sight *sight, enum scalekit_watch_event_kind kind)
{
    switch (kind) {
    case SCALEKIT_WATCH_SETTLED:
    case SCALEKIT_WATCH_ALREADY_ACTIVE:
        return !sight->terms.follow;
    case SCALEKIT_WATCH_CHANGED:
    case SCALEKIT_WATCH_LINK:
    case SCALEKIT_WATCH_PENDING_VERIFICATION:
    case SCALEKIT_WATCH_UNKNOWN_STATUS:
        return false;
    default:
        return true;
    }
}

void referee_end(struct sight *sight, const struct scalekit_watch_event *event)
{
    struct referee *referee = sight->referee;
    int64_t now = now_ms(referee);

    sight->finals++;
    sight->end = event->kind;
    sight->end_ms = now;
    if (event->kind != SCALEKIT_WATCH_STOPPED && now > sight->limit_ms)
        referee_fault(referee, sight, "%s %lld ms late", scalekit_watch_event_name(event->kind),
                      (long long)(now - sight->limit_ms));
    if (event->kind != SCALEKIT_WATCH_SETTLED && event->kind != SCALEKIT_WATCH_ALREADY_ACTIVE)
        check_missed(sight, now);
    referee->running--;
    if (!sight->refs)
        sight->watch = NULL;
}
