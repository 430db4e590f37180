#include "command.h"
#include "exit.h"
#include "nearest.h"
#include "output.h"
#include <stdlib.h>
#include <string.h>

const struct option_row global_options[] = {
    OPTION(env_url, OPTION_TEXT, "env-url", 0, "URL",
           "the environment, instead of SCALEKIT_ENV_URL"),
    OPTION(client_id, OPTION_TEXT, "client-id", 0, "ID", "instead of SCALEKIT_CLIENT_ID"),
    OPTION(client_secret_file, OPTION_TEXT, "client-secret-file", 0, "FILE",
           "holds what SCALEKIT_CLIENT_SECRET would"),
    OPTION(ca_file, OPTION_TEXT, "ca-file", 0, "FILE",
           "authorities to trust, for SCALEKIT_CA_FILE"),
    OPTION(emulator, OPTION_SWITCH, "emulator", 0, NULL,
           "bring an environment along, to try things"),
    OPTION(approve, OPTION_SWITCH, "approve", 0, NULL,
           "the emulator's users consent to everything"),
    OPTION(json, OPTION_SWITCH, "json", 'j', NULL, "JSON for programs, also of errors"),
    OPTION(show_secrets, OPTION_SWITCH, "show-secrets", 0, NULL, "do not put *** for secrets"),
    OPTION(deadline_ms, OPTION_SECONDS, "deadline", 0, "SECONDS", "give up after this long"),
    OPTION(color, OPTION_COLOR, "color", 0, "WHEN", "auto (the default), always or never"),
    OPTION(verbose, OPTION_SWITCH, "verbose", 'v', NULL,
           "log exchanges on standard error, redacted"),
    OPTION(help, OPTION_SWITCH, "help", 'h', NULL, "say how it is used"),
    OPTION(version, OPTION_SWITCH, "version", 0, NULL, "print the version"),
    {.name = NULL},
};

/* --- values ----------------------------------------------------------------------------------- */

static bool texts_add(struct texts *texts, const char *item)
{
    const char **items = realloc(texts->items, (texts->n + 1) * sizeof *items);

    if (!items)
        return false;
    items[texts->n++] = item;
    texts->items = items;
    return true;
}

static int set_seconds(int64_t *milliseconds, const char *name, const char *text)
{
    char *end;
    double seconds = strtod(text, &end);

    if (!*text || text[strspn(text, "0123456789.")] || *end || seconds < 0.001 || seconds > 86400)
        return output_misuse("--%s takes seconds from 0.001 to 86400, not \"%s\"", name, text);
    *milliseconds = (int64_t)(seconds * 1000 + 0.5);
    return EXIT_DONE;
}

static int set_color(enum color *color, const char *text)
{
    static const char *const words[] = {
        [COLOR_AUTO] = "auto", [COLOR_ALWAYS] = "always", [COLOR_NEVER] = "never"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i]) == 0) {
            *color = (enum color)i;
            return EXIT_DONE;
        }
    }
    return output_misuse("--color takes auto, always or never, not \"%s\"", text);
}

static int set(struct options *options, const struct option_row *row, const char *value)
{
    void *member = (char *)options + row->offset;

    switch (row->kind) {
    case OPTION_SWITCH:
        *(bool *)member = true;
        return EXIT_DONE;
    case OPTION_TEXT:
        *(const char **)member = value;
        return EXIT_DONE;
    case OPTION_SECONDS:
        return set_seconds(member, row->name, value);
    case OPTION_COLOR:
        return set_color(member, value);
    case OPTION_TEXTS:
        return texts_add(member, value) ? EXIT_DONE : output_error("read the command line", NULL);
    }
    return EXIT_OTHER;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool matches(const struct option_row *row, const char *name, size_t length, char letter)
{
    if (letter)
        return row->letter == letter;
    return strncmp(row->name, name, length) == 0 && row->name[length] == '\0';
}

static const struct option_row *find(const struct options *options, const char *name, size_t length,
                                     char letter)
{
    const struct option_row *lists[] = {global_options,
                                        options->command ? options->command->options : NULL};

    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct option_row *row = lists[i]; row && row->name; row++)
            if (matches(row, name, length, letter))
                return row;
    return NULL;
}

