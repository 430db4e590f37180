#include "core/request.h"
#include "base/str.h"
#include "core/client.h"
#include "core/error.h"
#include "core/retry.h"
#include "core/streaming.h"
#include "json/check.h"
#include "json/decode.h"
#include "json/encode.h"
#include <string.h>

#define MAX_LOGGED      (16u << 20) /* bytes of JSON, before the log cuts them */
#define ARENA_FIRST     2048
#define ARENA_PER_BYTE  16 /* decoded structures against the text they came from, at most */
#define MAX_DEADLINE_MS INT64_C(86400000)
#define MAX_RETRIES     10

/* --- settling: the first outcome wins ---------------------------------------------------------- */

/* Lets go of whatever the request is waiting for. */
static void abort_work(scalekit_request *request)
{
    switch (request->state) {
    case SKI_TOKEN:
        ski_token_cancel(&request->client->token, &request->waiter);
        break;
    case SKI_GATE:
        ski_gate_leave(&request->client->gate, &request->pass);
        break;
    case SKI_SENT:
        ski_pool_cancel(request->client->pool, &request->exchange);
        break;
    case SKI_QUEUED:
    case SKI_FLOWING:
        if (request->flow)
            request->flow->leave(request);
        break;
    default:
        break;
    }
}

static enum scalekit_phase current_phase(const scalekit_request *request)
{
    const scalekit_request *step;

    switch (request->state) {
    case SKI_TOKEN:
        return ski_token_phase(&request->client->token);
    case SKI_GATE:
        return SCALEKIT_PHASE_QUEUE;
    case SKI_SENT:
        return ski_pool_phase(request->client->pool, &request->exchange);
    case SKI_DRAINING:
        return SCALEKIT_PHASE_RECEIVE;
    case SKI_PAUSED:
        return SCALEKIT_PHASE_BACKOFF;
    case SKI_FLOWING:
        step = request->flow->step(request);
        return step ? current_phase(step) : SCALEKIT_PHASE_NONE;
    case SKI_SETTLED: /* a step of a flow, not delivered yet */
        return request->failed ? request->error.phase : SCALEKIT_PHASE_NONE;
    default:
        return SCALEKIT_PHASE_NONE;
    }
}

static void log_failure(const scalekit_request *request)
{
    const struct scalekit_error *error = &request->error;

    ski_log(&request->client->loop.log,
            error->code == SCALEKIT_ERR_DECODE ? SCALEKIT_LOG_WARN : SCALEKIT_LOG_DEBUG,
            "%s failed: %s (%s)", request->operation->name, error->message,
            scalekit_err_name(error->code));
}

/* The text of the answer outlives the exchange. */
static void take_response(scalekit_request *request)
{
    struct ski_buf *answer = &request->exchange.answer;

    if (!ski_buf_text(answer))
        return; /* no memory for the NUL */
    request->response = *answer;
    ski_buf_init(answer, &request->mem, 0);
}

static void complete_error(scalekit_request *request)
{
    request->error.attempts = request->attempts;
    request->error.elapsed_ms = request->end_ms - request->start_ms;
    request->error.sent |= request->sent;
}

static void settle(scalekit_request *request)
{
    struct ski_loop *loop = &request->client->loop;

    if (request->state >= SKI_SETTLED)
        return;
    abort_work(request);
    request->state = SKI_SETTLED;
    request->end_ms = ski_loop_now(loop);
    request->sent |= request->exchange.sent;
    ski_timer_free(loop, request->timer);
    request->timer = SKI_NO_TIMER;
    ski_token_value_unref(request->token);
    request->token = NULL;
    if (request->keep_response && request->exchange.status)
        take_response(request);
    ski_streaming_free(request->streaming);
    request->streaming = NULL;
    ski_exchange_free(&request->exchange);
    ski_wire_free(&request->wire);
    if (request->failed) {
        complete_error(request);
        log_failure(request);
    }
    ski_task_defer(loop, &request->turn);
}

