/* Proxied requests whose bodies come in pieces: when the application is called, and with what. */
#include "../core/fixture.h"
#include <scalekit/proxy.h>
#include <stdlib.h>

#define GET_IT  "GET /proxy/v1"
#define POST_IT "POST /proxy/v1"
#define OWN     "{\"detail\":\"token has expired\",\"code\":\"UNAUTHORIZED\"}"
#define LARGE   3000000

/* What a program does with the pieces. */
struct program {
    struct fixture f;
    struct call *call;
    unsigned heads, pieces, reads;
    int status;
    size_t got;
    bool torn;
    const char *body; /* that is expected, or sent */
    size_t to_send, sent;
    size_t piece;         /* bytes given at a time */
    bool lies, overflows; /* about the length; the room */
    bool has_nothing;
    void (*then)(struct program *program); /* in every callback */
};

static struct program *program_of(scalekit_request *request, void *user)
{
    struct call *call = user;
    struct program *program = call->user;

    CU_ASSERT_FALSE(program->f.inside);
    CU_ASSERT_FALSE(call->done);
    CU_ASSERT_PTR_EQUAL(call->request, request);
    CU_ASSERT_PTR_NULL(scalekit_request_error(request));
    return program;
}

static void on_head(scalekit_request *request, const struct scalekit_proxy_response *head,
                    void *user)
{
    struct program *program = program_of(request, user);

    CU_ASSERT_EQUAL(program->pieces, 0);
    CU_ASSERT_STRING_EQUAL(head->body, "");
    CU_ASSERT_EQUAL(head->length, 0);
    CU_ASSERT(head->n_headers >= 2);
    CU_ASSERT_STRING_EQUAL(head->headers[0].key, "content-type");
    CU_ASSERT_EQUAL(scalekit_request_http_status(request), head->status);
    program->status = head->status;
    program->heads++;
    if (program->then)
        program->then(program);
    /* It is good until this returns, whatever was done. */
    CU_ASSERT_EQUAL(head->status, program->status);
    CU_ASSERT_STRING_EQUAL(head->headers[0].key, "content-type");
}

static void on_body(scalekit_request *request, const char *bytes, size_t length, void *user)
{
    struct program *program = program_of(request, user);

    CU_ASSERT_EQUAL(program->heads, 1);
    CU_ASSERT(length > 0);
    program->pieces++;
    if (program->then)
        program->then(program);
    /* The bytes are good until this returns, whatever was done. */
    program->torn |= memcmp(bytes, program->body + program->got, length) != 0;
    program->got += length;
}

static size_t read_body(scalekit_request *request, char *room, size_t size, bool *end, void *user)
{
    struct program *program = program_of(request, user);
    size_t length = program->to_send - program->sent;

    CU_ASSERT_FALSE(*end);
    CU_ASSERT(size > 0);
    program->reads++;
    if (program->then)
        program->then(program);
    if (program->overflows)
        return size + 1;
    if (program->has_nothing)
        return 0;
    if (program->piece && length > program->piece)
        length = program->piece;
    if (length > size)
        length = size;
    memcpy(room, program->body + program->sent, length);
    program->sent += length;
    *end = program->sent == program->to_send;
    return length;
}

static char *large;

