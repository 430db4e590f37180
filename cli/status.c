/* scalekit status - whether accounts can be used. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "output.h"
#include <scalekit/check_accounts.h>
#include <stdlib.h>
#include <string.h>

/* What was seen of an account; its texts are copies. */
struct sight {
    const char *connection, *identifier; /* as it was asked for */
    char *status, *id;
    scalekit_time expires_at;
    int exit_status;
};

struct statuses {
    struct environment *environment;
    struct sight *sights;
    size_t n;
    scalekit_request *request; /* once it is done: a reference */
    bool good;                 /* each was told */
};

/* --- one account ------------------------------------------------------------------------------ */

/* A line for programs, at once and in the order in which they become known. */
static void record_sight(const struct sight *sight,
                         const struct scalekit_connected_account *account,
                         const struct scalekit_error *error)
{
    struct record record = record_begin(stdout);

    record_text(&record, "connection_name", sight->connection);
    record_text(&record, "identifier", sight->identifier);
    if (account) {
        record_text(&record, "status", account->status_text);
        record_text(&record, "connected_account_id", account->id);
        record_text(&record, "provider", account->provider);
        record_moment(&record, "token_expires_at", account->token_expires_at);
        record_moment(&record, "last_used_at", account->last_used_at);
    } else {
        record_text(&record, "code", scalekit_err_name(error->code));
        record_text(&record, "message", error->message);
        record_text(&record, "request_id", error->request_id);
    }
    record_end(&record);
}

static void keep(struct sight *sight, const struct scalekit_connected_account *account)
{
    sight->status = account->status_text ? strdup(account->status_text) : NULL;
    sight->id = account->id ? strdup(account->id) : NULL;
    sight->expires_at = account->token_expires_at;
}

static void on_account(scalekit_request *request, size_t index,
                       const struct scalekit_connected_account *account,
                       const struct scalekit_error *error, void *user)
{
    struct statuses *statuses = user;
    struct sight *sight = &statuses->sights[index];
    char doing[600];

    sight->exit_status = account ? exit_of_account(account->status) : exit_of_error(error->code);
    if (statuses->environment->options->json) {
        record_sight(sight, account, error);
        if (!output_flush())
            scalekit_request_cancel(request);
    } else if (account) {
        keep(sight, account);
    } else if (error->code != SCALEKIT_ERR_NOT_FOUND) {
        snprintf(doing, sizeof doing, "look at %.400s of %.100s", sight->connection,
                 sight->identifier);
        output_error(doing, error);
    }
}

static void on_checked(scalekit_request *request, const struct scalekit_account_check *check,
                       void *user)
{
    struct statuses *statuses = user;

    statuses->request = scalekit_request_ref(request);
    statuses->good = check;
    environment_leave(statuses->environment);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int show_table(const struct statuses *statuses)
{
    struct table table = {.columns = 5};
    char expiry[MOMENT_SIZE];

    table_add(&table, (const char *const[]){"CONNECTION", "IDENTIFIER", "STATUS", "ACCOUNT",
                                            "TOKEN VALID UNTIL"});
    for (size_t i = 0; i < statuses->n; i++) {
        const struct sight *sight = &statuses->sights[i];
        const char *other = sight->exit_status == EXIT_NOT_FOUND ? "not found" : "unknown";

        table_add(&table, (const char *const[]){sight->connection, sight->identifier,
                                                sight->status ? sight->status : other, sight->id,
                                                format_moment(expiry, sight->expires_at)});
    }
    return output_table(&table);
}

/* The exit status is that of the first that is not ACTIVE. */
static int show(const struct statuses *statuses)
{
    int status = EXIT_DONE;

    if (!statuses->good)
        return output_error("check the accounts", scalekit_request_error(statuses->request));
    if (!statuses->environment->options->json)
        status = show_table(statuses);
    for (size_t i = 0; i < statuses->n && !status; i++)
        status = statuses->sights[i].exit_status;
    return status;
}

static int check(struct statuses *statuses, struct scalekit_account_key *keys,
                 const struct scalekit_account_key **list)
{
    struct environment *environment = statuses->environment;
    int status = environment_open(environment);

    if (status)
        return status;
    for (size_t i = 0; i < statuses->n; i++) {
        struct sight *sight = &statuses->sights[i];

        sight->connection = environment->options->names.items[2 * i];
        sight->identifier = environment->options->names.items[2 * i + 1];
        environment_provide(environment, sight->connection, sight->identifier);
        keys[i] = (struct scalekit_account_key){.struct_size = sizeof *keys,
                                                .connection_name = sight->connection,
                                                .identifier = sight->identifier};
        list[i] = &keys[i];
    }
    if (!environment_await(environment, scalekit_check_accounts(
                                            environment->client,
                                            SCALEKIT_PARAMS(scalekit_check_accounts_params,
                                                            .keys = list, .n_keys = statuses->n),
                                            on_account, on_checked, statuses)))
        return output_error("check the accounts", NULL);
    status = show(statuses);
    scalekit_request_unref(statuses->request);
    return status;
}

int run_status(struct environment *environment)
{
    size_t n = environment->options->names.n / 2;
    struct statuses statuses = {.environment = environment, .n = n};
    struct scalekit_account_key *keys = calloc(n, sizeof *keys);
    const struct scalekit_account_key **list = calloc(n, sizeof *list);
    int status;

    statuses.sights = calloc(n, sizeof *statuses.sights);
    if (environment->options->names.n % 2)
        status = output_misuse("status needs an IDENTIFIER for each CONNECTION");
    else if (!keys || !list || !statuses.sights)
        status = output_error("check the accounts", NULL);
    else
        status = check(&statuses, keys, list);
    for (size_t i = 0; statuses.sights && i < n; i++) {
        free(statuses.sights[i].status);
        free(statuses.sights[i].id);
    }
    free(statuses.sights);
    free(list);
    free(keys);
    return status;
}
