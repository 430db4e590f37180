#include "cli/exit.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static void every_kind_of_error_has_its_status(void)
{
    static const struct {
        scalekit_err code;
        int status;
    } cases[] = {
        {SCALEKIT_OK, 0},
        {SCALEKIT_ERR_INVALID, 2},
        {SCALEKIT_ERR_NOMEM, 1},
        {SCALEKIT_ERR_CANCELED, 1},
        {SCALEKIT_ERR_CLOSED, 1},
        {SCALEKIT_ERR_DEADLINE, 9},
        {SCALEKIT_ERR_QUEUE_FULL, 1},
        {SCALEKIT_ERR_TOO_LATE, 1},
        {SCALEKIT_ERR_REJECTED, 1},
        {SCALEKIT_ERR_RESOLVE, 8},
        {SCALEKIT_ERR_CONNECT, 8},
        {SCALEKIT_ERR_TLS, 8},
        {SCALEKIT_ERR_NETWORK, 8},
        {SCALEKIT_ERR_PROTOCOL, 8},
        {SCALEKIT_ERR_TOO_LARGE, 1},
        {SCALEKIT_ERR_DECODE, 1},
        {SCALEKIT_ERR_SIGN_IN, 3},
        {SCALEKIT_ERR_BAD_REQUEST, 2},
        {SCALEKIT_ERR_UNAUTHORIZED, 3},
        {SCALEKIT_ERR_FORBIDDEN, 3},
        {SCALEKIT_ERR_NOT_FOUND, 4},
        {SCALEKIT_ERR_CONFLICT, 5},
        {SCALEKIT_ERR_RATE_LIMITED, 6},
        {SCALEKIT_ERR_UNAVAILABLE, 8},
        {SCALEKIT_ERR_SERVER, 8},
        {SCALEKIT_ERR_HTTP, 1},
        {SCALEKIT_ERR_TOOL, 7},
        {SCALEKIT_ERR_TOOL_UNAUTHORIZED, 7},
        {SCALEKIT_ERR_TOOL_FORBIDDEN, 7},
        {SCALEKIT_ERR_TOOL_RATE_LIMITED, 7},
    };

    for (size_t i = 0; i < COUNT(cases); i++) {
        CU_ASSERT_EQUAL(exit_of_error(cases[i].code), cases[i].status);
        CU_ASSERT_EQUAL((size_t)cases[i].code, i); /* none is left out */
    }
}

static void every_state_of_an_account_has_its_status(void)
{
    static const struct {
        enum scalekit_account_status state;
        int status;
    } cases[] = {
        {SCALEKIT_ACCOUNT_UNKNOWN, 1},       {SCALEKIT_ACCOUNT_PENDING, 10},
        {SCALEKIT_ACCOUNT_PENDING_AUTH, 10}, {SCALEKIT_ACCOUNT_PENDING_VERIFICATION, 10},
        {SCALEKIT_ACCOUNT_ACTIVE, 0},        {SCALEKIT_ACCOUNT_EXPIRED, 11},
        {SCALEKIT_ACCOUNT_REVOKED, 12},      {SCALEKIT_ACCOUNT_DISCONNECTED, 12},
    };

    for (size_t i = 0; i < COUNT(cases); i++)
        CU_ASSERT_EQUAL(exit_of_account(cases[i].state), cases[i].status);
}

SUITE(cli_exit, {"every kind of error has its exit status", every_kind_of_error_has_its_status},
      {"every state of an account has its exit status", every_state_of_an_account_has_its_status})
