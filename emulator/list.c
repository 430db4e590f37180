/* Lists and searches of connected accounts, a page at a time.
 *
 * A page is merged out of the indexes that the filter names (everybody's accounts, those of one
 * identifier, or of up to 20 connections), by age, from where the last page ended.  A token says
 * "after number n" or "before number n", so pages neither repeat nor skip accounts when others come
 * and go.  Only filters that no index serves cost a look at every account. */
#include "account_json.h"
#include "check.h"
#include "routes.h"
#include "text.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NAMES    20
#define MAX_PAGE     99
#define DEFAULT_PAGE 10
#define TOKEN_TEXT   19 /* a letter and 18 digits */

struct filter {
    const char *names[MAX_NAMES]; /* of connections; n_names 0: all */
    size_t n_names;
    const char *identifier, *provider, *organization_id, *user_id, *query, *connection_id;
};

/* A walk over the indexes of a filter, forward or backward by age. */
struct walk {
    const struct filter *filter;
    const struct emu_index *indexes[MAX_NAMES];
    size_t at[MAX_NAMES]; /* forward: the next slot; backward: the slot after the next */
    size_t n;
    bool backward;
};

/* --- walking ----------------------------------------------------------------------------------- */

static bool has_name(const struct filter *filter, const char *name)
{
    for (size_t i = 0; i < filter->n_names; i++)
        if (strcmp(filter->names[i], name) == 0)
            return true;
    return !filter->n_names;
}

static bool matches_query(const struct emu_account *account, const char *query)
{
    return !*query || emu_contains(account->person->identifier, query) ||
           emu_contains(account->connection->name, query) || emu_contains(account->id, query);
}

static bool is_or_empty(const char *wanted, const char *value)
{
    return !*wanted || strcmp(wanted, value) == 0;
}

static bool matches(const struct filter *filter, const struct emu_account *account)
{
    return has_name(filter, account->connection->name) &&
           is_or_empty(filter->identifier, account->person->identifier) &&
           is_or_empty(filter->provider, account->connection->provider) &&
           is_or_empty(filter->connection_id, account->connection->id) &&
           is_or_empty(filter->organization_id, account->organization_id) &&
           is_or_empty(filter->user_id, account->user_id) && matches_query(account, filter->query);
}

static void add_index(struct walk *walk, const struct emu_index *index, uint64_t seq)
{
    if (!index)
        return;
    walk->indexes[walk->n] = index;
    walk->at[walk->n++] = emu_index_from(index, seq);
}

/* From the first account at or after `seq`; backward: from the last one before it. */
static void start_walk(struct walk *walk, const struct emu_store *store,
                       const struct filter *filter, uint64_t seq, bool backward)
{
    *walk = (struct walk){.filter = filter, .backward = backward};
    if (*filter->identifier)
        add_index(walk, emu_store_person(store, filter->identifier), seq);
    else if (!filter->n_names)
        add_index(walk, &store->all, seq);
    else
        for (size_t i = 0; i < filter->n_names; i++)
            add_index(walk, emu_store_connection(store, filter->names[i]), seq);
}

/* The next slot of one index, over its holes; NULL at its end. */
static const struct emu_slot *peek(struct walk *walk, size_t i)
{
    const struct emu_index *index = walk->indexes[i];

    if (walk->backward) {
        while (walk->at[i] > 0 && !index->slots[walk->at[i] - 1].account)
            walk->at[i]--;
        return walk->at[i] > 0 ? &index->slots[walk->at[i] - 1] : NULL;
    }
    while (walk->at[i] < index->n && !index->slots[walk->at[i]].account)
        walk->at[i]++;
    return walk->at[i] < index->n ? &index->slots[walk->at[i]] : NULL;
}

static const struct emu_account *next_of_any(struct walk *walk)
{
    const struct emu_slot *best = NULL;
    size_t from = 0;

    for (size_t i = 0; i < walk->n; i++) {
        const struct emu_slot *slot = peek(walk, i);

        if (slot && (!best || (slot->seq < best->seq) != walk->backward)) {
            best = slot;
            from = i;
        }
    }
    if (!best)
        return NULL;
    walk->at[from] += walk->backward ? (size_t)-1 : 1;
    return best->account;
}

static const struct emu_account *next_match(struct walk *walk)
{
    const struct emu_account *account;

    while ((account = next_of_any(walk)))
        if (matches(walk->filter, account))
            break;
    return account;
}

static size_t count_matches(const struct emu_store *store, const struct filter *filter)
{
    bool by_index = !*filter->provider && !*filter->connection_id && !*filter->organization_id &&
                    !*filter->user_id && !*filter->query &&
                    (!*filter->identifier || !filter->n_names);
    struct walk walk;
    size_t count = 0;

    start_walk(&walk, store, filter, 0, false);
    if (!by_index) {
        while (next_match(&walk))
            count++;
        return count;
    }
    for (size_t i = 0; i < walk.n; i++)
        count += walk.indexes[i]->live;
    return count;
}

/* --- page tokens ------------------------------------------------------------------------------- */

struct position {
    bool backward;
    uint64_t seq;
};

/* 19 characters end in "==" in base64: whoever does not encode them in a query finds out. */
static void make_token(char out[32], const struct position *position)
{
    char text[TOKEN_TEXT + 1];

    snprintf(text, sizeof text, "%c%018" PRIu64, position->backward ? 'b' : 'a',
             position->seq % UINT64_C(1000000000000000000));
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, TOKEN_TEXT);
}

