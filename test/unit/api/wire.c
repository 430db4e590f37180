#include "wire.h"

/* --- requests ---------------------------------------------------------------------------------- */

void wire_check_headers(const char *name, const struct fixture *f,
                        const struct service_request *request)
{
    bool has_body = request->body[0];
    char host[64], length[64];

    snprintf(host, sizeof host, "host: 127.0.0.1:%u", service_port(f->service));
    snprintf(length, sizeof length, "content-length: %zu", strlen(request->body));
    ROW_IS(name, service_had(request, host));
    ROW_IS(name, service_had(request, "accept: application/json"));
    ROW_IS(name, service_had(request, "authorization: Bearer tok-1"));
    ROW_IS(name, service_had(request, "x-sdk-version: Scalekit-C/" SCALEKIT_VERSION));
    ROW_IS(name, service_had(request, "x-api-version: " SCALEKIT_API_VERSION));
    ROW_IS(name,
           text_has(request->head, "user-agent: app/2 Scalekit-C/" SCALEKIT_VERSION " libevent/"));
    ROW_IS(name, service_had(request, "content-type: application/json") == has_body);
    ROW_IS(name, service_named(request, "content-type") == has_body);
    ROW_IS(name, !has_body || service_had(request, length));
}

void wire_check(const struct wire_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        const struct wire_row *row = &rows[i];
        const struct service_request *request;
        struct fixture f;
        struct call *call;

        fixture_init(&f);
        f.config.user_agent = "app/2";
        fixture_start(&f);
        call_wait(call_warm(&f));
        service_always(f.service, row->route,
                       (struct service_answer){200, row->answer, NULL, 0, 0});
        call = row->start(&f);
        call_wait(call);
        ROW_IS(row->name, call->code == SCALEKIT_OK);
        if (call->code == SCALEKIT_OK) {
            ROW_IS(row->name, service_count(f.service, NULL) == 1);
            request = service_request(f.service, row->route, 0);
            ROW_IS(row->name, text_is(request->target, row->target));
            ROW_IS(row->name, text_is(request->body, row->body));
            wire_check_headers(row->name, &f, request);
        } else {
            printf("%s: %s\n", row->name, call->message);
        }
        fixture_free(&f);
    }
}

/* --- refusals ---------------------------------------------------------------------------------- */

/* Accepted means sent: here it is answered 501. */
static void check_refusal(const char *name, struct call *call, const char *parameter)
{
    struct fixture *f = call->fixture;

    call_wait(call);
    if (!parameter) {
        ROW_IS(name, call->code == SCALEKIT_ERR_SERVER);
        return;
    }
    ROW_IS(name, call->code == SCALEKIT_ERR_INVALID);
    ROW_IS(name, call->phase == SCALEKIT_PHASE_NONE);
    ROW_IS(name, text_is(call->error->parameter, parameter));
    ROW_IS(name, text_has(call->message, parameter));
    ROW_IS(name, !call->sent && call->attempts == 0);
    ROW_IS(name, service_count(f->service, NULL) + service_count(f->service, SIGN_IN) == 0);
}

void refusal_check(const struct refusal_row *rows, size_t n_rows)
{
    for (size_t i = 0; i < n_rows; i++) {
        struct fixture f;

        fixture_open(&f);
        check_refusal(rows[i].name, rows[i].start(&f), rows[i].parameter);
        fixture_free(&f);
    }
}

/* --- answers ----------------------------------------------------------------------------------- */

struct call *wire_answer(struct fixture *f, call_starter start, const char *route, const char *body)
{
    struct call *call;

    fixture_open(f);
    service_always(f->service, route, (struct service_answer){200, body, NULL, 0, 0});
    call = start(f);
    call_wait(call);
    return call;
}
