/* GET /api/v1/agentkit/analytics/overview: the logged tool calls, counted. */
#include "check.h"
#include "routes.h"
#include "text.h"
#include <stdlib.h>
#include <string.h>

#define MAX_BUCKETS     100
#define MAX_ERROR_CODES 10
#define DAY             86400

struct tally {
    int64_t total, success, provider_errors;
};

/* Calls that have a text in common. */
struct group {
    struct emu_node by_name;
    const char *name;
    struct tally tally;
};

struct groups {
    struct group *list; /* of room for one per call */
    size_t n;
    struct emu_map by_name;
};

struct overview {
    struct tally tally, buckets[MAX_BUCKETS];
    struct groups error_codes, providers;
    int64_t bucket_us, first_us; /* the length of a bucket, and the first moment of the first */
    size_t n_buckets;
};

/* --- counting ---------------------------------------------------------------------------------- */

static void count(struct tally *tally, const struct emu_call *call)
{
    const char *tier = call->texts[EMU_CALL_ERROR_TIER];

    tally->total++;
    tally->success += !tier;
    tally->provider_errors += tier && strcmp(tier, EMU_TIER_PROVIDER) == 0;
}

/* NULL when memory ran out. */
static struct group *get_group(struct groups *groups, const char *name)
{
    struct emu_node *node = emu_map_find(&groups->by_name, name);
    struct group *group = EMU_OWNER(node, struct group, by_name);

    if (group)
        return group;
    if (!groups->list)
        groups->list = calloc(EMU_RECORD_SIZE, sizeof *groups->list);
    if (!groups->list)
        return NULL;
    group = &groups->list[groups->n];
    group->name = name;
    if (!emu_map_add(&groups->by_name, &group->by_name, name))
        return NULL;
    groups->n++;
    return group;
}

/* False when memory ran out.  Calls without the text are in no group. */
static bool count_in(struct groups *groups, const char *name, const struct emu_call *call)
{
    struct group *group = name ? get_group(groups, name) : NULL;

    if (group)
        count(&group->tally, call);
    return group || !name;
}

static bool count_call(struct overview *overview, const struct emu_call *call)
{
    count(&overview->tally, call);
    count(&overview->buckets[(call->started_us - overview->first_us) / overview->bucket_us], call);
    return count_in(&overview->providers, call->texts[EMU_CALL_PROVIDER], call) &&
           count_in(&overview->error_codes, call->texts[EMU_CALL_ERROR_CODE], call);
}

/* Rounded down, also before 1970. */
static int64_t floor_to(int64_t time_us, int64_t step_us)
{
    int64_t rest = time_us % step_us;

    return time_us - rest - (rest < 0 ? step_us : 0);
}

/* The shortest buckets of which MAX_BUCKETS cover the time wherever it begins: a minute, five, an
 * hour, or so many days. */
static void divide(struct overview *overview, int64_t start_us, int64_t end_us)
{
    static const int64_t lengths_s[] = {60, 300, 3600, DAY};
    const int64_t longest = (end_us - start_us) / (MAX_BUCKETS - 2) + 1;
    size_t i = 0;

    while (i < sizeof lengths_s / sizeof *lengths_s - 1 && lengths_s[i] * EMU_SECOND < longest)
        i++;
    overview->bucket_us = lengths_s[i] * EMU_SECOND;
    if (overview->bucket_us < longest)
        overview->bucket_us *= longest / overview->bucket_us + 1;
    overview->first_us = floor_to(start_us, overview->bucket_us);
    overview->n_buckets = (size_t)((end_us - overview->first_us) / overview->bucket_us) + 1;
}

/* --- showing ----------------------------------------------------------------------------------- */

static int by_count(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->tally.total != y->tally.total)
        return x->tally.total < y->tally.total ? 1 : -1;
    return strcmp(x->name, y->name);
}

