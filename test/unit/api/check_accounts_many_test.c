/* So many accounts that the way to see them matters. */
#include "core/client.h"
#include "wire.h"
#include <scalekit/check_accounts.h>
#include <stdlib.h>

static const struct service_answer nothing = {.status = 200, .body = "{}"};
static const struct service_answer one = {.status = 200,
                                          .body = "{\"connected_account\":{\"id\":\"ca_1\"}}"};

/* --- many ------------------------------------------------------------------------------------- */

struct crowd {
    struct call *call;
    unsigned char *times; /* that each index was told */
    size_t n, found;
    struct scalekit_account_check summary;
    struct scalekit_account_key *keys;
    const struct scalekit_account_key **list;
    char (*names)[32];
};

static void crowd_init(struct crowd *crowd, size_t n)
{
    *crowd = (struct crowd){.n = n};
    crowd->times = calloc(n, 1);
    crowd->keys = calloc(n, sizeof *crowd->keys);
    crowd->list = calloc(n, sizeof *crowd->list);
    crowd->names = calloc(n, sizeof *crowd->names);
    CU_ASSERT_FATAL(crowd->times && crowd->keys && crowd->list && crowd->names);
    for (size_t i = 0; i < n; i++) {
        snprintf(crowd->names[i], sizeof *crowd->names, "ca_%zu", i);
        crowd->keys[i].struct_size = sizeof crowd->keys[i];
        crowd->list[i] = &crowd->keys[i];
    }
}

static void crowd_free(struct crowd *crowd)
{
    free(crowd->times);
    free(crowd->keys);
    free(crowd->list);
    free(crowd->names);
}

static void on_one(scalekit_request *request, size_t index,
                   const struct scalekit_connected_account *account,
                   const struct scalekit_error *error, void *user)
{
    struct crowd *crowd = user;

    (void)request;
    CU_ASSERT_FATAL(index < crowd->n);
    CU_ASSERT_EQUAL(!account, !!error);
    crowd->times[index]++;
    crowd->found += account && text_is(account->identifier, crowd->keys[index].identifier);
}

static void on_all(scalekit_request *request, const struct scalekit_account_check *check,
                   void *user)
{
    struct crowd *crowd = user;

    if (check)
        crowd->summary = *check;
    call_on_result(request, check, crowd->call);
}

static void crowd_start(struct crowd *crowd, struct fixture *f, int64_t max_in_flight)
{
    crowd->call = call_new(f);
    call_began(crowd->call, scalekit_check_accounts(
                                f->client,
                                SCALEKIT_PARAMS(scalekit_check_accounts_params, .keys = crowd->list,
                                                .n_keys = crowd->n, .max_in_flight = max_in_flight),
                                on_one, on_all, crowd));
}

#define CROWD 20196
#define PAGES (CROWD / 2 / 99)

/* The accounts of half as many users, each asked for twice, on the pages of one connection. */
static char *make_page(const struct crowd *crowd, size_t page)
{
    size_t from = page * 99, to = from + 99;
    size_t size = 256 + (to - from) * 64, used;
    char *body = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    used = (size_t)snprintf(body, size, "{\"total_size\":%d,\"connected_accounts\":[", CROWD / 2);
    for (size_t i = from; i < to; i++)
        used += (size_t)snprintf(body + used, size - used,
                                 "%s{\"id\":\"x\",\"connector\":\"gmail\",\"identifier\":\"%s\"}",
                                 i > from ? "," : "", crowd->names[i]);
    snprintf(body + used, size - used, "],\"next_page_token\":\"%.*zu\"}", page + 1 < PAGES ? 1 : 0,
             page + 1 < PAGES ? page + 1 : 0);
    return body;
}

