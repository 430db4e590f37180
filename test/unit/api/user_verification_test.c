/* The state, its cookie, the redirect, and the step that is made of them. */
#include "base/str.h"
#include "core/client.h"
#include "wire.h"
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STATE_SIZE SCALEKIT_USER_VERIFICATION_STATE_SIZE
#define STATE      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJK-_0123"

/* The system's, until a test takes its randomness away; a definition here is the one that is linked. */
static bool no_random;

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
    if (no_random) {
        errno = EAGAIN;
        return -1;
    }
    return syscall(SYS_getrandom, buffer, length, flags);
}

/* --- the state ---------------------------------------------------------------------------------- */

/* Each of the 64 characters is there as often as chance has it: 1,000 states have 672 of each, and
 * 160 more or less are six standard deviations. */
static void a_state_is_long_and_no_two_are_alike(void)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int seen[256] = {0};
    char before[STATE_SIZE] = "", state[STATE_SIZE];

    for (int i = 0; i < 1000; i++) {
        CU_ASSERT_FATAL(scalekit_user_verification_new_state(state));
        CU_ASSERT_EQUAL(strlen(state), STATE_SIZE - 1);
        CU_ASSERT_EQUAL(strspn(state, alphabet), STATE_SIZE - 1);
        CU_ASSERT_STRING_NOT_EQUAL(state, before);
        memcpy(before, state, sizeof before);
        for (const char *c = state; *c; c++)
            seen[(unsigned char)*c]++;
    }
    for (const char *c = alphabet; *c; c++)
        CU_ASSERT(seen[(unsigned char)*c] > 512 && seen[(unsigned char)*c] < 832);
}

static void without_random_bits_there_is_no_state(void)
{
    char state[STATE_SIZE] = "what was there before";
    bool made;

    no_random = true;
    made = scalekit_user_verification_new_state(state);
    no_random = false;
    CU_ASSERT_FALSE(made);
    CU_ASSERT_STRING_EQUAL(state, "");
}

