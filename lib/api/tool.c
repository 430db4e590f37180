#include "api/account_key.h"
#include "api/operations.h"
#include "api/tool_hook.h"
#include "core/request.h"
#include <scalekit/tool.h>
#include <string.h>

/* --- what is wrong with a value ----------------------------------------------------------------- */

static const char *check_tool_id(const char *value)
{
    return strncmp(value, "tol_", 4) == 0 ? NULL : "must begin with tol_";
}

static const char *check_tool_name(const char *value)
{
    char first = value[0];
    bool good = (first >= 'a' && first <= 'z') || (first >= '0' && first <= '9') || first == '_';

    if (!good)
        return "must begin with one of a-z 0-9 _";
    return strchr(value, '\n') ? "must be one line" : NULL;
}

/* --- results ----------------------------------------------------------------------------------- */

static const struct ski_field tool_fields[] = {
    STRING(scalekit_tool, id, "id"),
    STRING(scalekit_tool, provider, "provider"),
    JSON(scalekit_tool, definition, "definition"),
    JSON(scalekit_tool, metadata, "metadata"),
    STRINGS(scalekit_tool, tags, "tags"),
    CHOICE(scalekit_tool, is_default, "is_default"),
    TIMESTAMP(scalekit_tool, updated_at, "updated_at"),
    END,
};
static const struct ski_type tool_type = TYPE(scalekit_tool, tool_fields);

struct tool_answer {
    size_t struct_size;
    const struct scalekit_tool *tool;
};

