#include "webhook.h"
#include "event.h"
#include "json.h"
#include "pki.h"
#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS     10000
#define MAX_ANSWER_MS 600000
#define CONNECTIONS   8
#define DELAY_MS      5000
#define MAX_DELAY_MS  INT64_C(86400000)
#define HOLD_MS       1000 /* that a delivery waits to be overtaken */
#define MAX_SPEED     INT64_C(1000000000)

/* What is waited before the second attempt, the third, and so on. */
static const int64_t schedule_ms[] = {5000, 30000, 120000, 300000, 900000};

#define MAX_ATTEMPTS ((int)(sizeof schedule_ms / sizeof *schedule_ms) + 1)

/* --- payloads and deliveries ------------------------------------------------------------------- */

static struct emu_payload *make_payload(const struct emu_event *event)
{
    struct emu_payload *payload = calloc(1, sizeof *payload);
    struct emu_json json;

    if (!payload)
        return NULL;
    emu_json_start(&json);
    emu_json_event(&json, NULL, event);
    payload->text = emu_json_finish(&json);
    payload->references = 1;
    if (payload->text)
        return payload;
    free(payload);
    return NULL;
}

static void release_payload(struct emu_payload *payload)
{
    if (--payload->references)
        return;
    free(payload->text);
    free(payload);
}

/* Of the journal: what is pending lives on. */
static void forget_delivery(void *item)
{
    struct emu_delivery *delivery = item;

    if (!delivery)
        return;
    delivery->kept = false;
    if (!delivery->payload)
        free(delivery);
}

/* It is on no list any more. */
static void settle(struct emu_delivery *delivery)
{
    release_payload(delivery->payload);
    delivery->payload = NULL;
    if (delivery->timer)
        event_free(delivery->timer);
    delivery->timer = NULL;
    delivery->endpoint->webhooks->counts.pending--;
    if (!delivery->kept)
        free(delivery);
}

/* --- attempts ---------------------------------------------------------------------------------- */

/* A whole request, signed now; NULL when memory ran out. */
static char *make_request(const struct emu_delivery *delivery, size_t *length)
{
    const struct emu_endpoint *endpoint = delivery->endpoint;
    const char *body = delivery->payload->text;
    size_t body_length = strlen(body), size = strlen(endpoint->place.target) + body_length + 512;
    int64_t timestamp = emu_now_us() / EMU_SECOND;
    char signature[EMU_SIGNATURE_SIZE], *request = malloc(size);
    int head;

    if (!request ||
        !emu_sign(signature, &endpoint->key, delivery->id, timestamp, body, body_length)) {
        free(request);
        return NULL;
    }
    head = snprintf(request, size,
                    "POST %s HTTP/1.1\r\n"
                    "Host: %s\r\n"
                    "User-Agent: scalekit-emulator\r\n"
                    "Content-Type: application/json\r\n"
                    "Content-Length: %zu\r\n"
                    "webhook-id: %s\r\n"
                    "webhook-timestamp: %" PRId64 "\r\n"
                    "webhook-signature: %s\r\n\r\n",
                    endpoint->place.target, endpoint->place.authority, body_length, delivery->id,
                    timestamp, signature);
    memcpy(request + head, body, body_length);
    *length = (size_t)head + body_length;
    return request;
}

static void on_posted(int status, void *user);

static bool post(struct emu_line *line, const struct emu_delivery *delivery)
{
    struct emu_endpoint *endpoint = line->endpoint;
    size_t length;
    char *request;

    if (!line->poster)
        line->poster = emu_poster_new(endpoint->webhooks->base, &endpoint->place, endpoint->tls,
                                      on_posted, line);
    request = line->poster ? make_request(delivery, &length) : NULL;
    return request && emu_poster_send(line->poster, request, length, endpoint->config.answer_ms);
}

static void on_time(evutil_socket_t fd, short what, void *arg);

/* Puts it on one of the endpoint's lists until its time has come. */
static void wait_for(struct emu_delivery *delivery, struct emu_deliveries *list, int64_t ms)
{
    struct emu_endpoint *endpoint = delivery->endpoint;
    int64_t us = ms * 1000 / endpoint->config.speed;
    struct timeval delay = {us / EMU_SECOND, us % EMU_SECOND};

    if (!delivery->timer)
        delivery->timer = evtimer_new(endpoint->webhooks->base, on_time, delivery);
    if (!delivery->timer || evtimer_add(delivery->timer, &delay) < 0)
        list = &endpoint->queue; /* there is no memory to wait */
    TAILQ_INSERT_TAIL(list, delivery, next);
    delivery->held = list == &endpoint->held;
}

