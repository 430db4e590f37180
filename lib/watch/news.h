/* news.h - the pages of one read of the event feed, and what they say together.
 *
 * Pages come newest first, overlap what was read before, and shift while more happens; so a read is
 * taken in as a whole, when its last page has come.  Of each account the newest status is applied,
 * and nothing that is older; accounts in the order in which things happened. */
#ifndef SKI_WATCH_NEWS_H
#define SKI_WATCH_NEWS_H

#include "base/map.h"
#include "watch/seen_ids.h"
#include "watch/shown.h"
#include <scalekit/event.h>

#define SKI_NEWS_PAGES 10
#define SKI_NEWS_PAGE  100 /* events on one */

struct ski_engine;
struct ski_news_item;

/* The types of events that are of use. */
extern const char *const ski_news_types[];
extern const size_t ski_news_n_types;

struct ski_news {
    const struct ski_mem *mem;
    scalekit_request *pages[SKI_NEWS_PAGES]; /* references; their arenas own what is decoded */
    size_t n_pages;
    size_t known, most_known; /* events in a row that were seen before: now, and at most so far */
    struct ski_news_item *items; /* what is new, newest first */
    size_t n_items;
    scalekit_time newest, oldest; /* of the events that can be believed; 0: there are none */
};

void ski_news_init(struct ski_news *news, const struct ski_mem *mem);
void ski_news_free(struct ski_news *news); /* empty and usable again */

/* The next page, of at most SKI_NEWS_PAGE events; no more than SKI_NEWS_PAGES. */
void ski_news_add(struct ski_news *news, scalekit_request *request,
                  const struct ski_seen_ids *seen);

/* The token that the last page had for another; NULL: none. */
const char *ski_news_next_page(const struct ski_news *news);

/* Finds what is new.  What happened after `latest` cannot be: its time is disbelieved.  What
 * happened up to `baseline` is not told.  false: out of memory, and nothing has changed. */
bool ski_news_read(struct ski_news *news, const struct ski_seen_ids *seen, scalekit_time baseline,
                   scalekit_time latest);

/* Then: every event has been seen, and every account that is new was shown. */
void ski_news_note(const struct ski_news *news, struct ski_seen_ids *seen, struct ski_shown *shown,
                   int64_t now_ms);

/* Then: the engine is told, as of a read begun at that time. */
void ski_news_tell(const struct ski_news *news, struct ski_engine *engine, int64_t asked_ms);

#endif