static void program_open(struct program *program)
{
    memset(program, 0, sizeof *program);
    fixture_init(&program->f);
    fixture_use_clock(&program->f);
    fixture_start(&program->f);
    if (!large)
        large = malloc(LARGE + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    for (size_t i = 0; i < LARGE; i++)
        large[i] = (char)('a' + i % 26);
    large[LARGE] = '\0';
    program->body = large;
}

static void program_close(struct program *program)
{
    fixture_free(&program->f);
    free(large);
    large = NULL;
}

static void start(struct program *program, struct scalekit_proxy_params params)
{
    struct call *call = program->call = call_new(&program->f);

    params.struct_size = sizeof params;
    params.connection_name = "gmail";
    params.identifier = "user_1";
    params.path = "/v1";
    call->user = program;
    call_began(call, scalekit_proxy_request(program->f.client, &params,
                                            (scalekit_proxy_cb)call_on_result, call));
}

static void download(struct program *program)
{
    start(program, (struct scalekit_proxy_params){.on_head = on_head, .on_body = on_body});
}

static void upload(struct program *program, size_t length, uint64_t told)
{
    program->to_send = length;
    start(program,
          (struct scalekit_proxy_params){.method = "POST", .read = read_body, .read_length = told});
}

static void until(struct program *program, const unsigned *count, unsigned n)
{
    for (int turns = 0; *count < n && turns < 100000; turns++)
        event_base_loop(program->f.base, EVLOOP_ONCE);
    CU_ASSERT(*count >= n);
}

static void answer(struct program *program, const char *route, int status, const char *body)
{
    service_always(program->f.service, route, (struct service_answer){status, body, NULL, 0, 0});
}

/* --- answers ----------------------------------------------------------------------------------- */

static void gives_an_answer_in_pieces(void)
{
    static const int statuses[] = {200, 404, 401, 302};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        const struct scalekit_proxy_response *response;
        struct program program;

        program_open(&program);
        answer(&program, GET_IT, statuses[i], program.body);
        download(&program);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(program.heads, 1);
        CU_ASSERT_EQUAL(program.status, statuses[i]);
        CU_ASSERT(program.pieces > 1);
        CU_ASSERT_EQUAL(program.got, LARGE);
        CU_ASSERT_FALSE(program.torn);
        response = program.call->result;
        CU_ASSERT_EQUAL(response->status, statuses[i]);
        CU_ASSERT_EQUAL(response->length, 0);
        CU_ASSERT_STRING_EQUAL(response->body, "");
        CU_ASSERT(response->n_headers >= 2);
        program_close(&program);
    }
}

static void gives_an_answer_without_a_body(void)
{
    struct program program;

    program_open(&program);
    answer(&program, GET_IT, 204, NULL);
    download(&program);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.heads, 1);
    CU_ASSERT_EQUAL(program.pieces, 0);
    program_close(&program);
}

/* The cap is one of memory, and what streams takes little. */
static void has_no_limit(void)
{
    struct program program;

    program_open(&program);
    fixture_free_client(&program.f);
    program.f.config.max_response_bytes = 1000;
    fixture_start(&program.f);
    answer(&program, GET_IT, 200, program.body);
    download(&program);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.got, LARGE);
    program_close(&program);
}

static void pause_it(struct program *program)
{
    scalekit_proxy_pause(program->call->request);
}

static void resume(struct program *program)
{
    program->f.inside = true;
    scalekit_proxy_resume(program->call->request);
    program->f.inside = false;
}

static void calls_nobody_while_paused(void)
{
    struct program program;
    unsigned calls = 0;

    program_open(&program);
    answer(&program, GET_IT, 200, program.body);
    program.then = pause_it;
    download(&program);
    do {
        calls++;
        for (int turns = 0; program.heads + program.pieces < calls && turns < 100000; turns++)
            event_base_loop(program.f.base, EVLOOP_ONCE);
        fixture_turn(&program.f);
        CU_ASSERT_EQUAL(program.heads + program.pieces, calls);
        CU_ASSERT_FALSE(program.call->done);
        if (program.got == LARGE)
            break;
        resume(&program);
    } while (calls < 1000 && !program.torn);
    CU_ASSERT_EQUAL(program.got, LARGE);
    fixture_turn(&program.f);
    CU_ASSERT_FALSE(program.call->done);
    resume(&program);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    program_close(&program);
}

static void may_be_paused_before_it_began(void)
{
    struct program program;

    program_open(&program);
    answer(&program, GET_IT, 200, "abc");
    download(&program);
    pause_it(&program);
    service_until(program.f.service, GET_IT, 1);
    for (int i = 0; i < 10; i++)
        fixture_turn(&program.f);
    CU_ASSERT_EQUAL(program.heads, 0);
    CU_ASSERT_FALSE(program.call->done);
    resume(&program);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.got, 3);
    program_close(&program);
}

