/* scalekit - every operation of AgentKit, and the flows made of them, from a shell. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "output.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define ANY SIZE_MAX /* as many arguments as there are */

const struct command commands[] = {
    {"connect", "CONNECTION IDENTIFIER", "connect a user's account, and wait for the consent",
     "Makes the account of the user IDENTIFIER on CONNECTION (\"gmail\") if there is none,\n"
     "prints a link for the user to open, and waits until the account is ACTIVE.\n",
     connect_options, 2, 2, run_connect},
    {"status", "CONNECTION IDENTIFIER...", "whether accounts can be used",
     "Looks at accounts, each named by a connection and an identifier, without waiting.\n", NULL, 2,
     ANY, run_status},
    {"watch", "[CONNECTION IDENTIFIER]...", "what becomes of accounts, until they settle",
     "Follows accounts, each named by a connection and an identifier, and prints a line\n"
     "for each event until all are ACTIVE, EXPIRED, REVOKED or DISCONNECTED.  With\n"
     "--connection it lists all accounts of a connection, then tells which are added, changed\n"
     "or removed, until Ctrl-C or --deadline.\n",
     watch_options, 0, ANY, run_watch},
    {"token", "CONNECTION IDENTIFIER", "an account's access token or credentials",
     "Prints the access token, freshly refreshed, and nothing else; masked, unless\n"
     "--show-secrets is given.  Credentials of several parts are printed as JSON.\n",
     NULL, 2, 2, run_token},
    {"tool", "NAME [name=value | name:=JSON]...", "run a tool for a user",
     "Runs a tool with the account of --connection and --identifier, or of --account, and\n"
     "prints what it returns.  Its input is made of name=value for text and name:=JSON for\n"
     "anything else; a.b=value goes into an object, @FILE and - stand for what a file and\n"
     "standard input hold.\n",
     tool_options, 1, ANY, run_tool},
    {"proxy", "CONNECTION IDENTIFIER METHOD PATH", "call the provider with a user's account",
     "Sends a request to the provider's API through Scalekit, which adds the user's\n"
     "credentials, and prints the answer's body as it comes.  What is not done within a\n"
     "minute fails; --deadline allows more.\n",
     proxy_options, 4, 4, run_proxy},
    {"call", "OPERATION [name=value | name:=JSON]...", "any operation by its name",
     "Calls an operation; scalekit operations lists them, and the parameters of each.\n"
     "\n"
     "  name=value         by the parameter's type: text, a number, true or false, a moment\n"
     "                     (2026-01-31T12:00:00Z), a duration (90s, 15m, 2h, 7d)\n"
     "  name=a name=b      the items of a list\n"
     "  name:=JSON         JSON as it is\n"
     "  name=@FILE name=-  what a file, or standard input, holds; := too\n"
     "  a.b=value          a member of an object, an entry of a map\n"
     "  a[0].b=value       a member of a list's first item\n"
     "\n"
     "Prints the result as JSON, secrets as *** unless --show-secrets is given.  Errors are\n"
     "JSON, too, unless a terminal shows them.\n",
     NULL, 1, ANY, run_call},
    {"webhook", "verify | sign | listen", "judge, make or receive what Scalekit posts",
     "verify reads the body of a delivery from standard input, and prints it if its signature\n"
     "is right; else it says what is wrong, and exits with 1.  sign prints the headers that\n"
     "belong to a body, for tests of a server.\n"
     "\n"
     "listen receives what is posted to http://127.0.0.1:8377/, to which a tunnel may lead, and\n"
     "prints a line for each event whose signature is right; with --forward-to it posts these\n"
     "on, as they came.  It ends with Ctrl-C, --count, --once or --deadline.\n"
     "\n"
     "None of them needs an environment.  With --emulator listen has its own, and a user to\n"
     "click a link, or with --approve one who does.\n",
     webhook_options, 1, 1, run_webhook},
    {"operations", "[OPERATION]", "the operations, or the parameters of one",
     "Lists what scalekit call can call, or says what one of them takes.\n", NULL, 0, 1,
     run_operations},
    {"completion", "bash", "a script that completes these words in a shell",
     "Prints a script for bash.  Where bash-completion is installed, it is used by itself;\n"
     "else: source <(scalekit completion bash)\n",
     NULL, 1, 1, run_completion},
    {"help", "[COMMAND]", "how it is used", "Says how the program, or a command, is used.\n", NULL,
     0, 1, run_help},
    {.name = NULL},
};

