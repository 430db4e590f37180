#include "secrets.h"
#include "exit.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

#define LONGEST 8192

static int read_one(struct secrets *secrets, size_t i, const char *given)
{
    secrets->items[i] = given;
    if (*given != '@')
        return EXIT_DONE;
    if (!input_read(&secrets->files[i], given + 1, LONGEST))
        return output_misuse("--secret: %s", secrets->files[i].problem);
    input_chop(&secrets->files[i]);
    secrets->items[i] = secrets->files[i].text;
    return EXIT_DONE;
}

static bool make_room(struct secrets *secrets, size_t n)
{
    secrets->items = calloc(n, sizeof *secrets->items);
    secrets->files = calloc(n, sizeof *secrets->files);
    if (secrets->items && secrets->files)
        secrets->n = n;
    return secrets->n;
}

/* With commas between them, as while they change. */
static int read_variable(struct secrets *secrets, const char *text)
{
    size_t n = 1;
    char *copy;

    for (const char *at = text; (at = strchr(at, ',')); at++)
        n++;
    copy = make_room(secrets, n) ? strdup(text) : NULL;
    if (!copy)
        return output_error("read the secrets", NULL);
    secrets->files[0].text = copy;
    secrets->files[0].length = strlen(copy);
    for (size_t i = 0; i < n; i++)
        secrets->items[i] = strsep(&copy, ",");
    return EXIT_DONE;
}

int secrets_read(struct secrets *secrets, const struct texts *given)
{
    const char *variable = getenv("SCALEKIT_WEBHOOK_SECRET");
    int status = EXIT_DONE;

    *secrets = (struct secrets){0};
    if (!given->n && variable && *variable)
        return read_variable(secrets, variable);
    if (!given->n)
        return output_misuse("webhook needs --secret SECRET, or SCALEKIT_WEBHOOK_SECRET");
    if (!make_room(secrets, given->n))
        return output_error("read the secrets", NULL);
    for (size_t i = 0; i < given->n && !status; i++)
        status = read_one(secrets, i, given->items[i]);
    return status;
}

void secrets_free(struct secrets *secrets)
{
    for (size_t i = 0; i < secrets->n; i++) {
        if (secrets->files[i].text)
            explicit_bzero(secrets->files[i].text, secrets->files[i].length);
        free(secrets->files[i].text);
    }
    free(secrets->files);
    free(secrets->items);
    *secrets = (struct secrets){0};
}