static void put_tally(struct emu_json *json, const struct tally *tally)
{
    int64_t errors = tally->total - tally->success;

    emu_json_count(json, "total", tally->total);
    emu_json_count(json, "success", tally->success);
    emu_json_count(json, "errors", errors);
    emu_json_count(json, "provider_errors", tally->provider_errors);
    emu_json_count(json, "platform_errors", errors - tally->provider_errors);
}

static void put_error_codes(struct emu_json *json, const struct groups *codes)
{
    emu_json_open(json, "top_error_codes", '[');
    for (size_t i = 0; i < codes->n && i < MAX_ERROR_CODES; i++) {
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "error_code", codes->list[i].name);
        emu_json_count(json, "count", codes->list[i].tally.total);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
}

static void put_providers(struct emu_json *json, const struct groups *providers)
{
    emu_json_open(json, "connector_breakdown", '[');
    for (size_t i = 0; i < providers->n; i++) {
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "provider", providers->list[i].name);
        put_tally(json, &providers->list[i].tally);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
}

static void put_buckets(struct emu_json *json, const struct overview *overview)
{
    char begin[EMU_TIME_SIZE];

    emu_json_open(json, "time_series", '[');
    for (size_t i = 0; i < overview->n_buckets; i++) {
        emu_time_text(begin, overview->first_us + (int64_t)i * overview->bucket_us);
        emu_json_open(json, NULL, '{');
        emu_json_text(json, "bucket", begin);
        put_tally(json, &overview->buckets[i]);
        emu_json_count(json, "bucket_duration_seconds", overview->bucket_us / EMU_SECOND);
        emu_json_close(json, '}');
    }
    emu_json_close(json, ']');
}

/* What is moved cannot be found by its name any more. */
static void sort(struct groups *groups)
{
    if (groups->n)
        qsort(groups->list, groups->n, sizeof *groups->list, by_count);
}

static void free_groups(struct groups *groups)
{
    free(groups->by_name.buckets);
    free(groups->list);
}

static void answer(struct emu_request *request, struct overview *overview)
{
    struct emu_json *json = &request->json;

    sort(&overview->error_codes);
    sort(&overview->providers);
    emu_json_open(json, NULL, '{');
    put_tally(json, &overview->tally);
    put_error_codes(json, &overview->error_codes);
    put_providers(json, &overview->providers);
    put_buckets(json, overview);
    emu_json_close(json, '}');
    emu_send(request, 200);
}

/* --- the route --------------------------------------------------------------------------------- */

static void read_filter(struct emu_request *request, struct emu_call_filter *filter)
{
    static const struct emu_call_parameter parameters[] = {
        {"provider", EMU_CALL_PROVIDER},
        {"status", EMU_CALL_STATUS},
        {"error_code", EMU_CALL_ERROR_CODE},
        {"connection_name", EMU_CALL_CONNECTION_NAME},
        {NULL, 0},
    };

    *filter = (struct emu_call_filter){.query = &request->query, .parameters = parameters};
    emu_text(request, "start_time", 0, SIZE_MAX, EMU_REQUIRED);
    emu_text(request, "end_time", 0, SIZE_MAX, EMU_REQUIRED);
    emu_text(request, "connection_name", 0, 255, 0);
    emu_read_times(request, &filter->start_us, &filter->end_us);
}

void emu_route_overview(struct emu_request *request)
{
    const struct emu_record *calls = &request->emulator->calls;
    struct overview overview = {.n_buckets = 0};
    struct emu_call_filter filter;
    const struct emu_call *call;
    bool done = true;

    read_filter(request, &filter);
    if (emu_refused(request))
        return;
    divide(&overview, filter.start_us, filter.end_us);
    for (uint64_t n = calls->last; done && (call = emu_record_get(calls, n)); n--)
        if (emu_call_is_wanted(call, &filter))
            done = count_call(&overview, call);
    if (done)
        answer(request, &overview);
    else
        emu_out_of_memory(request);
    free_groups(&overview.error_codes);
    free_groups(&overview.providers);
}
