/* What an application needs beside the one request: see the header for what it prevents.  All but
 * the request is text in, text out, in buffers of the caller's; secrets that are copied on the way
 * are cleansed. */
#include "base/clock.h"
#include "base/str.h"
#include "core/client.h"
#include "core/request.h"
#include "json/check.h"
#include <inttypes.h>
#include <scalekit/user_verification.h>
#include <stdio.h>
#include <string.h>

#define STATE_LENGTH  (SCALEKIT_USER_VERIFICATION_STATE_SIZE - 1)
#define MAX_ID        1000 /* characters */
#define MAX_STATE     512
#define MAX_NAME      64 /* of a cookie */
#define MAX_AGE       86400
#define MAX_URL       2048

#define ALPHANUMERICS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char alphabet[] = ALPHANUMERICS "-_";

_Static_assert(sizeof alphabet == 64 + 1, "a character is six bits");

/* --- the state ---------------------------------------------------------------------------------- */

bool scalekit_user_verification_new_state(char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE])
{
    unsigned char bytes[STATE_LENGTH];

    state[0] = '\0';
    if (!ski_random_secret(bytes, sizeof bytes))
        return false;
    for (size_t i = 0; i < STATE_LENGTH; i++)
        state[i] = alphabet[bytes[i] & 63];
    state[STATE_LENGTH] = '\0';
    ski_cleanse(bytes, sizeof bytes);
    return true;
}

/* Each character of `given` is compared with one of `expected`, its NUL standing for what is missing
 * there; volatile keeps the compiler from stopping at the first difference. */
bool scalekit_user_verification_is_expected(const char *expected, const char *given)
{
    size_t length = expected ? strlen(expected) : 0, n = given ? strlen(given) : 0;
    volatile unsigned char difference = length != n;

    if (length == 0)
        return false;
    for (size_t i = 0; i < n; i++)
        difference |= (unsigned char)(given[i] ^ expected[i < length ? i : length]);
    return difference == 0;
}

static bool is_state(struct ski_slice text)
{
    if (text.length != STATE_LENGTH)
        return false;
    for (size_t i = 0; i < text.length; i++)
        if (!text.at[i] || !strchr(alphabet, text.at[i]))
            return false;
    return true;
}

/* --- its cookie --------------------------------------------------------------------------------- */

static bool is_cookie_name(const char *name)
{
    size_t length = name ? strnlen(name, MAX_NAME + 1) : 0;

    return length > 0 && length <= MAX_NAME && strspn(name, alphabet) == length;
}

bool scalekit_user_verification_set_cookie(char out[SCALEKIT_USER_VERIFICATION_COOKIE_SIZE],
                                           const char *name, const char *state, int64_t max_age,
                                           bool secure)
{
    bool removed = !state;

    out[0] = '\0';
    if (!is_cookie_name(name) || (!secure && strncmp(name, "__", 2) == 0) ||
        (!removed && (max_age < 1 || max_age > MAX_AGE)) ||
        (state && !is_state((struct ski_slice){state, strnlen(state, STATE_LENGTH + 1)})))
        return false;
    snprintf(out, SCALEKIT_USER_VERIFICATION_COOKIE_SIZE,
             "%s=%s; Path=/; Max-Age=%" PRId64 "; HttpOnly; SameSite=Lax%s", name,
             removed ? "" : state, removed ? 0 : max_age, secure ? "; Secure" : "");
    return true;
}

/* Takes what is before the mark, or everything, off the front of *rest. */
static struct ski_slice take_until(struct ski_slice *rest, char mark)
{
    const char *at = rest->length ? memchr(rest->at, mark, rest->length) : NULL;
    struct ski_slice piece = {rest->at, at ? (size_t)(at - rest->at) : rest->length};
    size_t taken = piece.length + (at != NULL);

    rest->at += taken;
    rest->length -= taken;
    return piece;
}

bool scalekit_user_verification_get_cookie(char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE],
                                           const char *cookies, const char *name)
{
    struct ski_slice rest = ski_slice_of(cookies ? cookies : ""), found = {NULL, 0};
    bool twice = false;

    state[0] = '\0';
    while (name && rest.length > 0) {
        struct ski_slice value = take_until(&rest, ';');
        struct ski_slice key = take_until(&value, '=');

        if (!ski_slice_eq(ski_slice_trim(key), name))
            continue;
        twice |= found.at != NULL;
        found = ski_slice_trim(value);
    }
    if (twice || !is_state(found))
        return false;
    memcpy(state, found.at, STATE_LENGTH);
    state[STATE_LENGTH] = '\0';
    return true;
}

/* --- the redirect ------------------------------------------------------------------------------- */

enum problem { FINE, MISSING, REPEATED, EMPTY, TOO_LONG, BAD_ESCAPE, NUL_INSIDE, NOT_UTF8 };

