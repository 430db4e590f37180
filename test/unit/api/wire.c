#include "wire.h"
#include <stdlib.h>

/* --- requests ---------------------------------------------------------------------------------- */

static void check_headers(const struct wire_row *row, const struct fixture *f,
                          const struct service_request *request)
{
    char host[64], length[64];

    snprintf(host, sizeof host, "host: 127.0.0.1:%u", service_port(f->service));
    snprintf(length, sizeof length, "content-length: %zu", strlen(request->body));
    ROW_IS(row->name, service_had(request, host));
    ROW_IS(row->name, service_had(request, "accept: application/json"));
    ROW_IS(row->name, service_had(request, "authorization: Bearer tok-1"));
    ROW_IS(row->name, service_had(request, "x-sdk-version: Scalekit-C/" SCALEKIT_VERSION));
    ROW_IS(row->name, service_had(request, "x-api-version: " SCALEKIT_API_VERSION));
    ROW_IS(row->name,
           text_has(request->head, "user-agent: app/2 Scalekit-C/" SCALEKIT_VERSION " libevent/"));
    ROW_IS(row->name, service_had(request, "content-type: application/json") == !!row->body[0]);
    ROW_IS(row->name, service_named(request, "content-type") == !!row->body[0]);
    ROW_IS(row->name, !row->body[0] || service_had(request, length));
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
            check_headers(row, &f, request);
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

/* A text of that many characters: the prefix, and two bytes for each of the others. */
static char *text_of(const char *prefix, size_t characters, bool ascii)
{
    char *text = calloc(1, characters * 2 + 1), *at = text;

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    for (size_t i = 0; i < characters; i++) {
        size_t in_prefix = strlen(prefix);

        if (i < in_prefix || ascii) {
            *at++ = i < in_prefix ? prefix[i] : 'a';
        } else {
            memcpy(at, "\xc3\xa9", 2);
            at += 2;
        }
    }
    return text;
}

void length_check(const struct length_row *rows, size_t n_rows,
                  struct call *(*start)(struct fixture *fixture, size_t offset, const char *text))
{
    for (size_t i = 0; i < n_rows; i++) {
        const struct length_row *row = &rows[i];
        const size_t lengths[] = {row->max ? row->max : 5000, row->max + 1, row->min, row->min - 1};
        bool ascii = strcmp(row->member, "connection_name") == 0;

        for (size_t j = 0; j < COUNT(lengths); j++) {
            bool good = lengths[j] >= row->min && (!row->max || lengths[j] <= row->max);
            struct fixture f;
            char *text;

            if (lengths[j] == 0 || lengths[j] == SIZE_MAX)
                continue;
            text = text_of(row->prefix ? row->prefix : "", lengths[j], ascii);
            fixture_open(&f);
            check_refusal(row->member, start(&f, row->offset, text), good ? NULL : row->member);
            fixture_free(&f);
            free(text);
        }
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