static int unknown_option(const struct options *options, const char *name, size_t length)
{
    char word[128];
    struct nearest nearest;

    snprintf(word, sizeof word, "%.*s", (int)length, name);
    nearest = nearest_to(word);
    for (const struct option_row *row = global_options; row->name; row++)
        nearest_offer(&nearest, row->name);
    if (options->command && options->command->options)
        for (const struct option_row *row = options->command->options; row->name; row++)
            nearest_offer(&nearest, row->name);
    if (nearest.best)
        return output_misuse("there is no option --%s; did you mean --%s?", word, nearest.best);
    return output_misuse("there is no option --%s", word);
}

const struct command *command_named(const char *name)
{
    struct nearest nearest = nearest_to(name);

    for (const struct command *command = commands; command->name; command++) {
        if (strcmp(command->name, name) == 0)
            return command;
        nearest_offer(&nearest, command->name);
    }
    if (nearest.best)
        output_misuse("there is no command %s; did you mean %s?", name, nearest.best);
    else
        output_misuse("there is no command %s", name);
    return NULL;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* "--name", "--name=value" or "--name" "value"; *next is the argument behind it. */
static int read_long(struct options *options, const char *name, char **next, bool *took_next)
{
    size_t length = strcspn(name, "=");
    const struct option_row *row = find(options, name, length, 0);
    const char *value = name[length] ? name + length + 1 : NULL;

    if (!row)
        return unknown_option(options, name, length);
    if (!row->value && value)
        return output_misuse("--%s takes no value", row->name);
    if (row->value && !value) {
        value = *next;
        *took_next = true;
    }
    if (row->value && !value)
        return output_misuse("--%s needs %s", row->name, row->value);
    return set(options, row, value);
}

/* "-v", several together "-jv", "-Hvalue" or "-H" "value". */
static int read_short(struct options *options, const char *letters, char **next, bool *took_next)
{
    int status = EXIT_DONE;

    for (; *letters && !status; letters++) {
        const struct option_row *row = find(options, NULL, 0, *letters);
        const char *value = NULL;

        if (!row)
            return output_misuse("there is no option -%c", *letters);
        if (row->value) {
            value = letters[1] ? letters + 1 : *next;
            *took_next = !letters[1];
            if (!value)
                return output_misuse("-%c needs %s", *letters, row->value);
        }
        status = set(options, row, value);
        if (value)
            break;
    }
    return status;
}

/* What is no option: the command, then what it works on. */
static int read_name(struct options *options, const char *name)
{
    if (options->command)
        return texts_add(&options->names, name) ? EXIT_DONE
                                                : output_error("read the command line", NULL);
    options->command = command_named(name);
    return options->command ? EXIT_DONE : EXIT_USAGE;
}

static int check(const struct options *options)
{
    const struct command *command = options->command;

    if (options->help || options->version || !command)
        return EXIT_DONE;
    if (options->names.n < command->min)
        return output_misuse("%s needs %s", command->name, command->arguments);
    if (options->names.n > command->max)
        return output_misuse("%s takes no \"%s\"", command->name,
                             options->names.items[command->max]);
    if (options->approve && !options->emulator)
        return output_misuse("--approve belongs to --emulator: real users decide for themselves");
    if (options->emulator &&
        (options->env_url || options->client_id || options->client_secret_file || options->ca_file))
        return output_misuse("--emulator brings its own URL, credentials and certificate");
    return EXIT_DONE;
}

/* Whether errors are to be JSON must be known before the first one. */
static bool wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0 || strcmp(argv[i], "-j") == 0)
            return true;
    return false;
}

int options_read(struct options *options, int argc, char **argv)
{
    bool no_more = false;
    int status = EXIT_DONE;

    *options = (struct options){.json = wants_json(argc, argv)};
    output_open(options);
    for (int i = 1; i < argc && !status; i++) {
        bool took_next = false;

        if (no_more || argv[i][0] != '-' || !argv[i][1])
            status = read_name(options, argv[i]);
        else if (strcmp(argv[i], "--") == 0)
            no_more = true;
        else if (argv[i][1] == '-')
            status = read_long(options, argv[i] + 2, &argv[i + 1], &took_next);
        else
            status = read_short(options, argv[i] + 1, &argv[i + 1], &took_next);
        i += took_next;
    }
    output_open(options);
    return status ? status : check(options);
}

void options_free(struct options *options)
{
    free(options->headers.items);
    free(options->query.items);
    free(options->secrets.items);
    free(options->names.items);
    *options = (struct options){0};
}
