/* Design note.  A read is all pages from a moment on; it is taken in when the last has come
 * (news.h).
 *
 *   RESTING ──wake──► PROBING ──where it stands──► READING ──► every 3 s, what is newer
 *                        ▲                            │
 *                        └── not offered, it misses something (10 min); page storm (30 s)
 *
 * Time.  What is asked for goes by the service's clock alone: reads begin 10 s before the newest
 * event seen, the high water, because events are stored in another order than they happen; once
 * a minute one begins 120 s before it.  Ours serves to disbelieve: an event that happened more than a
 * day from now cannot raise the high water, where it would hide everything until that day.  With a
 * clock of ours that is a day slow there is no feed.
 *
 * Trust.  Reads have to go well, and the feed has to show what looks show.  A change that a look
 * shows and the feed does not is a doubt, which a deep read has to settle: the next one if the feed
 * is beyond the change, else the first after 15 s. */
#include "watch/feed.h"
#include "base/str.h"
#include "watch/engine.h"
#include <string.h>

#define SECOND_US      INT64_C(1000000)

#define TICK_MS        3000
#define SLOW_TICK_MS   30000
#define LEAST_TICK_MS  1000  /* between the end of a read and the next */
#define GRACE_MS       12000 /* reads may be late by that */
#define PAUSE_MS       10000 /* longer than between reads that go well */
#define DEEP_MS        60000
#define OVERLAP_US     (10 * SECOND_US)
#define DEEP_US        (120 * SECOND_US)
#define KNOWN_EVENTS   50 /* so many in a row: what follows is known as well */
#define PROBE_PAGE     10 /* more than one, for one may have an odd time */

#define ABSENT_MS      INT64_C(600000)
#define MAX_ABSENCES   5 /* more do not make these two longer; each doubles them */
#define STORM_MS       INT64_C(30000)
#define MAX_BACKOFF_MS 30000
#define BACKOFF_MS     500 /* doubled by the first failure already */
#define MAX_FAILURES   6   /* more do not make the pause longer */
#define FEW_FAILURES   3   /* in a row end the trust */

#define LAG_MS         15000 /* a change shows by then */
#define LAG_US         (LAG_MS * INT64_C(1000))
#define YOUNG_MS       600000
#define GUARD_MS       60000
#define OLD_GUARD_MS   300000

static struct ski_loop *loop_of(const struct ski_feed *feed)
{
    return &feed->engine->client->loop;
}

static int64_t now_of(const struct ski_feed *feed)
{
    return ski_loop_now(loop_of(feed));
}

static int64_t jittered(const struct ski_feed *feed, int64_t pause_ms)
{
    return ski_clock_jitter(&loop_of(feed)->clock, pause_ms, 80, 120);
}

/* --- trust -------------------------------------------------------------------------------------- */

static void review_trust(struct ski_feed *feed)
{
    bool trusted = feed->state == SKI_FEED_READING && feed->failures < FEW_FAILURES &&
                   now_of(feed) < feed->stale_ms;

    if (trusted == feed->trusted)
        return;
    feed->trusted = trusted;
    feed->trusted_ms = now_of(feed);
    ski_log(&loop_of(feed)->log, SCALEKIT_LOG_DEBUG, "the event feed is %s",
            trusted ? "followed" : "not relied on");
    ski_engine_trust(feed->engine, trusted);
}

bool ski_feed_is_trusted(const struct ski_feed *feed)
{
    return feed->trusted;
}

int64_t ski_feed_guard_ms(const struct ski_feed *feed)
{
    return now_of(feed) - feed->trusted_ms < YOUNG_MS ? GUARD_MS : OLD_GUARD_MS;
}

/* --- when --------------------------------------------------------------------------------------- */

static void try_again_after(struct ski_feed *feed, int64_t pause_ms)
{
    feed->retry_ms = now_of(feed) + pause_ms;
    ski_timer_set(loop_of(feed), feed->timer, feed->retry_ms);
}

/* Whoever is followed has settled before, or deliveries are quicker anyway. */
static bool may_be_slow(const struct ski_feed *feed)
{
    const struct ski_engine *engine = feed->engine;

    return now_of(feed) >= feed->awaited_ms && (engine->n_following == engine->tally.following ||
                                                ski_deliveries_are_relied_on(&engine->deliveries));
}