static bool parse_token(struct position *position, const char *token)
{
    unsigned char text[32];
    char *end;

    if (strlen(token) != 28 || EVP_DecodeBlock(text, (const unsigned char *)token, 28) != 21)
        return false;
    text[TOKEN_TEXT] = '\0';
    if ((*text != 'a' && *text != 'b') || text[1] < '0' || text[1] > '9')
        return false;
    position->backward = *text == 'b';
    position->seq = strtoull((char *)text + 1, &end, 10);
    return !*end;
}

/* --- pages ------------------------------------------------------------------------------------- */

struct page {
    const struct emu_account *accounts[MAX_PAGE];
    size_t n, size;
};

static void fill_page(struct page *page, const struct emu_store *store, const struct filter *filter,
                      const struct position *position)
{
    const struct emu_account *account;
    struct walk walk;

    start_walk(&walk, store, filter, position->seq, position->backward);
    while (page->n < page->size && (account = next_match(&walk)))
        page->accounts[page->n++] = account;
    if (!position->backward)
        return;
    for (size_t i = 0; i < page->n / 2; i++) {
        account = page->accounts[i];
        page->accounts[i] = page->accounts[page->n - 1 - i];
        page->accounts[page->n - 1 - i] = account;
    }
}

static bool is_any(const struct emu_store *store, const struct filter *filter,
                   const struct position *position)
{
    struct walk walk;

    start_walk(&walk, store, filter, position->seq, position->backward);
    return next_match(&walk) != NULL;
}

static void answer_page(struct emu_request *request, const struct filter *filter, size_t size,
                        const struct position *position)
{
    const struct emu_store *store = &request->emulator->store;
    struct emu_json *json = &request->json;
    struct page page = {.size = size};
    struct position previous = {true, position->seq}, next = {false, position->seq};
    char token[32];

    fill_page(&page, store, filter, position);
    if (page.n) {
        previous.seq = page.accounts[0]->seq;
        next.seq = page.accounts[page.n - 1]->seq + 1;
    }
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "connected_accounts", '[');
    for (size_t i = 0; i < page.n; i++)
        emu_json_account(json, NULL, page.accounts[i], 0);
    emu_json_close(json, ']');
    emu_json_number(json, "total_size", (int64_t)count_matches(store, filter));
    make_token(token, &next);
    emu_json_text(json, "next_page_token", is_any(store, filter, &next) ? token : "");
    make_token(token, &previous);
    emu_json_text(json, "prev_page_token", is_any(store, filter, &previous) ? token : "");
    emu_json_close(json, '}');
    emu_send(request, 200);
}

static void read_position(struct emu_request *request, struct position *position)
{
    const char *token = emu_text(request, "page_token", 0, 100, 0);

    *position = (struct position){0};
    if (*token && !parse_token(position, token))
        emu_violation(request, "page_token", "string.page_token", "value is not a page token");
}

static void read_names(struct emu_request *request, struct filter *filter)
{
    const struct emu_form *query = &request->query;
    size_t n = 0;

    for (size_t i = 0; i < query->n; i++) {
        const char *name = query->pairs[i].value;

        if (!emu_name_is(query->pairs[i].name, "connection_names"))
            continue;
        n++;
        if (!*name || emu_code_points(name) > 400)
            emu_violation(request, "connection_names", "string.min_len",
                          "value length must be 1 to 400 characters");
        if (n <= MAX_NAMES && (!filter->n_names || !has_name(filter, name)))
            filter->names[filter->n_names++] = name;
    }
    if (n > MAX_NAMES)
        emu_violation(request, "connection_names", "repeated.max_items",
                      "value must contain no more than %d item(s)", MAX_NAMES);
}

void emu_route_list(struct emu_request *request)
{
    struct emu_key key = {0};
    struct filter filter = {.connection_id = ""};
    struct position position;
    int64_t size = emu_below(request, "page_size", MAX_PAGE + 1);

    emu_read_key(request, &key);
    read_position(request, &position);
    filter.identifier = key.identifier;
    filter.organization_id = key.organization_id;
    filter.user_id = key.user_id;
    filter.provider = emu_text(request, "provider", 0, 50, 0);
    filter.query = emu_text(request, "query", 0, 100, 0);
    read_names(request, &filter);
    if (*key.connector && filter.n_names)
        emu_violation(request, "connector", "connector_or_names",
                      "connector and connection_names are mutually exclusive");
    else if (*key.connector)
        filter.names[filter.n_names++] = key.connector;
    if (!emu_refused(request))
        answer_page(request, &filter, size ? (size_t)size : DEFAULT_PAGE, &position);
}

void emu_route_search(struct emu_request *request)
{
    struct filter filter = {.identifier = "", .provider = "", .organization_id = "", .user_id = ""};
    struct position position;
    int64_t size = emu_below(request, "page_size", 31);

    read_position(request, &position);
    filter.query = emu_text(request, "query", 3, 200, EMU_REQUIRED);
    filter.connection_id = emu_text(request, "connection_id", 0, 32, 0);
    if (!emu_refused(request))
        answer_page(request, &filter, size ? (size_t)size : DEFAULT_PAGE, &position);
}