static void attempt_over(struct emu_delivery *delivery, int status)
{
    struct emu_endpoint *endpoint = delivery->endpoint;
    struct scalekit_emulator_stats *counts = &endpoint->webhooks->counts;
    bool good = status >= 200 && status < 300;

    delivery->status = status;
    if (delivery->outcome == SCALEKIT_DELIVERY_DELIVERED) {
        settle(delivery); /* that was the duplicate */
    } else if (good) {
        delivery->outcome = SCALEKIT_DELIVERY_DELIVERED;
        counts->delivered++;
        if (delivery->duplicate)
            TAILQ_INSERT_TAIL(&endpoint->queue, delivery, next);
        else
            settle(delivery);
    } else if (delivery->attempts < MAX_ATTEMPTS) {
        wait_for(delivery, &endpoint->waiting, schedule_ms[delivery->attempts - 1]);
    } else {
        delivery->outcome = SCALEKIT_DELIVERY_GIVEN_UP;
        counts->given_up++;
        settle(delivery);
    }
}

static struct emu_line *find_idle(struct emu_endpoint *endpoint)
{
    for (int i = 0; i < endpoint->config.connections; i++)
        if (!endpoint->lines[i].delivery)
            return &endpoint->lines[i];
    return NULL;
}

/* As much of the queue as there are connections for. */
static void dispatch(struct emu_endpoint *endpoint)
{
    struct emu_delivery *delivery;
    struct emu_line *line;

    while ((delivery = TAILQ_FIRST(&endpoint->queue)) && (line = find_idle(endpoint))) {
        TAILQ_REMOVE(&endpoint->queue, delivery, next);
        delivery->attempts++;
        endpoint->webhooks->counts.delivery_attempts++;
        if (post(line, delivery))
            line->delivery = delivery;
        else
            attempt_over(delivery, 0);
    }
}

/* Those that this one has overtaken; they are held in the order of their numbers. */
static void release_held(struct emu_endpoint *endpoint, uint64_t number)
{
    struct emu_delivery *delivery;

    while ((delivery = TAILQ_FIRST(&endpoint->held)) && delivery->number < number) {
        event_del(delivery->timer);
        TAILQ_REMOVE(&endpoint->held, delivery, next);
        TAILQ_INSERT_TAIL(&endpoint->queue, delivery, next);
        delivery->held = false;
    }
}

static void on_posted(int status, void *user)
{
    struct emu_line *line = user;
    struct emu_delivery *delivery = line->delivery;
    uint64_t number = delivery->number;

    line->delivery = NULL;
    attempt_over(delivery, status);
    release_held(line->endpoint, number);
    dispatch(line->endpoint);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    struct emu_delivery *delivery = arg;
    struct emu_endpoint *endpoint = delivery->endpoint;

    (void)fd;
    (void)what;
    TAILQ_REMOVE(delivery->held ? &endpoint->held : &endpoint->waiting, delivery, next);
    TAILQ_INSERT_TAIL(&endpoint->queue, delivery, next);
    delivery->held = false;
    dispatch(endpoint);
}

/* --- telling ----------------------------------------------------------------------------------- */

/* SplitMix64: the whole of its state is one number, and any seed is as good as another. */
static bool happens(struct emu_endpoint *endpoint, int percent)
{
    uint64_t z = endpoint->chance += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (z ^ (z >> 31)) % 100 < (uint64_t)percent;
}

static struct emu_delivery *make_delivery(struct emu_endpoint *endpoint,
                                          const struct emu_event *event)
{
    struct emu_record *journal = &endpoint->webhooks->journal;
    struct emu_delivery *delivery = calloc(1, sizeof *delivery);

    if (!delivery)
        return NULL;
    delivery->endpoint = endpoint;
    delivery->event_type = emu_event_type(event);
    memcpy(delivery->event_id, event->id, sizeof delivery->event_id);
    if (!emu_record_add(journal, delivery)) {
        free(delivery);
        return NULL;
    }
    delivery->kept = true;
    delivery->number = journal->last;
    emu_record_id(journal, delivery->id, delivery->number);
    return delivery;
}