/* An error that is being filled: what was known of an earlier attempt is forgotten. */
static struct scalekit_error *fresh_error(scalekit_request *request)
{
    request->failed = true;
    request->result = NULL;
    ski_arena_free(&request->arena);
    ski_error_init(&request->error);
    return &request->error;
}

void ski_request_settle_failure(scalekit_request *request, const struct ski_failure *failure)
{
    if (request->state >= SKI_SETTLED)
        return;
    ski_error_from_failure(fresh_error(request), &request->arena, failure);
    settle(request);
}

void ski_request_settle_error(scalekit_request *request, const struct scalekit_error *error)
{
    if (request->state >= SKI_SETTLED)
        return;
    ski_error_copy(fresh_error(request), &request->arena, error);
    settle(request);
}

static void settle_code(scalekit_request *request, scalekit_err code, enum scalekit_phase phase)
{
    struct ski_failure failure;

    ski_fail(&failure, code, phase, "%s", scalekit_strerror(code));
    ski_request_settle_failure(request, &failure);
}

void ski_request_settle_from(scalekit_request *request, scalekit_request *source,
                             const void *result)
{
    if (request->state >= SKI_SETTLED)
        return;
    request->source = scalekit_request_ref(source);
    request->attempts = source->attempts;
    request->http_status = source->http_status;
    request->failed = source->failed;
    request->error = source->error;
    request->result = result;
    settle(request);
}

void ski_request_settle_result(scalekit_request *request, const void *result)
{
    if (request->state >= SKI_SETTLED)
        return;
    request->failed = false;
    request->result = result;
    settle(request);
}

/* --- sending ----------------------------------------------------------------------------------- */

/* Room for a token and everything said by all requests of the client. */
_Static_assert(SKI_CLIENT_HEADERS + 2 <= SKI_MAX_SENT_HEADERS, "headers of a request do not fit");

/* Whether the request has a header of its own in place of one of the client's.  Its names end in a
 * NUL (core/wire.c). */
static bool overrides(const struct ski_exchange *exchange, struct ski_slice name)
{
    for (unsigned i = 0; i < exchange->n_more_headers; i++)
        if (ski_slice_ieq(name, exchange->more_headers[i].name.at))
            return true;
    return false;
}

static void send_exchange(scalekit_request *request)
{
    struct ski_exchange *exchange = &request->exchange;
    scalekit_client *client = request->client;
    scalekit_err err;

    exchange->n_headers = 0;
    for (unsigned i = 0; i < SKI_CLIENT_HEADERS; i++)
        if (!overrides(exchange, client->headers[i].name))
            exchange->headers[exchange->n_headers++] = client->headers[i];
    exchange->headers[exchange->n_headers++] = (struct ski_header){
        ski_slice_of("authorization"), {request->token->text, request->token->length}};
    if (request->wire.content_type)
        exchange->headers[exchange->n_headers++] = (struct ski_header){
            ski_slice_of("content-type"), ski_slice_of(request->wire.content_type)};
    ski_exchange_reset(exchange);
    if (request->streaming)
        ski_streaming_begin(request->streaming);
    request->attempts++;
    request->state = SKI_SENT;
    err = ski_pool_start(client->pool, exchange);
    if (err == SCALEKIT_OK)
        return;
    request->state = SKI_QUEUED;
    settle_code(request, err, SCALEKIT_PHASE_QUEUE);
}

static void enter_gate(scalekit_request *request)
{
    struct ski_gate *gate = &request->client->gate;

    switch (ski_gate_enter(gate, &request->pass, request->kind, request->start_ms)) {
    case SKI_GATE_GO:
        send_exchange(request);
        break;
    case SKI_GATE_WAIT:
        request->state = SKI_GATE;
        break;
    case SKI_GATE_FULL:
        request->state = SKI_QUEUED;
        settle_code(request, SCALEKIT_ERR_QUEUE_FULL, SCALEKIT_PHASE_QUEUE);
        break;
    }
}

