/* catalogue.h - the tools there are: how they are defined, and which version of each runs.
 *
 * A definition names its tool and says which version it is of it: name, schema_version and
 * tool_version, "1" where they are missing.  Its provider says whose accounts the tool works on;
 * where that is missing the name does, "gmail_fetch_mails" being GMAIL's, and a name of one word
 * works on anybody's. */
#ifndef EMU_CATALOGUE_H
#define EMU_CATALOGUE_H

#include "shelf.h"
#include <yajl/yajl_tree.h>

struct emu_connection;
struct emu_json;

struct emu_tool {
    struct emu_item item;
    char *name, *schema_version, *tool_version;
    char *provider;              /* "": anybody's */
    char *description;           /* as defined */
    char *definition, *metadata; /* JSON objects */
    char *tags;                  /* a JSON array */
    bool is_default;             /* it runs; one version of each tool does */
    int64_t updated_us;
};

struct emu_catalogue {
    struct emu_shelf shelf;
};

/* What a tool is made of; `metadata` and `tags` may be NULL. */
struct emu_tool_parts {
    yajl_val definition, metadata, tags;
};

/* With those that the emulator can run.  False when memory ran out; to be freed in any case. */
bool emu_catalogue_init(struct emu_catalogue *catalogue, uint64_t first_number);
void emu_catalogue_free(struct emu_catalogue *catalogue);

/* A version of a tool; the two below: the one that runs, and the one that a definition is of. */
struct emu_tool *emu_tool_find(const struct emu_catalogue *catalogue, const char *name,
                               const char *schema_version, const char *tool_version);
struct emu_tool *emu_tool_find_default(const struct emu_catalogue *catalogue, const char *name);
struct emu_tool *emu_tool_find_defined(const struct emu_catalogue *catalogue, yajl_val definition);
struct emu_tool *emu_tool_find_id(const struct emu_catalogue *catalogue, const char *id);

/* There must be none of this definition's version.  NULL when memory ran out. */
struct emu_tool *emu_tool_add(struct emu_catalogue *catalogue, const struct emu_tool_parts *parts);
/* Of the same version.  False when memory ran out: some parts may be written then. */
bool emu_tool_write(struct emu_tool *tool, const struct emu_tool_parts *parts);
/* If it was the default, the latest version that is left becomes it. */
void emu_tool_remove(struct emu_catalogue *catalogue, struct emu_tool *tool);
void emu_tool_set_default(struct emu_catalogue *catalogue, struct emu_tool *tool);

/* Whether it works on the accounts of this connection. */
bool emu_tool_fits(const struct emu_tool *tool, const struct emu_connection *connection);

void emu_json_tool(struct emu_json *json, const char *key, const struct emu_tool *tool);

/* The next one after `tool`, by age; the first after NULL; NULL at the end. */
struct emu_tool *emu_tool_next(const struct emu_catalogue *catalogue, const struct emu_tool *tool);
/* The same among the versions that run. */
struct emu_tool *emu_tool_next_default(const struct emu_catalogue *catalogue,
                                       const struct emu_tool *tool);

#endif