/* A parameter that is looked for, and where it goes. */
struct wanted {
    const char *name;
    size_t max; /* characters; the buffer has room for four bytes of each, and a NUL */
    char *out;
    bool found;
    struct ski_slice value;
};

enum { ID, STATE, N_WANTED };

#define TEXTS(name)                                                                                \
    {                                                                                              \
        [MISSING] = name " is missing", [REPEATED] = name " is there twice",                       \
        [EMPTY] = name " is empty", [TOO_LONG] = name " is too long",                              \
        [BAD_ESCAPE] = name " has a % without two hexadecimal digits",                             \
        [NUL_INSIDE] = name " has a NUL", [NOT_UTF8] = name " is not UTF-8"                        \
    }

static const char *const problems[N_WANTED][NOT_UTF8 + 1] = {
    [ID] = TEXTS("auth_request_id"),
    [STATE] = TEXTS("state"),
};

static int hex_digit(char c)
{
    c = ski_lower(c);
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The next byte of encoded text that is not empty; -1: an escape is broken. */
static int take_byte(struct ski_slice *text)
{
    char c = *text->at;
    int byte = c == '+' ? ' ' : (unsigned char)c;
    size_t taken = 1;

    if (c == '%') {
        int high = text->length > 2 ? hex_digit(text->at[1]) : -1;
        int low = text->length > 2 ? hex_digit(text->at[2]) : -1;

        byte = high < 0 || low < 0 ? -1 : high * 16 + low;
        taken = 3;
    }
    if (byte < 0)
        return -1;
    text->at += taken;
    text->length -= taken;
    return byte;
}

/* Names are compared decoded, as whoever reads the query after us may see them. */
static bool is_named(struct ski_slice encoded, const char *name)
{
    while (encoded.length > 0 && *name)
        if (take_byte(&encoded) != (unsigned char)*name++)
            return false;
    return encoded.length == 0 && !*name;
}

static enum problem decode(struct wanted *wanted)
{
    struct ski_slice rest = wanted->value;
    size_t length = 0;

    while (rest.length > 0) {
        int byte = take_byte(&rest);

        if (byte <= 0)
            return byte < 0 ? BAD_ESCAPE : NUL_INSIDE;
        if (length == 4 * wanted->max)
            return TOO_LONG;
        wanted->out[length++] = (char)byte;
    }
    wanted->out[length] = '\0';
    if (length == 0)
        return EMPTY;
    if (!ski_utf8_valid(wanted->out, length))
        return NOT_UTF8;
    return ski_utf8_count(wanted->out) > wanted->max ? TOO_LONG : FINE;
}

static bool begins_with(struct ski_slice text, const char *prefix)
{
    size_t length = strlen(prefix);

    return text.length >= length && ski_slice_ieq((struct ski_slice){text.at, length}, prefix);
}

/* What a URL, a path or a query has as its query. */
static struct ski_slice query_of(struct ski_slice text)
{
    text = take_until(&text, '#');
    if (begins_with(text, "/") || begins_with(text, "?") || begins_with(text, "http://") ||
        begins_with(text, "https://"))
        take_until(&text, '?');
    return text;
}

static const char *read_query(struct ski_slice query, struct wanted wanted[N_WANTED])
{
    while (query.length > 0) {
        struct ski_slice value = take_until(&query, '&');
        struct ski_slice name = take_until(&value, '=');

        for (size_t i = 0; i < N_WANTED; i++) {
            if (!is_named(name, wanted[i].name))
                continue;
            if (wanted[i].found)
                return problems[i][REPEATED];
            wanted[i].found = true;
            wanted[i].value = value;
        }
    }
    for (size_t i = 0; i < N_WANTED; i++) {
        enum problem problem = wanted[i].found ? decode(&wanted[i]) : MISSING;

        if (problem != FINE)
            return problems[i][problem];
    }
    return NULL;
}

scalekit_err scalekit_user_verification_parse(
    const char *redirect, char auth_request_id[SCALEKIT_USER_VERIFICATION_ID_SIZE],
    char state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE], const char **problem)
{
    struct wanted wanted[N_WANTED] = {
        [ID] = {.name = "auth_request_id", .max = MAX_ID, .out = auth_request_id},
        [STATE] = {.name = "state", .max = MAX_STATE, .out = state},
    };
    size_t length = redirect ? strnlen(redirect, SCALEKIT_USER_VERIFICATION_MAX_REDIRECT + 1) : 0;
    const char *unused;

    _Static_assert(4 * MAX_ID < SCALEKIT_USER_VERIFICATION_ID_SIZE &&
                       4 * MAX_STATE < SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE,
                   "the longest must fit");
    if (!problem)
        problem = &unused;
    auth_request_id[0] = state[0] = '\0';
    if (!redirect)
        *problem = "the redirect is missing";
    else if (length > SCALEKIT_USER_VERIFICATION_MAX_REDIRECT)
        *problem = "the redirect is too long";
    else
        *problem = read_query(query_of((struct ski_slice){redirect, length}), wanted);
    if (!*problem)
        return SCALEKIT_OK;
    ski_cleanse(auth_request_id, SCALEKIT_USER_VERIFICATION_ID_SIZE);
    ski_cleanse(state, SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE);
    return SCALEKIT_ERR_INVALID;
}

