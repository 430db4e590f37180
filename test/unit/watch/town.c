#include "town.h"
#include "json/time.h"
#include <stdlib.h>

#define USUAL_PAGE 10

/* --- the people -------------------------------------------------------------------------------- */

struct townsman *town_add(struct town *town, const char *connection, const char *identifier,
                          const char *status)
{
    struct townsman *man;

    if (town->n == town->room) {
        town->room = town->room * 2 + 16;
        town->people = realloc(town->people, town->room * sizeof *town->people);
        CU_ASSERT_PTR_NOT_NULL_FATAL(town->people);
    }
    man = &town->people[town->n++];
    memset(man, 0, sizeof *man);
    snprintf(man->id, sizeof man->id, "ca_%u", town->n);
    snprintf(man->connection, sizeof man->connection, "%s", connection);
    snprintf(man->identifier, sizeof man->identifier, "%s", identifier);
    man->status = status;
    man->updated_at = town->fixture->clock.wall_us;
    return man;
}

struct townsman *town_find(struct town *town, const char *connection, const char *identifier)
{
    for (unsigned i = 0; i < town->n; i++)
        if (text_is(town->people[i].connection, connection) &&
            text_is(town->people[i].identifier, identifier))
            return &town->people[i];
    return NULL;
}

void town_set(struct town *town, const char *connection, const char *identifier, const char *status)
{
    struct townsman *man = town_find(town, connection, identifier);

    CU_ASSERT_PTR_NOT_NULL_FATAL(man);
    man->status = status;
    man->updated_at = town->fixture->clock.wall_us;
}

/* --- what they are asked ----------------------------------------------------------------------- */

/* The value of a parameter; names and values of ours need no decoding.  "" when it is absent. */
static void parameter(char value[TOWN_NAME], const char *target, const char *name)
{
    size_t length = strlen(name);

    value[0] = '\0';
    for (const char *at = strpbrk(target, "?&"); at; at = strpbrk(at + 1, "&"))
        if (strncmp(at + 1, name, length) == 0 && at[1 + length] == '=') {
            at += length + 2;
            snprintf(value, TOWN_NAME, "%.*s", (int)strcspn(at, "&"), at);
            return;
        }
}

/* Lists name one connection or several. */
static bool names_connection(const char *target, const char *connection)
{
    char value[TOWN_NAME], text[2 * TOWN_NAME];

    parameter(value, target, "connector");
    if (value[0])
        return text_is(value, connection);
    parameter(value, target, "connection_names");
    snprintf(text, sizeof text, "connection_names=%s", connection);
    return !value[0] || text_has(target, text);
}

static bool fits(const char *target, const struct townsman *man)
{
    char identifier[TOWN_NAME];

    parameter(identifier, target, "identifier");
    return man->status && names_connection(target, man->connection) &&
           (!identifier[0] || text_is(identifier, man->identifier));
}

/* --- what is answered -------------------------------------------------------------------------- */

static void write_man(struct ski_buf *out, const struct townsman *man)
{
    char time[SKI_TIME_TEXT];

    ski_time_format(time, man->updated_at);
    ski_buf_addf(out,
                 "{\"id\":\"%s\",\"connector\":\"%s\",\"identifier\":\"%s\",\"status\":\"%s\","
                 "\"updated_at\":\"%s\"}",
                 man->id, man->connection, man->identifier, man->status, time);
}

static void answer_look_up(struct town *town, struct ski_exchange *exchange)
{
    char id[TOWN_NAME];

    town->look_ups++;
    parameter(id, exchange->target, "id");
    for (unsigned i = 0; i < town->n; i++) {
        const struct townsman *man = &town->people[i];

        if (!(id[0] ? man->status && text_is(id, man->id) : fits(exchange->target, man)))
            continue;
        ski_buf_adds(&exchange->answer, "{\"connected_account\":");
        write_man(&exchange->answer, man);
        ski_buf_adds(&exchange->answer, "}");
        return;
    }
    exchange->status = 404;
    ski_buf_adds(&exchange->answer, ERROR_BODY);
}