static void tell(struct emu_endpoint *endpoint, const struct emu_event *event,
                 struct emu_payload *payload)
{
    const struct scalekit_emulator_webhook *config = &endpoint->config;
    struct scalekit_emulator_stats *counts = &endpoint->webhooks->counts;
    /* Each is drawn each time: one percentage changes nothing about the others. */
    bool lost = happens(endpoint, config->loss), doubled = happens(endpoint, config->duplicate);
    bool reordered = happens(endpoint, config->reorder), late = happens(endpoint, config->delay);
    struct emu_delivery *delivery = make_delivery(endpoint, event);

    if (!delivery)
        return;
    counts->deliveries++;
    if (lost) {
        delivery->outcome = SCALEKIT_DELIVERY_LOST;
        counts->lost++;
        return;
    }
    if (counts->pending >= endpoint->webhooks->max_pending) {
        delivery->outcome = SCALEKIT_DELIVERY_DROPPED;
        counts->dropped++;
        return;
    }
    counts->pending++;
    payload->references++;
    delivery->payload = payload;
    delivery->duplicate = doubled;
    if (late)
        wait_for(delivery, &endpoint->waiting, config->delay_ms);
    else if (reordered)
        wait_for(delivery, &endpoint->held, HOLD_MS);
    else
        TAILQ_INSERT_TAIL(&endpoint->queue, delivery, next);
    dispatch(endpoint);
}

void emu_webhooks_tell(const struct emu_event *event, void *user)
{
    struct emu_webhooks *webhooks = user;
    struct emu_payload *payload;

    if (!webhooks->n_endpoints)
        return;
    payload = make_payload(event);
    if (!payload)
        return;
    for (size_t i = 0; i < webhooks->n_endpoints; i++)
        tell(webhooks->endpoints[i], event, payload);
    release_payload(payload);
}

/* --- endpoints --------------------------------------------------------------------------------- */

static int64_t or_default(int64_t value, int64_t absent)
{
    return value ? value : absent;
}

static bool is_between(int64_t value, int64_t min, int64_t max)
{
    return value >= min && value <= max;
}

/* The numbers, with what they are when they are absent.  NULL, or what is wrong with them. */
static const char *read_numbers(struct scalekit_emulator_webhook *out,
                                const struct scalekit_emulator_webhook *config)
{
    const int percentages[] = {config->loss, config->duplicate, config->reorder, config->delay};

    for (size_t i = 0; i < sizeof percentages / sizeof *percentages; i++)
        if (!is_between(percentages[i], 0, 100))
            return "loss, duplicate, reorder and delay are percentages";
    *out = *config;
    out->url = out->secret = out->ca_file = NULL;
    out->delay_ms = or_default(config->delay_ms, DELAY_MS);
    out->speed = or_default(config->speed, 1);
    out->answer_ms = or_default(config->answer_ms, ANSWER_MS);
    out->connections = (int)or_default(config->connections, CONNECTIONS);
    if (!is_between(out->delay_ms, 1, MAX_DELAY_MS))
        return "delay_ms is at most a day";
    if (!is_between(out->speed, 1, MAX_SPEED))
        return "speed is 1 to 1000000000";
    if (!is_between(out->answer_ms, 1, MAX_ANSWER_MS))
        return "answer_ms is 1 to 600000";
    if (!is_between(out->connections, 1, EMU_MAX_CONNECTIONS))
        return "connections are 1 to 64";
    return NULL;
}

/* NULL: the endpoint has one now. */
static const char *set_secret(struct emu_endpoint *endpoint, const char *secret)
{
    char made[EMU_SECRET_SIZE];
    struct emu_key_bytes key;

    if (!secret && endpoint->secret)
        return NULL;
    if (!secret && !emu_secret_make(made))
        return "there is no chance to make a secret of";
    if (!secret)
        secret = made;
    if (!emu_secret_parse(secret, &key))
        return "the secret is not whsec_ and 24 to 64 bytes in base64";
    if (!emu_set_text(&endpoint->secret, secret))
        return "out of memory";
    endpoint->key = key;
    return NULL;
}

static void free_all(struct emu_deliveries *list)
{
    struct emu_delivery *delivery;

    while ((delivery = TAILQ_FIRST(list))) {
        TAILQ_REMOVE(list, delivery, next);
        settle(delivery);
    }
}

