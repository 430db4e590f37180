/* redirect_fuzz.c - any text as the redirect of a user verification, and as a Cookie header.
 *
 * What is read from a redirect is within its limits, and read again from a redirect that says it; of
 * one that is refused nothing is left.  What is found in cookies can be set as one, and found again. */
#include "base/str.h"
#include <scalekit/user_verification.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool all_zero(const char *bytes, size_t size)
{
    while (size > 0 && !bytes[size - 1])
        size--;
    return size == 0;
}

static void check_text(const char *text, size_t max)
{
    require(*text && ski_utf8_valid(text, strlen(text)) && ski_utf8_count(text) <= max);
}

/* Says it as Scalekit would, and reads that. */
static void read_again(const char *id, const char *state)
{
    static char id_again[SCALEKIT_USER_VERIFICATION_ID_SIZE];
    static char state_again[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE];
    struct ski_mem mem;
    struct ski_buf redirect;

    ski_mem_init(&mem, NULL);
    ski_buf_init(&redirect, &mem, SCALEKIT_USER_VERIFICATION_MAX_REDIRECT);
    ski_buf_adds(&redirect, "https://app.example.com/verify?x=%&state=");
    ski_percent_encode(&redirect, state);
    ski_buf_adds(&redirect, "&auth_request_id=");
    ski_percent_encode(&redirect, id);
    require(scalekit_user_verification_parse(ski_buf_text(&redirect), id_again, state_again,
                                             NULL) == SCALEKIT_OK);
    require(strcmp(id, id_again) == 0 && strcmp(state, state_again) == 0);
    require(scalekit_user_verification_is_expected(state, state_again));
    ski_buf_free(&redirect);
}

static void check_redirect(const char *text)
{
    static char id[SCALEKIT_USER_VERIFICATION_ID_SIZE];
    static char state[SCALEKIT_USER_VERIFICATION_REDIRECT_STATE_SIZE];
    const char *problem;

    memset(id, 'x', sizeof id);
    memset(state, 'x', sizeof state);
    if (scalekit_user_verification_parse(text, id, state, &problem) == SCALEKIT_OK) {
        require(!problem);
        check_text(id, 1000);
        check_text(state, 512);
        read_again(id, state);
    } else {
        require(problem && all_zero(id, sizeof id) && all_zero(state, sizeof state));
    }
}

static void check_cookies(const char *text)
{
    char state[SCALEKIT_USER_VERIFICATION_STATE_SIZE], again[sizeof state];
    char cookie[SCALEKIT_USER_VERIFICATION_COOKIE_SIZE];

    if (!scalekit_user_verification_get_cookie(state, text, "state")) {
        require(!*state);
        return;
    }
    require(strstr(text, state) != NULL);
    require(scalekit_user_verification_set_cookie(cookie, "state", state, 600, true));
    require(scalekit_user_verification_get_cookie(again, cookie, "state"));
    require(strcmp(state, again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);

    require(text != NULL);
    check_redirect(text);
    check_cookies(text);
    free(text);
    return 0;
}
