#include "cases.h"
#include "../core/fixture.h"
#include "api/operations.h"
#include <dirent.h>
#include <stdlib.h>

/* Where they are, in a build from another folder too. */
static const char *cases_folder(void)
{
    static char path[4096];
    const char *srcdir = getenv("srcdir");

    snprintf(path, sizeof path, "%s/test/cases", srcdir ? srcdir : ".");
    return path;
}

/* Ends the test when there is none. */
static char *read_file(const char *folder, const char *name)
{
    char path[4500];
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    FILE *file;

    snprintf(path, sizeof path, "%s/%s/%s", cases_folder(), folder, name);
    file = fopen(path, "r");
    if (!file)
        printf("%s: cannot be read\n", path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    length = getdelim(&text, &room, '\0', file);
    fclose(file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    if (length <= 0)
        text[0] = '\0';
    return text;
}

static const struct ski_operation *operation_of(const char *folder)
{
    const struct ski_operation *operation;
    char name[100];

    snprintf(name, sizeof name, "%.*s", (int)strcspn(folder, "-"), folder);
    operation = ski_operation_find(name);
    if (!operation)
        printf("test/cases/%s: names no operation\n", folder);
    CU_ASSERT_PTR_NOT_NULL_FATAL(operation);
    return operation;
}

/* Splits the text of a request, "GET /path?query", an empty line, the body, into parts. */
static void split_request(struct wire_case *c)
{
    char *line_end = strchr(c->request, '\n');
    char *space = strchr(c->request, ' ');
    char *body;

    CU_ASSERT_FATAL(line_end && space && space < line_end);
    *line_end = '\0';
    body = line_end + 1;
    if (*body) {
        CU_ASSERT_FATAL(*body == '\n');
        body++;
        body[strcspn(body, "\n")] = '\0';
    }
    c->body = body;
    c->target = space + 1;
    c->route = strdup(c->request);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c->route);
    c->route[strcspn(c->route, "?")] = '\0';
}

static int is_case(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

void cases_read(struct wire_cases *cases)
{
    struct dirent **entries;
    int count = scandir(cases_folder(), &entries, is_case, alphasort);

    CU_ASSERT_FATAL(count > 0);
    cases->count = (size_t)count;
    cases->at = calloc(cases->count, sizeof *cases->at);
    CU_ASSERT_PTR_NOT_NULL_FATAL(cases->at);
    for (size_t i = 0; i < cases->count; i++) {
        struct wire_case *c = &cases->at[i];

        c->name = strdup(entries[i]->d_name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c->name);
        c->operation = operation_of(c->name);
        c->params = read_file(c->name, "params.json");
        c->request = read_file(c->name, "request");
        c->response = read_file(c->name, "response.json");
        if (strcmp(c->name, c->operation->name) == 0)
            c->limits = read_file(c->name, "limits");
        split_request(c);
        free(entries[i]);
    }
    free(entries);
}

void cases_free(struct wire_cases *cases)
{
    for (size_t i = 0; i < cases->count; i++) {
        free(cases->at[i].name);
        free(cases->at[i].route);
        free(cases->at[i].params);
        free(cases->at[i].request);
        free(cases->at[i].response);
        free(cases->at[i].limits);
    }
    free(cases->at);
}

const struct wire_case *cases_find(const struct wire_cases *cases, const char *operation)
{
    for (size_t i = 0; i < cases->count; i++)
        if (strcmp(cases->at[i].name, operation) == 0)
            return &cases->at[i];
    return NULL;
}
