#include "core/token.h"
#include "base/str.h"
#include "core/error.h"
#include "core/retry.h"
#include "json/decode.h"
#include <string.h>

#define FLIGHT_MS        40000
#define MAX_ANSWER       65536
#define MAX_TOKEN        16384
#define DEFAULT_LIFE_S   3600
#define MAX_LIFE_S       (INT64_C(366) * 86400)
#define REFUSAL_MS       5000
#define MAX_REFUSAL_MS   60000
#define REFRESH_AGAIN_MS 15000

struct token_answer {
    size_t struct_size;
    const char *access_token;
    int64_t expires_in; /* seconds */
};

static const struct ski_field token_answer_fields[] = {
    STRING(token_answer, access_token, "access_token", .flags = SKI_SECRET),
    INTEGER(token_answer, expires_in, "expires_in"),
    END,
};
static const struct ski_type token_answer_type = TYPE(token_answer, token_answer_fields);

void ski_token_value_unref(struct ski_token_value *value)
{
    struct ski_mem mem;

    if (!value || --value->refs)
        return;
    mem = value->mem;
    ski_cleanse(value->text, value->length);
    ski_free(&mem, value);
}

/* --- the flight -------------------------------------------------------------------------------- */

static void hold_loop(struct ski_token *token, bool hold)
{
    if (token->holding == hold)
        return;
    token->holding = hold;
    if (hold)
        ski_loop_hold(token->loop);
    else
        ski_loop_release(token->loop);
}

/* Everybody who waits learns how it went.  Those who are told may not be the application: they send
 * or settle, and never come back here. */
static void land(struct ski_token *token, const struct scalekit_error *error)
{
    struct ski_list waiters, *node;

    token->state = SKI_TOKEN_IDLE;
    ski_timer_clear(token->loop, token->flight);
    ski_exchange_reset(&token->exchange);
    ski_list_init(&waiters);
    ski_list_move_all(&waiters, &token->waiters);
    while ((node = ski_list_pop_front(&waiters))) {
        struct ski_token_waiter *waiter = SKI_CONTAINER(node, struct ski_token_waiter, link);

        waiter->ready(waiter, error);
    }
    hold_loop(token, !ski_list_empty(&token->waiters));
}

static void fail(struct ski_token *token)
{
    int64_t now = ski_loop_now(token->loop);
    bool refused = token->error.code == SCALEKIT_ERR_SIGN_IN;

    ski_log(&token->loop->log, refused ? SCALEKIT_LOG_ERROR : SCALEKIT_LOG_WARN,
            "sign-in failed: %s", token->error.message);
    if (refused) {
        int64_t pause = REFUSAL_MS << (token->refusals < 4 ? token->refusals : 4);

        pause = pause < MAX_REFUSAL_MS ? pause : MAX_REFUSAL_MS;
        token->refusals++;
        token->refused_until_ms = now + ski_clock_jitter(&token->loop->clock, pause, 90, 110);
    }
    /* A token that is still good is used on, and refreshing tried again. */
    if (token->value && now + REFRESH_AGAIN_MS < token->expires_ms)
        ski_timer_set(token->loop, token->refresh, now + REFRESH_AGAIN_MS);
    land(token, &token->error);
}

/* Pauses and tries again, when that makes sense and the time allows it. */
static void fail_or_retry(struct ski_token *token)
{
    struct ski_attempt attempt = {
        .idempotency = SKI_SAFE,
        .error = &token->error,
        .retries = token->retries,
        .max_retries = token->max_retries,
        .refreshed = true,
    };
    int64_t due = ski_loop_now(token->loop);

    due += ski_retry_pause_ms(&token->loop->clock, token->retries, &token->error);
    if (ski_retry_judge(&attempt) != SKI_TRY_AGAIN || due >= token->deadline_ms) {
        fail(token);
        return;
    }
    token->retries++;
    token->state = SKI_TOKEN_PAUSED;
    ski_timer_set(token->loop, token->flight, due);
}

static struct scalekit_error *fresh_error(struct ski_token *token)
{
    ski_arena_free(&token->arena);
    ski_error_init(&token->error);
    return &token->error;
}