/* A page token is how many that fit come before the page: what is deleted shifts the pages. */
static void answer_list(struct town *town, struct ski_exchange *exchange)
{
    char text[TOWN_NAME];
    unsigned long from, size, total = 0;
    bool first = true;

    town->lists++;
    snprintf(town->last_list, sizeof town->last_list, "%s", exchange->target);
    if (town->listing)
        town->listing(town);
    parameter(text, exchange->target, "page_token");
    from = strtoul(text, NULL, 10);
    parameter(text, exchange->target, "page_size");
    size = text[0] ? strtoul(text, NULL, 10) : USUAL_PAGE;
    ski_buf_adds(&exchange->answer, "{\"connected_accounts\":[");
    for (unsigned i = 0; i < town->n; i++) {
        if (!fits(exchange->target, &town->people[i]))
            continue;
        if (total >= from && total < from + size) {
            ski_buf_adds(&exchange->answer, first ? "" : ",");
            write_man(&exchange->answer, &town->people[i]);
            first = false;
        }
        total++;
    }
    ski_buf_addf(&exchange->answer, "],\"total_size\":%lu,\"next_page_token\":\"", total);
    if (town->loops)
        ski_buf_adds(&exchange->answer, "1");
    else if (from + size < total)
        ski_buf_addf(&exchange->answer, "%lu", from + size);
    ski_buf_adds(&exchange->answer, "\"}");
}

static bool asks_for(const struct ski_exchange *exchange, const char *method, const char *path)
{
    size_t length = strcspn(exchange->target, "?");

    return text_is(exchange->method, method) && strlen(path) == length &&
           strncmp(exchange->target, path, length) == 0;
}

static void answer(struct town *town, struct ski_exchange *exchange)
{
    exchange->status = 200;
    if (asks_for(exchange, "POST", "/oauth/token")) {
        ski_buf_adds(&exchange->answer, "{\"access_token\":\"tok-1\",\"token_type\":\"Bearer\","
                                        "\"expires_in\":86400}");
    } else if (town->refusal) {
        town->look_ups += asks_for(exchange, "GET", "/api/v1/connected_accounts/details");
        town->lists += asks_for(exchange, "GET", "/api/v1/connected_accounts");
        exchange->status = town->refusal;
        ski_buf_adds(&exchange->answer, ERROR_BODY);
    } else if (asks_for(exchange, "GET", "/api/v1/connected_accounts/details")) {
        answer_look_up(town, exchange);
    } else if (asks_for(exchange, "GET", "/api/v1/connected_accounts")) {
        answer_list(town, exchange);
    } else {
        exchange->status = 404;
        ski_buf_adds(&exchange->answer, ERROR_BODY);
    }
}

/* --- exchanges --------------------------------------------------------------------------------- */

static void on_turn(struct ski_task *task)
{
    struct town *town = SKI_CONTAINER(task, struct town, turn);
    struct ski_list *node;

    while (!town->silent && (node = ski_list_pop_front(&town->waiting))) {
        struct ski_exchange *exchange = SKI_CONTAINER(node, struct ski_exchange, link);
        struct ski_failure failure;

        answer(town, exchange);
        if (exchange->answer.failed == SKI_BUF_OK) {
            exchange->done(exchange, NULL);
        } else {
            ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_RECEIVE, "out of memory");
            exchange->done(exchange, &failure);
        }
    }
}

static void start(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct town *town = SKI_CONTAINER(carrier, struct town, carrier);

    ski_list_push_back(&town->waiting, &exchange->link);
    ski_task_defer(&town->fixture->client->loop, &town->turn);
}

static void cancel(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    (void)carrier;
    ski_list_remove(&exchange->link);
}

/* --- the whole --------------------------------------------------------------------------------- */

bool town_open(struct town *town, struct fixture *f, struct test_memory *memory)
{
    memset(town, 0, sizeof *town);
    town->fixture = f;
    town->carrier = (struct ski_carrier){start, cancel};
    ski_list_init(&town->waiting);
    ski_task_init(&town->turn, on_turn);
    fixture_init(f);
    fixture_use_clock(f);
    if (memory)
        f->config.allocator = &memory->allocator;
    if (scalekit_client_new(&f->client, f->base, &f->config, NULL) != SCALEKIT_OK)
        return false;
    ski_pool_use(f->client->pool, &town->carrier);
    return true;
}

void town_free(struct town *town)
{
    fixture_free(town->fixture);
    free(town->people);
}
