/* scalekit webhook - deliveries judged and made, on this machine alone: no environment is needed.
 * They are received in listen.c. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "input.h"
#include "json.h"
#include "listening.h"
#include "output.h"
#include "secrets.h"
#include <errno.h>
#include <inttypes.h>
#include <scalekit/webhook.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

const struct option_row webhook_options[] = {
    OPTION(secrets, OPTION_TEXTS, "secret", 0, "SECRET",
           "the dashboard's, or @FILE; may be repeated"),
    OPTION(secrets, OPTION_TEXTS, "secret2", 0, "SECRET", "another one, while they change"),
    OPTION(delivery_id, OPTION_TEXT, "id", 0, "ID", "what webhook-id says"),
    OPTION(timestamp, OPTION_TEXT, "timestamp", 0, "SECONDS", "what webhook-timestamp says"),
    OPTION(signature, OPTION_TEXT, "signature", 0, "SIGNATURE", "what webhook-signature says"),
    OPTION(now, OPTION_TEXT, "now", 0, "SECONDS", "the time since 1970, instead of the clock's"),
    OPTION(interceptor, OPTION_SWITCH, "interceptor", 0, NULL,
           "what an interceptor is sent: its headers are interceptor-*"),
    OPTION(forward_to, OPTION_TEXT, "forward-to", 0, "URL",
           "listen: post what is good on to http://HOST:PORT/PATH"),
    OPTION(count, OPTION_TEXT, "count", 0, "N", "listen: end after so many events"),
    OPTION(once, OPTION_SWITCH, "once", 0, NULL, "listen: end after one event"),
    OPTION(port, OPTION_TEXT, "port", 0, "N", "listen: where, 0 for any port; else 8377"),
    OPTION(address, OPTION_TEXT, "address", 0, "IP", "listen: where, instead of 127.0.0.1"),
    OPTION(path, OPTION_TEXT, "path", 0, "PATH", "listen: where, instead of /"),
    OPTION(certificate, OPTION_TEXT, "cert", 0, "FILE", "listen: https, with this chain as PEM"),
    OPTION(key, OPTION_TEXT, "key", 0, "FILE", "listen: ... and its key"),
    {.name = NULL},
};

/* What verify and sign work on. */
struct work {
    const struct options *options;
    struct secrets secrets;
    struct input body;
    int64_t now;
};

/* --- getting ready ------------------------------------------------------------------------------ */

static int read_seconds(int64_t *seconds, const char *option, const char *text)
{
    char *end;
    intmax_t value;

    errno = 0;
    value = strtoimax(text, &end, 10);
    if (!*text || text[strspn(text, "0123456789")] || errno || value > INT64_MAX)
        return output_misuse("--%s takes seconds since 1970, not \"%s\"", option, text);
    *seconds = value;
    return EXIT_DONE;
}

static int open_work(struct work *work, const struct options *options)
{
    int status;

    *work = (struct work){.options = options, .now = time(NULL)};
    status = secrets_read(&work->secrets, &options->secrets);
    if (!status && options->now)
        status = read_seconds(&work->now, "now", options->now);
    if (!status && !input_read_bytes(&work->body, "-", SCALEKIT_WEBHOOK_MAX_BODY))
        status = output_failure(EXIT_OTHER, "%s", work->body.problem);
    return status;
}

static void close_work(struct work *work)
{
    secrets_free(&work->secrets);
    free(work->body.text);
}

/* --- verify ------------------------------------------------------------------------------------- */

/* The body as it came, if it is JSON; what else is signed is good, and has nothing to show. */
static void show_body(const struct input *body, bool for_programs)
{
    static const struct json_style on_a_line = {0};

    if (strlen(body->text) < body->length || !json_is_valid(body->text)) {
        output_remark("The signature is right, but the body is not JSON.");
    } else if (for_programs) {
        json_print(stdout, body->text, &on_a_line);
        putchar('\n');
    } else {
        output_json(body->text);
    }
}

static int verify(const struct work *work)
{
    const struct options *options = work->options;
    bool interceptor = options->interceptor;
    const struct scalekit_entry headers[] = {
        {interceptor ? "interceptor-id" : "webhook-id", options->delivery_id},
        {interceptor ? "interceptor-timestamp" : "webhook-timestamp", options->timestamp},
        {interceptor ? "interceptor-signature" : "webhook-signature", options->signature},
    };
    enum scalekit_webhook_verdict verdict = scalekit_webhook_verify(
        SCALEKIT_PARAMS(scalekit_webhook_rules, .secrets = work->secrets.items,
                        .n_secrets = work->secrets.n, .now = work->now),
        SCALEKIT_PARAMS(scalekit_webhook_delivery, .headers = headers, .n_headers = 3,
                        .body = work->body.text, .body_length = work->body.length,
                        .interceptor = interceptor));

    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return output_failure(EXIT_OTHER, "%s", scalekit_webhook_verdict_text(verdict));
    show_body(&work->body, options->json);
    return EXIT_DONE;
}