/* Before it is sent, what is slow or broken is the way to the server and not the sign-in. */
static enum scalekit_phase phase_of(enum scalekit_phase phase)
{
    switch (phase) {
    case SCALEKIT_PHASE_QUEUE:
    case SCALEKIT_PHASE_RESOLVE:
    case SCALEKIT_PHASE_CONNECT:
    case SCALEKIT_PHASE_TLS:
        return phase;
    default:
        return SCALEKIT_PHASE_TOKEN;
    }
}

static void fail_with(struct ski_token *token, const struct ski_failure *failure)
{
    ski_error_from_failure(fresh_error(token), &token->arena, failure);
    token->error.phase = phase_of(failure->phase);
    fail_or_retry(token);
}

/* Refreshing comes due well before the end, but never in the first half of a short life. */
static void plan_refresh(struct ski_token *token, int64_t life_ms)
{
    int64_t margin = life_ms / 5;

    margin = margin < 60000 ? 60000 : margin > 300000 ? 300000 : margin;
    margin = ski_clock_jitter(&token->loop->clock, margin, 90, 110);
    margin = margin < life_ms / 2 ? margin : life_ms / 2;
    ski_timer_set(token->loop, token->refresh, token->expires_ms - margin);
}

static bool adopt(struct ski_token *token, const struct token_answer *answer)
{
    static const char scheme[] = "Bearer ";
    const struct ski_mem *mem = &token->loop->mem;
    size_t length = sizeof scheme - 1 + strlen(answer->access_token);
    int64_t life = answer->expires_in > 0 ? answer->expires_in : DEFAULT_LIFE_S;
    struct ski_token_value *value = ski_alloc(mem, sizeof *value + length + 1);

    if (!value)
        return false;
    value->mem = *mem;
    value->refs = 1;
    value->generation = ++token->generation;
    value->length = length;
    memcpy(value->text, scheme, sizeof scheme - 1);
    memcpy(value->text + sizeof scheme - 1, answer->access_token, length - (sizeof scheme - 1) + 1);
    ski_token_value_unref(token->value);
    token->value = value;
    life = (life < MAX_LIFE_S ? life : MAX_LIFE_S) * 1000;
    token->expires_ms = ski_loop_now(token->loop) + life;
    token->refusals = 0;
    token->refused_until_ms = INT64_MIN;
    plan_refresh(token, life);
    ski_log(&token->loop->log, SCALEKIT_LOG_INFO, "signed in for %lld s", (long long)life / 1000);
    return true;
}

/* A 2xx, which still has to hold a token that can be sent. */
static void read_token(struct ski_token *token)
{
    const struct ski_buf *text = &token->exchange.answer;
    struct ski_failure failure = {SCALEKIT_OK, SCALEKIT_PHASE_TOKEN, NULL, ""};
    const struct token_answer *answer;
    struct ski_arena arena;
    const void *decoded;
    scalekit_err err;

    ski_arena_init(&arena, &token->loop->mem, 4096, 4 * MAX_ANSWER);
    err = ski_json_decode(&arena, &token_answer_type, text->data, text->length, &decoded, &failure);
    answer = decoded;
    if (err == SCALEKIT_OK && !answer->access_token)
        err = ski_fail(&failure, SCALEKIT_ERR_DECODE, SCALEKIT_PHASE_TOKEN,
                       "the sign-in was answered without an access_token");
    else if (err == SCALEKIT_OK && (strlen(answer->access_token) > MAX_TOKEN ||
                                    !ski_header_value_valid(ski_slice_of(answer->access_token))))
        err = ski_fail(&failure, SCALEKIT_ERR_DECODE, SCALEKIT_PHASE_TOKEN,
                       "the access_token cannot be sent in a header");
    else if (err == SCALEKIT_OK && !adopt(token, answer))
        err = ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_TOKEN, "out of memory");
    ski_arena_free(&arena);
    if (err == SCALEKIT_OK)
        land(token, NULL);
    else
        fail_with(token, &failure);
}