static void next_tick(struct ski_feed *feed)
{
    int64_t due;

    feed->slow = may_be_slow(feed);
    due = feed->begun_ms + jittered(feed, feed->slow ? SLOW_TICK_MS : TICK_MS);
    if (due < now_of(feed) + LEAST_TICK_MS)
        due = now_of(feed) + LEAST_TICK_MS;
    feed->stale_ms = due + GRACE_MS;
    ski_timer_set(loop_of(feed), feed->timer, due);
}

/* Begins anew later: there is no feed, or it is not known any more where it stands. */
static void probe_after(struct ski_feed *feed, int64_t pause_ms)
{
    feed->state = SKI_FEED_PROBING;
    feed->failures = 0;
    feed->doubt.ripe_ms = 0;
    try_again_after(feed, jittered(feed, pause_ms));
    review_trust(feed);
}

/* There is none that could be used; the oftener so, the longer until it is tried again. */
static void do_without(struct ski_feed *feed, int64_t pause_ms)
{
    probe_after(feed, pause_ms << feed->absences);
    if (feed->absences < MAX_ABSENCES)
        feed->absences++;
}

static bool is_absent(const struct scalekit_error *error)
{
    return error &&
           (error->code == SCALEKIT_ERR_UNAUTHORIZED || error->code == SCALEKIT_ERR_FORBIDDEN ||
            error->code == SCALEKIT_ERR_NOT_FOUND || error->http_status == 501);
}

/* `error` NULL: out of memory, or an answer that makes no sense. */
static void failed(struct ski_feed *feed, const struct scalekit_error *error)
{
    int64_t pause;

    ski_news_free(&feed->news);
    if (is_absent(error)) {
        do_without(feed, ABSENT_MS);
        return;
    }
    if (feed->failures < MAX_FAILURES)
        feed->failures++;
    pause = BACKOFF_MS << feed->failures;
    pause = jittered(feed, pause < MAX_BACKOFF_MS ? pause : MAX_BACKOFF_MS);
    if (error && error->retry_after_ms > pause)
        pause = error->retry_after_ms < ABSENT_MS ? error->retry_after_ms : ABSENT_MS;
    try_again_after(feed, pause);
    review_trust(feed);
}

/* --- comparing ---------------------------------------------------------------------------------- */

static void missed(struct ski_feed *feed)
{
    feed->engine->tally.feed_misses++;
    ski_log(&loop_of(feed)->log, SCALEKIT_LOG_INFO,
            "the event feed has not shown a change: looking for some minutes instead");
    do_without(feed, ABSENT_MS);
}

/* A change is the feed's to show when it happened after the baseline, as far as that is known; the
 * event may have happened a little before the account's updated_at. */
void ski_feed_compare(struct ski_feed *feed, const struct ski_observation *read)
{
    const char *id = read->account ? read->account->id : NULL;
    uint64_t account = id ? ski_hash_text(id) : 0;
    struct ski_feed_doubt *doubt = &feed->doubt;

    if (feed->state != SKI_FEED_READING || !id || !read->at ||
        read->at > ski_engine_latest(feed->engine) ||
        !ski_shown_lacks(&feed->shown, account, read->at - LAG_US))
        return;
    if (doubt->ripe_ms && doubt->at <= read->at)
        return; /* of several the first to have happened is the strongest */
    *doubt = (struct ski_feed_doubt){now_of(feed), read->at, account};
    if (read->at >= feed->high_water - LAG_US)
        doubt->ripe_ms += LAG_MS;
}

/* Whether this read, a deep one then, is to settle the doubt. */
static bool is_doubt_ripe(const struct ski_feed *feed)
{
    return feed->doubt.ripe_ms && feed->begun_ms >= feed->doubt.ripe_ms;
}

/* A read has ended well, and was shown all that happened after `reached`. */
static void settle_doubt(struct ski_feed *feed, scalekit_time reached)
{
    struct ski_feed_doubt *doubt = &feed->doubt;
    scalekit_time from = doubt->at - LAG_US;

    if (doubt->ripe_ms && !ski_shown_lacks(&feed->shown, doubt->account, from))
        doubt->ripe_ms = 0;
    if (is_doubt_ripe(feed) && reached < from)
        missed(feed);
}

/* --- reading ------------------------------------------------------------------------------------ */

