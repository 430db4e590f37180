#include "environment.h"
#include "api/operations.h"
#include "json/decode.h"
#include "json/time.h"
#include <scalekit/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACCOUNT_TEXT  512
#define USUAL_PAGE    10
#define MAX_PAGE      99 /* of accounts */
#define MAX_FEED_PAGE 100
#define MAX_NAMES     20

struct account {
    bool pending;
    int64_t updated_us;
    unsigned text_length;
    char text[ACCOUNT_TEXT]; /* as JSON */
};

enum event_kind { LINK_GENERATED, OAUTH_SUCCEEDED, STATUS_UPDATED };
static const char *const event_types[] = {
    [LINK_GENERATED] = "connected_account.magic_link_generated",
    [OAUTH_SUCCEEDED] = "connected_account.oauth_succeeded",
    [STATUS_UPDATED] = "connected_account.status_updated",
};

struct event {
    enum event_kind kind;
    unsigned account;
    int64_t at_us;
};

struct flight {
    struct ski_exchange *exchange; /* NULL: cancelled */
    int64_t sent_ms;
};

struct bench_environment {
    struct ski_carrier carrier;
    struct bench_environment_config config;
    const struct bench_time *time;
    void (*sent)(void *user);
    void *user;

    struct account *accounts; /* account N of connection C: N * connections + C */
    unsigned n;
    unsigned *listed; /* all of them, in the order of lists */

    struct event *events; /* oldest first */
    size_t n_events, room_events;

    struct flight *flights; /* in the order they were sent; the same order for all that follows */
    size_t answered, arrived, n_flights, room_flights;

    uint64_t counts[BENCH_REQUEST_KINDS];
    char fault[200];
};

/* --- accounts ---------------------------------------------------------------------------------- */

void bench_environment_connection(char name[BENCH_NAME],
                                  const struct bench_environment *environment, unsigned account)
{
    snprintf(name, BENCH_NAME, "connection_%u", account % environment->config.connections);
}

void bench_environment_identifier(char name[BENCH_NAME],
                                  const struct bench_environment *environment, unsigned account)
{
    snprintf(name, BENCH_NAME, "user_%u", account / environment->config.connections);
}

/* Lists show thousands of accounts a second, of which few have changed: their text is kept. */
static void write_text(struct bench_environment *environment, unsigned number)
{
    struct account *account = &environment->accounts[number];
    char connection[BENCH_NAME], identifier[BENCH_NAME], time[SKI_TIME_TEXT];
    int length;

    bench_environment_connection(connection, environment, number);
    bench_environment_identifier(identifier, environment, number);
    ski_time_format(time, account->updated_us);
    length =
        snprintf(account->text, sizeof account->text,
                 "{\"id\":\"ca_%u\",\"identifier\":\"%s\",\"provider\":\"GMAIL\",\"status\":\"%s\","
                 "\"authorization_type\":\"OAUTH\",\"updated_at\":\"%s\",\"connector\":\"%s\","
                 "\"connection_id\":\"conn_%u\"}",
                 number, identifier, account->pending ? "PENDING_AUTH" : "ACTIVE", time, connection,
                 number % environment->config.connections);
    account->text_length = (unsigned)length;
}

static void note_event(struct bench_environment *environment, enum event_kind kind,
                       unsigned account)
{
    if (environment->n_events == environment->room_events) {
        environment->room_events = environment->room_events * 2 + 1024;
        environment->events =
            bench_grow(environment->events, environment->room_events, sizeof *environment->events);
    }
    environment->events[environment->n_events++] =
        (struct event){kind, account, bench_time_wall_us(environment->time)};
}

void bench_environment_link(struct bench_environment *environment, unsigned account)
{
    note_event(environment, LINK_GENERATED, account);
}

void bench_environment_consent(struct bench_environment *environment, unsigned number)
{
    struct account *account = &environment->accounts[number];

    account->pending = false;
    account->updated_us = bench_time_wall_us(environment->time);
    write_text(environment, number);
    note_event(environment, OAUTH_SUCCEEDED, number);
    note_event(environment, STATUS_UPDATED, number);
}

/* --- reading requests -------------------------------------------------------------------------- */

