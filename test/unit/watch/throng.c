#include "throng.h"
#include <stdlib.h>

void throng_init(struct throng *throng, unsigned n)
{
    memset(throng, 0, sizeof *throng);
    throng->n = n;
    throng->diaries = calloc(n, sizeof *throng->diaries);
    CU_ASSERT_PTR_NOT_NULL_FATAL(throng->diaries);
    fixture_init(&throng->f);
    fixture_use_clock(&throng->f);
    throng->f.config.log_level = SCALEKIT_LOG_OFF;
    service_always(throng->f.service, DETAILS, ANSWER(200, ACCOUNT("PENDING")));
}

void throng_start(struct throng *throng)
{
    char identifier[16];

    fixture_start(&throng->f);
    for (unsigned i = 0; i < throng->n; i++) {
        snprintf(identifier, sizeof identifier, "u%u", i);
        throng->diaries[i].fixture = &throng->f;
        diary_follow(&throng->diaries[i], identifier);
        CU_ASSERT_PTR_NOT_NULL_FATAL(throng->diaries[i].watch);
    }
}

void throng_free(struct throng *throng)
{
    fixture_free(&throng->f);
    for (unsigned i = 0; i < throng->n_pages; i++)
        free(throng->pages[i]);
    free(throng->diaries);
}

const char *throng_page(struct throng *throng, unsigned first, unsigned n, unsigned total,
                        const char *status, bool more)
{
    size_t size = 200 + 160 * (size_t)n, used;
    char *page = malloc(size);

    CU_ASSERT_FATAL(page && throng->n_pages < THRONG_PAGES);
    used = (size_t)snprintf(page, size,
                            "{\"total_size\":%u,\"next_page_token\":\"%s\","
                            "\"connected_accounts\":[",
                            total, more ? "t" : "");
    for (unsigned i = first; i < first + n; i++)
        used += (size_t)snprintf(page + used, size - used,
                                 "%s{\"id\":\"ca_%u\",\"identifier\":\"u%u\",\"connector\":"
                                 "\"gmail\",\"status\":\"%s\"}",
                                 i > first ? "," : "", i, i, status);
    used += (size_t)snprintf(page + used, size - used, "]}");
    CU_ASSERT_FATAL(used < size);
    throng->pages[throng->n_pages++] = page;
    return page;
}

void throng_show(struct throng *throng, unsigned first, unsigned n, unsigned total,
                 const char *status)
{
    service_always(throng->f.service, LIST,
                   ANSWER(200, throng_page(throng, first, n, total, status, false)));
}

unsigned throng_count(const struct throng *throng, const char *events)
{
    unsigned count = 0;

    for (unsigned i = 0; i < throng->n; i++) {
        const struct diary *d = &throng->diaries[i];

        count += events[0]
                     ? d->n == 1 && text_is(scalekit_watch_event_name(d->pages[0].kind), events)
                     : d->n == 0;
    }
    return count;
}

unsigned throng_lists(const struct throng *throng)
{
    return service_count(throng->f.service, LIST);
}

unsigned throng_looks(const struct throng *throng)
{
    return service_count(throng->f.service, DETAILS);
}