static void keeps_its_deadline_while_paused(void)
{
    static const char *const bodies[] = {"abc", NULL};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct program program;

        program_open(&program);
        answer(&program, GET_IT, 200, bodies[i] ? bodies[i] : program.body);
        program.then = pause_it;
        download(&program);
        until(&program, &program.heads, 1);
        fixture_turn(&program.f);
        fixture_advance(&program.f, 60000);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, SCALEKIT_ERR_DEADLINE);
        CU_ASSERT_EQUAL(program.call->phase, SCALEKIT_PHASE_RECEIVE);
        CU_ASSERT_EQUAL(program.pieces, 0);
        resume(&program); /* too late, and harmless */
        program_close(&program);
    }
}

static void fails_in_the_middle(void)
{
    struct program program;

    program_open(&program);
    service_always(
        program.f.service, GET_IT,
        (struct service_answer){
            .status = 200, .body = program.body, .manner = SERVICE_STALLS, .bytes = 1000});
    download(&program);
    until(&program, &program.pieces, 1);
    service_stop(program.f.service);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT_EQUAL(program.call->phase, SCALEKIT_PHASE_RECEIVE);
    CU_ASSERT_EQUAL(program.call->attempts, 1);
    program_close(&program);
}

/* What came of the first answer is not told any more when the second is on its way. */
static void tells_one_answer_only(void)
{
    struct program program;

    program_open(&program);
    service_once(program.f.service, GET_IT,
                 (struct service_answer){
                     .status = 200, .body = program.body, .manner = SERVICE_CUTS, .bytes = 1000});
    answer(&program, GET_IT, 200, program.body);
    download(&program);
    service_until(program.f.service, GET_IT, 1);
    for (int i = 0; i < 10; i++)
        fixture_turn(&program.f);
    if (program.heads == 0)
        fixture_advance(&program.f, 1000);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.heads, 1);
    CU_ASSERT_FALSE(program.torn);
    CU_ASSERT_EQUAL(program.call->code,
                    program.call->attempts == 2 ? SCALEKIT_OK : SCALEKIT_ERR_NETWORK);
    CU_ASSERT(program.call->attempts == 1 || program.got == LARGE);
    program_close(&program);
}

/* --- requests ---------------------------------------------------------------------------------- */

static void sends_a_body_in_pieces(void)
{
    static const size_t lengths[] = {LARGE, 100, 1}, pieces[] = {0, 1000};

    for (size_t i = 0; i < COUNT(lengths) * COUNT(pieces); i++) {
        size_t length = lengths[i / COUNT(pieces)];
        struct program program;

        program_open(&program);
        answer(&program, POST_IT, 200, "fine");
        program.piece = pieces[i % COUNT(pieces)];
        upload(&program, length, length);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(program.sent, length);
        CU_ASSERT(text_has(service_request(program.f.service, POST_IT, 0)->head,
                           "content-type: application/octet-stream"));
        CU_ASSERT(memcmp(service_request(program.f.service, POST_IT, 0)->body, large, length) == 0);
        CU_ASSERT_STRING_EQUAL(((const struct scalekit_proxy_response *)program.call->result)->body,
                               "fine");
        program_close(&program);
    }
}

static void asks_again_only_when_told(void)
{
    struct program program;

    program_open(&program);
    answer(&program, POST_IT, 200, "fine");
    program.has_nothing = true;
    upload(&program, 1000, 1000);
    for (unsigned n = 1; n < 4; n++) {
        until(&program, &program.reads, n);
        for (int i = 0; i < 5; i++)
            fixture_turn(&program.f);
        resume(&program); /* a turn for another reason */
        fixture_turn(&program.f);
        CU_ASSERT_EQUAL(program.reads, n);
        CU_ASSERT_FALSE(program.call->done);
        program.has_nothing = n < 3;
        program.f.inside = true;
        scalekit_proxy_continue(program.call->request);
        program.f.inside = false;
    }
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.sent, 1000);
    program_close(&program);
}

static void continue_it(struct program *program)
{
    scalekit_proxy_continue(program->call->request);
    program->has_nothing = program->reads < 3;
}

