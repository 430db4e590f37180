/* Design note.  get_or_create is a walk of at most four operations:
 *
 *     details ──► found ──► done, or update when details were given ──► done
 *        └─ 404 ─► create ──► done
 *                    └─ 409 (somebody else did, just now) ──► details ──► done
 *
 * Equal calls that are under way at the same time ride on one walk, a flight.  Each rider is a
 * request of its own, with its own deadline and its own end; the flight goes on while it has one
 * rider left.  Equal means that the parameters encode to the same JSON, which also serves as the
 * copy of the parameters: decoded, it is the structure the later steps are called with. */
#include "api/connected_account.h"
#include "api/operations.h"
#include "base/str.h"
#include "core/client.h"
#include "json/check.h"
#include "json/decode.h"
#include "json/encode.h"
#include <string.h>

#define MAX_PARAMS (1u << 20)

struct flight {
    struct ski_map_node node; /* in the client's flights, while it can be boarded */
    bool shared;              /* it is in there */
    struct ski_list riders;   /* struct rider */
    scalekit_client *client;
    struct ski_buf key; /* the parameters as JSON */
    struct ski_arena arena;
    const struct scalekit_create_connected_account_params *params; /* decoded from it */
    scalekit_request *step; /* the operation under way; NULL before the first */
    bool sent;              /* by an earlier step */
};

struct rider {
    struct ski_list link;
    scalekit_request *request;
    struct flight *flight;
};

static void free_flight(struct flight *flight)
{
    const struct ski_mem *mem = &flight->client->loop.mem;

    if (flight->shared)
        ski_map_remove(&flight->client->flights, &flight->node);
    ski_buf_free(&flight->key);
    ski_arena_free(&flight->arena);
    ski_free(mem, flight);
}

/* --- landing ----------------------------------------------------------------------------------- */

/* A rider settled: by landing, or on its own. */
static void leave(scalekit_request *request)
{
    struct rider *rider = request->flow_data;
    struct flight *flight;

    if (!rider)
        return;
    request->flow_data = NULL;
    flight = rider->flight;
    request->sent |= flight->sent;
    if (flight->step) {
        request->sent |= flight->step->sent || flight->step->exchange.sent;
        request->attempts = flight->step->attempts;
    }
    ski_list_remove(&rider->link);
    ski_free(&request->mem, rider);
    if (!ski_list_empty(&flight->riders))
        return;
    if (flight->step)
        ski_request_abandon(flight->step);
    free_flight(flight);
}

static const scalekit_request *step_of(const scalekit_request *request)
{
    const struct rider *rider = request->flow_data;

    return rider ? rider->flight->step : NULL;
}

/* The next rider to settle; the flight goes with the last one. */
static scalekit_request *first_rider(struct flight *flight, bool *last)
{
    struct ski_list *node = flight->riders.next;

    *last = node->next == &flight->riders;
    return SKI_CONTAINER(node, struct rider, link)->request;
}

/* Everybody gets what the last step brought. */
static void land(struct flight *flight, scalekit_request *step,
                 const struct scalekit_connected_account *account)
{
    bool last;

    flight->step = NULL;
    do
        ski_request_settle_from(first_rider(flight, &last), step, account);
    while (!last);
}

/* A step could not be started. */
static void crash(struct flight *flight)
{
    scalekit_err code = flight->client->closing ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_NOMEM;
    struct ski_failure failure;
    bool last;

    ski_fail(&failure, code, SCALEKIT_PHASE_NONE, "%s", scalekit_strerror(code));
    do
        ski_request_settle_failure(first_rider(flight, &last), &failure);
    while (!last);
}

/* --- steps ------------------------------------------------------------------------------------- */