static const struct ski_field answer_fields[] = {
    OBJECT(tool_answer, tool, scalekit_tool, tool_type, "tool", .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type answer_type = TYPE(tool_answer, answer_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_tool_page, tools, scalekit_tool, tool_type, "tools"),
    STRINGS(scalekit_tool_page, tool_names, "tool_names"),
    INTEGER(scalekit_tool_page, total_size, "total_size"),
    STRING(scalekit_tool_page, next_page_token, "next_page_token"),
    STRING(scalekit_tool_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_tool_page, page_fields);

static const struct ski_field scoped_fields[] = {
    OBJECT(scalekit_scoped_tool, tool, scalekit_tool, tool_type, "tool"),
    STRING(scalekit_scoped_tool, identifier, "identifier"),
    STRING(scalekit_scoped_tool, connected_account_id, "connected_account_id"),
    END,
};
static const struct ski_type scoped_type = TYPE(scalekit_scoped_tool, scoped_fields);

static const struct ski_field scoped_page_fields[] = {
    OBJECTS(scalekit_scoped_tool_page, tools, scalekit_scoped_tool, scoped_type, "tools"),
    INTEGER(scalekit_scoped_tool_page, total_size, "total_size"),
    STRING(scalekit_scoped_tool_page, next_page_token, "next_page_token"),
    STRING(scalekit_scoped_tool_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type scoped_page_type = TYPE(scalekit_scoped_tool_page, scoped_page_fields);

static const struct ski_word readiness_words[] = {
    {SCALEKIT_TOOL_READY, "TOOL_READINESS_STATE_READY"},
    {SCALEKIT_TOOL_NEEDS_CONNECTION, "TOOL_READINESS_STATE_NEEDS_CONNECTION"},
    {SCALEKIT_TOOL_NEEDS_REAUTH, "TOOL_READINESS_STATE_NEEDS_REAUTH"},
    {0, NULL},
};

static const struct ski_field connection_fields[] = {
    STRING(scalekit_tool_connection, connection_name, "connection_name"),
    STRING(scalekit_tool_connection, connected_account_id, "connected_account_id"),
    ENUM(scalekit_tool_connection, readiness_state, scalekit_tool_readiness, readiness_words,
         "readiness_state"),
    END,
};
static const struct ski_type connection_type = TYPE(scalekit_tool_connection, connection_fields);

static const struct ski_field found_tool_fields[] = {
    STRING(scalekit_found_tool, name, "name"),
    STRING(scalekit_found_tool, provider, "provider"),
    STRING(scalekit_found_tool, description, "description"),
    NUMBER(scalekit_found_tool, score, "score"),
    OBJECTS(scalekit_found_tool, connections, scalekit_tool_connection, connection_type,
            "connections"),
    END,
};
static const struct ski_type found_tool_type = TYPE(scalekit_found_tool, found_tool_fields);

static const struct ski_field found_fields[] = {
    OBJECTS(scalekit_found_tools, tools, scalekit_found_tool, found_tool_type, "tools"),
    END,
};
static const struct ski_type found_type = TYPE(scalekit_found_tools, found_fields);

static const struct ski_field result_fields[] = {
    JSON(scalekit_tool_result, data, "data", .flags = SKI_SECRET),
    STRING(scalekit_tool_result, execution_id, "execution_id"),
    END,
};
static const struct ski_type result_type = TYPE(scalekit_tool_result, result_fields);

/* --- parameters -------------------------------------------------------------------------------- */

#define PAGE(S)                                                                                    \
    INTEGER(S, page_size, "page_size", .max = UINT32_MAX), STRING(S, page_token, "page_token")

static const struct ski_field list_fields[] = {
    CHOICE(scalekit_list_tools_params, summary, "filter.summary"),
    STRING(scalekit_list_tools_params, provider, "filter.provider", .max = 50),
    STRING(scalekit_list_tools_params, identifier, "filter.identifier", .max = 100),
    STRINGS(scalekit_list_tools_params, tool_names, "filter.tool_name"),
    STRING(scalekit_list_tools_params, query, "filter.query", .min = 3, .max = 100),
    STRING(scalekit_list_tools_params, connection_name, "filter.connector", .max = 400,
           .check = ski_check_connection_name),
    STRING(scalekit_list_tools_params, organization_id, "filter.organization_id", .max = 32),
    STRING(scalekit_list_tools_params, user_id, "filter.user_id", .max = 32),
    STRING(scalekit_list_tools_params, connected_account_id, "filter.connected_account_id",
           .max = 100, .check = ski_check_account_id),
    PAGE(scalekit_list_tools_params),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_tools_params, list_fields);

static const struct ski_field list_scoped_fields[] = {
    STRING(scalekit_list_scoped_tools_params, identifier, "identifier", .flags = SKI_REQUIRED,
           .max = 100),
    STRINGS(scalekit_list_scoped_tools_params, providers, "filter.providers"),
    STRINGS(scalekit_list_scoped_tools_params, tool_names, "filter.tool_names"),
    STRINGS(scalekit_list_scoped_tools_params, connection_names, "filter.connection_names"),
    PAGE(scalekit_list_scoped_tools_params),
    END,
};
static const struct ski_type list_scoped_type =
    TYPE(scalekit_list_scoped_tools_params, list_scoped_fields);

/* The service requires a filter, and in a query an empty one cannot be written. */
static const char *check_list_scoped(const void *params, const char **parameter)
{
    const struct scalekit_list_scoped_tools_params *p = params;

    if (p->n_providers || p->n_tool_names || p->n_connection_names)
        return NULL;
    *parameter = "connection_names";
    return "connection_names, providers or tool_names must be given";
}

static const struct ski_field list_available_fields[] = {
    STRING(scalekit_list_available_tools_params, identifier, "identifier", .flags = SKI_REQUIRED,
           .max = 100),
    PAGE(scalekit_list_available_tools_params),
    END,
};
static const struct ski_type list_available_type =
    TYPE(scalekit_list_available_tools_params, list_available_fields);

static const struct ski_field search_fields[] = {
    STRING(scalekit_search_tools_params, query, "query", .flags = SKI_REQUIRED, .min = 1,
           .max = 256),
    STRING(scalekit_search_tools_params, identifier, "identifier", .max = 100),
    INTEGER(scalekit_search_tools_params, top_k, "top_k", .max = UINT32_MAX),
    END,
};
static const struct ski_type search_type = TYPE(scalekit_search_tools_params, search_fields);

static const struct ski_field refresh_fields[] = {
    STRING(scalekit_refresh_tools_params, identifier, "identifier", .max = 100),
    STRING(scalekit_refresh_tools_params, connected_account_id, "connected_account_id", .max = 100),
    STRING(scalekit_refresh_tools_params, connection_name, "connector", .max = 400,
           .check = ski_check_connection_name),
    STRING(scalekit_refresh_tools_params, organization_id, "organization_id", .max = 100),
    STRING(scalekit_refresh_tools_params, user_id, "user_id", .max = 100),
    END,
};
static const struct ski_type refresh_type = TYPE(scalekit_refresh_tools_params, refresh_fields);
CHECK_ACCOUNT_KEY(scalekit_refresh_tools_params)

static const struct ski_field execute_fields[] = {
    STRING(scalekit_execute_tool_params, tool_name, "tool_name", .flags = SKI_REQUIRED),
    STRING(scalekit_execute_tool_params, identifier, "identifier"),
    JSON(scalekit_execute_tool_params, tool_input, "params", .flags = SKI_SECRET | SKI_ALWAYS),
    STRING(scalekit_execute_tool_params, connected_account_id, "connected_account_id", .max = 100),
    STRING(scalekit_execute_tool_params, connection_name, "connector", .max = 400,
           .check = ski_check_connection_name),
    STRING(scalekit_execute_tool_params, organization_id, "organization_id", .max = 100),
    STRING(scalekit_execute_tool_params, user_id, "user_id", .max = 100),
    STRING(scalekit_execute_tool_params, agent_run_id, "agent_run_id", .max = 255),
    END,
};
static const struct ski_type execute_type = TYPE(scalekit_execute_tool_params, execute_fields);

static const struct ski_field write_fields[] = {
    JSON(scalekit_tool_params, definition, "definition", .flags = SKI_REQUIRED),
    JSON(scalekit_tool_params, metadata, "metadata"),
    STRINGS(scalekit_tool_params, tags, "tags"),
    END,
};
static const struct ski_type write_type = TYPE(scalekit_tool_params, write_fields);

static const struct ski_field delete_fields[] = {
    STRING(scalekit_delete_tool_params, tool_id, "id", .flags = SKI_REQUIRED | SKI_PATH,
           .check = check_tool_id),
    END,
};
static const struct ski_type delete_type = TYPE(scalekit_delete_tool_params, delete_fields);

static const struct ski_field set_default_fields[] = {
    STRING(scalekit_set_tool_default_params, name, "name", .flags = SKI_REQUIRED, .min = 1,
           .max = 100, .check = check_tool_name),
    STRING(scalekit_set_tool_default_params, schema_version, "schema_version",
           .flags = SKI_REQUIRED, .min = 1, .max = 10),
    STRING(scalekit_set_tool_default_params, tool_version, "tool_version", .flags = SKI_REQUIRED,
           .min = 1, .max = 10),
    END,
};
static const struct ski_type set_default_type =
    TYPE(scalekit_set_tool_default_params, set_default_fields);

/* --- delivery ---------------------------------------------------------------------------------- */

DELIVER(deliver_tool, scalekit_tool_cb)
DELIVER(deliver_page, scalekit_tool_page_cb)
DELIVER(deliver_scoped_page, scalekit_scoped_tool_page_cb)
DELIVER(deliver_found, scalekit_found_tools_cb)
DELIVER(deliver_result, scalekit_tool_result_cb)

/* --- operations -------------------------------------------------------------------------------- */

static scalekit_request *start_execute(scalekit_client *client, const void *params, ski_callback cb,
                                       void *user);

enum {
    LIST,
    LIST_SCOPED,
    LIST_AVAILABLE,
    SEARCH,
    REFRESH,
    EXECUTE,
    CREATE,
    UPDATE,
    DELETE,
    SET_DEFAULT
};

#define TOOL_RESULT                                                                                \
    .result = &answer_type, .result_offset = offsetof(struct tool_answer, tool),                   \
    .deliver = deliver_tool

const struct ski_operation ski_tool_operations[] = {
    [LIST] = {.name = "list_tools",
              .method = "GET",
              .path = "/api/v1/tools",
              .summary = "the tools there are, a page at a time",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .params = &list_type,
              .result = &page_type,
              .result_offset = SKI_WHOLE_RESULT,
              .deliver = deliver_page},
    [LIST_SCOPED] = {.name = "list_scoped_tools",
                     .method = "GET",
                     .path = "/api/v1/tools/scoped",
                     .summary = "the tools that a user's accounts can run, each with its account",
                     .placement = SKI_IN_QUERY,
                     .idempotency = SKI_SAFE,
                     .params = &list_scoped_type,
                     .check = check_list_scoped,
                     .result = &scoped_page_type,
                     .result_offset = SKI_WHOLE_RESULT,
                     .deliver = deliver_scoped_page},
    [LIST_AVAILABLE] = {.name = "list_available_tools",
                        .method = "GET",
                        .path = "/api/v1/tools/available",
                        .summary = "the tools that a user can run",
                        .placement = SKI_IN_QUERY,
                        .idempotency = SKI_SAFE,
                        .params = &list_available_type,
                        .result = &page_type,
                        .result_offset = SKI_WHOLE_RESULT,
                        .deliver = deliver_page},
    /* POST only for the size of a query: it changes nothing, and may be sent again. */
    [SEARCH] = {.name = "search_tools",
                .method = "POST",
                .path = "/api/v1/tools:search",
                .summary = "tools by what they do, the best first",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_SAFE,
                .preview = true,
                .params = &search_type,
                .result = &found_type,
                .result_offset = SKI_WHOLE_RESULT,
                .deliver = deliver_found},
    [REFRESH] = {.name = "refresh_tools",
                 .method = "POST",
                 .path = "/api/v1/tools:refresh",
                 .summary = "reads again what tools an account of a custom MCP provider has",
                 .placement = SKI_IN_BODY,
                 .idempotency = SKI_IDEMPOTENT,
                 .preview = true,
                 .params = &refresh_type,
                 .check = check_scalekit_refresh_tools_params,
                 .result = &page_type,
                 .result_offset = SKI_WHOLE_RESULT,
                 .deliver = deliver_page},
    [EXECUTE] = {.name = "execute_tool",
                 .method = "POST",
                 .path = "/api/v1/execute_tool",
                 .summary = "runs a tool on behalf of a user",
                 .placement = SKI_IN_BODY,
                 .idempotency = SKI_UNSAFE,
                 .kind = SCALEKIT_CLASS_TOOL,
                 .params = &execute_type,
                 .result = &result_type,
                 .result_offset = SKI_WHOLE_RESULT,
                 .deliver = deliver_result,
                 .start = start_execute},
    [CREATE] = {.name = "create_tool",
                .method = "POST",
                .path = "/api/v1/tools",
                .summary = "adds a version of a tool to the catalogue",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_UNSAFE,
                .preview = true,
                .params = &write_type,
                TOOL_RESULT},
    [UPDATE] = {.name = "update_tool",
                .method = "PUT",
                .path = "/api/v1/tools",
                .summary = "replaces a version of a tool",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &write_type,
                TOOL_RESULT},
    [DELETE] = {.name = "delete_tool",
                .method = "DELETE",
                .path = "/api/v1/tools/{id}",
                .summary = "deletes a version of a tool",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &delete_type,
                .deliver = ski_deliver_done},
    [SET_DEFAULT] = {.name = "set_tool_default",
                     .method = "POST",
                     .path = "/api/v1/tools:set_default",
                     .summary = "makes a version of a tool the one that runs",
                     .placement = SKI_IN_BODY,
                     .idempotency = SKI_IDEMPOTENT,
                     .preview = true,
                     .params = &set_default_type,
                     TOOL_RESULT},
    {.name = NULL},
};

static scalekit_request *start(scalekit_client *client, int operation, const void *params,
                               ski_callback cb, void *user)
{
    return ski_request_start(client, &ski_tool_operations[operation], params, cb, user);
}

/* Through the client's hooks, where it has some for this tool. */
static scalekit_request *start_execute(scalekit_client *client, const void *params, ski_callback cb,
                                       void *user)
{
    if (ski_tool_call_is_hooked(client, params))
        return ski_tool_call_start(client, &ski_tool_operations[EXECUTE], params, cb, user);
    return start(client, EXECUTE, params, cb, user);
}

scalekit_request *scalekit_list_tools(scalekit_client *client,
                                      const struct scalekit_list_tools_params *params,
                                      scalekit_tool_page_cb cb, void *user)
{
    static const struct scalekit_list_tools_params everything = {.struct_size = sizeof everything};

    return start(client, LIST, params ? params : &everything, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_scoped_tools(scalekit_client *client,
                                             const struct scalekit_list_scoped_tools_params *params,
                                             scalekit_scoped_tool_page_cb cb, void *user)
{
    return start(client, LIST_SCOPED, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_list_available_tools(
    scalekit_client *client, const struct scalekit_list_available_tools_params *params,
    scalekit_tool_page_cb cb, void *user)
{
    return start(client, LIST_AVAILABLE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_search_tools(scalekit_client *client,
                                        const struct scalekit_search_tools_params *params,
                                        scalekit_found_tools_cb cb, void *user)
{
    return start(client, SEARCH, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_refresh_tools(scalekit_client *client,
                                         const struct scalekit_refresh_tools_params *params,
                                         scalekit_tool_page_cb cb, void *user)
{
    return start(client, REFRESH, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_execute_tool(scalekit_client *client,
                                        const struct scalekit_execute_tool_params *params,
                                        scalekit_tool_result_cb cb, void *user)
{
    return start_execute(client, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_create_tool(scalekit_client *client,
                                       const struct scalekit_tool_params *params,
                                       scalekit_tool_cb cb, void *user)
{
    return start(client, CREATE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_tool(scalekit_client *client,
                                       const struct scalekit_tool_params *params,
                                       scalekit_tool_cb cb, void *user)
{
    return start(client, UPDATE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_tool(scalekit_client *client,
                                       const struct scalekit_delete_tool_params *params,
                                       scalekit_done_cb cb, void *user)
{
    return start(client, DELETE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_set_tool_default(scalekit_client *client,
                                            const struct scalekit_set_tool_default_params *params,
                                            scalekit_tool_cb cb, void *user)
{
    return start(client, SET_DEFAULT, params, (ski_callback)cb, user);
}
