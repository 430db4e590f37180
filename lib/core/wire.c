#include "core/wire.h"
#include "base/str.h"
#include "json/encode.h"
#include <string.h>

#define MAX_WIRE   (16u << 20)
#define MAX_TARGET 32768 /* of a raw request: servers take no more, nor does HTTP/2 */

void ski_wire_init(struct ski_wire *wire, const struct ski_mem *mem)
{
    *wire = (struct ski_wire){.content_type = NULL};
    ski_buf_init(&wire->text, mem, MAX_WIRE);
}

void ski_wire_free(struct ski_wire *wire)
{
    ski_free(wire->text.mem, wire->more_headers);
    wire->more_headers = NULL;
    ski_buf_free(&wire->text);
}

static scalekit_err check_text(const struct ski_wire *wire, struct ski_failure *failure)
{
    switch (wire->text.failed) {
    case SKI_BUF_NOMEM:
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    case SKI_BUF_FULL:
        return ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE,
                        "the request is larger than 16 MiB");
    default:
        return SCALEKIT_OK;
    }
}

/* What follows a '?', which goes again when nothing did. */
static size_t begin_query(struct ski_buf *text, bool has_one)
{
    ski_buf_addc(text, has_one ? '&' : '?');
    return text->length;
}

static void end_query(struct ski_buf *text, size_t start)
{
    if (text->length == start && !text->failed)
        text->length--;
    ski_buf_addc(text, '\0');
}

/* --- from the tables --------------------------------------------------------------------------- */

static scalekit_err compose(struct ski_wire *wire, struct ski_exchange *exchange,
                            const struct ski_operation *operation, const void *params,
                            struct ski_failure *failure)
{
    bool has_body = params && operation->placement == SKI_IN_BODY;
    struct ski_buf *text = &wire->text;
    size_t start, body;
    scalekit_err err;

    if (params)
        ski_path_encode(text, operation->path, operation->params, params);
    else
        ski_buf_adds(text, operation->path);
    start = begin_query(text, false);
    if (params)
        ski_query_encode(text, operation->params, params,
                         has_body ? SKI_QUERY_FLAGGED : SKI_QUERY_ALL);
    end_query(text, start);
    body = text->length;
    if (has_body)
        ski_json_encode(text, operation->params, params, SKI_ENCODE_REQUEST);
    err = check_text(wire, failure);
    if (err != SCALEKIT_OK)
        return err;
    exchange->method = operation->method;
    exchange->target = text->data;
    exchange->body = has_body ? text->data + body : NULL;
    exchange->body_length = text->length - body;
    wire->content_type = has_body ? "application/json" : NULL;
    wire->idempotency = operation->idempotency;
    return SCALEKIT_OK;
}

/* --- from what an operation composes itself ----------------------------------------------------- */

/* Texts are added one after the other, and found again in the same order once all of them stand
 * where they stay. */
static void add_text(struct ski_buf *text, const char *what)
{
    ski_buf_adds(text, what);
    ski_buf_addc(text, '\0');
}

static const char *next_text(const char **at)
{
    const char *text = *at;

    *at += strlen(text) + 1;
    return text;
}

static void add_form(struct ski_buf *text, const struct scalekit_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            ski_buf_addc(text, '&');
        ski_percent_encode(text, entries[i].key);
        ski_buf_addc(text, '=');
        ski_percent_encode(text, entries[i].value);
    }
}

static void add_upper(struct ski_buf *text, const char *what)
{
    for (; *what; what++)
        ski_buf_addc(text, *what >= 'a' && *what <= 'z' ? (char)(*what - ('a' - 'A')) : *what);
    ski_buf_addc(text, '\0');
}

/* Names in lower case, as HTTP/2 wants them. */
static void add_headers(struct ski_buf *text, const struct scalekit_entry *headers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        for (const char *c = headers[i].key; *c; c++)
            ski_buf_addc(text, ski_lower(*c));
        ski_buf_addc(text, '\0');
        add_text(text, headers[i].value);
    }
}

static void add_raw(struct ski_buf *text, const struct ski_raw *raw)
{
    size_t start;

    ski_buf_adds(text, raw->prefix ? raw->prefix : "");
    ski_buf_adds(text, raw->path);
    start = begin_query(text, strchr(raw->path, '?'));
    add_form(text, raw->query, raw->n_query);
    end_query(text, start);
    add_upper(text, raw->method);
    add_text(text, raw->content_type ? raw->content_type : "application/json");
    add_headers(text, raw->own_headers, raw->n_own_headers);
    add_headers(text, raw->headers, raw->n_headers);
}

/* false: there is none. */
static bool add_body(struct ski_buf *text, const struct ski_raw *raw)
{
    if (raw->form)
        add_form(text, raw->form, raw->n_form);
    else if (raw->body)
        ski_buf_add(text, raw->body, raw->body_length);
    return raw->form || raw->body;
}

static scalekit_err compose_raw(struct ski_wire *wire, struct ski_exchange *exchange,
                                const struct ski_raw *raw, struct ski_failure *failure)
{
    struct ski_buf *text = &wire->text;
    size_t n_headers = raw->n_own_headers + raw->n_headers, body;
    const char *at;
    bool has_body;
    scalekit_err err;

    if (n_headers > 0)
        wire->more_headers = ski_zalloc(text->mem, n_headers * sizeof *wire->more_headers);
    add_raw(text, raw);
    body = text->length;
    has_body = add_body(text, raw);
    err = check_text(wire, failure);
    if (err != SCALEKIT_OK)
        return err;
    if (n_headers > 0 && !wire->more_headers)
        return ski_fail(failure, SCALEKIT_ERR_NOMEM, SCALEKIT_PHASE_NONE, "out of memory");
    at = text->data;
    exchange->target = next_text(&at);
    if (strlen(exchange->target) > MAX_TARGET) {
        ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE,
                 "query makes the request's target longer than 32 KiB");
        failure->parameter = "query";
        return SCALEKIT_ERR_INVALID;
    }
    exchange->method = next_text(&at);
    wire->content_type = next_text(&at);
    for (size_t i = 0; i < n_headers; i++) {
        wire->more_headers[i].name = ski_slice_of(next_text(&at));
        wire->more_headers[i].value = ski_slice_of(next_text(&at));
    }
    exchange->more_headers = wire->more_headers;
    exchange->n_more_headers = (unsigned)n_headers;
    exchange->body = has_body ? text->data + body : NULL;
    exchange->body_length = text->length - body;
    if (!has_body && !raw->streamed)
        wire->content_type = NULL;
    wire->idempotency = raw->idempotency;
    return SCALEKIT_OK;
}

scalekit_err ski_wire_compose(struct ski_wire *wire, struct ski_exchange *exchange,
                              const char *base_path, const struct ski_operation *operation,
                              const void *params, struct ski_failure *failure)
{
    struct ski_raw raw = {.method = NULL};
    const char *problem, *parameter = NULL;

    ski_buf_adds(&wire->text, base_path);
    if (!operation->compose)
        return compose(wire, exchange, operation, params, failure);
    problem = operation->compose(params, &raw, &parameter);
    if (!problem)
        return compose_raw(wire, exchange, &raw, failure);
    ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE, "%s", problem);
    failure->parameter = parameter;
    return SCALEKIT_ERR_INVALID;
}
