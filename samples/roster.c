#include "roster.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 1024

/* Cuts a line into its two names, in place.  A connection's name may have spaces, where a tab ends
 * it. */
static bool split(char *line, char **connection, char **identifier)
{
    size_t length = strlen(line);
    const char *separator;

    while (length && strchr(" \t\r\n", line[length - 1]))
        line[--length] = '\0';
    *connection = line + strspn(line, " \t");
    separator = strchr(*connection, '\t') ? "\t" : " ";
    *identifier = *connection + strcspn(*connection, separator);
    if (!**identifier)
        return false;
    *(*identifier)++ = '\0';
    *identifier += strspn(*identifier, " \t");
    return true;
}

static struct roster_entry *new_entry(struct roster *roster)
{
    size_t room = roster->room ? roster->room * 2 : 64;
    struct roster_entry *entries;

    if (roster->n == roster->room) {
        entries = realloc(roster->entries, room * sizeof *entries);
        if (!entries)
            return NULL;
        roster->entries = entries;
        roster->room = room;
    }
    roster->entries[roster->n] = (struct roster_entry){0};
    return &roster->entries[roster->n++];
}

/* What is wrong with the line; NULL: nothing. */
static const char *add_line(struct roster *roster, char *line, size_t number)
{
    char *connection, *identifier;
    struct roster_entry *entry;
    size_t size;

    if (strlen(line) == LINE_SIZE - 1 && line[LINE_SIZE - 2] != '\n')
        return "the line is too long";
    if (!split(line, &connection, &identifier))
        return "a line has CONNECTION IDENTIFIER";
    if (roster->n == ROSTER_MAX)
        return "there are too many accounts";
    size = strlen(connection) + 1;
    entry = new_entry(roster);
    if (entry)
        entry->connection = malloc(size + strlen(identifier) + 1);
    if (!entry || !entry->connection)
        return "out of memory";
    entry->identifier = entry->connection + size;
    entry->line = number;
    memcpy(entry->connection, connection, size);
    memcpy(entry->identifier, identifier, strlen(identifier) + 1);
    return NULL;
}

static bool read_lines(struct roster *roster, FILE *file, const char *name)
{
    char line[LINE_SIZE];
    const char *wrong;

    for (size_t number = 1; fgets(line, sizeof line, file); number++) {
        wrong = add_line(roster, line, number);
        if (wrong) {
            complain("%s:%zu: %s", name, number, wrong);
            return false;
        }
    }
    if (ferror(file))
        complain("cannot read %s: %s", name, strerror(errno));
    else if (!roster->n)
        complain("%s has no accounts", name);
    return !ferror(file) && roster->n;
}

bool roster_read(struct roster *roster, const char *name)
{
    bool standard = strcmp(name, "-") == 0, good;
    FILE *file = standard ? stdin : fopen(name, "r");

    if (!file) {
        complain("cannot open %s: %s", name, strerror(errno));
        return false;
    }
    good = read_lines(roster, file, standard ? "standard input" : name);
    if (!standard)
        fclose(file);
    return good;
}

void roster_free(struct roster *roster)
{
    for (size_t i = 0; i < roster->n; i++)
        free(roster->entries[i].connection);
    free(roster->entries);
    *roster = (struct roster){0};
}