/* An answer without a token. */
static void read_refusal(struct ski_token *token)
{
    struct scalekit_error *error = fresh_error(token);
    int status = token->exchange.status;
    const char *text;

    ski_error_from_answer(error, &token->arena, &token->exchange,
                          ski_clock_wall(&token->loop->clock));
    ski_gate_learn(token->gate, &token->pass, &token->exchange, error);
    if (status == 400 || status == 401 || status == 403) {
        error->code = SCALEKIT_ERR_SIGN_IN;
    } else if (status < 500 && status != 429) {
        /* Not found, say, is the sign-in's and must not pass for an account's. */
        error->code = SCALEKIT_ERR_HTTP;
        text =
            ski_arena_printf(&token->arena,
                             "the sign-in at %s was answered with HTTP status %d: is env_url the "
                             "URL of an environment?",
                             token->target, status);
        error->message = text ? text : scalekit_strerror(error->code);
    }
    error->phase = SCALEKIT_PHASE_TOKEN;
    fail_or_retry(token);
}

static void on_done(struct ski_exchange *exchange, const struct ski_failure *failure)
{
    struct ski_token *token = SKI_CONTAINER(exchange, struct ski_token, exchange);

    if (failure) {
        fail_with(token, failure);
    } else if (exchange->status >= 200 && exchange->status < 300) {
        ski_gate_learn(token->gate, &token->pass, exchange, NULL);
        read_token(token);
    } else {
        read_refusal(token);
    }
}

static void on_pass(struct ski_pass *pass)
{
    struct ski_token *token = SKI_CONTAINER(pass, struct ski_token, pass);
    struct ski_failure failure;
    scalekit_err err;

    token->state = SKI_TOKEN_SIGNING_IN;
    err = ski_pool_start(token->pool, &token->exchange);
    if (err == SCALEKIT_OK)
        return;
    ski_fail(&failure, err, SCALEKIT_PHASE_TOKEN, "%s", scalekit_strerror(err));
    fail_with(token, &failure);
}

static void send_sign_in(struct ski_token *token)
{
    ski_exchange_reset(&token->exchange);
    token->state = SKI_TOKEN_WAITING;
    ski_timer_set(token->loop, token->flight, token->deadline_ms);
    if (ski_gate_enter(token->gate, &token->pass, SCALEKIT_CLASS_TOKEN,
                       ski_loop_now(token->loop)) == SKI_GATE_GO)
        on_pass(&token->pass);
}

/* Takes back what is under way. */
static void stop_sign_in(struct ski_token *token)
{
    ski_gate_leave(token->gate, &token->pass);
    if (token->state == SKI_TOKEN_SIGNING_IN)
        ski_pool_cancel(token->pool, &token->exchange);
}

/* The flight's timer: the end of a pause, or of its time. */
static void on_flight(void *owner)
{
    struct ski_token *token = owner;
    struct ski_failure failure;

    if (token->state == SKI_TOKEN_PAUSED) {
        send_sign_in(token);
        return;
    }
    stop_sign_in(token);
    ski_fail(&failure, SCALEKIT_ERR_DEADLINE, SCALEKIT_PHASE_TOKEN,
             "the sign-in was not answered within %d s", FLIGHT_MS / 1000);
    fail_with(token, &failure);
}

static void take_off(struct ski_token *token)
{
    token->retries = 0;
    token->deadline_ms = ski_loop_now(token->loop) + FLIGHT_MS;
    ski_timer_clear(token->loop, token->refresh);
    hold_loop(token, true);
    send_sign_in(token);
}

static void on_refresh(void *owner)
{
    struct ski_token *token = owner;

    if (token->state == SKI_TOKEN_IDLE)
        take_off(token);
}

/* --- interface --------------------------------------------------------------------------------- */

static bool write_form(struct ski_token *token, const struct ski_token_config *config)
{
    ski_buf_init(&token->form, &token->loop->mem, 16384);
    ski_buf_adds(&token->form, "grant_type=client_credentials&client_id=");
    ski_percent_encode(&token->form, config->client_id);
    ski_buf_adds(&token->form, "&client_secret=");
    ski_percent_encode(&token->form, config->client_secret);
    return token->form.failed == SKI_BUF_OK;
}