static void only_the_same_state_is_expected(void)
{
    static const struct {
        const char *name, *expected, *given;
        bool same;
    } rows[] = {
        {"the same", STATE, STATE, true},
        {"one character", "a", "a", true},
        {"beyond ASCII", "\xc3\xa9", "\xc3\xa9", true},
        {"another first character", "abc", "xbc", false},
        {"another last character", "abc", "abx", false},
        {"another case", "abc", "abC", false},
        {"only its beginning", "abc", "ab", false},
        {"more behind it", "abc", "abcd", false},
        {"twice", "abc", "abcabc", false},
        {"a high bit", "a", "\xe1", false},
        {"both empty", "", "", false},
        {"none expected", "", "abc", false},
        {"none given", "abc", "", false},
        {"no cookie", NULL, "abc", false},
        {"no parameter", "abc", NULL, false},
        {"neither", NULL, NULL, false},
        {"no cookie, empty parameter", NULL, "", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_IS(rows[i].name, scalekit_user_verification_is_expected(rows[i].expected,
                                                                    rows[i].given) == rows[i].same);
}

/* --- its cookie --------------------------------------------------------------------------------- */

#define NAME_64 "n123456789012345678901234567890123456789012345678901234567890123"

static void a_cookie_is_set_and_removed(void)
{
    static const struct {
        const char *name, *cookie, *state;
        int64_t max_age;
        bool secure;
        const char *expected; /* NULL: refused */
    } rows[] = {
        {"secure", "__Host-state", STATE, 600, true,
         "__Host-state=" STATE "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"},
        {"by http", "state", STATE, 600, false,
         "state=" STATE "; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"},
        {"the longest", NAME_64, STATE, 86400, true,
         NAME_64 "=" STATE "; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure"},
        {"removed", "state", NULL, 600, true,
         "state=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"},
        {"removed at once", "state", NULL, 0, true,
         "state=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure"},
        {"what browsers drop", "__Host-state", STATE, 600, false, NULL},
        {"no name", NULL, STATE, 600, true, NULL},
        {"empty name", "", STATE, 600, true, NULL},
        {"name too long", NAME_64 "4", STATE, 600, true, NULL},
        {"name that ends early", "a=b", STATE, 600, true, NULL},
        {"name of two lines", "a\r\nb", STATE, 600, true, NULL},
        {"empty state", "state", "", 600, true, NULL},
        {"short state", "state", "abc", 600, true, NULL},
        {"long state", "state", STATE "4", 600, true, NULL},
        {"state with an attribute", "state", "; Domain=evil.example; 012345678901234567890", 600,
         true, NULL},
        {"no age", "state", STATE, 0, true, NULL},
        {"negative age", "state", STATE, -1, true, NULL},
        {"a day and more", "state", STATE, 86401, true, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char out[SCALEKIT_USER_VERIFICATION_COOKIE_SIZE] = "what was there before";
        bool made = scalekit_user_verification_set_cookie(out, rows[i].cookie, rows[i].state,
                                                          rows[i].max_age, rows[i].secure);

        ROW_IS(rows[i].name, made == (rows[i].expected != NULL));
        ROW_IS(rows[i].name, text_is(out, rows[i].expected ? rows[i].expected : ""));
    }
}

static void a_cookie_is_found_where_it_is_there_once(void)
{
    static const struct {
        const char *name, *header, *cookie;
        bool found;
    } rows[] = {
        {"alone", "state=" STATE, "state", true},
        {"first", "state=" STATE "; a=b", "state", true},
        {"between others", "a=b; state=" STATE "; c=d", "state", true},
        {"without a space", "a=b;state=" STATE ";c=d", "state", true},
        {"with white space", " a=b ;\tstate = " STATE " ;", "state", true},
        {"beside similar names", "xstate=1; state2=2; state=" STATE, "state", true},
        {"beside empty pieces", ";; ;state=" STATE ";;", "state", true},
        {"no header", NULL, "state", false},
        {"empty header", "", "state", false},
        {"no name", "state=" STATE, NULL, false},
        {"empty name", "=" STATE, "", true},
        {"another name", "State=" STATE, "state", false},
        {"inside another's value", "a=state=" STATE, "state", false},
        {"no value", "state", "state", false},
        {"empty value", "state=", "state", false},
        {"short", "state=abc", "state", false},
        {"long", "state=" STATE "4", "state", false},
        {"in quotes", "state=\"" STATE "\"", "state", false},
        {"twice", "state=" STATE "; state=" STATE, "state", false},
        {"twice, the first no state", "state=x; state=" STATE, "state", false},
        {"twice, the second no state", "state=" STATE "; state", "state", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char state[STATE_SIZE] = "what was there before";
        bool found = scalekit_user_verification_get_cookie(state, rows[i].header, rows[i].cookie);

        ROW_IS(rows[i].name, found == rows[i].found);
        ROW_IS(rows[i].name, text_is(state, rows[i].found ? STATE : ""));
    }
}

/* --- the redirect ------------------------------------------------------------------------------- */

static char found_id[SCALEKIT_USER_VERIFICATION_ID_SIZE];
static char found_state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE];

static void what_the_redirect_says_is_decoded(void)
{
    static const struct {
        const char *name, *redirect, *id, *state;
    } rows[] = {
        {"a URL", "https://app.example.com/user/verify?auth_request_id=QVND&state=pV3n", "QVND",
         "pV3n"},
        {"a URL by http", "HTTP://localhost:8080?auth_request_id=a&state=b", "a", "b"},
        {"a path", "/user/verify?auth_request_id=a&state=b", "a", "b"},
        {"a path with marks", "/user=1/verify&co?auth_request_id=a&state=b", "a", "b"},
        {"a query", "auth_request_id=a&state=b", "a", "b"},
        {"a query with its mark", "?auth_request_id=a&state=b", "a", "b"},
        {"a question mark in a value", "auth_request_id=a?x&state=b?y", "a?x", "b?y"},
        {"the other order", "/v?state=b&auth_request_id=a", "a", "b"},
        {"others beside them", "/v?x=1&auth_request_id=a&y&=&&state=b&auth_request=c", "a", "b"},
        {"others that are broken", "/v?%=%zz&auth_request_id=a&x=%&state=b&%73tat%=c", "a", "b"},
        {"a fragment", "/v?auth_request_id=a&state=b#&state=c", "a", "b"},
        {"escapes", "/v?auth_request_id=%41%2b%2F%3d&state=a%20b%26c", "A+/=", "a b&c"},
        {"plus", "/v?auth_request_id=a+b&state=c%2Bd+", "a b", "c+d "},
        {"equals signs", "/v?auth_request_id=YQ==&state==", "YQ==", "="},
        {"escaped names", "/v?auth%5frequest%5Fid=a&%73tate=b", "a", "b"},
        {"UTF-8", "/v?auth_request_id=%C3%A9\xc3\xa9&state=%F0%9F%98%80", "\xc3\xa9\xc3\xa9",
         "\xf0\x9f\x98\x80"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *problem = "what was there before";

        ROW_IS(rows[i].name, scalekit_user_verification_parse(
                                 rows[i].redirect, found_id, found_state, &problem) == SCALEKIT_OK);
        ROW_IS(rows[i].name, problem == NULL);
        ROW_IS(rows[i].name, text_is(found_id, rows[i].id));
        ROW_IS(rows[i].name, text_is(found_state, rows[i].state));
    }
}

static bool all_zero(const char *bytes, size_t length)
{
    while (length > 0 && !bytes[length - 1])
        length--;
    return length == 0;
}

/* Refused, with this reason, and nothing left of it in either buffer. */
static void check_refused(const char *name, const char *redirect, const char *expected)
{
    const char *problem = NULL;

    memset(found_id, 'x', sizeof found_id);
    memset(found_state, 'x', sizeof found_state);
    ROW_IS(name, scalekit_user_verification_parse(redirect, found_id, found_state, &problem) ==
                     SCALEKIT_ERR_INVALID);
    ROW_IS(name, text_is(problem, expected));
    ROW_IS(name, all_zero(found_id, sizeof found_id) && all_zero(found_state, sizeof found_state));
    ROW_IS(name, scalekit_user_verification_parse(redirect, found_id, found_state, NULL) ==
                     SCALEKIT_ERR_INVALID);
}

static void what_is_wrong_with_a_redirect_is_said(void)
{
    static const struct {
        const char *name, *redirect, *problem;
    } rows[] = {
        {"no redirect", NULL, "the redirect is missing"},
        {"empty", "", "auth_request_id is missing"},
        {"a path without a query", "/user/verify", "auth_request_id is missing"},
        {"a URL without a query", "https://app.example.com/", "auth_request_id is missing"},
        {"only in the path", "/auth_request_id=a&state=b", "auth_request_id is missing"},
        {"only in the fragment", "/v#?auth_request_id=a&state=b", "auth_request_id is missing"},
        {"no id", "/v?state=b", "auth_request_id is missing"},
        {"no state", "/v?auth_request_id=a", "state is missing"},
        {"another case", "/v?auth_request_id=a&State=b", "state is missing"},
        {"a longer name", "/v?auth_request_id=a&states=b", "state is missing"},
        {"a shorter name", "/v?auth_request_id=a&stat=b", "state is missing"},
        {"empty id", "/v?auth_request_id=&state=b", "auth_request_id is empty"},
        {"id without a value", "/v?auth_request_id&state=b", "auth_request_id is empty"},
        {"empty state", "/v?auth_request_id=a&state=", "state is empty"},
        {"id twice", "/v?auth_request_id=a&state=b&auth_request_id=a",
         "auth_request_id is there twice"},
        {"state twice", "/v?state=b&auth_request_id=a&state=c", "state is there twice"},
        {"state twice, once escaped", "/v?auth_request_id=a&state=b&%73%74ate=c",
         "state is there twice"},
        {"state twice, once empty", "/v?auth_request_id=a&state=b&state", "state is there twice"},
        {"no digits", "/v?auth_request_id=%&state=b",
         "auth_request_id has a % without two hexadecimal digits"},
        {"one digit", "/v?auth_request_id=a&state=b%4",
         "state has a % without two hexadecimal digits"},
        {"other digits", "/v?auth_request_id=a&state=%4g",
         "state has a % without two hexadecimal digits"},
        {"digits across the end", "/v?auth_request_id=%4&state=1",
         "auth_request_id has a % without two hexadecimal digits"},
        {"a NUL", "/v?auth_request_id=a%00b&state=b", "auth_request_id has a NUL"},
        {"a NUL in the state", "/v?auth_request_id=a&state=%00", "state has a NUL"},
        {"half a character", "/v?auth_request_id=%C3&state=b", "auth_request_id is not UTF-8"},
        {"a surrogate", "/v?auth_request_id=a&state=%ED%A0%80", "state is not UTF-8"},
        {"overlong", "/v?auth_request_id=a&state=%C0%80", "state is not UTF-8"},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        check_refused(rows[i].name, rows[i].redirect, rows[i].problem);
}

/* "auth_request_id=" with `n_id` such characters and "&state=" with `n_state`. */
static char *long_redirect(const char *character, size_t n_id, size_t n_state)
{
    size_t size = 64 + strlen(character) * (n_id + n_state);
    char *text = malloc(size);
    FILE *stream = text ? fmemopen(text, size, "w") : NULL;

    CU_ASSERT_PTR_NOT_NULL_FATAL(stream);
    fputs("auth_request_id=", stream);
    while (n_id-- > 0)
        fputs(character, stream);
    fputs("&state=", stream);
    while (n_state-- > 0)
        fputs(character, stream);
    CU_ASSERT_EQUAL(fclose(stream), 0);
    return text;
}

static void lengths_are_counted_in_characters(void)
{
    static const struct {
        const char *name, *character;
        size_t n_id, n_state;
        const char *problem; /* NULL: accepted */
    } rows[] = {
        {"the longest", "a", 1000, 512, NULL},
        {"the longest, escaped", "%61", 1000, 512, NULL},
        {"the longest of four bytes", "%F0%9F%98%80", 1000, 512, NULL},
        {"id too long", "a", 1001, 1, "auth_request_id is too long"},
        {"id too long by a character of four bytes", "%F0%9F%98%80", 1001, 1,
         "auth_request_id is too long"},
        {"state too long", "a", 1, 513, "state is too long"},
        {"state too long by a character of two bytes", "\xc3\xa9", 1, 513, "state is too long"},
        {"id a byte longer than its room", "a", 4001, 1, "auth_request_id is too long"},
        {"state a byte longer than its room", "a", 1, 2049, "state is too long"},
        {"far too long", "a", 30000, 1, "auth_request_id is too long"},
        {"longer than any redirect", "a", 1, 40000, "the redirect is too long"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *redirect = long_redirect(rows[i].character, rows[i].n_id, rows[i].n_state);
        const char *problem;

        if (rows[i].problem) {
            check_refused(rows[i].name, redirect, rows[i].problem);
        } else {
            ROW_IS(rows[i].name, scalekit_user_verification_parse(redirect, found_id, found_state,
                                                                  &problem) == SCALEKIT_OK);
            ROW_IS(rows[i].name, ski_utf8_count(found_id) == rows[i].n_id);
            ROW_IS(rows[i].name, ski_utf8_count(found_state) == rows[i].n_state);
        }
        free(redirect);
    }
}

/* --- the whole step ----------------------------------------------------------------------------- */

#define SUCCESS  "https://acme.scalekit.dev/connect/success"
#define REDIRECT "/user/verify?auth_request_id=areq-s3cret&state=" STATE

#define FINISHES(name, ...)                                                                        \
    CALL_STARTER(name, user_verification_finish,                                                   \
                 SCALEKIT_PARAMS(scalekit_user_verification_finish_params, __VA_ARGS__),           \
                 call_on_verification)

FINISHES(finish, .redirect = REDIRECT, .expected_state = STATE, .identifier = "user_1")
FINISHES(finish_escaped, .redirect = "/v?state=a%26b+c&auth_request_id=%22%C3%A9",
         .expected_state = "a&b c", .identifier = "user_1")

static const struct wire_row wire_rows[] = {
    {"finish", finish, VERIFY, "/api/v1/connected_accounts/user/verify",
     "{\"auth_request_id\":\"areq-s3cret\",\"identifier\":\"user_1\"}",
     "{\"post_user_verify_redirect_url\":\"" SUCCESS "\"}"},
    {"escaped", finish_escaped, VERIFY, "/api/v1/connected_accounts/user/verify",
     "{\"auth_request_id\":\"\\\"\xc3\xa9\",\"identifier\":\"user_1\"}",
     "{\"post_user_verify_redirect_url\":\"" SUCCESS "\"}"},
};

static void who_consented_is_said_and_nothing_else(void)
{
    wire_check(wire_rows, COUNT(wire_rows));
}

FINISHES(no_redirect, .expected_state = STATE, .identifier = "user_1")
FINISHES(no_id, .redirect = "/v?state=" STATE, .expected_state = STATE, .identifier = "user_1")
FINISHES(twice, .redirect = REDIRECT "&state=" STATE, .expected_state = STATE,
         .identifier = "user_1")
FINISHES(no_utf8, .redirect = REDIRECT "&x=\xff", .expected_state = STATE, .identifier = "user_1")
FINISHES(no_cookie, .redirect = REDIRECT, .identifier = "user_1")
FINISHES(empty_cookie, .redirect = REDIRECT, .expected_state = "", .identifier = "user_1")
FINISHES(other_cookie, .redirect = REDIRECT, .expected_state = "other", .identifier = "user_1")
FINISHES(nobody, .redirect = REDIRECT, .expected_state = STATE)
FINISHES(empty_user, .redirect = REDIRECT, .expected_state = STATE, .identifier = "")
FINISHES(long_user, .redirect = REDIRECT, .expected_state = STATE,
         .identifier = NAME_64 NAME_64 NAME_64 "123456789")
CALL_STARTER(no_params, user_verification_finish, NULL, call_on_verification)
CALL_STARTER(no_size, user_verification_finish,
             (&(const struct scalekit_user_verification_finish_params){.struct_size = 0}),
             call_on_verification)

static const struct refusal_row refusal_rows[] = {
    {"no redirect", no_redirect, "redirect"},
    {"no id", no_id, "redirect"},
    {"state twice", twice, "redirect"},
    {"no UTF-8", no_utf8, "redirect"},
    {"no cookie", no_cookie, "expected_state"},
    {"empty cookie", empty_cookie, "expected_state"},
    {"another state", other_cookie, "expected_state"},
    {"nobody", nobody, "identifier"},
    {"empty user", empty_user, "identifier"},
    {"user too long", long_user, "identifier"},
    {"no params", no_params, "params"},
    {"no struct_size", no_size, "struct_size"},
};

static void what_is_wrong_is_refused_before_anything_is_sent(void)
{
    struct fixture f;

    refusal_check(refusal_rows, COUNT(refusal_rows));
    fixture_open(&f);
    CU_ASSERT_PTR_NULL(scalekit_user_verification_finish(NULL, NULL, call_on_verification, &f));
    CU_ASSERT_PTR_NULL(scalekit_user_verification_finish(f.client, NULL, NULL, &f));
    fixture_free(&f);
}

static void what_is_wrong_is_said(void)
{
    static const struct {
        const char *name;
        call_starter start;
        const char *message;
    } rows[] = {
        {"no id", no_id, "redirect: auth_request_id is missing"},
        {"state twice", twice, "redirect: state is there twice"},
        {"another state", other_cookie, "expected_state: not the state of the redirect"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        call = rows[i].start(&f);
        call_wait(call);
        ROW_IS(rows[i].name, text_is(call->message, rows[i].message));
        ROW_IS(rows[i].name, !text_has(f.log, "areq-s3cret") && !text_has(f.log, STATE));
        fixture_free(&f);
    }
}

static void only_a_url_that_is_safe_in_a_browser_is_handed_on(void)
{
    static const struct {
        const char *name, *url;
        bool safe;
    } rows[] = {
        {"https", SUCCESS, true},
        {"http", "http://127.0.0.1:8080/connect/success", true},
        {"capitals", "HTTPS://acme.scalekit.dev", true},
        {"a query and a fragment", "https://acme.scalekit.dev/?a=b&c=%20#d", true},
        {"a script", "javascript:alert(1)", false},
        {"a script that looks like a URL", "javascript://acme.scalekit.dev/%0aalert(1)", false},
        {"data", "data:text/html,hello", false},
        {"no scheme", "//evil.example/", false},
        {"a path", "/connect/success", false},
        {"empty", "", false},
        {"no host", "https://", false},
        {"no host, but a path", "https:///connect", false},
        {"no host, but a port", "https://:443/connect", false},
        {"an address of IPv6", "http://[::1]:8080/connect", true},
        {"one slash", "https:/acme.scalekit.dev", false},
        {"another header", "https://acme.scalekit.dev/\\r\\nSet-Cookie: a=b", false},
        {"a line feed", "https://acme.scalekit.dev/\\n", false},
        {"a tab", "https://acme.scalekit.dev/\\t", false},
        {"a space", "https://acme.scalekit.dev/ ", false},
        {"a space before", " https://acme.scalekit.dev/", false},
        {"the end of an attribute", "https://acme.scalekit.dev/\\\"onclick=", false},
        {"the end of another", "https://acme.scalekit.dev/'onclick=", false},
        {"an element", "https://acme.scalekit.dev/<script>", false},
        {"a backslash", "https://acme.scalekit.dev\\\\@evil.example/", false},
        {"beyond ASCII", "https://acme.scalekit.dev/\xc3\xa9", false},
        {"DEL", "https://acme.scalekit.dev/\x7f", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        const struct scalekit_user_verification *verification;
        struct call *call;
        char body[256];

        snprintf(body, sizeof body, "{\"post_user_verify_redirect_url\":\"%s\"}", rows[i].url);
        call = wire_answer(&f, finish, VERIFY, body);
        verification = call->result;
        ROW_IS(rows[i].name, verification != NULL);
        ROW_IS(rows[i].name, verification && text_is(verification->post_user_verify_redirect_url,
                                                     rows[i].safe ? rows[i].url : NULL));
        fixture_free(&f);
    }
}

static void a_url_has_a_limit_and_may_be_absent(void)
{
    static const struct {
        const char *name;
        int length; /* of the URL; 0: none */
        bool handed_on;
    } rows[] = {{"the longest", 2048, true}, {"too long", 2049, false}, {"absent", 0, false}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        const struct scalekit_user_verification *verification;
        struct call *call;
        char body[4096] = "{}";

        if (rows[i].length)
            snprintf(body, sizeof body, "{\"post_user_verify_redirect_url\":\"%s%0*d\"}", SUCCESS,
                     rows[i].length - (int)strlen(SUCCESS), 0);
        call = wire_answer(&f, finish, VERIFY, body);
        verification = call->result;
        ROW_IS(rows[i].name, verification != NULL);
        ROW_IS(rows[i].name, verification && (verification->post_user_verify_redirect_url !=
                                              NULL) == rows[i].handed_on);
        fixture_free(&f);
    }
}

static void an_answer_may_refuse(void)
{
    static const struct {
        int status;
        scalekit_err code;
    } rows[] = {{400, SCALEKIT_ERR_BAD_REQUEST},
                {403, SCALEKIT_ERR_FORBIDDEN},
                {404, SCALEKIT_ERR_NOT_FOUND},
                {500, SCALEKIT_ERR_SERVER}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        struct call *call;

        fixture_open(&f);
        service_always(f.service, VERIFY,
                       (struct service_answer){rows[i].status, ERROR_BODY, NULL, 0, 0});
        call = finish(&f);
        call_wait(call);
        CU_ASSERT_EQUAL(call->code, rows[i].code);
        CU_ASSERT_EQUAL(service_count(f.service, VERIFY), 1);
        CU_ASSERT(!text_has(f.log, "areq-s3cret") && !text_has(f.log, STATE));
        fixture_free(&f);
    }
}

/* What was sent may have been done, whatever the connection did then. */
static void what_may_have_arrived_is_not_sent_again(void)
{
    struct fixture f;
    struct call *call;

    fixture_open(&f);
    service_always(f.service, VERIFY, (struct service_answer){.manner = SERVICE_CLOSES});
    call = finish(&f);
    call_wait(call);
    CU_ASSERT_EQUAL(call->code, SCALEKIT_ERR_NETWORK);
    CU_ASSERT(call->sent);
    CU_ASSERT_EQUAL(service_count(f.service, VERIFY), 1);
    fixture_free(&f);
}

static struct call *finish_well(struct fixture *f)
{
    service_always(f->service, VERIFY,
                   (struct service_answer){
                       200, "{\"post_user_verify_redirect_url\":\"" SUCCESS "\"}", NULL, 0, 0});
    return finish(f);
}

static void every_allocation_may_fail(void)
{
    CU_ASSERT(call_every_allocation(finish_well) > 20);
}

SUITE(user_verification,
      {"a state is long, and no two are alike", a_state_is_long_and_no_two_are_alike},
      {"without random bits there is no state", without_random_bits_there_is_no_state},
      {"only the same state is expected", only_the_same_state_is_expected},
      {"a cookie is set and removed", a_cookie_is_set_and_removed},
      {"a cookie is found where it is there once", a_cookie_is_found_where_it_is_there_once},
      {"what the redirect says is decoded", what_the_redirect_says_is_decoded},
      {"what is wrong with a redirect is said", what_is_wrong_with_a_redirect_is_said},
      {"lengths are counted in characters", lengths_are_counted_in_characters},
      {"who consented is said, and nothing else", who_consented_is_said_and_nothing_else},
      {"what is wrong is refused before anything is sent",
       what_is_wrong_is_refused_before_anything_is_sent},
      {"what is wrong is said, and no secret", what_is_wrong_is_said},
      {"only a URL that is safe in a browser is handed on",
       only_a_url_that_is_safe_in_a_browser_is_handed_on},
      {"a URL has a limit, and may be absent", a_url_has_a_limit_and_may_be_absent},
      {"an answer may refuse", an_answer_may_refuse},
      {"what may have arrived is not sent again", what_may_have_arrived_is_not_sent_again},
      {"every allocation may fail", every_allocation_may_fail})
