#include "watch/news.h"
#include "api/account_event.h"
#include "base/str.h"
#include "core/request.h"
#include "watch/engine.h"
#include <string.h>

/* A status is told by the first of them only; the others say that something has happened. */
const char *const ski_news_types[] = {
    "connected_account.status_updated", "connected_account.oauth_succeeded",
    "connected_account.created",        "connected_account.updated",
    "connected_account.deleted",        "connected_account.token_refresh_failed",
};
const size_t ski_news_n_types = sizeof ski_news_types / sizeof *ski_news_types;
enum { STATUS_UPDATED, OAUTH_SUCCEEDED };

struct ski_news_item {
    struct ski_map_node node; /* of the newest item of an account */
    scalekit_request *page;
    const struct scalekit_connected_account *account;
    scalekit_time at; /* 0: not known, or not to be believed */
    size_t type;
    bool has_status, has_older_status; /* the latter: it is told too */
    enum { DROPPED, SEEN, SUSPECT } meaning;
};

void ski_news_init(struct ski_news *news, const struct ski_mem *mem)
{
    *news = (struct ski_news){.mem = mem};
}

void ski_news_free(struct ski_news *news)
{
    for (size_t i = 0; i < news->n_pages; i++)
        scalekit_request_unref(news->pages[i]);
    ski_free(news->mem, news->items);
    ski_news_init(news, news->mem);
}

static const struct scalekit_event_page *page_of(const scalekit_request *request)
{
    return request->result;
}

void ski_news_add(struct ski_news *news, scalekit_request *request, const struct ski_seen_ids *seen)
{
    const struct scalekit_event_page *page = page_of(request);

    news->pages[news->n_pages++] = scalekit_request_ref(request);
    for (size_t i = 0; i < page->n_events; i++) {
        const char *id = page->events[i]->id;

        news->known = id && ski_seen_ids_have(seen, id) ? news->known + 1 : 0;
        if (news->known > news->most_known)
            news->most_known = news->known;
    }
}

const char *ski_news_next_page(const struct ski_news *news)
{
    return news->n_pages ? page_of(news->pages[news->n_pages - 1])->next_page_token : NULL;
}

/* --- finding what is new ------------------------------------------------------------------------ */

static size_t type_of(const struct scalekit_event *event)
{
    size_t type = 0;

    while (type < ski_news_n_types && event->type && strcmp(event->type, ski_news_types[type]) != 0)
        type++;
    return event->type ? type : ski_news_n_types;
}

/* Puts an item in its place: they come newest first but for what a server gets wrong. */
static void insert(struct ski_news *news, const struct ski_news_item *item)
{
    size_t at = news->n_items++;

    while (at && news->items[at - 1].at < item->at) {
        news->items[at] = news->items[at - 1];
        at--;
    }
    news->items[at] = *item;
}

/* Of an event that is new.  What cannot be read is left out, and the account so not shown. */
static bool add_item(struct ski_news *news, scalekit_request *page,
                     const struct scalekit_event *event, scalekit_time latest)
{
    struct ski_news_item item = {.page = page, .type = type_of(event), .at = event->occurred_at};
    scalekit_err err;

    if (item.type == ski_news_n_types)
        return true;
    err = ski_account_of_event(&page->arena, event, &item.account);
    if (err == SCALEKIT_ERR_NOMEM)
        return false;
    if (err != SCALEKIT_OK)
        return true;
    if (item.at > latest)
        item.at = 0;
    item.has_status =
        item.type == STATUS_UPDATED && item.at && item.account->status != SCALEKIT_ACCOUNT_UNKNOWN;
    item.node.hash = ski_hash_text(item.account->id);
    insert(news, &item);
    return true;
}

static void note_time(struct ski_news *news, scalekit_time at)
{
    if (at > news->newest)
        news->newest = at;
    if (at && (!news->oldest || at < news->oldest))
        news->oldest = at;
}