/* --- the whole step ----------------------------------------------------------------------------- */

static const struct ski_field finish_fields[] = {
    STRING(scalekit_user_verification_finish_params, redirect, "redirect",
           .flags = SKI_REQUIRED | SKI_SECRET, .max = SCALEKIT_USER_VERIFICATION_MAX_REDIRECT),
    STRING(scalekit_user_verification_finish_params, expected_state, "expected_state",
           .flags = SKI_REQUIRED | SKI_SECRET, .max = MAX_STATE),
    STRING(scalekit_user_verification_finish_params, identifier, "identifier",
           .flags = SKI_REQUIRED, .min = 1, .max = 200),
    END,
};
static const struct ski_type finish_type =
    TYPE(scalekit_user_verification_finish_params, finish_fields);

/* What is sent. */
struct verdict {
    const char *identifier;
    char auth_request_id[SCALEKIT_USER_VERIFICATION_ID_SIZE];
};

static scalekit_err refuse(struct ski_failure *failure, const char *parameter, const char *problem)
{
    ski_fail(failure, SCALEKIT_ERR_INVALID, SCALEKIT_PHASE_NONE, "%s: %s", parameter, problem);
    failure->parameter = parameter;
    return SCALEKIT_ERR_INVALID;
}

static scalekit_err judge(struct verdict *verdict, const struct ski_mem *mem,
                          const struct scalekit_user_verification_finish_params *params,
                          struct ski_failure *failure)
{
    struct scalekit_user_verification_finish_params copy;
    char state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE];
    const char *problem;
    bool expected;
    scalekit_err err;

    if (!params)
        return refuse(failure, "params", "missing");
    err = ski_check(mem, &finish_type, params, failure);
    if (err != SCALEKIT_OK)
        return err;
    ski_params_copy(&copy, sizeof copy, params);
    verdict->identifier = copy.identifier;
    if (scalekit_user_verification_parse(copy.redirect, verdict->auth_request_id, state,
                                         &problem) != SCALEKIT_OK)
        return refuse(failure, "redirect", problem);
    expected = scalekit_user_verification_is_expected(copy.expected_state, state);
    ski_cleanse(state, sizeof state);
    if (!expected)
        return refuse(failure, "expected_state", "not the state of the redirect");
    return SCALEKIT_OK;
}

/* Whether it may be what a header Location or an attribute href says. */
static bool is_for_browsers(const char *url)
{
    struct ski_slice text = {url, strnlen(url, MAX_URL + 1)};
    size_t scheme = begins_with(text, "http://") ? 7 : begins_with(text, "https://") ? 8 : 0;

    if (!scheme || text.length > MAX_URL || strcspn(url + scheme, "/?#:@") == 0)
        return false;
    for (; *url; url++)
        if (*url <= ' ' || *url >= 0x7f || strchr("\"'<>\\", *url))
            return false;
    return true;
}

/* The decoded result is the request's own, so what is not for browsers can be taken out of it. */
static void deliver_checked(scalekit_request *request, ski_callback cb, const void *result,
                            void *user)
{
    struct scalekit_user_verification *verification = (struct scalekit_user_verification *)result;

    if (verification && verification->post_user_verify_redirect_url &&
        !is_for_browsers(verification->post_user_verify_redirect_url))
        verification->post_user_verify_redirect_url = NULL;
    ((scalekit_user_verification_cb)cb)(request, verification, user);
}

/* The request of scalekit_verify_connected_account_user(), refused from the start where it would have
 * been for nothing or for the wrong browser. */
scalekit_request *scalekit_user_verification_finish(
    scalekit_client *client, const struct scalekit_user_verification_finish_params *params,
    scalekit_user_verification_cb cb, void *user)
{
    struct verdict verdict = {.identifier = NULL};
    struct ski_failure failure;
    scalekit_request *request;
    scalekit_err err;

    if (!client)
        return NULL;
    err = judge(&verdict, &client->loop.mem, params, &failure);
    request = scalekit_verify_connected_account_user(
        client,
        err != SCALEKIT_OK ? NULL
                           : SCALEKIT_PARAMS(scalekit_verify_connected_account_user_params,
                                             .auth_request_id = verdict.auth_request_id,
                                             .identifier = verdict.identifier),
        cb, user);
    ski_cleanse(&verdict, sizeof verdict);
    if (!request)
        return NULL;
    request->deliver = deliver_checked;
    if (err != SCALEKIT_OK)
        ski_request_refuse(request, &failure);
    return request;
}
