/* command.h - the commands, as rows of data. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "options.h"

struct environment;

struct command {
    const char *name;
    const char *arguments;            /* "CONNECTION IDENTIFIER" */
    const char *summary;              /* what it does, in a few words */
    const char *about;                /* the same at length, for its --help */
    const struct option_row *options; /* beside the global ones; NULL: none */
    size_t min, max;                  /* how many arguments it takes */
    /* Does it, and returns the exit status.  The environment is not open yet. */
    int (*run)(struct environment *environment);
};

/* All of them; ends with a NULL name. */
extern const struct command commands[];

/* The command of that name.  NULL: there is none; it has said so, with the one that was meant. */
const struct command *command_named(const char *name);

int run_call(struct environment *environment);
int run_completion(struct environment *environment);
int run_connect(struct environment *environment);
int run_help(struct environment *environment);
int run_operations(struct environment *environment);
int run_proxy(struct environment *environment);
int run_status(struct environment *environment);
int run_token(struct environment *environment);
int run_tool(struct environment *environment);
int run_watch(struct environment *environment);
int run_webhook(struct environment *environment);

extern const struct option_row connect_options[];
extern const struct option_row proxy_options[];
extern const struct option_row tool_options[];
extern const struct option_row watch_options[];
extern const struct option_row webhook_options[];

#endif
