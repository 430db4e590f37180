/* throng.h - many watches on as many accounts of "gmail", and the lists that show them.
 *
 * Their identifiers are "u0", "u1", …, their ids "ca_0", "ca_1", … */
#ifndef TEST_WATCH_THRONG_H
#define TEST_WATCH_THRONG_H

#include "diary.h"
#include "virtual.h"

#define THRONG_PAGES 64

struct throng {
    struct fixture f;
    struct diary *diaries;
    unsigned n;
    char *pages[THRONG_PAGES]; /* bodies; the service borrows them */
    unsigned n_pages;
};

/* Watches and the service; the client is made by throng_start(), so that fixture.config may be
 * changed in between. */
void throng_init(struct throng *throng, unsigned n);
void throng_start(struct throng *throng); /* and every watch, pending when it starts */
void throng_free(struct throng *throng);

/* A page of a list that shows `n` accounts from the first on, of `total`; `more`: there is another
 * page. Lives as long as the throng. */
const char *throng_page(struct throng *throng, unsigned first, unsigned n, unsigned total,
                        const char *status, bool more);
/* From now on all lists are that page. */
void throng_show(struct throng *throng, unsigned first, unsigned n, unsigned total,
                 const char *status);

/* How many diaries read so. */
unsigned throng_count(const struct throng *throng, const char *events);

unsigned throng_lists(const struct throng *throng); /* requests so far */
unsigned throng_looks(const struct throng *throng);

#endif
