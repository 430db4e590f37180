/* Endpoints and the journal of deliveries, by HTTP. */
#include "check.h"
#include "paging.h"
#include "routes.h"
#include <limits.h>
#include <string.h>

static const char *const outcomes[] = {
    [SCALEKIT_DELIVERY_PENDING] = "pending",   [SCALEKIT_DELIVERY_DELIVERED] = "delivered",
    [SCALEKIT_DELIVERY_GIVEN_UP] = "given_up", [SCALEKIT_DELIVERY_LOST] = "lost",
    [SCALEKIT_DELIVERY_DROPPED] = "dropped",
};

/* --- endpoints --------------------------------------------------------------------------------- */

/* What does not fit an int is out of every range, too. */
static int small(struct emu_request *request, const char *field)
{
    int64_t value = emu_whole(request, field, 0);

    return value >= 0 && value <= INT_MAX ? (int)value : -1;
}

void emu_route_webhook(struct emu_request *request)
{
    const char *secret = emu_text(request, "secret", 0, EMU_SECRET_SIZE, 0);
    const struct scalekit_emulator_webhook config = {
        .url = emu_text(request, "url", 1, 2048, EMU_REQUIRED),
        .secret = *secret ? secret : NULL,
        .loss = small(request, "loss"),
        .duplicate = small(request, "duplicate"),
        .reorder = small(request, "reorder"),
        .delay = small(request, "delay"),
        .delay_ms = emu_whole(request, "delay_ms", 0),
        .seed = (uint64_t)emu_whole(request, "seed", 0),
        .speed = emu_whole(request, "speed", 0),
        .answer_ms = emu_whole(request, "answer_ms", 0),
        .connections = small(request, "connections"),
    };
    char error[100];

    if (emu_refused(request))
        return;
    if (!scalekit_emulator_add_webhook(request->emulator, &config, error, sizeof error)) {
        emu_fail(request, 400, "INVALID_ARGUMENT", error);
        return;
    }
    emu_json_open(&request->json, NULL, '{');
    emu_json_text(&request->json, "secret",
                  scalekit_emulator_webhook_secret(request->emulator, config.url));
    emu_json_close(&request->json, '}');
    emu_send(request, 200);
}

/* Without the secrets, which whoever registered an endpoint was told. */
static void put_endpoint(struct emu_json *json, const struct emu_endpoint *endpoint)
{
    const struct scalekit_emulator_webhook *config = &endpoint->config;

    emu_json_open(json, NULL, '{');
    emu_json_text(json, "url", endpoint->url);
    emu_json_number(json, "loss", config->loss);
    emu_json_number(json, "duplicate", config->duplicate);
    emu_json_number(json, "reorder", config->reorder);
    emu_json_number(json, "delay", config->delay);
    emu_json_number(json, "delay_ms", config->delay_ms);
    emu_json_number(json, "speed", config->speed);
    emu_json_number(json, "answer_ms", config->answer_ms);
    emu_json_number(json, "connections", config->connections);
    emu_json_close(json, '}');
}

void emu_route_webhook_list(struct emu_request *request)
{
    const struct emu_webhooks *webhooks = &request->emulator->webhooks;
    struct emu_json *json = &request->json;

    emu_json_open(json, NULL, '{');
    emu_json_open(json, "webhooks", '[');
    for (size_t i = 0; i < webhooks->n_endpoints; i++)
        put_endpoint(json, webhooks->endpoints[i]);
    emu_json_close(json, ']');
    emu_json_close(json, '}');
    emu_send(request, 200);
}

/* --- the journal ------------------------------------------------------------------------------- */

struct filter {
    const char *outcome, *event_id; /* "": any */
};

static bool is_wanted(const void *item, const void *filter)
{
    const struct emu_delivery *delivery = item;
    const struct filter *f = filter;

    return emu_is_or_empty(f->outcome, outcomes[delivery->outcome]) &&
           emu_is_or_empty(f->event_id, delivery->event_id);
}

static bool is_outcome(const char *word)
{
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++)
        if (emu_is_or_empty(word, outcomes[i]))
            return true;
    return false;
}

static void put_delivery(struct emu_json *json, const struct emu_delivery *delivery)
{
    emu_json_open(json, NULL, '{');
    emu_json_text(json, "id", delivery->id);
    emu_json_text(json, "event_id", delivery->event_id);
    emu_json_text(json, "event_type", delivery->event_type);
    emu_json_text(json, "url", delivery->endpoint->url);
    emu_json_number(json, "attempts", delivery->attempts);
    emu_json_number(json, "status", delivery->status);
    emu_json_text(json, "outcome", outcomes[delivery->outcome]);
    emu_json_close(json, '}');
}

void emu_route_deliveries(struct emu_request *request)
{
    const struct emu_record *journal = &request->emulator->webhooks.journal;
    struct emu_json *json = &request->json;
    const struct filter filter = {emu_text(request, "outcome", 0, 20, 0),
                                  emu_text(request, "event_id", 0, 64, 0)};
    const struct emu_wanted wanted = {is_wanted, &filter};
    struct emu_page page;

    if (!is_outcome(filter.outcome))
        emu_violation(request, "outcome", "enum.defined_only",
                      "one of pending, delivered, given_up, lost, dropped");
    if (!emu_record_page(request, journal, &wanted, &page))
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, "deliveries", '[');
    for (size_t i = 0; i < page.n; i++)
        put_delivery(json, page.items[i]);
    emu_json_close(json, ']');
    emu_json_token(json, "next_page_token", &page.next, page.has_next);
    emu_json_token(json, "prev_page_token", &page.previous, page.has_previous);
    emu_json_number(json, "total_size", (int64_t)emu_record_count(journal, &wanted));
    emu_json_close(json, '}');
    emu_send(request, 200);
}