/* --- sign --------------------------------------------------------------------------------------- */

#define ID_SIZE 64

static bool make_id(char id[ID_SIZE])
{
    unsigned char dice[12];
    int length = snprintf(id, ID_SIZE, "msg_");

    if (getrandom(dice, sizeof dice, 0) != (ssize_t)sizeof dice)
        return false;
    for (size_t i = 0; i < sizeof dice; i++)
        length += snprintf(id + length, ID_SIZE - (size_t)length, "%02x", dice[i]);
    return true;
}

static void show_headers(const struct options *options, const char *id, int64_t timestamp,
                         const char *signature)
{
    const char *kind = options->interceptor ? "interceptor" : "webhook";

    printf("%s-id: %s\n%s-timestamp: %" PRId64 "\n%s-signature: %s\n", kind, id, kind, timestamp,
           kind, signature);
}

static void show_record(const char *id, int64_t timestamp, const char *signature)
{
    struct record record = record_begin(stdout);

    record_text(&record, "id", id);
    record_number(&record, "timestamp", timestamp);
    record_text(&record, "signature", signature);
    record_end(&record);
}

/* With several secrets a signature of each, as while they change. */
static int sign_with_each(const struct work *work, const char *id, int64_t timestamp, char *list)
{
    for (size_t i = 0; i < work->secrets.n; i++) {
        enum scalekit_webhook_verdict verdict = scalekit_webhook_sign(
            list, work->secrets.items[i], id, timestamp, work->body.text, work->body.length);

        if (verdict != SCALEKIT_WEBHOOK_GOOD)
            return output_failure(EXIT_OTHER, "%s", scalekit_webhook_verdict_text(verdict));
        list += strlen(list);
        *list++ = ' ';
    }
    list[-1] = '\0';
    return EXIT_DONE;
}

static int sign(const struct work *work)
{
    const struct options *options = work->options;
    const char *id = options->delivery_id;
    int64_t timestamp = work->now;
    char *list, dice[ID_SIZE];
    int status = EXIT_DONE;

    if (options->timestamp)
        status = read_seconds(&timestamp, "timestamp", options->timestamp);
    if (status)
        return status;
    if (id && (!*id || strpbrk(id, "\r\n")))
        return output_misuse("--id takes one line of text");
    if (!id && !make_id(dice))
        return output_failure(EXIT_OTHER, "cannot make an id: %s", strerror(errno));
    id = id ? id : dice;
    list = malloc(work->secrets.n * SCALEKIT_WEBHOOK_SIGNATURE_SIZE + 1);
    if (!list)
        return output_error("sign", NULL);
    status = sign_with_each(work, id, timestamp, list);
    if (!status && options->json)
        show_record(id, timestamp, list);
    else if (!status)
        show_headers(options, id, timestamp, list);
    free(list);
    return status;
}

/* --- which of them ------------------------------------------------------------------------------ */

static int judge_or_sign(const struct options *options, bool verifies)
{
    struct work work;
    int status;

    if (options->forward_to || options->count || options->once || options->port ||
        options->address || options->path || options->certificate || options->key)
        return output_misuse("--forward-to, --count, --once, --port, --address, --path, --cert and "
                             "--key are for webhook listen");
    if (!verifies && options->signature)
        return output_misuse("--signature is for webhook verify");
    status = open_work(&work, options);
    if (!status)
        status = verifies ? verify(&work) : sign(&work);
    close_work(&work);
    return status;
}

int run_webhook(struct environment *environment)
{
    const struct options *options = environment->options;
    const char *what = options->names.items[0];

    if (strcmp(what, "verify") == 0)
        return judge_or_sign(options, true);
    if (strcmp(what, "sign") == 0)
        return judge_or_sign(options, false);
    if (strcmp(what, "listen") != 0)
        return output_misuse("webhook knows verify, sign and listen, not %s", what);
    if (options->delivery_id || options->timestamp || options->signature || options->now ||
        options->interceptor)
        return output_misuse("--id, --timestamp, --signature, --now and --interceptor are for "
                             "webhook verify and sign");
    return webhook_listen(environment);
}