static void acquire_token(scalekit_request *request)
{
    const struct scalekit_error *error;

    request->state = SKI_TOKEN;
    request->token = ski_token_get(&request->client->token, &request->waiter, &error);
    if (request->token && request->exchange.target)
        enter_gate(request);
    else if (request->token)
        settle(request); /* scalekit_client_warm() wanted nothing else */
    else if (error)
        ski_request_settle_error(request, error);
}

static void on_token(struct ski_token_waiter *waiter, const struct scalekit_error *error)
{
    scalekit_request *request = SKI_CONTAINER(waiter, scalekit_request, waiter);

    if (error)
        ski_request_settle_error(request, error);
    else
        acquire_token(request);
}

/* Its turn has come.  When its token has run out meanwhile, it waits for another, and another turn. */
static void on_pass(struct ski_pass *pass)
{
    scalekit_request *request = SKI_CONTAINER(pass, scalekit_request, pass);

    if (ski_token_is_current(&request->client->token, request->token)) {
        send_exchange(request);
        return;
    }
    ski_token_value_unref(request->token);
    request->token = NULL;
    acquire_token(request);
}

/* --- the answer -------------------------------------------------------------------------------- */

static void log_answer(const scalekit_request *request, const void *decoded)
{
    const struct ski_operation *operation = request->operation;
    const struct ski_log *log = &request->client->loop.log;
    struct ski_buf text;

    if (!ski_log_wants(log, SCALEKIT_LOG_DEBUG))
        return;
    ski_log(log, SCALEKIT_LOG_DEBUG, "%s %s %d in %lld ms, attempt %d", request->exchange.method,
            operation->path ? operation->path : operation->name, request->http_status,
            (long long)(ski_loop_now(&request->client->loop) - request->start_ms),
            request->attempts);
    if (!decoded || !ski_log_wants(log, SCALEKIT_LOG_TRACE))
        return;
    ski_buf_init(&text, &request->mem, MAX_LOGGED);
    ski_json_encode(&text, operation->result, decoded, SKI_ENCODE_REDACTED);
    if (ski_buf_text(&text))
        ski_log_text(log, SCALEKIT_LOG_TRACE, ski_buf_text(&text));
    ski_buf_free(&text);
}

/* What the callback gets of what was decoded; a table demands what an offset points to. */
static const void *pick_result(const struct ski_operation *operation, const void *decoded)
{
    const void *result = decoded;

    if (decoded && operation->result_offset != SKI_WHOLE_RESULT)
        memcpy(&result, (const char *)decoded + operation->result_offset, sizeof result);
    return result;
}

/* Of an accepted answer. */
static scalekit_err read_result(scalekit_request *request, const void **decoded,
                                struct ski_failure *failure)
{
    const struct ski_operation *operation = request->operation;
    const struct ski_buf *answer = &request->exchange.answer;
    scalekit_err err = SCALEKIT_OK;

    *decoded = NULL;
    if (operation->read) {
        request->result = operation->read(request);
        return request->result
                   ? SCALEKIT_OK
                   : ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_DECODE, "out of memory");
    }
    if (operation->result)
        err = ski_json_decode(&request->arena, operation->result, answer->data, answer->length,
                              decoded, failure);
    request->result = pick_result(operation, *decoded);
    return err;
}

static void take_success(scalekit_request *request)
{
    struct ski_failure failure;
    const void *decoded;
    scalekit_err err;

    ski_retry_refund(&request->client->retry_budget);
    ski_arena_free(&request->arena);
    request->failed = false;
    err = read_result(request, &decoded, &failure);
    log_answer(request, decoded);
    if (err == SCALEKIT_OK) {
        settle(request);
        return;
    }
    failure.phase = SCALEKIT_PHASE_DECODE;
    ski_error_from_failure(fresh_error(request), &request->arena, &failure);
    request->error.http_status = request->http_status;
    settle(request);
}