/* The next "name=value"; names and values of ours need no decoding. */
static bool next_pair(const char **query, struct ski_slice *name, struct ski_slice *value)
{
    size_t length = strcspn(*query, "&"), split;

    if (!**query)
        return false;
    split = strcspn(*query, "=&");
    *name = (struct ski_slice){*query, split};
    *value = split < length ? (struct ski_slice){*query + split + 1, length - split - 1}
                            : (struct ski_slice){*query + length, 0};
    *query += length + ((*query)[length] == '&');
    return true;
}

static const char *query_of(const struct ski_exchange *exchange)
{
    const char *query = strchr(exchange->target, '?');

    return query ? query + 1 : "";
}

/* The number behind a prefix, if it is less than `limit`. */
static bool read_number(struct ski_slice text, const char *prefix, uint64_t limit, uint64_t *number)
{
    size_t length = strlen(prefix);

    return text.length > length && memcmp(text.at, prefix, length) == 0 &&
           ski_parse_u64((struct ski_slice){text.at + length, text.length - length}, number) &&
           *number < limit;
}

/* --- answers ----------------------------------------------------------------------------------- */

static void answer_error(struct ski_exchange *exchange, int status, int code, const char *message)
{
    exchange->status = status;
    ski_buf_addf(&exchange->answer, "{\"code\":%d,\"message\":\"%s\",\"details\":[]}", code,
                 message);
}

/* The engine is expected to know better: the first such request is remembered. */
static void answer_fault(struct bench_environment *environment, struct ski_exchange *exchange,
                         int status, int code, const char *why)
{
    if (!*environment->fault)
        snprintf(environment->fault, sizeof environment->fault, "%s %s: %s", exchange->method,
                 exchange->target, why);
    answer_error(exchange, status, code, why);
}

static void answer_sign_in(struct bench_environment *environment, struct ski_exchange *exchange)
{
    (void)environment;
    ski_buf_adds(&exchange->answer,
                 "{\"access_token\":\"bench\",\"token_type\":\"Bearer\",\"expires_in\":3600}");
}

static void answer_look_up(struct bench_environment *environment, struct ski_exchange *exchange)
{
    const struct bench_environment_config *config = &environment->config;
    uint64_t id = environment->n, connection = config->connections, number = config->accounts;
    const char *query = query_of(exchange);
    struct ski_slice name, value;

    while (next_pair(&query, &name, &value))
        if (ski_slice_eq(name, "id"))
            read_number(value, "ca_", environment->n, &id);
        else if (ski_slice_eq(name, "connector"))
            read_number(value, "connection_", config->connections, &connection);
        else if (ski_slice_eq(name, "identifier"))
            read_number(value, "user_", config->accounts, &number);
    if (connection < config->connections && number < config->accounts)
        id = number * config->connections + connection;
    if (id >= environment->n) {
        answer_fault(environment, exchange, 404, 5, "connected account not found");
        return;
    }
    ski_buf_addf(&exchange->answer, "{\"connected_account\":%s}", environment->accounts[id].text);
}

struct list_query {
    uint64_t connections[MAX_NAMES], user; /* user: none when as many as there are */
    size_t n_connections;                  /* 0: all */
    uint64_t page_size, from;
    bool wrong;
};

static void read_list_pair(const struct bench_environment_config *config, struct list_query *list,
                           struct ski_slice name, struct ski_slice value)
{
    bool good = false;

    if (ski_slice_eq(name, "connector") || ski_slice_eq(name, "connection_names"))
        good = list->n_connections < MAX_NAMES &&
               read_number(value, "connection_", config->connections,
                           &list->connections[list->n_connections++]);
    else if (ski_slice_eq(name, "identifier"))
        good = read_number(value, "user_", config->accounts, &list->user);
    else if (ski_slice_eq(name, "page_size"))
        good = read_number(value, "", MAX_PAGE + 1, &list->page_size);
    else if (ski_slice_eq(name, "page_token"))
        good = read_number(value, "", UINT32_MAX, &list->from);
    list->wrong |= !good;
}