/* The first moment asked for. */
static scalekit_time start_of(const struct ski_feed *feed)
{
    scalekit_time start = feed->high_water - (feed->deep ? DEEP_US : OVERLAP_US);

    if (feed->state == SKI_FEED_PROBING || !feed->high_water)
        return 0;
    return start > feed->baseline ? start : feed->baseline;
}

static void on_page(scalekit_request *request, const struct scalekit_event_page *page, void *user);

static void ask(struct ski_feed *feed, const char *page_token)
{
    bool probing = feed->state == SKI_FEED_PROBING;

    feed->request = scalekit_list_events_paginated(
        feed->engine->client,
        SCALEKIT_PARAMS(scalekit_list_events_params, .event_types = ski_news_types,
                        .n_event_types = ski_news_n_types, .start_time = start_of(feed),
                        .page_size = probing ? PROBE_PAGE : SKI_NEWS_PAGE,
                        .page_token = page_token),
        on_page, feed);
    if (!feed->request) {
        failed(feed, NULL);
        return;
    }
    ski_request_set_class(feed->request, SCALEKIT_CLASS_WATCH);
    ski_request_go_first(feed->request); /* it tells of every account */
    scalekit_request_set_max_retries(feed->request, 0);
    feed->engine->tally.feed_requests++;
    if (feed->trusted)
        ski_timer_set(loop_of(feed), feed->timer, feed->stale_ms);
}

static void begin_read(struct ski_feed *feed)
{
    feed->begun_ms = now_of(feed);
    feed->retry_ms = feed->begun_ms + TICK_MS;
    feed->deep =
        feed->state == SKI_FEED_READING && (feed->begun_ms >= feed->deep_ms || is_doubt_ripe(feed));
    ask(feed, NULL);
}

/* A page that waits for its turn at the governor is no fault of the feed, and looks, of which there
 * would be many more without it, would wait as well. */
static void on_timer(void *owner)
{
    struct ski_feed *feed = owner;

    if (feed->request && feed->request->state == SKI_GATE) {
        feed->stale_ms = now_of(feed) + GRACE_MS;
        ski_timer_set(loop_of(feed), feed->timer, feed->stale_ms);
        return;
    }
    review_trust(feed);
    if (!feed->request && feed->state != SKI_FEED_RESTING)
        begin_read(feed);
}

/* The first page of all shows where the feed stands. */
static void begin(struct ski_feed *feed, const struct scalekit_event_page *page)
{
    scalekit_time latest = ski_engine_latest(feed->engine), newest = 0;

    for (size_t i = 0; i < page->n_events; i++)
        if (page->events[i]->occurred_at <= latest && page->events[i]->occurred_at > newest)
            newest = page->events[i]->occurred_at;
    if (page->n_events && !newest) {
        do_without(feed, ABSENT_MS);
        return;
    }
    if (!ski_shown_begin(&feed->shown, newest)) {
        failed(feed, NULL);
        return;
    }
    for (size_t i = 0; i < page->n_events; i++)
        if (page->events[i]->id)
            ski_seen_ids_note(&feed->seen, page->events[i]->id, now_of(feed));
    feed->baseline = feed->high_water = newest;
    feed->read_ms = feed->resumed_ms = now_of(feed);
    feed->deep_ms = now_of(feed) + DEEP_MS;
    feed->failures = 0;
    feed->state = SKI_FEED_READING;
    next_tick(feed);
    review_trust(feed);
}

/* A read that does not even show the newest event it has shown before says nothing: what comes after
 * it may have happened long before.  So may the first event of all. */
static void note_read(struct ski_feed *feed, scalekit_time newest)
{
    if (feed->high_water && !newest)
        return;
    if ((!feed->high_water && newest) || now_of(feed) - feed->read_ms > PAUSE_MS)
        feed->resumed_ms = now_of(feed);
    feed->read_ms = now_of(feed);
}