/* Sends again with a fresh token, pauses to send again, or gives up. */
static void judge(scalekit_request *request)
{
    scalekit_client *client = request->client;
    struct ski_attempt attempt = {
        .idempotency = request->wire.idempotency,
        .error = &request->error,
        .retries = request->retries,
        .max_retries = request->max_retries,
        .refreshed = request->refreshed,
        .retry_rate_limited = request->retry_rate_limited,
        .consumed = request->streaming && !ski_streaming_can_begin_again(request->streaming),
    };
    enum ski_verdict verdict = ski_retry_judge(&attempt);
    int64_t pause;

    if (request->error.code == SCALEKIT_ERR_UNAUTHORIZED && !request->refreshed)
        ski_token_reject(&client->token, request->token->generation);
    if (verdict == SKI_FRESH_TOKEN) {
        request->refreshed = true;
        ski_token_value_unref(request->token);
        request->token = NULL;
        acquire_token(request);
        return;
    }
    pause = ski_retry_pause_ms(&client->loop.clock, request->retries, &request->error);
    if (verdict == SKI_GIVE_UP || ski_loop_now(&client->loop) + pause >= request->due_ms ||
        !ski_retry_spend(&client->retry_budget, &request->error)) {
        settle(request);
        return;
    }
    ski_log(&client->loop.log, SCALEKIT_LOG_WARN, "%s again in %lld ms: %s",
            request->operation->name, (long long)pause, request->error.message);
    request->retries++;
    request->state = SKI_PAUSED;
    ski_timer_set(&client->loop, request->timer, ski_loop_now(&client->loop) + pause);
}

static bool accepts(const scalekit_request *request)
{
    const struct ski_exchange *exchange = &request->exchange;

    if (request->streaming && ski_streaming_has_told(request->streaming))
        return true; /* of which only the end is there to be judged */
    if (request->operation->accepts)
        return request->operation->accepts(exchange);
    return exchange->status >= 200 && exchange->status < 300;
}

static void on_done(struct ski_exchange *exchange, const struct ski_failure *failure)
{
    scalekit_request *request = SKI_CONTAINER(exchange, scalekit_request, exchange);
    struct scalekit_error *error;

    request->state = SKI_QUEUED; /* the exchange is over */
    if (!failure)
        request->http_status = exchange->status;
    request->sent |= exchange->sent;
    if (!failure && accepts(request)) {
        if (!request->operation->accepts) /* else it is a provider's */
            ski_gate_learn(&request->client->gate, &request->pass, exchange, NULL);
        if (request->streaming && ski_streaming_drain(request->streaming))
            request->state = SKI_DRAINING;
        else
            take_success(request);
        return;
    }
    error = fresh_error(request);
    if (failure)
        ski_error_from_failure(error, &request->arena, failure);
    else
        ski_error_from_answer(error, &request->arena, exchange,
                              ski_clock_wall(&request->client->loop.clock));
    if (!failure)
        ski_gate_learn(&request->client->gate, &request->pass, exchange, error);
    error->sent =
        exchange->sent; /* this attempt: an earlier one was answered, or may be repeated */
    log_answer(request, NULL);
    judge(request);
}

void ski_request_answered(scalekit_request *request)
{
    take_success(request);
}

static void on_timer(void *owner)
{
    scalekit_request *request = owner;
    int64_t now = ski_loop_now(&request->client->loop);

    if (now < request->due_ms) {
        ski_timer_set(&request->client->loop, request->timer, request->due_ms);
        if (request->state != SKI_PAUSED)
            return;
        ski_token_value_unref(request->token);
        request->token = NULL;
        acquire_token(request);
        return;
    }
    settle_code(request, SCALEKIT_ERR_DEADLINE, current_phase(request));
}

