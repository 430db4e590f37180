/* scalekit tool - runs a tool for an account. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "output.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

const struct option_row tool_options[] = {
    OPTION(connection, OPTION_TEXT, "connection", 'c', "CONNECTION",
           "the account's connection, \"gmail\""),
    OPTION(identifier, OPTION_TEXT, "identifier", 'i', "IDENTIFIER",
           "your name for the account's user"),
    OPTION(account, OPTION_TEXT, "account", 'a', "ID",
           "the account's id, \"ca_…\", instead of the two"),
    {.name = NULL},
};

struct run {
    struct environment *environment;
    scalekit_request *request; /* a reference keeps the result */
    const struct scalekit_tool_result *result;
};

static void on_tool(scalekit_request *request, const struct scalekit_tool_result *result,
                    void *user)
{
    struct run *run = user;

    run->request = scalekit_request_ref(request);
    run->result = result;
    environment_leave(run->environment);
}

static int show(const struct run *run)
{
    if (!run->result)
        return output_error("run the tool", scalekit_request_error(run->request));
    output_json(run->result->data ? run->result->data : "{}");
    if (run->result->execution_id)
        output_remark("Execution id: %s", run->result->execution_id);
    return EXIT_DONE;
}

static int execute(struct environment *environment, const char *input)
{
    const struct options *options = environment->options;
    struct run run = {.environment = environment};
    int status = environment_open(environment);

    if (status)
        return status;
    environment_provide(environment, options->connection, options->identifier);
    if (!environment_await(
            environment,
            scalekit_execute_tool(
                environment->client,
                SCALEKIT_PARAMS(scalekit_execute_tool_params, .tool_name = options->names.items[0],
                                .connection_name = options->connection,
                                .identifier = options->identifier,
                                .connected_account_id = options->account, .tool_input = input),
                on_tool, &run)))
        return output_error("run the tool", NULL);
    status = show(&run);
    scalekit_request_unref(run.request);
    return status;
}

int run_tool(struct environment *environment)
{
    const struct options *options = environment->options;
    struct value_problem problem;
    char *input;
    int status;

    if (!options->account && !options->identifier)
        return output_misuse("tool needs --connection and --identifier, or --account");
    if (options->account && (options->connection || options->identifier))
        return output_misuse("--account says it all: no --connection and no --identifier with it");
    input = value_read(NULL, options->names.items + 1, options->names.n - 1, &problem);
    if (!input)
        return output_wrong(*problem.parameter ? problem.parameter : NULL, problem.text);
    status = execute(environment, input);
    explicit_bzero(input, strlen(input));
    free(input);
    return status;
}