static void test_many(void)
{
    struct crowd crowd;
    struct fixture f;
    char *pages[PAGES];

    crowd_init(&crowd, CROWD);
    for (size_t i = 0; i < CROWD; i++) {
        crowd.keys[i].connection_name = "gmail";
        crowd.keys[i].identifier = crowd.names[i * 7 % (CROWD / 2)];
    }
    fixture_init(&f);
    f.config.log_level = SCALEKIT_LOG_WARN;
    fixture_start(&f);
    for (size_t i = 0; i < PAGES; i++) {
        pages[i] = make_page(&crowd, i);
        service_once(f.service, LIST, (struct service_answer){200, pages[i], NULL, 0, 0});
    }
    crowd_start(&crowd, &f, 0);
    call_wait(crowd.call);
    CU_ASSERT_EQUAL(crowd.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(crowd.found, CROWD);
    CU_ASSERT_EQUAL(crowd.summary.found, CROWD);
    CU_ASSERT_EQUAL(crowd.summary.requests, PAGES);
    CU_ASSERT_EQUAL(service_count(f.service, NULL), PAGES);
    for (size_t i = 0; i < CROWD; i++)
        CU_ASSERT_FATAL(crowd.times[i] == 1);
    fixture_free(&f);
    for (size_t i = 0; i < PAGES; i++)
        free(pages[i]);
    crowd_free(&crowd);
}

/* Of two connections one is small: its half of the sweep is a page, the other's users are looked
 * up. */
static void test_halves(void)
{
    static const char *const totals[] = {"5000", "10", "4990"};
    char pages[COUNT(totals)][1024];
    struct crowd crowd;
    struct fixture f;

    crowd_init(&crowd, 20);
    for (size_t i = 0; i < crowd.n; i++) {
        crowd.keys[i].connection_name = i % 2 ? "slack" : "gmail";
        crowd.keys[i].identifier = crowd.names[i];
    }
    fixture_open(&f);
    for (size_t i = 0; i < COUNT(totals); i++) {
        size_t used = (size_t)snprintf(pages[i], sizeof pages[i],
                                       "{\"total_size\":%s,\"next_page_token\":\"%s\","
                                       "\"connected_accounts\":[{}",
                                       totals[i], i == 1 ? "" : "t");

        for (size_t j = 0; j < crowd.n && i == 1; j += 2)
            used += (size_t)snprintf(pages[i] + used, sizeof pages[i] - used,
                                     ",{\"connector\":\"gmail\",\"identifier\":\"%s\"}",
                                     crowd.names[j]);
        snprintf(pages[i] + used, sizeof pages[i] - used, "]}");
        service_once(f.service, LIST, (struct service_answer){200, pages[i], NULL, 0, 0});
    }
    service_always(f.service, DETAILS, one);
    crowd_start(&crowd, &f, 1);
    call_wait(crowd.call);
    CU_ASSERT_EQUAL(crowd.summary.found, 20);
    CU_ASSERT_EQUAL(crowd.summary.pages, 3);
    CU_ASSERT_EQUAL(crowd.summary.look_ups, 10);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT(text_has(service_request(f.service, LIST, i)->target,
                           i == 0   ? "?connection_names=gmail&connection_names=slack&page_size"
                           : i == 1 ? "?connection_names=gmail&page_size"
                                    : "?connection_names=slack&page"));
    for (size_t i = 0; i < crowd.n; i++)
        CU_ASSERT_EQUAL(crowd.times[i], 1);
    fixture_free(&f);
    crowd_free(&crowd);
}

/* Two connections of the same 120 users: when one of them is too large to be swept the users are
 * listed for it, and those lists show the other one, too. */
static void test_together(void)
{
    static const struct {
        const char *totals[2];
        int64_t pages;
    } rows[] = {{{"495", "495"}, 2 + 2}, {{"495", "50000"}, 2 + 120}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        char pages[2][256];
        struct crowd crowd;
        struct fixture f;

        crowd_init(&crowd, 240);
        for (size_t j = 0; j < crowd.n; j++) {
            crowd.keys[j].connection_name = j % 2 ? "slack" : "gmail";
            crowd.keys[j].identifier = crowd.names[j / 2];
        }
        fixture_open(&f);
        for (size_t j = 0; j < 2; j++) {
            size_t used = (size_t)snprintf(pages[j], sizeof pages[j],
                                           "{\"total_size\":%s,\"next_page_token\":\"t\","
                                           "\"connected_accounts\":[{}",
                                           rows[i].totals[j]);

            for (size_t k = 1; k < 50; k++)
                used += (size_t)snprintf(pages[j] + used, sizeof pages[j] - used, ",{}");
            snprintf(pages[j] + used, sizeof pages[j] - used, "]}");
            service_once(f.service, LIST, (struct service_answer){200, pages[j], NULL, 0, 0});
        }
        service_always(f.service, LIST, nothing);
        service_always(f.service, DETAILS, one);
        crowd_start(&crowd, &f, 1);
        call_wait(crowd.call);
        CU_ASSERT_EQUAL(crowd.summary.found, 240);
        CU_ASSERT_EQUAL(crowd.summary.pages, rows[i].pages);
        CU_ASSERT_EQUAL(crowd.summary.look_ups, 240); /* the lists have shown none */
        for (size_t j = 0; j < crowd.n; j++)
            CU_ASSERT_EQUAL(crowd.times[j], 1);
        fixture_free(&f);
        crowd_free(&crowd);
    }
}

/* Those by id have nothing in common, and go out one after the other. */
static void test_in_flight(void)
{
    static const struct {
        int64_t asked, expected;
    } rows[] = {{1, 1}, {3, 3}, {0, 32}, {256, 60}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct crowd crowd;
        struct fixture f;
        unsigned sent = (unsigned)rows[i].expected;

        crowd_init(&crowd, 60);
        for (size_t j = 0; j < crowd.n; j++)
            crowd.keys[j].connected_account_id = crowd.names[j];
        fixture_open(&f);
        service_always(f.service, DETAILS,
                       (struct service_answer){200, ACCOUNT_BODY, NULL, SERVICE_WAITS, 0});
        crowd_start(&crowd, &f, rows[i].asked);
        while (!crowd.call->done) {
            service_until(f.service, DETAILS, sent);
            fixture_turn(&f);
            CU_ASSERT_EQUAL_FATAL(service_count(f.service, DETAILS), sent);
            service_release(f.service);
            if (sent == crowd.n)
                call_wait(crowd.call);
            sent += (unsigned)rows[i].expected;
            sent = sent < crowd.n ? sent : (unsigned)crowd.n;
        }
        CU_ASSERT_EQUAL(crowd.summary.found, 60);
        fixture_free(&f);
        crowd_free(&crowd);
    }
}

/* --- memory ----------------------------------------------------------------------------------- */

/* So many that what is to be asked takes memory of its own. */
static bool crowd_short_of_memory(struct test_memory *memory, void *user)
{
    struct crowd crowd;
    struct fixture f;
    bool through = false;

    (void)user;
    crowd_init(&crowd, 64);
    for (size_t i = 0; i < crowd.n; i++) {
        crowd.keys[i].connection_name = i % 2 ? "gmail" : "slack";
        crowd.keys[i].identifier = crowd.names[i - i % 2];
        crowd.keys[i].organization_id = crowd.names[i - i % 2];
    }
    fixture_init(&f);
    f.config.allocator = &memory->allocator;
    if (scalekit_client_new(&f.client, f.base, &f.config, NULL) == SCALEKIT_OK) {
        service_always(f.service, LIST, nothing);
        service_always(f.service, DETAILS, one);
        crowd_start(&crowd, &f, 0);
        if (crowd.call->request) {
            call_wait(crowd.call);
            CU_ASSERT(crowd.call->code == SCALEKIT_OK || crowd.call->code == SCALEKIT_ERR_NOMEM);
            through = crowd.summary.found == 64;
        }
    }
    fixture_free(&f);
    crowd_free(&crowd);
    return through;
}

static void test_out_of_memory(void)
{
    CU_ASSERT(test_every_allocation(crowd_short_of_memory, NULL) > 200);
}

SUITE(check_accounts_many, {"20,000 keys are seen on 102 pages, each told once", test_many},
      {"a sweep that does not pay is tried in halves", test_halves},
      {"sweeps are compared with doing without them", test_together},
      {"no more requests are under way than was asked for", test_in_flight},
      {"every allocation may fail", test_out_of_memory})