/* --- delivering -------------------------------------------------------------------------------- */

static void deliver(scalekit_request *request)
{
    scalekit_client *client = request->client;

    ski_list_remove(&request->link);
    ski_task_cancel(&request->turn);
    request->state = SKI_DELIVERED;
    request->client = NULL;
    ski_client_enter(client);
    if (request->cb)
        request->deliver(request, request->cb, request->failed ? NULL : request->result,
                         request->user);
    scalekit_request_unref(request);
    ski_loop_release(&client->loop);
    ski_client_leave(client);
}

static void on_turn(struct ski_task *task)
{
    scalekit_request *request = SKI_CONTAINER(task, scalekit_request, turn);

    if (request->state == SKI_SETTLED) {
        deliver(request);
    } else if (request->failed) {
        settle(request);
    } else if (request->flow) {
        request->state = SKI_FLOWING;
        request->flow->start(request);
    } else {
        acquire_token(request);
    }
}

void ski_deliver_done(scalekit_request *request, ski_callback cb, const void *result, void *user)
{
    (void)result;
    ((scalekit_done_cb)cb)(request, !request->failed, user);
}

void ski_request_close(scalekit_request *request)
{
    settle_code(request, SCALEKIT_ERR_CLOSED, current_phase(request));
    deliver(request);
}

void ski_request_extend(scalekit_request *request, int64_t due_ms)
{
    if (request->state >= SKI_SETTLED || due_ms <= request->due_ms)
        return;
    request->due_ms = due_ms;
    if (request->state != SKI_PAUSED) /* the timer is the pause's then */
        ski_timer_set(&request->client->loop, request->timer, due_ms);
}

void ski_request_abandon(scalekit_request *request)
{
    request->cb = NULL;
    scalekit_request_cancel(request);
}

/* --- starting ---------------------------------------------------------------------------------- */

static scalekit_request *new_request(scalekit_client *client, const struct ski_operation *operation,
                                     ski_callback cb, void *user)
{
    scalekit_request *request;
    int64_t allowed;

    if (!client || client->closing || !cb)
        return NULL;
    request = ski_zalloc(&client->loop.mem, sizeof *request);
    if (!request)
        return NULL;
    request->timer = ski_timer_new(&client->loop, on_timer, request);
    if (request->timer == SKI_NO_TIMER) {
        ski_free(&client->loop.mem, request);
        return NULL;
    }
    request->mem = client->loop.mem;
    request->client = client;
    request->operation = operation;
    request->deliver = operation->deliver;
    request->cb = cb;
    request->user = user;
    request->refs = 1;
    request->kind = operation->kind;
    request->max_retries = client->config.max_retries;
    request->start_ms = ski_loop_now(&client->loop);
    allowed = operation->kind == SCALEKIT_CLASS_TOOL ? client->config.tool_deadline_ms
                                                     : client->config.deadline_ms;
    request->due_ms = request->start_ms + allowed;
    ski_timer_set(&client->loop, request->timer, request->due_ms);
    ski_list_init(&request->link);
    ski_list_init(&request->waiter.link);
    request->waiter.ready = on_token;
    ski_pass_init(&request->pass, on_pass);
    ski_task_init(&request->turn, on_turn);
    ski_error_init(&request->error);
    ski_arena_init(&request->arena, &request->mem, ARENA_FIRST,
                   client->config.max_response_bytes * ARENA_PER_BYTE);
    ski_exchange_init(&request->exchange, &request->mem, client->config.max_response_bytes);
    request->exchange.done = on_done;
    ski_wire_init(&request->wire, &request->mem);
    ski_buf_init(&request->response, &request->mem, 0);
    ski_list_push_back(&client->pending, &request->link);
    ski_loop_hold(&client->loop);
    ski_task_defer(&client->loop, &request->turn);
    return request;
}

