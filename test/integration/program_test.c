/* The emulator as a program of its own: another process, over TLS, configured through the
 * environment variables it prints. */
#include "environment.h"
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct program {
    pid_t pid;
    char line[1024]; /* the variables */
};

/* Where the build put it; the tests run in the build's top folder. */
static const char *program_path(void)
{
    const char *path = getenv("SCALEKIT_EMULATOR");

    return path ? path : "emulator/scalekit-emulator";
}

/* A read that waits for the line is the event itself: the program prints it when it listens. */
static void program_start(struct program *program, char *const argv[])
{
    int ends[2];
    ssize_t length;

    memset(program, 0, sizeof *program);
    CU_ASSERT_EQUAL_FATAL(pipe(ends), 0);
    program->pid = fork();
    CU_ASSERT_NOT_EQUAL_FATAL(program->pid, -1);
    if (program->pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        close(ends[0]);
        close(ends[1]);
        execv(program_path(), argv);
        _exit(127);
    }
    close(ends[1]);
    do
        length = read(ends[0], program->line, sizeof program->line - 1);
    while (length < 0 && errno == EINTR);
    close(ends[0]);
    CU_ASSERT_FATAL(length > 0);
}

/* Ends it by SIGTERM; asserts that it went in good order. */
static void program_stop(struct program *program)
{
    int status = -1;

    kill(program->pid, SIGTERM);
    CU_ASSERT_EQUAL(waitpid(program->pid, &status, 0), program->pid);
    CU_ASSERT(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
}

static const char *const variables[] = {"SCALEKIT_ENV_URL", "SCALEKIT_CLIENT_ID",
                                        "SCALEKIT_CLIENT_SECRET", "SCALEKIT_CA_FILE"};

/* "export A=b C=d": what a shell would do with the line. */
static void take_variables(const char *line)
{
    char copy[1024], *word, *at;

    snprintf(copy, sizeof copy, "%s", line);
    for (word = strtok_r(copy, " \n", &at); word; word = strtok_r(NULL, " \n", &at)) {
        char *value = strchr(word, '=');

        if (value) {
            *value++ = '\0';
            setenv(word, value, 1);
        }
    }
}

static void drop_variables(void)
{
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct outcome *outcome = user;

    (void)watch;
    outcome->calls += event->kind == SCALEKIT_WATCH_LINK;
    outcome->done |= event->final;
    if (event->final)
        snprintf(outcome->text, sizeof outcome->text, "%s", event->status_text);
}

static void a_user_is_connected_across_processes(void)
{
    char *const argv[] = {"scalekit-emulator", "--quiet", "--consent", "approve",
                          "--after",           "0",       NULL};
    struct event_base *base = event_base_new();
    struct scalekit_config config;
    struct outcome outcome = {0};
    struct program program;
    scalekit_client *client;
    const char *missing;

    program_start(&program, argv);
    take_variables(program.line);
    CU_ASSERT_EQUAL_FATAL(scalekit_config_from_env(&config, &missing), SCALEKIT_OK);
    config.watch_first_check_ms = config.watch_interval_ms = 20;
    CU_ASSERT_EQUAL_FATAL(scalekit_client_new(&client, base, &config, NULL), SCALEKIT_OK);
    drop_variables();
    scalekit_connect_account(client,
                             SCALEKIT_PARAMS(scalekit_connect_account_params,
                                             .connection_name = "gmail", .identifier = "user_1",
                                             .deadline_ms = 10000),
                             on_event, &outcome);
    /* An idle connection to a server that is alive must not keep the loop alive. */
    CU_ASSERT_EQUAL(event_base_dispatch(base), 1);
    CU_ASSERT(outcome.done);
    CU_ASSERT_EQUAL(outcome.calls, 1);
    CU_ASSERT_STRING_EQUAL(outcome.text, "ACTIVE");
    scalekit_client_free(client);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    program_stop(&program);
}

/* The idle connection dies with the server, unnoticed while nothing is pending. */
static void a_server_that_went_away_is_an_error_and_no_more(void)
{
    char *const argv[] = {"scalekit-emulator", "--quiet", NULL};
    struct environment env;
    struct outcome outcome;
    struct program program;
    scalekit_client *client;

    environment_init(&env, NULL);
    program_start(&program, argv);
    take_variables(program.line);
    client =
        environment_client(&env, getenv(variables[0]), getenv(variables[3]), getenv(variables[2]));
    drop_variables();
    outcome = environment_look(&env, client);
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_NOT_FOUND);
    program_stop(&program);
    outcome = environment_look(&env, client);
    CU_ASSERT_EQUAL(outcome.code, SCALEKIT_ERR_CONNECT);
    scalekit_client_free(client);
    environment_free(&env);
}

SUITE(program, {"a user is connected across processes", a_user_is_connected_across_processes},
      {"a server that went away is an error and no more",
       a_server_that_went_away_is_an_error_and_no_more})
