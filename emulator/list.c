/* Lists and searches of connected accounts, a page at a time.
 *
 * A page is merged out of the indexes that the filter names (everybody's accounts, those of one
 * identifier, or of up to 20 connections), by age, from where the last page ended.  Only filters
 * that no index serves cost a look at every account. */
#include "account_json.h"
#include "check.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <string.h>

#define MAX_NAMES  20
#define MAX_PAGE   99
#define MAX_FOUND  30 /* on a page of a search */
#define USUAL_PAGE 10

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

static bool matches(const struct filter *filter, const struct emu_account *account)
{
    return has_name(filter, account->connection->name) &&
           emu_is_or_empty(filter->identifier, account->person->identifier) &&
           emu_is_or_empty(filter->provider, account->connection->provider) &&
           emu_is_or_empty(filter->connection_id, account->connection->id) &&
           emu_is_or_empty(filter->organization_id, account->organization_id) &&
           emu_is_or_empty(filter->user_id, account->user_id) &&
           matches_query(account, filter->query);
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

/* --- all that match ---------------------------------------------------------------------------- */

struct extent {
    size_t count;
    uint64_t first, last; /* seq; when there are any */
};

static void include(struct extent *extent, size_t count, uint64_t first, uint64_t last)
{
    if (!extent->count || first < extent->first)
        extent->first = first;
    if (!extent->count || last > extent->last)
        extent->last = last;
    extent->count += count;
}

/* Whether whatever the indexes have matches. */
static bool is_by_index(const struct filter *filter)
{
    return !*filter->provider && !*filter->connection_id && !*filter->organization_id &&
           !*filter->user_id && !*filter->query && (!*filter->identifier || !filter->n_names);
}

static void measure(struct extent *extent, const struct emu_store *store,
                    const struct filter *filter)
{
    const struct emu_account *account;
    struct walk walk;

    *extent = (struct extent){.count = 0};
    start_walk(&walk, store, filter, 0, false);
    if (!is_by_index(filter)) {
        while ((account = next_match(&walk)))
            include(extent, 1, account->seq, account->seq);
        return;
    }
    for (size_t i = 0; i < walk.n; i++) {
        const struct emu_index *index = walk.indexes[i];
        const struct emu_slot *first = peek(&walk, i);

        if (first)
            include(extent, index->live, first->seq, index->slots[index->n - 1].seq);
    }
}

/* --- pages ------------------------------------------------------------------------------------- */

struct page {
    const struct emu_account *accounts[MAX_PAGE];
    size_t n, size;
};

static void fill_page(struct page *page, const struct emu_store *store, const struct filter *filter,
                      const struct emu_position *position)
{
    const struct emu_account *account;
    struct walk walk;

    start_walk(&walk, store, filter, position->number, position->backward);
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

static void answer_page(struct emu_request *request, const struct filter *filter, size_t size,
                        const struct emu_position *position)
{
    const struct emu_store *store = &request->emulator->store;
    struct emu_json *json = &request->json;
    struct page page = {.size = size};
    struct emu_position previous = {true, position->number}, next = {false, position->number};
    struct extent all;

    fill_page(&page, store, filter, position);
    measure(&all, store, filter);
    if (page.n) {
        previous.number = page.accounts[0]->seq;
        next.number = page.accounts[page.n - 1]->seq + 1;
    }
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "connected_accounts", '[');
    for (size_t i = 0; i < page.n; i++)
        emu_json_account(json, NULL, page.accounts[i], 0);
    emu_json_close(json, ']');
    emu_json_number(json, "total_size", (int64_t)all.count);
    emu_json_token(json, "next_page_token", &next, all.count && all.last >= next.number);
    emu_json_token(json, "prev_page_token", &previous, all.count && all.first < previous.number);
    emu_json_close(json, '}');
    emu_send(request, 200);
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
        emu_check_text(request, "connection_names", name, 1, 400, EMU_NAME);
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
    struct emu_position position;
    size_t size = emu_read_page_size(request, USUAL_PAGE, MAX_PAGE, EMU_REFUSE);

    emu_read_key(request, &key);
    emu_read_position(request, &position);
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
        answer_page(request, &filter, size, &position);
}

void emu_route_search(struct emu_request *request)
{
    struct filter filter = {.identifier = "", .provider = "", .organization_id = "", .user_id = ""};
    struct emu_position position;
    size_t size = emu_read_page_size(request, USUAL_PAGE, MAX_FOUND, EMU_REFUSE);

    emu_read_position(request, &position);
    filter.query = emu_text(request, "query", 3, 200, EMU_REQUIRED);
    filter.connection_id = emu_text(request, "connection_id", 0, 32, 0);
    if (!emu_refused(request))
        answer_page(request, &filter, size, &position);
}