/* --- help ------------------------------------------------------------------------------------- */

static void add_option(struct table *table, const struct option_row *row)
{
    char name[64];

    snprintf(name, sizeof name, "  %c%c%s--%s%s%s", row->letter ? '-' : ' ',
             row->letter ? row->letter : ' ', row->letter ? ", " : "  ", row->name,
             row->value ? " " : "", row->value ? row->value : "");
    table_add(table, (const char *const[]){name, row->help});
}

static int print_options(const char *title, const struct option_row *rows)
{
    struct table table = {.columns = 2};

    printf("\n%s%s%s\n", output_bold(), title, output_normal());
    for (const struct option_row *row = rows; row->name; row++)
        add_option(&table, row);
    return output_plain_table(&table);
}

static int help_about(const struct command *command)
{
    int status = EXIT_DONE;

    printf("%sUsage:%s scalekit %s [option]... %s\n\n%s", output_bold(), output_normal(),
           command->name, command->arguments, command->about);
    if (command->options)
        status = print_options("Options", command->options);
    return status ? status : print_options("Options of every command", global_options);
}

static int print_commands(void)
{
    struct table table = {.columns = 2};
    char name[32];

    printf("\n%sCommands%s\n", output_bold(), output_normal());
    for (const struct command *command = commands; command->name; command++) {
        snprintf(name, sizeof name, "  %s", command->name);
        table_add(&table, (const char *const[]){name, command->summary});
    }
    return output_plain_table(&table);
}

static int help(void)
{
    int status;

    printf("%sUsage:%s scalekit COMMAND [option]... [argument]...\n"
           "Connects users' accounts through Scalekit AgentKit, and uses them.\n",
           output_bold(), output_normal());
    status = print_commands();
    if (!status)
        status = print_options("Options of every command", global_options);
    if (status)
        return status;
    printf("\nThe environment variables SCALEKIT_ENV_URL, SCALEKIT_CLIENT_ID and\n"
           "SCALEKIT_CLIENT_SECRET say which environment to use; --emulator needs none.\n"
           "scalekit help COMMAND says more about a command.\n"
           "\n%sExit status%s\n",
           output_bold(), output_normal());
    exit_print_table(stdout);
    return EXIT_DONE;
}

int run_help(struct environment *environment)
{
    const struct texts *names = &environment->options->names;
    const struct command *command;

    if (!names->n)
        return help();
    command = command_named(names->items[0]);
    return command ? help_about(command) : EXIT_USAGE;
}

/* --- from beginning to end -------------------------------------------------------------------- */

static int run(const struct options *options)
{
    struct environment environment = {.options = options};
    int status = options->command->run(&environment);

    if (environment.signal)
        status = EXIT_BY_SIGNAL + environment.signal;
    environment_close(&environment);
    return status;
}

static int do_as_told(const struct options *options)
{
    if (options->version)
        return printf("scalekit %s\n", SCALEKIT_VERSION) < 0 ? EXIT_OTHER : EXIT_DONE;
    if (options->help)
        return options->command ? help_about(options->command) : help();
    if (!options->command)
        return output_misuse("a COMMAND is needed: connect, call, operations, …");
    return run(options);
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_read(&options, argc, argv);

    signal(SIGPIPE, SIG_IGN); /* a reader that leaves is found by output_close() */
    if (!status)
        status = do_as_told(&options);
    options_free(&options);
    return output_close(status);
}