static void may_be_told_while_it_is_asked(void)
{
    struct program program;

    program_open(&program);
    answer(&program, POST_IT, 200, "fine");
    program.then = continue_it;
    upload(&program, 1000, 1000);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.reads, 3);
    program_close(&program);
}

/* It is no more in pieces than if it had waited for the request. */
static void keeps_an_answer_that_begins_early(void)
{
    static const char sorry[] = "{\"error\":\"this is far too large, and I know without looking\"}";
    struct program program;

    program_open(&program);
    answer(&program, POST_IT, 200, "fine");
    service_once(program.f.service, POST_IT,
                 (struct service_answer){
                     .status = 413, .body = sorry, .manner = SERVICE_HALTS, .bytes = 100});
    program.has_nothing = true;
    upload(&program, 1000, 0);
    until(&program, &program.reads, 1);
    service_until(program.f.service, POST_IT, 1);
    for (unsigned n = 2; n < 4; n++) {
        for (int i = 0; i < 5; i++)
            fixture_turn(&program.f);
        scalekit_proxy_continue(program.call->request);
        until(&program, &program.reads, n);
    }
    service_release(program.f.service);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(scalekit_request_http_status(program.call->request), 413);
    CU_ASSERT_STRING_EQUAL(((const struct scalekit_proxy_response *)program.call->result)->body,
                           sorry);
    program_close(&program);
}

static void refuses_a_body_of_another_length(void)
{
    for (int overflows = 0; overflows < 2; overflows++) {
        struct program program;

        program_open(&program);
        program.overflows = overflows;
        upload(&program, 1000, overflows ? 1000 : 1001);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, SCALEKIT_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(program.call->error->parameter, "read");
        CU_ASSERT_EQUAL(service_count(program.f.service, POST_IT), 0);
        program_close(&program);
    }
}

/* Never asked for a byte more than it said. */
static void asks_for_no_more_than_its_length(void)
{
    struct program program;

    program_open(&program);
    answer(&program, POST_IT, 200, "fine");
    upload(&program, LARGE, 500);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.sent, 500);
    program_close(&program);
}

/* --- a 401 of Scalekit ------------------------------------------------------------------------- */

static void does_not_tell_a_refused_token(void)
{
    struct program program;

    program_open(&program);
    service_once(program.f.service, GET_IT, (struct service_answer){401, OWN, NULL, 0, 0});
    answer(&program, GET_IT, 200, program.body);
    download(&program);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.heads, 1);
    CU_ASSERT_EQUAL(program.status, 200);
    CU_ASSERT_EQUAL(program.got, LARGE);
    CU_ASSERT_FALSE(program.torn);
    CU_ASSERT_EQUAL(program.call->attempts, 2);
    program_close(&program);
}

/* Its body may come long after its head. */
static void waits_until_it_knows_whose_401_it_is(void)
{
    static const char *const bodies[] = {OWN, "{\"error\":\"of the provider\"}"};

    for (size_t i = 0; i < COUNT(bodies); i++) {
        struct program program;

        program_open(&program);
        program.body = i ? bodies[i] : "fine";
        service_once(program.f.service, GET_IT,
                     (struct service_answer){
                         .status = 401, .body = bodies[i], .manner = SERVICE_HALTS, .bytes = 100});
        answer(&program, GET_IT, 200, "fine");
        download(&program);
        service_until(program.f.service, GET_IT, 1);
        for (int n = 0; n < 10; n++)
            fixture_turn(&program.f);
        CU_ASSERT_EQUAL(program.heads, 0);
        service_release(program.f.service);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(program.heads, 1);
        CU_ASSERT_EQUAL(program.status, i ? 401 : 200);
        CU_ASSERT_EQUAL(program.got, strlen(program.body));
        CU_ASSERT_FALSE(program.torn);
        program_close(&program);
    }
}