static scalekit_err refuse(struct ski_failure *failure, const char *parameter, const char *problem)
{
    ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE, "%s", problem);
    failure->parameter = parameter;
    return SCALEKIT_ERR_INVALID;
}

/* A rule reads any member: the structure of an older program, which ends earlier, is completed. */
static scalekit_err check_rules(const struct ski_operation *operation, const struct ski_mem *mem,
                                const void *params, struct ski_failure *failure)
{
    const struct ski_type *type = operation->params;
    const char *problem, *parameter = NULL;
    void *complete = NULL;

    if (*(const size_t *)params < type->size) {
        complete = ski_alloc(mem, type->size);
        if (!complete)
            return ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
        params = ski_params_copy(complete, type->size, params);
    }
    problem = operation->check(params, &parameter);
    ski_free(mem, complete);
    return problem ? refuse(failure, parameter, problem) : SCALEKIT_OK;
}

scalekit_err ski_operation_check(const struct ski_operation *operation, const struct ski_mem *mem,
                                 const void *params, struct ski_failure *failure)
{
    scalekit_err err;

    if (!operation->params)
        return SCALEKIT_OK;
    if (!params)
        return refuse(failure, "params", "params is missing");
    err = ski_check(mem, operation->params, params, failure);
    return err == SCALEKIT_OK && operation->check ? check_rules(operation, mem, params, failure)
                                                  : err;
}

static void log_params(const scalekit_request *request, const void *params)
{
    const struct ski_log *log = &request->client->loop.log;
    struct ski_buf text;

    if (!params || !ski_log_wants(log, SCALEKIT_LOG_TRACE))
        return;
    ski_buf_init(&text, &request->mem, MAX_LOGGED);
    ski_buf_addf(&text, "%s ", request->operation->name);
    ski_json_encode(&text, request->operation->params, params, SKI_ENCODE_REDACTED);
    if (ski_buf_text(&text))
        ski_log_text(log, SCALEKIT_LOG_TRACE, ski_buf_text(&text));
    ski_buf_free(&text);
}

static bool makes_exchange(const struct ski_operation *operation)
{
    return operation->path || operation->compose;
}

/* What is wrong at the start is known at once, and told from the loop. */
static scalekit_request *start(scalekit_request *request, const void *params)
{
    struct ski_failure failure;
    scalekit_err err;

    if (!request)
        return NULL;
    err = ski_operation_check(request->operation, &request->mem, params, &failure);
    if (err == SCALEKIT_OK && !request->flow && makes_exchange(request->operation))
        err = ski_wire_compose(&request->wire, &request->exchange, request->client->url.path,
                               request->operation, params, &failure);
    if (err == SCALEKIT_OK)
        log_params(request, params);
    else
        ski_error_from_failure(fresh_error(request), &request->arena, &failure);
    return request;
}

scalekit_request *ski_request_start(scalekit_client *client, const struct ski_operation *operation,
                                    const void *params, ski_callback cb, void *user)
{
    return start(new_request(client, operation, cb, user), params);
}

scalekit_request *ski_request_start_flow(scalekit_client *client,
                                         const struct ski_operation *operation, const void *params,
                                         const struct ski_flow *flow, void *flow_data,
                                         ski_callback cb, void *user)
{
    scalekit_request *request = new_request(client, operation, cb, user);

    if (request) {
        request->flow = flow;
        request->flow_data = flow_data;
    }
    return start(request, params);
}

void ski_request_refuse(scalekit_request *request, const struct ski_failure *failure)
{
    ski_error_from_failure(fresh_error(request), &request->arena, failure);
    if (request->state != SKI_DELIVERED)
        return; /* settle() is still to come */
    request->error.http_status = request->http_status;
    complete_error(request);
}