static void free_endpoint(struct emu_endpoint *endpoint)
{
    for (size_t i = 0; i < EMU_MAX_CONNECTIONS; i++) {
        emu_poster_free(endpoint->lines[i].poster);
        if (endpoint->lines[i].delivery)
            settle(endpoint->lines[i].delivery);
    }
    free_all(&endpoint->queue);
    free_all(&endpoint->waiting);
    free_all(&endpoint->held);
    emu_place_clear(&endpoint->place);
    SSL_CTX_free(endpoint->tls);
    emu_set_text(&endpoint->secret, NULL);
    emu_set_text(&endpoint->url, NULL);
    OPENSSL_cleanse(&endpoint->key, sizeof endpoint->key);
    free(endpoint);
}

/* What stays as long as the endpoint.  NULL, or what is wrong. */
static const char *set_place(struct emu_endpoint *endpoint,
                             const struct scalekit_emulator_webhook *config)
{
    const char *ca_file = config->ca_file ? config->ca_file : endpoint->webhooks->ca_file;

    if (!emu_place_parse(&endpoint->place, config->url))
        return "the URL is not http:// or https:// on 127.0.0.1, localhost or [::1]";
    if (!emu_set_text(&endpoint->url, config->url))
        return "out of memory";
    if (!endpoint->place.tls)
        return NULL;
    if (!ca_file)
        return "an https:// endpoint of an emulator without TLS needs a CA file";
    endpoint->tls = emu_pki_client_context(ca_file);
    return endpoint->tls ? NULL : "the CA file cannot be read";
}

static struct emu_endpoint *new_endpoint(struct emu_webhooks *webhooks,
                                         const struct scalekit_emulator_webhook *config,
                                         const char **problem)
{
    struct emu_endpoint *endpoint = calloc(1, sizeof *endpoint);

    *problem = "out of memory";
    if (!endpoint)
        return NULL;
    endpoint->webhooks = webhooks;
    TAILQ_INIT(&endpoint->queue);
    TAILQ_INIT(&endpoint->waiting);
    TAILQ_INIT(&endpoint->held);
    for (size_t i = 0; i < EMU_MAX_CONNECTIONS; i++)
        endpoint->lines[i].endpoint = endpoint;
    *problem = set_place(endpoint, config);
    if (!*problem)
        return endpoint;
    free_endpoint(endpoint);
    return NULL;
}

struct emu_endpoint *emu_webhook_find(const struct emu_webhooks *webhooks, const char *url)
{
    for (size_t i = 0; i < webhooks->n_endpoints; i++)
        if (strcmp(webhooks->endpoints[i]->url, url) == 0)
            return webhooks->endpoints[i];
    return NULL;
}

struct emu_endpoint *emu_webhook_add(struct emu_webhooks *webhooks,
                                     const struct scalekit_emulator_webhook *config, char *error,
                                     size_t error_size)
{
    struct scalekit_emulator_webhook numbers;
    struct emu_endpoint *old = emu_webhook_find(webhooks, config->url), *endpoint = old;
    const char *problem = read_numbers(&numbers, config);

    if (!problem && !old && webhooks->n_endpoints == EMU_MAX_ENDPOINTS)
        problem = "there are 16 endpoints already";
    if (!problem && !old)
        endpoint = new_endpoint(webhooks, config, &problem);
    if (!problem)
        problem = set_secret(endpoint, config->secret);
    if (problem) {
        snprintf(error, error_size, "%s", problem);
        if (endpoint && !old)
            free_endpoint(endpoint);
        return NULL;
    }
    endpoint->config = numbers;
    endpoint->chance = numbers.seed;
    if (!old)
        webhooks->endpoints[webhooks->n_endpoints++] = endpoint;
    dispatch(endpoint); /* there may be more connections now */
    return endpoint;
}

void emu_webhooks_init(struct emu_webhooks *webhooks, struct event_base *base, const char *ca_file,
                       uint64_t first_number)
{
    *webhooks =
        (struct emu_webhooks){.base = base, .ca_file = ca_file, .max_pending = EMU_MAX_PENDING};
    emu_record_init(&webhooks->journal, "msg", first_number, forget_delivery);
}

void emu_webhooks_free(struct emu_webhooks *webhooks)
{
    while (webhooks->n_endpoints)
        free_endpoint(webhooks->endpoints[--webhooks->n_endpoints]);
    emu_record_clear(&webhooks->journal);
}
