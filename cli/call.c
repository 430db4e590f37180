/* scalekit call - any operation, by its name. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "operations.h"
#include "output.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>

/* What the callback leaves behind: a reference keeps the result. */
struct answer {
    struct environment *environment;
    scalekit_request *request;
    const char *json; /* NULL: it failed */
};

static void on_result(scalekit_request *request, const char *json, size_t length, void *user)
{
    struct answer *answer = user;

    (void)length; /* JSON text has no NUL in it */
    answer->request = scalekit_request_ref(request);
    answer->json = json;
    environment_leave(answer->environment);
}

static int show(const struct answer *answer, const char *name)
{
    char doing[128];

    if (!answer->json) {
        snprintf(doing, sizeof doing, "call %s", name);
        return output_error(doing, scalekit_request_error(answer->request));
    }
    output_json(answer->json);
    if (!answer->environment->options->show_secrets && strstr(answer->json, "\"***\""))
        output_remark("*** stands for a secret; --show-secrets shows it.");
    return EXIT_DONE;
}

static int call(struct environment *environment, const scalekit_operation *operation,
                const char *parameters)
{
    enum scalekit_json_style style =
        environment->options->show_secrets ? SCALEKIT_JSON_AS_SENT : SCALEKIT_JSON_REDACTED;
    struct answer answer = {.environment = environment};
    int status = environment_open(environment);

    if (status)
        return status;
    if (!environment_await(environment,
                           scalekit_operation_call(environment->client, operation, parameters,
                                                   style, on_result, &answer)))
        return output_error("call", NULL);
    status = show(&answer, scalekit_operation_name(operation));
    scalekit_request_unref(answer.request);
    return status;
}

int run_call(struct environment *environment)
{
    const struct texts *names = &environment->options->names;
    const scalekit_operation *operation;
    struct value_problem problem;
    char *parameters;
    int status;

    output_errors_for_programs();
    operation = operation_named(names->items[0]);
    if (!operation)
        return EXIT_USAGE;
    parameters = value_read(operation, names->items + 1, names->n - 1, &problem);
    if (!parameters)
        return output_wrong(*problem.parameter ? problem.parameter : NULL, problem.text);
    status = call(environment, operation, parameters);
    explicit_bzero(parameters, strlen(parameters));
    free(parameters);
    return status;
}
