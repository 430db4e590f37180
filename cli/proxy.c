/* scalekit proxy - the provider's API, with a user's account.
 *
 * Both bodies stream: a slow reader of our output makes the provider wait, and a slow provider
 * makes the writer of our input wait. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "output.h"
#include "sink.h"
#include "source.h"
#include <errno.h>
#include <scalekit/proxy.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const struct option_row proxy_options[] = {
    OPTION(headers, OPTION_TEXTS, "header", 'H', "'NAME: VALUE'", "a header; may be repeated"),
    OPTION(query, OPTION_TEXTS, "query", 'q', "NAME=VALUE",
           "a parameter of the URL; may be repeated"),
    OPTION(data, OPTION_TEXT, "data", 'd', "TEXT",
           "the body, or @FILE, or -; JSON, unless a Content-Type is given"),
    OPTION(include, OPTION_SWITCH, "include", 'i', NULL,
           "print the status and the headers of the answer, too"),
    {.name = NULL},
};

struct proxying {
    struct environment *environment;
    struct scalekit_entry *headers, *query;
    size_t n_headers;
    const char *content_type;
    struct source source;
    struct sink sink;
    scalekit_request *request; /* under way, then a reference */
    int status;                /* of the answer; 0: it failed */
};

/* --- what is asked for ------------------------------------------------------------------------ */

/* Cuts "name<mark>value" in two; yours, and the value is within it.  NULL: there is no mark, or no
 * memory. */
static char *cut(const char *text, char mark, const char **value)
{
    const char *at = strchr(text, mark);
    char *copy = at && at > text ? strdup(text) : NULL;

    if (copy) {
        copy[at - text] = '\0';
        *value = copy + (at - text) + 1;
        *value += mark == ':' ? strspn(*value, " \t") : 0;
    }
    return copy;
}

/* Takes the texts apart into entries, which keep them. */
static struct scalekit_entry *read_entries(const struct texts *texts, char mark)
{
    struct scalekit_entry *entries = calloc(texts->n + 1, sizeof *entries);
    bool good = entries;

    for (size_t i = 0; good && i < texts->n; i++) {
        entries[i].key = cut(texts->items[i], mark, &entries[i].value);
        good = entries[i].key;
        if (!good)
            output_misuse("\"%s\" is not NAME%cVALUE", texts->items[i], mark);
    }
    if (good)
        return entries;
    for (size_t i = 0; entries && i < texts->n; i++)
        free((char *)entries[i].key);
    free(entries);
    return NULL;
}

static void free_entries(struct scalekit_entry *entries, size_t n)
{
    for (size_t i = 0; entries && i < n; i++)
        free((char *)entries[i].key);
    free(entries);
}

/* The library has a member of its own for this one. */
static void take_content_type(struct proxying *proxying)
{
    proxying->content_type = "application/json";
    for (size_t i = 0; i < proxying->n_headers; i++) {
        struct scalekit_entry entry = proxying->headers[i];

        if (strcasecmp(entry.key, "Content-Type") != 0)
            continue;
        proxying->content_type = entry.value;
        proxying->headers[i--] = proxying->headers[--proxying->n_headers];
        proxying->headers[proxying->n_headers] = entry;
    }
}

/* --- the bodies ------------------------------------------------------------------------------- */

static size_t on_read(scalekit_request *request, char *room, size_t size, bool *end, void *user)
{
    struct proxying *proxying = user;
    size_t n = source_read(&proxying->source, room, size, end);

    if (proxying->source.failure)
        scalekit_request_cancel(request);
    return n;
}

static void on_arrived(void *user)
{
    struct proxying *proxying = user;

    scalekit_proxy_continue(proxying->request);
}

static void on_head(scalekit_request *request, const struct scalekit_proxy_response *head,
                    void *user)
{
    (void)request;
    (void)user;
    printf("%sHTTP %d%s\n", output_bold(), head->status, output_normal());
    for (size_t i = 0; i < head->n_headers; i++) {
        output_foreign(stdout, head->headers[i].key);
        fputs(": ", stdout);
        output_foreign(stdout, head->headers[i].value);
        putchar('\n');
    }
    putchar('\n');
    output_flush(); /* the body goes past stdio */
}