/* A step may take as long, and as many retries, as the rider who allows most. */
static void go(struct flight *flight, scalekit_request *step)
{
    int64_t due = 0, now = ski_loop_now(&flight->client->loop);

    flight->sent |= flight->step && flight->step->sent;
    flight->step = step;
    if (!step) {
        crash(flight);
        return;
    }
    step->max_retries = 0;
    for (struct ski_list *node = flight->riders.next; node != &flight->riders; node = node->next) {
        const scalekit_request *request = SKI_CONTAINER(node, struct rider, link)->request;

        if (request->due_ms > due)
            due = request->due_ms;
        if (request->max_retries > step->max_retries)
            step->max_retries = request->max_retries;
        step->retry_rate_limited |= request->retry_rate_limited;
    }
    scalekit_request_set_deadline(step, due > now ? due - now : 1);
}

static void on_final(scalekit_request *step, const struct scalekit_connected_account *account,
                     void *user)
{
    land(user, step, account);
}

static void look_up(struct flight *flight, scalekit_connected_account_cb cb)
{
    go(flight,
       scalekit_get_connected_account_details(
           flight->client,
           SCALEKIT_PARAMS(scalekit_account_key, .connection_name = flight->params->connection_name,
                           .identifier = flight->params->identifier,
                           .organization_id = flight->params->organization_id,
                           .user_id = flight->params->user_id),
           cb, flight));
}

static void on_created(scalekit_request *step, const struct scalekit_connected_account *account,
                       void *user)
{
    struct flight *flight = user;
    const struct scalekit_error *error = scalekit_request_error(step);

    if (error && error->code == SCALEKIT_ERR_CONFLICT)
        look_up(flight, on_final);
    else
        land(flight, step, account);
}

static void create(struct flight *flight)
{
    go(flight,
       scalekit_create_connected_account(flight->client, flight->params, on_created, flight));
}

static void on_updated(scalekit_request *step, const struct scalekit_connected_account *account,
                       void *user)
{
    const struct scalekit_error *error = scalekit_request_error(step);

    /* Deleted between the look-up and the update. */
    if (error && error->code == SCALEKIT_ERR_NOT_FOUND)
        create(user);
    else
        land(user, step, account);
}

static void update(struct flight *flight)
{
    const struct scalekit_create_connected_account_params *p = flight->params;

    go(flight,
       scalekit_update_connected_account(
           flight->client,
           SCALEKIT_PARAMS(scalekit_update_connected_account_params,
                           .connection_name = p->connection_name, .identifier = p->identifier,
                           .organization_id = p->organization_id, .user_id = p->user_id,
                           .authorization_details = p->authorization_details,
                           .api_config = p->api_config),
           on_updated, flight));
}

static void on_details(scalekit_request *step, const struct scalekit_connected_account *account,
                       void *user)
{
    struct flight *flight = user;
    const struct scalekit_error *error = scalekit_request_error(step);

    if (account && flight->params->authorization_details)
        update(flight);
    else if (error && error->code == SCALEKIT_ERR_NOT_FOUND)
        create(flight);
    else
        land(flight, step, account);
}

/* The first rider's turn of the loop is the flight's; a later one may bring more time. */
static void take_off(scalekit_request *request)
{
    const struct rider *rider = request->flow_data;

    if (rider->flight->step)
        ski_request_extend(rider->flight->step, request->due_ms);
    else
        look_up(rider->flight, on_details);
}

/* --- boarding ---------------------------------------------------------------------------------- */

/* NULL: no memory, or parameters that are too large: `failure` then tells so. */
static struct flight *new_flight(scalekit_client *client,
                                 const struct scalekit_create_connected_account_params *params,
                                 struct ski_failure *failure)
{
    const struct ski_mem *mem = &client->loop.mem;
    struct flight *flight = ski_zalloc(mem, sizeof *flight);
    const void *decoded;

    if (!flight)
        return NULL;
    flight->client = client;
    ski_list_init(&flight->riders);
    ski_buf_init(&flight->key, mem, MAX_PARAMS);
    ski_arena_init(&flight->arena, mem, 512, 16 * MAX_PARAMS);
    ski_json_encode(&flight->key, &ski_create_connected_account_type, params, SKI_ENCODE_REQUEST);
    if (flight->key.failed == SKI_BUF_OK &&
        ski_json_decode(&flight->arena, &ski_create_connected_account_type, flight->key.data,
                        flight->key.length, &decoded, failure) == SCALEKIT_OK) {
        flight->params = decoded;
        return flight;
    }
    if (flight->key.failed == SKI_BUF_FULL)
        ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE,
                 "the parameters are larger than 1 MiB");
    free_flight(flight);
    return NULL;
}