scalekit_err ski_token_init(struct ski_token *token, struct ski_loop *loop, struct ski_pool *pool,
                            const struct ski_token_config *config)
{
    struct ski_exchange *exchange = &token->exchange;

    memset(token, 0, sizeof *token);
    token->loop = loop;
    token->pool = pool;
    token->gate = config->gate;
    ski_pass_init(&token->pass, on_pass);
    token->max_retries = config->max_retries;
    token->refused_until_ms = INT64_MIN;
    token->flight = token->refresh = SKI_NO_TIMER;
    ski_list_init(&token->waiters);
    ski_error_init(&token->error);
    ski_arena_init(&token->arena, &loop->mem, 1024, 4 * MAX_ANSWER);
    ski_exchange_init(exchange, &loop->mem, MAX_ANSWER);
    token->target = ski_strdup(&loop->mem, config->target);
    token->flight = ski_timer_new(loop, on_flight, token);
    token->refresh = ski_timer_new(loop, on_refresh, token);
    if (!write_form(token, config) || !token->target || token->flight == SKI_NO_TIMER ||
        token->refresh == SKI_NO_TIMER) {
        ski_token_free(token);
        return SCALEKIT_ERR_NOMEM;
    }
    exchange->urgent = true; /* the others wait for it */
    exchange->method = "POST";
    exchange->target = token->target;
    exchange->body = token->form.data;
    exchange->body_length = token->form.length;
    exchange->done = on_done;
    for (unsigned i = 0; i < config->n_headers; i++)
        exchange->headers[exchange->n_headers++] = config->headers[i];
    exchange->headers[exchange->n_headers++] =
        SKI_HEADER("content-type", "application/x-www-form-urlencoded");
    return SCALEKIT_OK;
}

void ski_token_free(struct ski_token *token)
{
    struct ski_loop *loop = token->loop;

    if (!loop)
        return;
    stop_sign_in(token);
    while (ski_list_pop_front(&token->waiters))
        ;
    ski_timer_free(loop, token->flight);
    ski_timer_free(loop, token->refresh);
    ski_exchange_free(&token->exchange);
    ski_token_value_unref(token->value);
    ski_arena_free(&token->arena);
    ski_buf_free(&token->form);
    ski_free(&loop->mem, token->target);
    token->loop = NULL;
}

struct ski_token_value *ski_token_get(struct ski_token *token, struct ski_token_waiter *waiter,
                                      const struct scalekit_error **error)
{
    int64_t now = ski_loop_now(token->loop);

    *error = NULL;
    if (token->value && now < token->expires_ms) {
        token->value->refs++;
        return token->value;
    }
    if (token->state == SKI_TOKEN_IDLE && now < token->refused_until_ms) {
        *error = &token->error;
        return NULL;
    }
    ski_list_push_back(&token->waiters, &waiter->link);
    hold_loop(token, true);
    if (token->state == SKI_TOKEN_IDLE)
        take_off(token);
    return NULL;
}

bool ski_token_is_current(const struct ski_token *token, const struct ski_token_value *value)
{
    return value == token->value && ski_loop_now(token->loop) < token->expires_ms;
}

void ski_token_cancel(struct ski_token *token, struct ski_token_waiter *waiter)
{
    ski_list_remove(&waiter->link);
    if (ski_list_empty(&token->waiters) && !token->value)
        hold_loop(token, false);
}

void ski_token_sleep(struct ski_token *token)
{
    if (token->state == SKI_TOKEN_IDLE)
        return;
    stop_sign_in(token);
    token->state = SKI_TOKEN_IDLE;
    ski_timer_clear(token->loop, token->flight);
    ski_exchange_reset(&token->exchange);
}

enum scalekit_phase ski_token_phase(const struct ski_token *token)
{
    if (token->state == SKI_TOKEN_WAITING)
        return SCALEKIT_PHASE_QUEUE;
    if (token->state != SKI_TOKEN_SIGNING_IN)
        return SCALEKIT_PHASE_TOKEN;
    return phase_of(ski_pool_phase(token->pool, &token->exchange));
}

void ski_token_reject(struct ski_token *token, uint64_t generation)
{
    if (!token->value || token->value->generation != generation)
        return;
    ski_token_value_unref(token->value);
    token->value = NULL;
    ski_timer_clear(token->loop, token->refresh);
}