/* Every page is there; `whole`: of all that happened since the start. */
static void take_in(struct ski_feed *feed, bool whole)
{
    struct ski_news news;

    if (!ski_news_read(&feed->news, &feed->seen, feed->baseline, ski_engine_latest(feed->engine))) {
        failed(feed, NULL);
        return;
    }
    news = feed->news;
    ski_news_init(&feed->news, news.mem);
    ski_news_note(&news, &feed->seen, &feed->shown, now_of(feed));
    note_read(feed, news.newest);
    if (news.newest > feed->high_water)
        feed->high_water = news.newest;
    if (feed->deep)
        feed->deep_ms = now_of(feed) + DEEP_MS;
    feed->failures = 0;
    if (feed->trusted && now_of(feed) - feed->trusted_ms > YOUNG_MS)
        feed->absences = 0;
    next_tick(feed);
    settle_doubt(feed, whole ? INT64_MIN : news.oldest);
    review_trust(feed);
    ski_news_tell(&news, feed->engine, feed->begun_ms);
    ski_news_free(&news);
}

/* Whether a page can be one of this read: not too long, and leading on. */
static bool makes_sense(const struct ski_feed *feed, const struct scalekit_event_page *page)
{
    const char *last = ski_news_next_page(&feed->news);

    return page->n_events <= SKI_NEWS_PAGE &&
           !(last && page->next_page_token && strcmp(last, page->next_page_token) == 0);
}

static void on_page(scalekit_request *request, const struct scalekit_event_page *page, void *user)
{
    struct ski_feed *feed = user;
    const char *next = page ? page->next_page_token : NULL;
    bool known;

    feed->request = NULL;
    if (!page || !makes_sense(feed, page)) {
        failed(feed, scalekit_request_error(request));
        return;
    }
    if (feed->state == SKI_FEED_PROBING) {
        begin(feed, page);
        return;
    }
    ski_news_add(&feed->news, request, &feed->seen);
    known = feed->news.most_known >= KNOWN_EVENTS;
    if (next && feed->news.n_pages < SKI_NEWS_PAGES && (feed->deep || !known)) {
        ask(feed, next);
    } else if (next && !known) {
        ski_news_free(&feed->news);
        do_without(feed, STORM_MS);
    } else {
        take_in(feed, !next);
    }
}

/* --- from rest to rest -------------------------------------------------------------------------- */

void ski_feed_init(struct ski_feed *feed, struct ski_engine *engine)
{
    *feed = (struct ski_feed){.engine = engine, .timer = SKI_NO_TIMER};
    ski_news_init(&feed->news, &engine->mem);
    ski_seen_ids_init(&feed->seen, &engine->mem);
    ski_shown_init(&feed->shown, &engine->mem, SKI_SHOWN_ACCOUNTS);
}

/* Without memory for a timer there is no feed, until something else is followed. */
void ski_feed_wake(struct ski_feed *feed)
{
    struct ski_loop *loop = loop_of(feed);

    if (feed->state == SKI_FEED_RESTING) {
        if (feed->timer == SKI_NO_TIMER)
            feed->timer = ski_timer_new(loop, on_timer, feed);
        if (feed->timer == SKI_NO_TIMER)
            return;
        feed->state = SKI_FEED_PROBING;
        ski_timer_set(loop, feed->timer,
                      feed->retry_ms > now_of(feed) ? feed->retry_ms : now_of(feed));
    } else if (feed->slow && !may_be_slow(feed)) {
        int64_t due = now_of(feed) + jittered(feed, TICK_MS);

        feed->slow = false;
        if (feed->state == SKI_FEED_READING && !feed->request && !feed->failures &&
            due < feed->stale_ms - GRACE_MS)
            ski_timer_set(loop, feed->timer, due);
    }
}

void ski_feed_hurry(struct ski_feed *feed, int64_t until_ms)
{
    feed->awaited_ms = until_ms;
    ski_feed_wake(feed);
}

void ski_feed_rest(struct ski_feed *feed)
{
    if (feed->state == SKI_FEED_RESTING)
        return;
    feed->state = SKI_FEED_RESTING;
    feed->trusted = feed->slow = false;
    feed->doubt.ripe_ms = 0;
    if (feed->request)
        ski_request_abandon(feed->request);
    feed->request = NULL;
    ski_news_free(&feed->news);
    ski_timer_clear(loop_of(feed), feed->timer);
}

void ski_feed_close(struct ski_feed *feed)
{
    ski_feed_rest(feed);
    if (feed->timer != SKI_NO_TIMER)
        ski_timer_free(loop_of(feed), feed->timer);
    feed->timer = SKI_NO_TIMER;
    ski_seen_ids_free(&feed->seen);
    ski_shown_free(&feed->shown);
}
