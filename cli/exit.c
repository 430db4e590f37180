#include "exit.h"

static const struct {
    int status;
    const char *meaning;
} meanings[] = {
    {EXIT_DONE, "done; of connect, status and watch: the account is ACTIVE"},
    {EXIT_OTHER, "anything that is not below"},
    {EXIT_USAGE, "the command line or a parameter is wrong"},
    {EXIT_NOT_ALLOWED, "the credentials were refused, or do not allow it"},
    {EXIT_NOT_FOUND, "there is no such thing"},
    {EXIT_CONFLICT, "it exists already, or is in another state"},
    {EXIT_RATE_LIMITED, "too many requests"},
    {EXIT_PROVIDER, "the tool or the provider failed"},
    {EXIT_UNREACHABLE, "the service could not be reached, or is in trouble"},
    {EXIT_TIMED_OUT, "the time allowed ran out"},
    {EXIT_PENDING, "the account waits for its user"},
    {EXIT_EXPIRED, "the account is EXPIRED"},
    {EXIT_REVOKED, "the account is REVOKED or DISCONNECTED"},
    {EXIT_BY_SIGNAL + 2, "interrupted; 128 and the number of the signal"},
};

int exit_of_error(scalekit_err code)
{
    switch (code) {
    case SCALEKIT_OK:
        return EXIT_DONE;
    case SCALEKIT_ERR_INVALID:
    case SCALEKIT_ERR_BAD_REQUEST:
        return EXIT_USAGE;
    case SCALEKIT_ERR_SIGN_IN:
    case SCALEKIT_ERR_UNAUTHORIZED:
    case SCALEKIT_ERR_FORBIDDEN:
        return EXIT_NOT_ALLOWED;
    case SCALEKIT_ERR_NOT_FOUND:
        return EXIT_NOT_FOUND;
    case SCALEKIT_ERR_CONFLICT:
        return EXIT_CONFLICT;
    case SCALEKIT_ERR_RATE_LIMITED:
        return EXIT_RATE_LIMITED;
    case SCALEKIT_ERR_TOOL:
    case SCALEKIT_ERR_TOOL_UNAUTHORIZED:
    case SCALEKIT_ERR_TOOL_FORBIDDEN:
    case SCALEKIT_ERR_TOOL_RATE_LIMITED:
        return EXIT_PROVIDER;
    case SCALEKIT_ERR_RESOLVE:
    case SCALEKIT_ERR_CONNECT:
    case SCALEKIT_ERR_TLS:
    case SCALEKIT_ERR_NETWORK:
    case SCALEKIT_ERR_PROTOCOL:
    case SCALEKIT_ERR_UNAVAILABLE:
    case SCALEKIT_ERR_SERVER:
        return EXIT_UNREACHABLE;
    case SCALEKIT_ERR_DEADLINE:
        return EXIT_TIMED_OUT;
    default:
        return EXIT_OTHER;
    }
}

int exit_of_account(enum scalekit_account_status status)
{
    if (scalekit_account_status_is_pending(status))
        return EXIT_PENDING;
    switch (status) {
    case SCALEKIT_ACCOUNT_ACTIVE:
        return EXIT_DONE;
    case SCALEKIT_ACCOUNT_EXPIRED:
        return EXIT_EXPIRED;
    case SCALEKIT_ACCOUNT_REVOKED:
    case SCALEKIT_ACCOUNT_DISCONNECTED:
        return EXIT_REVOKED;
    default:
        return EXIT_OTHER;
    }
}

void exit_print_table(FILE *out)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        fprintf(out, "  %3d  %s\n", meanings[i].status, meanings[i].meaning);
}