void ski_request_inherit(scalekit_request *step, const scalekit_request *whole)
{
    int64_t left = whole->due_ms - ski_loop_now(&whole->client->loop);

    step->max_retries = whole->max_retries;
    step->retry_rate_limited = whole->retry_rate_limited;
    step->keep_response = whole->keep_response;
    scalekit_request_set_deadline(step, left > 0 ? left : 1);
}

void ski_request_set_class(scalekit_request *request, enum scalekit_request_class kind)
{
    request->kind = kind;
}

void ski_request_go_first(scalekit_request *request)
{
    request->pass.first = true;
}

/* --- the handle -------------------------------------------------------------------------------- */

void scalekit_request_cancel(scalekit_request *request)
{
    if (request && request->state < SKI_SETTLED)
        settle_code(request, SCALEKIT_ERR_CANCELED, current_phase(request));
}

scalekit_request *scalekit_request_ref(scalekit_request *request)
{
    if (request)
        request->refs++;
    return request;
}

void scalekit_request_unref(scalekit_request *request)
{
    struct ski_mem mem;

    if (!request || --request->refs)
        return;
    mem = request->mem;
    scalekit_request_unref(request->source);
    ski_arena_free(&request->arena);
    ski_buf_free(&request->response);
    ski_free(&mem, request);
}

scalekit_err scalekit_request_set_deadline(scalekit_request *request, int64_t milliseconds)
{
    if (!request || milliseconds < 1 || milliseconds > MAX_DEADLINE_MS)
        return SCALEKIT_ERR_INVALID;
    if (request->state != SKI_QUEUED || request->attempts)
        return SCALEKIT_ERR_TOO_LATE;
    request->due_ms = ski_loop_now(&request->client->loop) + milliseconds;
    ski_timer_set(&request->client->loop, request->timer, request->due_ms);
    return SCALEKIT_OK;
}

scalekit_err scalekit_request_set_max_retries(scalekit_request *request, int retries)
{
    if (!request || retries < 0 || retries > MAX_RETRIES)
        return SCALEKIT_ERR_INVALID;
    if (request->state != SKI_QUEUED || request->attempts)
        return SCALEKIT_ERR_TOO_LATE;
    request->max_retries = retries;
    return SCALEKIT_OK;
}

scalekit_err scalekit_request_set_retry_rate_limited(scalekit_request *request, bool retry)
{
    if (!request)
        return SCALEKIT_ERR_INVALID;
    if (request->state != SKI_QUEUED || request->attempts)
        return SCALEKIT_ERR_TOO_LATE;
    request->retry_rate_limited = retry;
    return SCALEKIT_OK;
}

scalekit_err scalekit_request_keep_response(scalekit_request *request, bool keep)
{
    if (!request)
        return SCALEKIT_ERR_INVALID;
    if (request->state != SKI_QUEUED || request->attempts)
        return SCALEKIT_ERR_TOO_LATE;
    request->keep_response = keep;
    return SCALEKIT_OK;
}

const char *scalekit_request_response(const scalekit_request *request, size_t *length)
{
    size_t unused;

    if (!length)
        length = &unused;
    *length = 0;
    if (!request || request->state != SKI_DELIVERED || !request->response.data)
        return NULL;
    *length = request->response.length;
    return request->response.data;
}

const struct scalekit_error *scalekit_request_error(const scalekit_request *request)
{
    return request && request->failed && request->state == SKI_DELIVERED ? &request->error : NULL;
}

int scalekit_request_http_status(const scalekit_request *request)
{
    return request ? request->http_status : 0;
}

int scalekit_request_attempts(const scalekit_request *request)
{
    return request ? request->attempts : 0;
}

int64_t scalekit_request_elapsed_ms(const scalekit_request *request)
{
    if (!request)
        return 0;
    if (request->state >= SKI_SETTLED)
        return request->end_ms - request->start_ms;
    return ski_loop_now(&request->client->loop) - request->start_ms;
}

const char *scalekit_request_operation(const scalekit_request *request)
{
    return request ? request->operation->name : "";
}