/* Its end alone would pass for Scalekit's. */
static void takes_a_401_that_was_told_for_the_providers(void)
{
    struct program program;
    char body[9000 + sizeof OWN];

    memset(body, ' ', 9000);
    memcpy(body + 9000, OWN, sizeof OWN);
    program_open(&program);
    program.body = body;
    answer(&program, GET_IT, 200, "fine");
    service_once(program.f.service, GET_IT,
                 (struct service_answer){
                     .status = 401, .body = body, .manner = SERVICE_HALTS, .bytes = 9000});
    download(&program);
    until(&program, &program.pieces, 1);
    service_release(program.f.service);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(program.status, 401);
    CU_ASSERT_EQUAL(program.got, sizeof body - 1);
    CU_ASSERT_FALSE(program.torn);
    program_close(&program);
}

/* What was read of the body is gone; but the token is known to be no good. */
static void does_not_send_a_stream_again(void)
{
    struct program program;

    program_open(&program);
    service_once(program.f.service, POST_IT, (struct service_answer){401, OWN, NULL, 0, 0});
    answer(&program, POST_IT, 200, "fine");
    upload(&program, 1000, 1000);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_ERR_UNAUTHORIZED);
    CU_ASSERT_EQUAL(program.call->attempts, 1);
    CU_ASSERT_EQUAL(service_count(program.f.service, SIGN_IN), 1);
    program.sent = 0;
    upload(&program, 1000, 1000);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    CU_ASSERT_EQUAL(service_count(program.f.service, SIGN_IN), 2);
    program_close(&program);
}

/* --- what callbacks may do --------------------------------------------------------------------- */

static void cancel(struct program *program)
{
    scalekit_request_cancel(program->call->request);
}

static void free_client(struct program *program)
{
    scalekit_client_free(program->f.client);
    program->f.client = NULL;
}

static void start_another(struct program *program)
{
    program->then = NULL;
    scalekit_proxy_pause(program->call->request);
    scalekit_proxy_resume(program->call->request);
    scalekit_proxy_continue(program->call->request);
    call_details(&program->f);
}

/* In the first callback, or only in that for the first piece. */
static void try_in(void (*what)(struct program *program), bool uploads, bool in_head,
                   scalekit_err err)
{
    struct program program;

    program_open(&program);
    answer(&program, GET_IT, 200, program.body);
    answer(&program, POST_IT, 200, program.body);
    answer(&program, DETAILS, 200, ACCOUNT_BODY);
    program.then = in_head || uploads ? what : pause_it;
    if (uploads)
        upload(&program, LARGE, LARGE);
    else
        download(&program);
    until(&program, uploads ? &program.reads : &program.heads, 1);
    if (!in_head && !uploads) {
        program.then = what;
        resume(&program);
    }
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, err);
    CU_ASSERT(err == SCALEKIT_OK || program.heads + program.pieces + program.reads <= 2);
    CU_ASSERT_FALSE(program.torn);
    program_close(&program);
}

static void lets_callbacks_do_anything(void)
{
    for (int where = 0; where < 3; where++) {
        bool uploads = where == 2, in_head = where == 1;

        try_in(cancel, uploads, in_head, SCALEKIT_ERR_CANCELED);
        try_in(free_client, uploads, in_head, SCALEKIT_ERR_CLOSED);
        try_in(start_another, uploads, in_head, SCALEKIT_OK);
    }
}

static void ends_while_paused(void)
{
    for (int frees = 0; frees < 2; frees++) {
        struct program program;

        program_open(&program);
        answer(&program, GET_IT, 200, program.body);
        program.then = pause_it;
        download(&program);
        until(&program, &program.heads, 1);
        fixture_turn(&program.f);
        if (frees)
            free_client(&program);
        else
            call_cancel(program.call);
        call_wait(program.call);
        CU_ASSERT_EQUAL(program.call->code, frees ? SCALEKIT_ERR_CLOSED : SCALEKIT_ERR_CANCELED);
        CU_ASSERT_EQUAL(program.pieces, 0);
        scalekit_proxy_pause(program.call->request);
        scalekit_proxy_continue(program.call->request);
        program_close(&program);
    }
}