static bool is_listed(const struct bench_environment_config *config, const struct list_query *list,
                      unsigned account)
{
    if (list->user < config->accounts && account / config->connections != list->user)
        return false;
    for (size_t i = 0; i < list->n_connections; i++)
        if (account % config->connections == list->connections[i])
            return true;
    return list->n_connections == 0;
}

/* A page token is the place of the next account in the order of lists. */
static void write_list(const struct bench_environment *environment, struct ski_buf *out,
                       const struct list_query *list)
{
    unsigned total = 0, shown = 0, next = 0;

    ski_buf_adds(out, "{\"connected_accounts\":[");
    for (unsigned place = 0; place < environment->n; place++) {
        unsigned number = environment->listed[place];
        const struct account *account = &environment->accounts[number];

        if (!is_listed(&environment->config, list, number))
            continue;
        total++;
        if (place < list->from || next)
            continue;
        if (shown == list->page_size) {
            next = place;
            continue;
        }
        if (shown++)
            ski_buf_addc(out, ',');
        ski_buf_add(out, account->text, account->text_length);
    }
    ski_buf_addf(out, "],\"total_size\":%u,\"next_page_token\":\"", total);
    if (next)
        ski_buf_addf(out, "%u", next);
    ski_buf_adds(out, "\",\"prev_page_token\":\"\"}");
}

static void answer_list(struct bench_environment *environment, struct ski_exchange *exchange)
{
    struct list_query list = {.user = environment->config.accounts};
    const char *query = query_of(exchange);
    struct ski_slice name, value;

    while (next_pair(&query, &name, &value))
        read_list_pair(&environment->config, &list, name, value);
    if (!list.page_size)
        list.page_size = USUAL_PAGE;
    if (list.wrong)
        answer_fault(environment, exchange, 400, 3, "no list like this is simulated");
    else
        write_list(environment, &exchange->answer, &list);
}

/* --- the feed ---------------------------------------------------------------------------------- */

/* By what it may be filtered here. */
static bool is_known(const struct scalekit_list_events_params *filter)
{
    return !filter->organization_id && !filter->connection_id && !filter->connected_account_id &&
           !filter->source && !filter->source_text;
}

static bool is_wanted(const struct scalekit_list_events_params *filter, const struct event *event)
{
    if (event->at_us < filter->start_time || (filter->end_time && event->at_us > filter->end_time))
        return false;
    for (size_t i = 0; i < filter->n_event_types; i++)
        if (strcmp(filter->event_types[i], event_types[event->kind]) == 0)
            return true;
    return filter->n_event_types == 0;
}

static void write_event(const struct bench_environment *environment, struct ski_buf *out, size_t at)
{
    const struct event *event = &environment->events[at];
    char connection[BENCH_NAME], identifier[BENCH_NAME], time[SKI_TIME_TEXT];

    bench_environment_connection(connection, environment, event->account);
    bench_environment_identifier(identifier, environment, event->account);
    ski_time_format(time, event->at_us);
    ski_buf_addf(
        out,
        "{\"spec_version\":\"1\",\"id\":\"evt_%zu\",\"type\":\"%s\",\"occurred_at\":\"%s\","
        "\"environment_id\":\"env_1\",\"object\":\"ConnectedAccount\",\"data\":{"
        "\"authorization_type\":\"OAUTH\",\"connection_id\":\"conn_%u\","
        "\"connection_name\":\"%s\",\"id\":\"ca_%u\",\"identifier\":\"%s\","
        "\"provider\":\"GMAIL\",\"status\":\"%s\"%s}}",
        at, event_types[event->kind], time, event->account % environment->config.connections,
        connection, event->account, identifier,
        event->kind == LINK_GENERATED ? "PENDING_AUTH" : "ACTIVE",
        event->kind == STATUS_UPDATED ? ",\"old_status\":\"PENDING_AUTH\"" : "");
}