static bool find_new(struct ski_news *news, const struct ski_seen_ids *seen, scalekit_time baseline,
                     scalekit_time latest)
{
    for (size_t p = 0; p < news->n_pages; p++) {
        const struct scalekit_event_page *page = page_of(news->pages[p]);

        for (size_t i = 0; i < page->n_events; i++) {
            const struct scalekit_event *event = page->events[i];

            if (event->occurred_at <= latest)
                note_time(news, event->occurred_at);
            /* Without an id it could not be told from itself when it is read again. */
            if (!event->id || ski_seen_ids_have(seen, event->id) ||
                (event->occurred_at && event->occurred_at <= baseline))
                continue;
            if (!add_item(news, news->pages[p], event, latest))
                return false;
        }
    }
    return true;
}

/* --- what it means ------------------------------------------------------------------------------ */

static bool same_account(const struct ski_map_node *node, const void *id)
{
    return strcmp(SKI_CONTAINER(node, const struct ski_news_item, node)->account->id, id) == 0;
}

/* An item that is older than another of its account, the newest. */
static void weigh_older(struct ski_news_item *item, struct ski_news_item *newest)
{
    if (!item->has_status || newest->has_status || newest->has_older_status)
        return;
    item->meaning = SEEN;
    newest->has_older_status = true;
    /* A consent is two events: the second says no more than the ACTIVE that came with it. */
    if (newest->type == OAUTH_SUCCEEDED && item->account->status == SCALEKIT_ACCOUNT_ACTIVE)
        newest->meaning = DROPPED;
}

/* From the newest item on.  Only the newest of an account may send for a look, and only its newest
 * status counts. */
static bool weigh(struct ski_news *news)
{
    struct ski_map newest;
    bool good = true;

    ski_map_init(&newest, news->mem);
    for (size_t i = 0; i < news->n_items && good; i++) {
        struct ski_news_item *item = &news->items[i];
        struct ski_map_node *node =
            ski_map_find(&newest, item->node.hash, same_account, item->account->id);

        if (node) {
            weigh_older(item, SKI_CONTAINER(node, struct ski_news_item, node));
            continue;
        }
        item->meaning = item->has_status ? SEEN : SUSPECT;
        good = ski_map_insert(&newest, &item->node);
    }
    ski_map_free(&newest);
    return good;
}

bool ski_news_read(struct ski_news *news, const struct ski_seen_ids *seen, scalekit_time baseline,
                   scalekit_time latest)
{
    size_t n = 0;

    for (size_t p = 0; p < news->n_pages; p++)
        n += page_of(news->pages[p])->n_events;
    if (!n)
        return true;
    news->items = ski_realloc_array(news->mem, NULL, n, sizeof *news->items);
    return news->items && find_new(news, seen, baseline, latest) && weigh(news);
}

/* --- afterwards --------------------------------------------------------------------------------- */

void ski_news_note(const struct ski_news *news, struct ski_seen_ids *seen, struct ski_shown *shown,
                   int64_t now_ms)
{
    for (size_t p = 0; p < news->n_pages; p++) {
        const struct scalekit_event_page *page = page_of(news->pages[p]);

        for (size_t i = 0; i < page->n_events; i++)
            if (page->events[i]->id)
                ski_seen_ids_note(seen, page->events[i]->id, now_ms);
    }
    for (size_t i = news->n_items; i-- > 0;)
        ski_shown_note(shown, news->items[i].node.hash, news->items[i].at);
}

void ski_news_tell(const struct ski_news *news, struct ski_engine *engine, int64_t asked_ms)
{
    for (size_t i = news->n_items; i-- > 0;) {
        const struct ski_news_item *item = &news->items[i];
        const struct ski_observation observation = {
            .source = SCALEKIT_WATCH_SOURCE_FEED,
            .account = item->account,
            .evidence = item->page,
            .asked_ms = asked_ms,
            .at = item->at,
        };

        if (item->meaning == SEEN)
            ski_engine_saw(engine, &observation);
        else if (item->meaning == SUSPECT)
            ski_engine_suspect(engine, &observation);
    }
}