static void on_body(scalekit_request *request, const char *bytes, size_t length, void *user)
{
    struct proxying *proxying = user;

    if (sink_write(&proxying->sink, bytes, length))
        return;
    if (proxying->sink.failure)
        scalekit_request_cancel(request);
    else
        scalekit_proxy_pause(request);
}

static void on_drained(void *user)
{
    struct proxying *proxying = user;

    if (proxying->sink.failure)
        scalekit_request_cancel(proxying->request);
    else
        scalekit_proxy_resume(proxying->request);
}

static void on_end(scalekit_request *request, const struct scalekit_proxy_response *response,
                   void *user)
{
    struct proxying *proxying = user;

    scalekit_request_ref(request);
    proxying->status = response ? response->status : 0;
    environment_leave(proxying->environment);
}

/* --- from beginning to end -------------------------------------------------------------------- */

static scalekit_request *start(struct proxying *proxying)
{
    const struct options *options = proxying->environment->options;
    const char *const *names = options->names.items;
    bool streams = proxying->source.fd >= 0;
    struct scalekit_proxy_params params = {
        .struct_size = sizeof params,
        .connection_name = names[0],
        .identifier = names[1],
        .method = names[2],
        .path = names[3],
        .query = proxying->query,
        .n_query = options->query.n,
        .headers = proxying->headers,
        .n_headers = proxying->n_headers,
        .content_type = options->data ? proxying->content_type : NULL,
        .on_body = on_body,
        .on_head = options->include ? on_head : NULL,
    };

    if (streams) {
        params.read = on_read;
        params.read_length = proxying->source.length;
    } else if (options->data) {
        params.raw_body = options->data;
        params.raw_body_length = strlen(options->data);
    }
    return scalekit_proxy_request(proxying->environment->client, &params, on_end, proxying);
}

static int open_body(struct proxying *proxying)
{
    const char *data = proxying->environment->options->data;
    bool standard = data && strcmp(data, "-") == 0;

    if (!data || (!standard && data[0] != '@'))
        return EXIT_DONE;
    if (source_open(&proxying->source, proxying->environment->base, standard ? data : data + 1,
                    on_arrived, proxying))
        return EXIT_DONE;
    return output_failure(EXIT_OTHER, "cannot open %s: %s", data, strerror(errno));
}

static int show(const struct proxying *proxying)
{
    if (proxying->source.failure)
        return output_failure(EXIT_OTHER, "cannot read the body: %s",
                              strerror(proxying->source.failure));
    if (proxying->sink.failure)
        return output_lost(proxying->sink.failure);
    if (!proxying->status)
        return output_error("call the provider", scalekit_request_error(proxying->request));
    if (proxying->status >= 400)
        return output_failure(EXIT_PROVIDER, "the provider answered %d", proxying->status);
    return EXIT_DONE;
}

static int proxy(struct proxying *proxying)
{
    struct environment *environment = proxying->environment;
    const char *const *names = environment->options->names.items;
    int status = environment_open(environment);

    if (!status)
        status = open_body(proxying);
    if (!status &&
        !sink_open(&proxying->sink, environment->base, STDOUT_FILENO, on_drained, proxying))
        status = output_error("call the provider", NULL);
    if (status)
        return status;
    environment_provide(environment, names[0], names[1]);
    proxying->request = start(proxying);
    if (!environment_await(environment, proxying->request))
        return output_error("call the provider", NULL);
    status = show(proxying);
    scalekit_request_unref(proxying->request);
    return status;
}

int run_proxy(struct environment *environment)
{
    const struct options *options = environment->options;
    struct proxying proxying = {.environment = environment, .source.fd = -1};
    int status = EXIT_USAGE;

    proxying.headers = read_entries(&options->headers, ':');
    proxying.query = proxying.headers ? read_entries(&options->query, '=') : NULL;
    proxying.n_headers = options->headers.n;
    if (proxying.query) {
        take_content_type(&proxying);
        status = proxy(&proxying);
    }
    source_close(&proxying.source);
    sink_close(&proxying.sink);
    free_entries(proxying.query, options->query.n);
    free_entries(proxying.headers, options->headers.n);
    return status;
}
