/* options.h - the command line: what is given before and behind the command's name.
 *
 * Options are rows of data; the parser, the help texts and the shell's completion are made of them.
 * They may stand anywhere; "--" ends them. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* The values of an option that may be repeated. */
struct texts {
    const char **items;
    size_t n;
};

struct command;

/* Everything a command line can say. */
struct options {
    /* Of every command. */
    const char *env_url, *client_id, *client_secret_file, *ca_file;
    int64_t deadline_ms; /* 0: not given */
    bool emulator, approve;
    bool json, verbose, show_secrets;
    enum color color;
    bool help, version;

    /* Of some. */
    const char *connection;           /* tool, watch */
    const char *identifier, *account; /* tool */
    const char *state, *verify_url;   /* connect */
    const char *data;                 /* proxy */
    struct texts headers, query;
    bool include;
    bool all, any, follow, until_reauthorized, progress; /* watch */
    int64_t stats_ms;
    struct texts secrets; /* webhook */
    const char *delivery_id, *timestamp, *signature, *now;
    bool interceptor;
    const char *forward_to, *count, *port, *address, *path, *certificate, *key; /* ... listen */
    bool once;

    const struct command *command; /* NULL: none was named */
    struct texts names;            /* what is no option, behind the command */
};

enum option_kind {
    OPTION_SWITCH,  /* bool */
    OPTION_TEXT,    /* const char * */
    OPTION_SECONDS, /* int64_t, milliseconds */
    OPTION_COLOR,   /* enum color */
    OPTION_TEXTS    /* struct texts */
};

/* An option.  Lists end with a NULL name. */
struct option_row {
    const char *name;  /* "deadline" */
    char letter;       /* 'd'; 0: none */
    const char *value; /* what follows it, "SECONDS"; NULL: nothing */
    const char *help;
    enum option_kind kind;
    size_t offset; /* in struct options */
};

#define OPTION(member, kind_, name_, letter_, value_, help_)                                       \
    {                                                                                              \
        .name = name_, .letter = letter_, .value = value_, .help = help_, .kind = kind_,           \
        .offset = offsetof(struct options, member)                                                 \
    }

extern const struct option_row global_options[];

/* Reads the command line.  On success 0; else an exit status, and it has said what is wrong.  Texts
 * are borrowed from argv. */
int options_read(struct options *options, int argc, char **argv);
void options_free(struct options *options);

#endif