static bool same_key(const struct ski_map_node *node, const void *key)
{
    const struct flight *flight = SKI_CONTAINER(node, struct flight, node);
    const struct ski_buf *other = key;

    return flight->key.length == other->length &&
           memcmp(flight->key.data, other->data, other->length) == 0;
}

/* The flight under way with the same key takes over; then the new one is not needed. */
static struct flight *share(struct flight *flight)
{
    struct ski_map *flights = &flight->client->flights;
    struct ski_map_node *node;

    flight->node.hash = ski_hash(flight->key.data, flight->key.length);
    node = ski_map_find(flights, flight->node.hash, same_key, &flight->key);
    if (node) {
        free_flight(flight);
        return SKI_CONTAINER(node, struct flight, node);
    }
    flight->shared = ski_map_insert(flights, &flight->node);
    return flight;
}

static bool board(scalekit_request *request,
                  const struct scalekit_create_connected_account_params *params,
                  struct ski_failure *failure)
{
    struct rider *rider = ski_zalloc(&request->mem, sizeof *rider);
    struct flight *flight = rider ? new_flight(request->client, params, failure) : NULL;

    if (!flight) {
        ski_free(&request->mem, rider);
        return false;
    }
    rider->flight = share(flight);
    rider->request = request;
    ski_list_init(&rider->link);
    ski_list_push_back(&rider->flight->riders, &rider->link);
    request->flow_data = rider;
    return true;
}

static const struct ski_flow flow = {take_off, leave, step_of};

static scalekit_request *start_by_row(scalekit_client *client, const void *params, ski_callback cb,
                                      void *user)
{
    return scalekit_get_or_create_connected_account(client, params,
                                                    (scalekit_connected_account_cb)cb, user);
}

const struct ski_operation ski_get_or_create_operations[] = {
    {.name = "get_or_create_connected_account",
     .summary = "the account of a user, made if there is none",
     .idempotency = SKI_UNSAFE,
     .params = &ski_create_connected_account_type,
     .check = ski_check_create_connected_account,
     .result = &ski_connected_account_type,
     .result_offset = SKI_WHOLE_RESULT,
     .deliver = ski_deliver_connected_account,
     .start = start_by_row},
    {.name = NULL},
};

/* Without the white space around it; only what ends in some has to be copied.  NULL: no memory. */
static const char *trimmed(struct ski_arena *arena, const char *text)
{
    struct ski_slice slice = ski_slice_trim(ski_slice_of(text ? text : ""));

    return slice.at[slice.length] ? ski_arena_strndup(arena, slice.at, slice.length) : slice.at;
}

static scalekit_request *start(scalekit_client *client,
                               const struct scalekit_create_connected_account_params *params,
                               scalekit_connected_account_cb cb, void *user)
{
    struct ski_failure failure;
    scalekit_request *request = ski_request_start_flow(client, ski_get_or_create_operations, params,
                                                       &flow, NULL, (ski_callback)cb, user);
    ski_fail(&failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    if (!request || request->failed || board(request, params, &failure))
        return request;
    ski_request_settle_failure(request, &failure);
    return request;
}

scalekit_request *scalekit_get_or_create_connected_account(
    scalekit_client *client, const struct scalekit_create_connected_account_params *params,
    scalekit_connected_account_cb cb, void *user)
{
    struct scalekit_create_connected_account_params copy;
    scalekit_request *request = NULL;
    struct ski_arena names;

    params = ski_params_copy(&copy, sizeof copy, params);
    if (!client || params != &copy)
        return start(client, params, cb, user);
    ski_arena_init(&names, &client->loop.mem, 256, SIZE_MAX);
    copy.connection_name = trimmed(&names, copy.connection_name);
    copy.identifier = trimmed(&names, copy.identifier);
    if (copy.connection_name && copy.identifier)
        request = start(client, params, cb, user);
    ski_arena_free(&names);
    return request;
}