static void ignores_what_does_not_stream(void)
{
    struct program program;

    program_open(&program);
    answer(&program, GET_IT, 200, "abc");
    start(&program, (struct scalekit_proxy_params){.method = "GET"});
    scalekit_proxy_pause(program.call->request);
    scalekit_proxy_pause(NULL);
    scalekit_proxy_resume(NULL);
    scalekit_proxy_continue(NULL);
    call_wait(program.call);
    CU_ASSERT_EQUAL(program.call->code, SCALEKIT_OK);
    program_close(&program);
}

/* --- memory ------------------------------------------------------------------------------------ */

struct trial {
    struct event_base *base;
    struct service *service;
    const struct scalekit_config *config;
    bool done, succeeded;
    size_t sent;
};

static void on_trial_body(scalekit_request *request, const char *bytes, size_t length, void *user)
{
    (void)request;
    (void)bytes;
    (void)length;
    (void)user;
}

static size_t on_trial_read(scalekit_request *request, char *room, size_t size, bool *end,
                            void *user)
{
    (void)request;
    (void)end;
    (void)user;
    memset(room, 'x', size);
    return size;
}

static void on_trial_end(scalekit_request *request, const struct scalekit_proxy_response *response,
                         void *user)
{
    struct trial *trial = user;

    (void)request;
    trial->done = true;
    trial->succeeded = response;
}

static bool try_once(struct test_memory *memory, void *user)
{
    struct trial *trial = user;
    struct scalekit_config config = *trial->config;
    scalekit_client *client;
    scalekit_request *request;
    const char *problem;

    trial->done = trial->succeeded = false;
    config.allocator = &memory->allocator;
    config.max_retries = -1;
    if (scalekit_client_new(&client, trial->base, &config, &problem) != SCALEKIT_OK)
        return false;
    request = scalekit_proxy_request(
        client,
        SCALEKIT_PARAMS(scalekit_proxy_params, .connection_name = "gmail", .identifier = "user_1",
                        .path = "/v1", .method = "POST", .on_body = on_trial_body, .on_head = NULL,
                        .read = on_trial_read, .read_length = 1000),
        on_trial_end, trial);
    if (request)
        test_base_until(trial->base, &trial->done);
    scalekit_client_free(client);
    return trial->succeeded;
}

static void survives_every_lack_of_memory(void)
{
    struct program program;
    struct trial trial;

    program_open(&program);
    answer(&program, POST_IT, 200, "abc");
    trial = (struct trial){
        .base = program.f.base, .service = program.f.service, .config = &program.f.config};
    CU_ASSERT(test_every_allocation(try_once, &trial) > 20);
    program_close(&program);
}

SUITE(proxy_stream, {"gives an answer in pieces", gives_an_answer_in_pieces},
      {"gives an answer without a body", gives_an_answer_without_a_body},
      {"has no limit", has_no_limit}, {"calls nobody while paused", calls_nobody_while_paused},
      {"may be paused before it began", may_be_paused_before_it_began},
      {"keeps its deadline while paused", keeps_its_deadline_while_paused},
      {"fails in the middle of an answer", fails_in_the_middle},
      {"tells of one answer only", tells_one_answer_only},
      {"sends a body in pieces", sends_a_body_in_pieces},
      {"asks again only when it is told to", asks_again_only_when_told},
      {"may be told to while it is asked", may_be_told_while_it_is_asked},
      {"keeps an answer that begins early", keeps_an_answer_that_begins_early},
      {"refuses a body of another length", refuses_a_body_of_another_length},
      {"asks for no more than its length", asks_for_no_more_than_its_length},
      {"does not tell a refused token", does_not_tell_a_refused_token},
      {"waits until it knows whose 401 it is", waits_until_it_knows_whose_401_it_is},
      {"takes a 401 that was told for the provider's", takes_a_401_that_was_told_for_the_providers},
      {"does not send a stream again", does_not_send_a_stream_again},
      {"lets callbacks do anything", lets_callbacks_do_anything},
      {"ends while paused", ends_while_paused},
      {"ignores what does not stream", ignores_what_does_not_stream},
      {"survives every lack of memory", survives_every_lack_of_memory})