/* Newest first.  A page token is the number of the event before which the page begins. */
static void write_feed(const struct bench_environment *environment, struct ski_buf *out,
                       const struct scalekit_list_events_params *filter, size_t before,
                       uint64_t page_size)
{
    int64_t shown_us =
        bench_time_wall_us(environment->time) - environment->config.feed_lag_ms * 1000;
    uint64_t shown = 0;
    size_t next = 0;

    ski_buf_adds(out, "{\"events\":[");
    for (size_t at = before; at-- > 0 && !next;) {
        const struct event *event = &environment->events[at];

        if (event->at_us < filter->start_time)
            break;
        if (event->at_us > shown_us || !is_wanted(filter, event))
            continue;
        if (shown == page_size) {
            next = at + 1;
            continue;
        }
        if (shown++)
            ski_buf_addc(out, ',');
        write_event(environment, out, at);
    }
    ski_buf_adds(out, "],\"next_page_token\":\"");
    if (next)
        ski_buf_addf(out, "%zu", next);
    ski_buf_adds(out, "\",\"prev_page_token\":\"\"}");
}

static void answer_feed(struct bench_environment *environment, struct ski_exchange *exchange)
{
    uint64_t page_size = 0, before = environment->n_events;
    const struct ski_operation *operation = ski_operation_find("list_events_paginated");
    const char *query = query_of(exchange);
    struct ski_slice name, value;
    struct ski_failure failure;
    struct ski_arena arena;
    const void *filter;
    bool good = true;

    if (!environment->config.feed) {
        answer_error(exchange, 501, 12, "there is no event feed");
        return;
    }
    while (next_pair(&query, &name, &value))
        if (ski_slice_eq(name, "page_size"))
            good &= read_number(value, "", MAX_FEED_PAGE + 1, &page_size);
        else
            good &= ski_slice_eq(name, "page_token") &&
                    read_number(value, "", environment->n_events + 1, &before);
    ski_arena_init(&arena, exchange->answer.mem, 1024, 1u << 20);
    good &= ski_json_decode(&arena, operation->params, exchange->body, exchange->body_length,
                            &filter, &failure) == SCALEKIT_OK;
    if (good && is_known(filter))
        write_feed(environment, &exchange->answer, filter, (size_t)before,
                   page_size ? page_size : USUAL_PAGE);
    else
        answer_fault(environment, exchange, 400, 3, "no feed like this is simulated");
    ski_arena_free(&arena);
}

/* --- what there is ----------------------------------------------------------------------------- */

static void answer_other(struct bench_environment *environment, struct ski_exchange *exchange)
{
    answer_fault(environment, exchange, 404, 5, "is not simulated");
}

static const struct route {
    const char *method, *path;
    void (*answer)(struct bench_environment *environment, struct ski_exchange *exchange);
} routes[BENCH_REQUEST_KINDS] = {
    [BENCH_SIGN_INS] = {"POST", "/oauth/token", answer_sign_in},
    [BENCH_LOOK_UPS] = {"GET", "/api/v1/connected_accounts/details", answer_look_up},
    [BENCH_LISTS] = {"GET", "/api/v1/connected_accounts", answer_list},
    [BENCH_FEED_READS] = {"POST", "/api/v1/events/paginated", answer_feed},
    [BENCH_OTHERS] = {NULL, NULL, answer_other},
};

static enum bench_request_kind kind_of(const struct ski_exchange *exchange)
{
    struct ski_slice path = {exchange->target, strcspn(exchange->target, "?")};
    unsigned kind = 0;

    while (kind < BENCH_OTHERS && !(strcmp(routes[kind].method, exchange->method) == 0 &&
                                    ski_slice_eq(path, routes[kind].path)))
        kind++;
    return (enum bench_request_kind)kind;
}

/* --- requests under way ------------------------------------------------------------------------ */

static void start(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct bench_environment *environment =
        SKI_CONTAINER(carrier, struct bench_environment, carrier);

    environment->counts[kind_of(exchange)]++;
    if (environment->sent)
        environment->sent(environment->user);
    if (environment->config.silent)
        return;
    if (environment->answered == environment->n_flights)
        environment->answered = environment->arrived = environment->n_flights = 0;
    if (environment->n_flights == environment->room_flights) {
        environment->room_flights = environment->room_flights * 2 + 256;
        environment->flights = bench_grow(environment->flights, environment->room_flights,
                                          sizeof *environment->flights);
    }
    environment->flights[environment->n_flights++] =
        (struct flight){exchange, bench_time_ms(environment->time)};
}

