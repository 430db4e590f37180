#include "environment.h"
#include <dirent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

void environment_make_directory(char directory[64])
{
    snprintf(directory, 64, "/tmp/scalekit-test-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(directory));
}

void environment_remove_directory(const char *directory)
{
    DIR *dir = opendir(directory);
    struct dirent *entry;
    char path[400];

    while (dir && (entry = readdir(dir))) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    if (dir)
        closedir(dir);
    rmdir(directory);
}

static void keep_line(enum scalekit_log_level level, const char *line, void *user)
{
    struct environment *env = user;
    size_t used = strlen(env->log);

    snprintf(env->log + used, sizeof env->log - used, "%s %s\n", scalekit_log_level_name(level),
             line);
}

scalekit_client *environment_client(struct environment *env, const char *url, const char *ca_file,
                                    const char *client_secret)
{
    scalekit_client *client;
    const char *problem;
    scalekit_err err = scalekit_client_new(
        &client, env->base,
        SCALEKIT_PARAMS(scalekit_config, .env_url = url, .client_id = "skc_emulator",
                        .client_secret = client_secret, .ca_file = ca_file,
                        .allocator = &env->memory.allocator, .log_level = SCALEKIT_LOG_TRACE,
                        .log = keep_line, .log_user = env, .watch_first_check_ms = 20,
                        .watch_interval_ms = 20, .watch_max_interval_ms = 40, .max_retries = -1),
        &problem);

    CU_ASSERT_EQUAL_FATAL(err, SCALEKIT_OK);
    return client;
}

void environment_init(struct environment *env, const struct scalekit_emulator_config *emulator)
{
    struct scalekit_emulator_config config = {0};
    char problem[256];

    memset(env, 0, sizeof *env);
    test_memory_init(&env->memory);
    environment_make_directory(env->directory);
    env->base = event_base_new();
    CU_ASSERT_PTR_NOT_NULL_FATAL(env->base);
    if (emulator)
        config = *emulator;
    config.tls_dir = env->directory;
    env->emulator = scalekit_emulator_start(env->base, &config, problem, sizeof problem);
    CU_ASSERT_PTR_NOT_NULL_FATAL(env->emulator);
    env->client = environment_client(env, scalekit_emulator_url(env->emulator),
                                     scalekit_emulator_ca_file(env->emulator),
                                     scalekit_emulator_client_secret(env->emulator));
}

void environment_free(struct environment *env)
{
    scalekit_client_free(env->client);
    scalekit_emulator_free(env->emulator);
    event_base_loop(env->base, EVLOOP_NONBLOCK);
    event_base_free(env->base);
    environment_remove_directory(env->directory);
    CU_ASSERT_EQUAL(env->memory.live, 0);
}

/* --- outcomes ---------------------------------------------------------------------------------- */

static struct outcome *note(scalekit_request *request, bool ok, void *user)
{
    const struct scalekit_error *error = scalekit_request_error(request);
    struct outcome *outcome = user;

    outcome->calls++;
    outcome->done = true;
    outcome->ok = ok;
    outcome->http_status = scalekit_request_http_status(request);
    CU_ASSERT_EQUAL(ok, error == NULL);
    if (error) {
        outcome->code = error->code;
        outcome->phase = error->phase;
        snprintf(outcome->text, sizeof outcome->text, "%s", error->message);
    }
    return outcome;
}

void outcome_account(scalekit_request *request, const struct scalekit_connected_account *account,
                     void *user)
{
    struct outcome *outcome = note(request, account != NULL, user);

    if (account)
        snprintf(outcome->text, sizeof outcome->text, "%s", account->status_text);
}

void outcome_done(scalekit_request *request, bool done, void *user)
{
    note(request, done, user);
}

void outcome_tool(scalekit_request *request, const struct scalekit_tool_result *result, void *user)
{
    struct outcome *outcome = note(request, result != NULL, user);

    if (result)
        snprintf(outcome->text, sizeof outcome->text, "%s", result->data);
}

struct outcome environment_look(struct environment *env, scalekit_client *client)
{
    struct outcome outcome = {.env = env};
    scalekit_request *request = scalekit_get_connected_account_details(
        client,
        SCALEKIT_PARAMS(scalekit_account_key, .connection_name = "gmail", .identifier = "user_1"),
        outcome_account, &outcome);

    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    test_base_until(env->base, &outcome.done);
    CU_ASSERT_EQUAL(outcome.calls, 1);
    return outcome;
}
