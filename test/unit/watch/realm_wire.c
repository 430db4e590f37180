/* realm_wire.c - what the realm says to a request that has arrived. */
#include "api/operations.h"
#include "base/str.h"
#include "json/decode.h"
#include "json/time.h"
#include "unit/watch/realm.h"
#include <stdlib.h>

#define USUAL_PAGE  10
#define MAX_EVENTS  4096
#define MAX_NAMES   20
#define CONSENT_MS  60000
#define SHIFTING_MS 700 /* the order of lists stays that long, where it changes */

/* --- reading ----------------------------------------------------------------------------------- */

/* The next "name=value"; names and values here need no decoding. */
static bool next_pair(const char **query, struct ski_slice *name, struct ski_slice *value)
{
    size_t length = strcspn(*query, "&"), split = strcspn(*query, "=&");

    if (!**query)
        return false;
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

/* The number behind a prefix; `none` when it is not that. */
static uint64_t number(struct ski_slice text, const char *prefix, uint64_t none)
{
    size_t length = strlen(prefix);
    uint64_t value;

    return text.length > length && memcmp(text.at, prefix, length) == 0 &&
                   ski_parse_u64((struct ski_slice){text.at + length, text.length - length}, &value)
               ? value
               : none;
}

/* A text member of a flat JSON body. */
static struct ski_slice member(const struct ski_exchange *exchange, const char *name)
{
    char key[40];
    int length = snprintf(key, sizeof key, "\"%s\":\"", name);

    for (size_t i = 0; i + (size_t)length < exchange->body_length; i++)
        if (memcmp(exchange->body + i, key, (size_t)length) == 0) {
            const char *at = exchange->body + i + length;
            const char *end = memchr(at, '"', exchange->body_length - i - (size_t)length);

            return (struct ski_slice){at, end ? (size_t)(end - at) : 0};
        }
    return (struct ski_slice){"", 0};
}

/* --- writing ----------------------------------------------------------------------------------- */

void realm_answer_error(struct ski_exchange *exchange, int status)
{
    exchange->status = status;
    ski_buf_addf(&exchange->answer, "{\"code\":2,\"message\":\"status %d\",\"details\":[]}",
                 status);
}

/* The library asked for what does not exist, or in a way that is not allowed. */
static void answer_problem(struct realm *realm, struct ski_exchange *exchange, const char *why)
{
    if (!*realm->problem)
        snprintf(realm->problem, sizeof realm->problem, "%s %s: %s", exchange->method,
                 exchange->target, why);
    realm_answer_error(exchange, 400);
}

static void write_account(const struct realm_account *account, const struct realm_moment *moment,
                          struct ski_buf *out)
{
    char time[SKI_TIME_TEXT];

    ski_buf_addf(out,
                 "{\"id\":\"ca_%u\",\"identifier\":\"user_%u\",\"provider\":\"GMAIL\","
                 "\"status\":\"%s\",\"connector\":\"connection_%u\",\"connection_id\":\"conn_%u\"",
                 moment->id, account->user, moment->word, account->connection, account->connection);
    if (moment->dated) {
        ski_time_format(time, moment->updated_us);
        ski_buf_addf(out, ",\"updated_at\":\"%s\"", time);
    }
    ski_buf_addc(out, '}');
}

static void answer_account(struct ski_exchange *exchange, const struct realm_account *account,
                           const struct realm_moment *moment)
{
    exchange->status = 200;
    ski_buf_adds(&exchange->answer, "{\"connected_account\":");
    write_account(account, moment, &exchange->answer);
    ski_buf_addc(&exchange->answer, '}');
}

/* What a reader of some replica sees now. */
static int64_t seen_ms(struct realm *realm)
{
    if (realm->as_of_ms != INT64_MAX)
        return realm->as_of_ms;
    return realm_now(realm) - realm_between(realm, 0, realm->habits.lag_ms);
}

/* --- one account ------------------------------------------------------------------------------- */

static struct realm_account *find_named(struct realm *realm, uint64_t connection, uint64_t user)
{
    return connection < realm->connections && user < realm->users
               ? &realm->accounts[user * realm->connections + connection]
               : NULL;
}

static struct realm_account *find_id(struct realm *realm, uint64_t id)
{
    for (unsigned i = 0; i < realm->n_accounts; i++)
        for (unsigned m = 0; m < realm->accounts[i].n_moments; m++)
            if (realm->accounts[i].moments[m].id == id)
                return &realm->accounts[i];
    return NULL;
}

static void answer_details(struct realm *realm, struct ski_exchange *exchange)
{
    uint64_t connection = UINT64_MAX, user = UINT64_MAX, id = 0;
    const char *query = query_of(exchange);
    struct ski_slice name, value;
    struct realm_account *account;
    const struct realm_moment *moment;

    while (next_pair(&query, &name, &value))
        if (ski_slice_eq(name, "id"))
            id = number(value, "ca_", 0);
        else if (ski_slice_eq(name, "connector"))
            connection = number(value, "connection_", UINT64_MAX);
        else if (ski_slice_eq(name, "identifier"))
            user = number(value, "user_", UINT64_MAX);
    account = id ? find_id(realm, id) : find_named(realm, connection, user);
    if (!account && !id)
        answer_problem(realm, exchange, "no account like this is simulated");
    else if (!account)
        realm_answer_error(exchange, 404);
    if (!account)
        return;
    moment = realm_at(account, seen_ms(realm));
    if (moment->word && (!id || moment->id == id) && !realm_flickers(realm)) {
        answer_account(exchange, account, moment);
        return;
    }
    account->absences[account->n_absences++ % REALM_ABSENCES] = realm_now(realm);
    realm_answer_error(exchange, 404);
}

/* The user, who has a link: often consents some time later. */
static void invite(struct realm *realm, struct realm_account *account)
{
    int64_t now = realm_now(realm), at = now + realm_between(realm, 500, CONSENT_MS);

    if (!realm_chance(realm, 60))
        return;
    realm_rewrite(realm, account, now);
    if (realm_chance(realm, 30)) {
        realm_write(realm, account, at, "PENDING_VERIFICATION", false);
        at += realm_between(realm, 500, CONSENT_MS);
    }
    realm_write(realm, account, at, "ACTIVE", false);
}

static void answer_create(struct realm *realm, struct ski_exchange *exchange)
{
    struct realm_account *account =
        find_named(realm, number(member(exchange, "connector"), "connection_", UINT64_MAX),
                   number(member(exchange, "identifier"), "user_", UINT64_MAX));
    int64_t now = realm_now(realm);

    if (!account) {
        answer_problem(realm, exchange, "no account like this is simulated");
    } else if (realm_at(account, now)->word || account->n_moments == REALM_MOMENTS) {
        realm_answer_error(exchange, 409);
    } else {
        realm_rewrite(realm, account, now);
        realm_write(realm, account, now, "PENDING_AUTH", true);
        answer_account(exchange, account, realm_at(account, now));
    }
}

static void answer_link(struct realm *realm, struct ski_exchange *exchange)
{
    struct realm_account *account =
        find_named(realm, number(member(exchange, "connector"), "connection_", UINT64_MAX),
                   number(member(exchange, "identifier"), "user_", UINT64_MAX));
    int64_t now = realm_now(realm);
    char expiry[SKI_TIME_TEXT];

    if (!account || !realm_at(account, now)->word) {
        realm_answer_error(exchange, 404);
        return;
    }
    invite(realm, account);
    exchange->status = 200;
    ski_buf_adds(&exchange->answer, "{\"link\":\"https://realm.example/link\"");
    if (!realm->habits.no_expiry) {
        ski_time_format(expiry, realm_wall_us(now + realm->habits.link_life_ms));
        ski_buf_addf(&exchange->answer, ",\"expiry\":\"%s\"", expiry);
    }
    ski_buf_addc(&exchange->answer, '}');
}

static void answer_sign_in(struct realm *realm, struct ski_exchange *exchange)
{
    exchange->status = 200;
    ski_buf_addf(&exchange->answer,
                 "{\"access_token\":\"t%u\",\"token_type\":\"Bearer\",\"expires_in\":3600}",
                 realm->token);
}

/* --- lists ------------------------------------------------------------------------------------- */

struct list {
    uint64_t names[MAX_NAMES], user; /* no names: all; UINT64_MAX: all */
    unsigned n_names;
    uint64_t size, from;
};

static bool read_list(const char *query, struct list *list)
{
    struct ski_slice name, value;

    *list = (struct list){.user = UINT64_MAX, .size = USUAL_PAGE};
    while (next_pair(&query, &name, &value))
        if (list->n_names < MAX_NAMES &&
            (ski_slice_eq(name, "connector") || ski_slice_eq(name, "connection_names")))
            list->names[list->n_names++] = number(value, "connection_", UINT64_MAX);
        else if (ski_slice_eq(name, "identifier"))
            list->user = number(value, "user_", UINT64_MAX);
        else if (ski_slice_eq(name, "page_size"))
            list->size = number(value, "", 0);
        else if (ski_slice_eq(name, "page_token"))
            list->from = number(value, "", UINT64_MAX);
        else
            return false;
    return list->size >= 1 && list->size <= 99 && list->from != UINT64_MAX;
}

static bool is_listed(const struct list *list, const struct realm_account *account)
{
    if (list->user != UINT64_MAX && account->user != list->user)
        return false;
    for (unsigned i = 0; i < list->n_names; i++)
        if (account->connection == list->names[i])
            return true;
    return !list->n_names;
}

/* Lists begin with another account from time to time, in the middle of being read. */
static unsigned first_listed(const struct realm *realm)
{
    uint64_t period = (uint64_t)(realm_now(realm) / SHIFTING_MS);

    return realm->habits.shifting ? (unsigned)(period * 7 % realm->n_accounts) : 0;
}

static void answer_list(struct realm *realm, struct ski_exchange *exchange)
{
    struct ski_buf *out = &exchange->answer;
    unsigned total = 0, shown = 0, first = first_listed(realm);
    int64_t at = seen_ms(realm);
    struct list list;
    uint64_t next = 0;

    if (!read_list(query_of(exchange), &list)) {
        answer_problem(realm, exchange, "no list like this is simulated");
        return;
    }
    exchange->status = 200;
    list.size = list.size < realm->habits.page_cap ? list.size : realm->habits.page_cap;
    ski_buf_adds(out, "{\"connected_accounts\":[");
    for (unsigned i = 0; i < realm->n_accounts; i++) {
        const struct realm_account *account = &realm->accounts[(first + i) % realm->n_accounts];
        const struct realm_moment *moment = realm_at(account, at);

        if (!moment->word || !is_listed(&list, account) || realm_flickers(realm) ||
            total++ < list.from)
            continue;
        if (shown == list.size) {
            next = next ? next : list.from + shown;
            continue;
        }
        if (shown++)
            ski_buf_addc(out, ',');
        write_account(account, moment, out);
    }
    if (realm->habits.wrong_totals)
        total = (unsigned)realm_roll(realm, 3 * (uint64_t)total + 1);
    if (next && realm->habits.loops && realm_chance(realm, 10))
        next = list.from; /* the same token again; of the first page, none */
    ski_buf_addf(out, "],\"total_size\":%u,\"next_page_token\":\"", total);
    if (next)
        ski_buf_addf(out, "%llu", (unsigned long long)next);
    ski_buf_adds(out, "\",\"prev_page_token\":\"\"}");
}

/* --- the feed ---------------------------------------------------------------------------------- */

struct entry {
    const struct realm_account *account;
    const struct realm_moment *moment;
    const char *before; /* the word before; NULL */
};

static int by_newest(const void *a, const void *b)
{
    const struct realm_moment *x = ((const struct entry *)a)->moment;
    const struct realm_moment *y = ((const struct entry *)b)->moment;

    return x->at_ms != y->at_ms ? (x->at_ms < y->at_ms) - (x->at_ms > y->at_ms)
                                : (x->event < y->event) - (x->event > y->event);
}

static const char *type_of(const struct entry *entry)
{
    if (!entry->moment->word)
        return "connected_account.deleted";
    if (!entry->before)
        return "connected_account.created";
    return entry->moment->event % 3 ? "connected_account.status_updated"
                                    : "connected_account.updated";
}

static bool is_wanted(const struct scalekit_list_events_params *filter, const char *type)
{
    for (size_t i = 0; i < filter->n_event_types; i++)
        if (strcmp(filter->event_types[i], type) == 0)
            return true;
    return !filter->n_event_types;
}

/* Everything that happened since `start_us` and is shown by now; events before time 0 are not. */
static unsigned collect(struct realm *realm, const struct scalekit_list_events_params *filter,
                        struct entry *entries)
{
    int64_t now = earlier(realm_now(realm), realm->as_of_ms);
    unsigned n = 0;

    for (unsigned i = 0; i < realm->n_accounts; i++) {
        const struct realm_account *account = &realm->accounts[i];

        for (unsigned m = account->n_moments; m-- > 1 && n < MAX_EVENTS;) {
            struct entry entry = {account, &account->moments[m], account->moments[m - 1].word};

            if (entry.moment->updated_us < filter->start_time)
                break;
            if (entry.moment->shown_ms <= now && is_wanted(filter, type_of(&entry)))
                entries[n++] = entry;
        }
    }
    qsort(entries, n, sizeof *entries, by_newest);
    return n;
}

/* One that is deleted is told with the status it had; the connection's name may be absent. */
static void write_event(struct ski_buf *out, const struct entry *entry)
{
    const struct realm_moment *moment = entry->moment;
    char time[SKI_TIME_TEXT];

    ski_time_format(time, moment->updated_us);
    ski_buf_addf(out,
                 "{\"spec_version\":\"1\",\"id\":\"evt_%u\",\"type\":\"%s\",\"occurred_at\":\"%s\","
                 "\"environment_id\":\"env_1\",\"object\":\"ConnectedAccount\",\"data\":{"
                 "\"id\":\"ca_%u\",\"identifier\":\"user_%u\",\"provider\":\"GMAIL\","
                 "\"connection_id\":\"conn_%u\",\"status\":\"%s\"",
                 moment->event, type_of(entry), time, moment->id, entry->account->user,
                 entry->account->connection, moment->word ? moment->word : entry->before);
    if (moment->event % 4)
        ski_buf_addf(out, ",\"connection_name\":\"connection_%u\"", entry->account->connection);
    ski_buf_adds(out, "}}");
}

/* What the feed has beside the truth. */
static void write_noise(struct realm *realm, struct ski_buf *out)
{
    static const char *const noise[] = {
        "{}",
        "{\"id\":\"evt_x1\",\"type\":\"connected_account.sung\",\"data\":{\"id\":\"ca_1\"}}",
        "{\"id\":\"evt_x2\",\"type\":\"connected_account.updated\",\"data\":{}}",
        "{\"id\":\"evt_x3\",\"type\":\"connected_account.updated\",\"data\":{\"id\":7,"
        "\"status\":[]}}",
        "{\"id\":\"evt_x4\",\"type\":\"connected_account.status_updated\",\"occurred_at\":"
        "\"2026-08-21T10:00:01Z\",\"data\":{\"id\":\"ca_none\",\"status\":\"ACTIVE\"}}",
        "{\"id\":\"evt_x5\",\"type\":\"user.login\",\"data\":{\"status\":\"ACTIVE\"}}",
    };

    ski_buf_adds(out, noise[realm_roll(realm, sizeof noise / sizeof *noise)]);
}

static void write_feed(struct realm *realm, struct ski_buf *out, struct entry *entries, unsigned n,
                       uint64_t from, uint64_t size)
{
    bool noisy = realm->habits.noisy_feed;
    const char *comma = "";
    uint64_t end = from + size < n ? from + size : n;

    ski_buf_adds(out, "{\"events\":[");
    for (uint64_t i = from; i < end; i++) {
        if (noisy && i + 1 < end && realm_chance(realm, 20)) {
            struct entry other = entries[i];

            entries[i] = entries[i + 1];
            entries[i + 1] = other;
        }
        for (int times = noisy && realm_chance(realm, 20) ? 2 : 1; times; times--) {
            ski_buf_adds(out, comma);
            write_event(out, &entries[i]);
            comma = ",";
        }
        if (noisy && realm_chance(realm, 10)) {
            ski_buf_addc(out, ',');
            write_noise(realm, out);
        }
    }
    ski_buf_adds(out, "],\"next_page_token\":\"");
    if (end < n)
        ski_buf_addf(out, "%llu", (unsigned long long)end);
    ski_buf_adds(out, "\",\"prev_page_token\":\"\"}");
}

static void answer_feed(struct realm *realm, struct ski_exchange *exchange)
{
    static struct entry entries[MAX_EVENTS];
    const struct ski_operation *operation = ski_operation_find("list_events_paginated");
    const char *query = query_of(exchange);
    uint64_t size = USUAL_PAGE, from = 0;
    int status = realm_feed_status(realm);
    struct ski_slice name, value;
    struct ski_failure failure;
    struct ski_arena arena;
    const void *filter;

    if (status != 200) {
        realm_answer_error(exchange, status);
        return;
    }
    while (next_pair(&query, &name, &value))
        if (ski_slice_eq(name, "page_size"))
            size = number(value, "", 0);
        else if (ski_slice_eq(name, "page_token"))
            from = number(value, "", 0);
    exchange->status = 200;
    ski_arena_init(&arena, exchange->answer.mem, 1024, 1u << 20);
    if (size && size <= 100 &&
        ski_json_decode(&arena, operation->params, exchange->body, exchange->body_length, &filter,
                        &failure) == SCALEKIT_OK)
        write_feed(realm, &exchange->answer, entries, collect(realm, filter, entries), from, size);
    else
        answer_problem(realm, exchange, "no feed like this is simulated");
    ski_arena_free(&arena);
}

/* --- what there is ----------------------------------------------------------------------------- */

static const struct route {
    const char *method, *path;
    bool open; /* without a token */
    void (*answer)(struct realm *realm, struct ski_exchange *exchange);
} routes[] = {
    {"GET", "/api/v1/connected_accounts/details", false, answer_details},
    {"GET", "/api/v1/connected_accounts", false, answer_list},
    {"POST", "/api/v1/events/paginated", false, answer_feed},
    {"POST", "/oauth/token", true, answer_sign_in},
    {"POST", "/api/v1/connected_accounts", false, answer_create},
    {"POST", "/api/v1/connected_accounts/magic_link", false, answer_link},
};

static const struct route *find_route(const struct ski_exchange *exchange)
{
    struct ski_slice path = {exchange->target, strcspn(exchange->target, "?")};

    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++)
        if (ski_slice_eq(path, routes[i].path) && strcmp(exchange->method, routes[i].method) == 0)
            return &routes[i];
    return NULL;
}

bool realm_is_feed(const struct ski_exchange *exchange)
{
    const struct route *route = find_route(exchange);

    return route && route->answer == answer_feed;
}

static bool has_good_token(const struct realm *realm, const struct ski_exchange *exchange)
{
    char expected[32];

    snprintf(expected, sizeof expected, "Bearer t%u", realm->token);
    for (unsigned i = 0; i < exchange->n_headers; i++)
        if (ski_slice_ieq(exchange->headers[i].name, "authorization"))
            return ski_slice_eq(exchange->headers[i].value, expected);
    return false;
}

void realm_answer(struct realm *realm, struct ski_exchange *exchange)
{
    const struct route *route = find_route(exchange);

    if (!route)
        answer_problem(realm, exchange, "is not simulated");
    else if (!route->open && !has_good_token(realm, exchange))
        realm_answer_error(exchange, 401);
    else
        route->answer(realm, exchange);
}