static void cancel(struct ski_carrier *carrier, struct ski_exchange *exchange)
{
    struct bench_environment *environment =
        SKI_CONTAINER(carrier, struct bench_environment, carrier);

    for (size_t i = environment->answered; i < environment->n_flights; i++)
        if (environment->flights[i].exchange == exchange)
            environment->flights[i].exchange = NULL;
}

static int64_t arrival_ms(const struct bench_environment *environment)
{
    size_t next = environment->arrived;

    return next < environment->n_flights
               ? environment->flights[next].sent_ms + environment->config.latency_ms / 2
               : INT64_MAX;
}

static int64_t answer_ms(const struct bench_environment *environment)
{
    size_t next = environment->answered;

    return next < environment->n_flights
               ? environment->flights[next].sent_ms + environment->config.latency_ms
               : INT64_MAX;
}

int64_t bench_environment_next_ms(const struct bench_environment *environment)
{
    int64_t arrival = arrival_ms(environment), answer = answer_ms(environment);

    return arrival < answer ? arrival : answer;
}

static void arrive(struct bench_environment *environment)
{
    struct ski_exchange *exchange = environment->flights[environment->arrived++].exchange;

    if (!exchange)
        return;
    exchange->status = 200;
    routes[kind_of(exchange)].answer(environment, exchange);
}

/* An answer that found no memory fails as one that was cut off. */
static void complete(struct bench_environment *environment)
{
    struct ski_exchange *exchange = environment->flights[environment->answered++].exchange;
    struct ski_failure failure;

    if (!exchange)
        return;
    if (exchange->answer.failed == SKI_BUF_OK) {
        exchange->done(exchange, NULL);
        return;
    }
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_RECEIVE, "out of memory");
    exchange->done(exchange, &failure);
}

void bench_environment_run(struct bench_environment *environment)
{
    int64_t now = bench_time_ms(environment->time);

    for (;;)
        if (arrival_ms(environment) <= now)
            arrive(environment);
        else if (answer_ms(environment) <= now)
            complete(environment);
        else
            break;
}

/* --- the whole --------------------------------------------------------------------------------- */

static void shuffle(unsigned *numbers, unsigned n, struct bench_dice *dice)
{
    for (unsigned i = 0; i < n; i++)
        numbers[i] = i;
    for (unsigned i = n; i > 1; i--) {
        size_t other = (size_t)bench_throw_range(dice, 0, i - 1);
        unsigned number = numbers[i - 1];

        numbers[i - 1] = numbers[other];
        numbers[other] = number;
    }
}

struct bench_environment *bench_environment_new(const struct bench_environment_config *config,
                                                const struct bench_time *time,
                                                void (*sent)(void *user), void *user)
{
    struct bench_environment *environment = bench_zalloc(1, sizeof *environment);
    struct bench_dice dice = bench_dice_of(config->seed, "environment");

    environment->carrier = (struct ski_carrier){start, cancel};
    environment->config = *config;
    environment->time = time;
    environment->sent = sent;
    environment->user = user;
    environment->n = config->connections * config->accounts;
    environment->accounts = bench_zalloc(environment->n, sizeof *environment->accounts);
    environment->listed = bench_zalloc(environment->n, sizeof *environment->listed);
    shuffle(environment->listed, environment->n, &dice);
    for (unsigned i = 0; i < environment->n; i++) {
        environment->accounts[i].pending = i < config->pending;
        environment->accounts[i].updated_us =
            bench_time_wall_us(time) - bench_throw_range(&dice, 1, 86400) * 1000000;
        write_text(environment, i);
    }
    return environment;
}

void bench_environment_free(struct bench_environment *environment)
{
    if (!environment)
        return;
    free(environment->accounts);
    free(environment->listed);
    free(environment->events);
    free(environment->flights);
    free(environment);
}

struct ski_carrier *bench_environment_carrier(struct bench_environment *environment)
{
    return &environment->carrier;
}

uint64_t bench_environment_count(const struct bench_environment *environment,
                                 enum bench_request_kind kind)
{
    return environment->counts[kind];
}

const char *bench_environment_fault(const struct bench_environment *environment)
{
    return *environment->fault ? environment->fault : NULL;
}
