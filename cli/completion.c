/* scalekit completion - a script for bash, with everything that the tables know.
 *
 * It needs no bash-completion.  Readline cuts words at '=' and ':' (COMP_WORDBREAKS), so the script
 * takes the word from the line itself, and answers with what is behind the last cut.  '@' is no
 * cut: where readline stops at it, it counts it to the word. */
#include "command.h"
#include "environment.h"
#include "exit.h"
#include "output.h"
#include <scalekit/operation.h>
#include <stdio.h>
#include <string.h>

/* A function that prints words for its first argument: `case` by case. */
static void begin_cases(const char *function)
{
    printf("\n%s()\n{\n    case $1 in\n", function);
}

static void end_cases(void)
{
    fputs("    esac\n}\n", stdout);
}

static void put_options(const struct option_row *rows)
{
    for (const struct option_row *row = rows; row && row->name; row++)
        printf(" --%s%s", row->name, row->value ? "=" : "");
}

static void put_commands(void)
{
    begin_cases("_scalekit_options");
    for (const struct command *command = commands; command->name; command++) {
        if (!command->options)
            continue;
        printf("    %s) printf '%%s' '", command->name);
        put_options(command->options);
        puts("' ;;");
    }
    end_cases();
    fputs("\n_scalekit_commands='", stdout);
    for (const struct command *command = commands; command->name; command++)
        printf("%s%s", command == commands ? "" : " ", command->name);
    fputs("'\n_scalekit_global_options='", stdout);
    put_options(global_options);
    puts("'");
}

/* Short options that are followed by a value, as patterns of a `case`. */
static void put_short_options(void)
{
    const struct option_row *lists[] = {global_options, connect_options, proxy_options,
                                        tool_options,   watch_options,   webhook_options};
    const char *separator = "";

    fputs("\n# Whether the next word belongs to this one.\n"
          "_scalekit_takes_value()\n{\n    case $1 in\n    ",
          stdout);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        for (const struct option_row *row = lists[i]; row->name; row++) {
            if (!row->value)
                continue;
            printf("%s--%s", separator, row->name);
            separator = " | ";
            if (row->letter)
                printf(" | -%c", row->letter);
        }
    }
    fputs(") return 0 ;;\n    esac\n    return 1\n}\n", stdout);
}

static void put_parameters(const scalekit_operation *operation)
{
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};

    printf("    %s) printf '%%s' '", scalekit_operation_name(operation));
    for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++) {
        const char *bracket = strstr(parameter.name, "[]");
        int stem = bracket ? (int)(bracket - parameter.name) : 0;

        if (bracket)
            printf(" %.*s[0]%s=", stem, parameter.name, bracket + 2);
        else
            printf(" %s%s", parameter.name,
                   parameter.type == SCALEKIT_PARAMETER_OBJECT ? ":=" : "=");
    }
    puts("' ;;");
}

/* What a parameter may be, under "operation.parameter". */
static void put_words(const scalekit_operation *operation)
{
    struct scalekit_parameter parameter = {.struct_size = sizeof parameter};
    const char *word;

    for (size_t i = 0; scalekit_operation_parameter(operation, i, &parameter); i++) {
        bool boolean = parameter.type == SCALEKIT_PARAMETER_BOOLEAN;

        if (!boolean && !scalekit_operation_word(operation, i, 0))
            continue;
        printf("    '%s.%s') printf '%%s' '", scalekit_operation_name(operation), parameter.name);
        for (size_t j = 0; (word = scalekit_operation_word(operation, i, j)); j++)
            printf(" %s", word);
        puts(boolean ? " true false' ;;" : "' ;;");
    }
}

static void put_operations(void)
{
    const scalekit_operation *operation;

    begin_cases("_scalekit_parameters");
    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        put_parameters(operation);
    end_cases();
    begin_cases("_scalekit_words");
    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        put_words(operation);
    end_cases();
    fputs("\n_scalekit_operations='", stdout);
    for (size_t i = 0; (operation = scalekit_operation_at(i)); i++)
        printf("%s%s", i ? " " : "", scalekit_operation_name(operation));
    puts("'");
}

static const char completer[] =
    "\n"
    "# _scalekit_reply ARGUMENT...: what compgen makes of $value, which stands at the end of "
    "$word.\n"
    "_scalekit_reply()\n"
    "{\n"
    "    local breaks=${COMP_WORDBREAKS//[^=:]} prefix=${word%\"$value\"} cut=\n"
    "\n"
    "    [[ -z $breaks ]] || cut=${word%\"${word##*[$breaks]}\"}\n"
    "    mapfile -t COMPREPLY < <(compgen -P \"$prefix\" \"$@\" -- \"$value\")\n"
    "    COMPREPLY=(\"${COMPREPLY[@]#\"$cut\"}\")\n"
    "    [[ ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null\n"
    "    [[ $1 == -f ]] || return 0\n"
    "    compopt -o filenames 2>/dev/null\n"
    "    if [[ ${#COMPREPLY[@]} -eq 1 && -d ${COMPREPLY[0]#@} ]]; then\n"
    "        COMPREPLY[0]+=/ # readline does not know what is behind an @\n"
    "        compopt -o nospace 2>/dev/null\n"
    "    fi\n"
    "}\n"
    "\n"
    "_scalekit()\n"
    "{\n"
    "    local line=${COMP_LINE:0:COMP_POINT} words=() word value before= command= first= n=0 i\n"
    "\n"
    "    COMPREPLY=()\n"
    "    read -ra words <<<\"$line\"\n"
    "    word=\n"
    "    if [[ $line != *[[:space:]] ]]; then\n"
    "        word=${words[${#words[@]} - 1]}\n"
    "        unset \"words[${#words[@]} - 1]\"\n"
    "    fi\n"
    "    value=$word\n"
    "    for ((i = 1; i < ${#words[@]}; i++)); do\n"
    "        before=${words[i]}\n"
    "        if _scalekit_takes_value \"$before\"; then\n"
    "            ((++i < ${#words[@]})) && before=\n"
    "        elif [[ $before != -* && -z $command ]]; then\n"
    "            command=$before\n"
    "        elif [[ $before != -* ]]; then\n"
    "            ((n++)) || first=$before\n"
    "        fi\n"
    "    done\n"
    "    if [[ $word == --*=* ]]; then\n"
    "        before=${word%%=*} value=${word#*=}\n"
    "    fi\n"
    "    if _scalekit_takes_value \"$before\"; then\n"
    "        case $before in\n"
    "        --color) _scalekit_reply -W 'auto always never' ;;\n"
    "        --*-file | --cert | --key) _scalekit_reply -f ;;\n"
    "        -d | --data | --secret | --secret2)\n"
    "            [[ $value == @* ]] || return\n"
    "            value=${value#@}\n"
    "            _scalekit_reply -f\n"
    "            ;;\n"
    "        esac\n"
    "        return\n"
    "    fi\n"
    "    if [[ $word == -* ]]; then\n"
    "        _scalekit_reply -W \"$_scalekit_global_options $(_scalekit_options \"$command\")\"\n"
    "        return\n"
    "    fi\n"
    "    case $command in\n"
    "    '') _scalekit_reply -W \"$_scalekit_commands\" ;;\n"
    "    help) ((n)) || _scalekit_reply -W \"$_scalekit_commands\" ;;\n"
    "    completion) _scalekit_reply -W bash ;;\n"
    "    webhook) ((n)) || _scalekit_reply -W 'verify sign listen' ;;\n"
    "    operations) [[ -n $first ]] || _scalekit_reply -W \"$_scalekit_operations\" ;;\n"
    "    proxy) ((n != 2)) || _scalekit_reply -W 'GET POST PUT PATCH DELETE' ;;\n"
    "    call | tool)\n"
    "        if [[ $word == *=@* ]]; then\n"
    "            value=${word#*=@}\n"
    "            _scalekit_reply -f\n"
    "        elif [[ $command == tool ]]; then\n"
    "            :\n"
    "        elif [[ -z $first ]]; then\n"
    "            _scalekit_reply -W \"$_scalekit_operations\"\n"
    "        elif [[ $word == *=* ]]; then\n"
    "            value=${word#*=}\n"
    "            _scalekit_reply -W \"$(_scalekit_words \"$first.${word%%=*}\")\"\n"
    "        else\n"
    "            _scalekit_reply -W \"$(_scalekit_parameters \"$first\")\"\n"
    "        fi\n"
    "        ;;\n"
    "    esac\n"
    "}\n"
    "\n"
    "complete -F _scalekit scalekit\n";

int run_completion(struct environment *environment)
{
    const char *shell = environment->options->names.items[0];

    if (strcmp(shell, "bash") != 0)
        return output_misuse("completion knows bash, not %s", shell);
    puts("# Completion of scalekit " SCALEKIT_VERSION
         " for bash, as \"scalekit completion bash\" prints it.");
    put_commands();
    put_short_options();
    put_operations();
    fputs(completer, stdout);
    return EXIT_DONE;
}
