/* scalekit/tool.h - the tools of providers: finding them, running them on behalf of a user, and
 * changing the catalogue.
 *
 * A tool ("gmail_fetch_mails") belongs to a provider ("GMAIL") and is defined by a JSON object,
 *
 *     {"name":"gmail_fetch_mails","description":"…","input_schema":{"type":"object",…}}
 *
 * of which input_schema, a JSON Schema, says what tool_input must look like: hand name, description
 * and input_schema to a language model, and what it answers to scalekit_execute_tool().  There may
 * be several versions of a tool; the default one runs.
 *
 * Limits, checked before anything is sent: connection_name up to 400 characters of
 * A-Z a-z 0-9 _ : - and space; a query's identifier up to 100; page_size and top_k not negative.
 * Other limits stand with their members.  What is out of limits fails with SCALEKIT_ERR_INVALID and
 * the parameter's name.  Other errors of every operation here: those of connected_account.h.  What
 * an operation adds is said with it. */
#ifndef SCALEKIT_TOOL_H
#define SCALEKIT_TOOL_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* --- what a tool is ---------------------------------------------------------------------------- */

/* A version of a tool.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_tool {
    size_t struct_size;
    const char *id;         /* "tol_24834495392086178" */
    const char *provider;   /* "GMAIL" */
    const char *definition; /* a JSON object as text: name, description, input_schema, … */
    const char *metadata;   /* a JSON object as text */
    const char *const *tags;
    size_t n_tags;
    enum scalekit_choice is_default; /* whether it is the version that runs */
    scalekit_time updated_at;
};

/* One page of tools. */
struct scalekit_tool_page {
    size_t struct_size;
    const struct scalekit_tool *const *tools; /* empty when only names were asked for */
    size_t n_tools;
    const char *const *tool_names; /* empty unless only names were asked for */
    size_t n_tool_names;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* A tool, and an account that it can run with. */
struct scalekit_scoped_tool {
    size_t struct_size;
    const struct scalekit_tool *tool;
    const char *identifier;           /* of the account's user */
    const char *connected_account_id; /* "ca_24834495392086178" */
};

/* One page of them. */
struct scalekit_scoped_tool_page {
    size_t struct_size;
    const struct scalekit_scoped_tool *const *tools;
    size_t n_tools;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Completion with one tool; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_cb)(scalekit_request *request, const struct scalekit_tool *tool,
                                 void *user);

/* Completion with a page of tools; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_page_cb)(scalekit_request *request,
                                      const struct scalekit_tool_page *page, void *user);

/* The same of tools with their accounts. */
typedef void (*scalekit_scoped_tool_page_cb)(scalekit_request *request,
                                             const struct scalekit_scoped_tool_page *page,
                                             void *user);

/* --- finding tools ----------------------------------------------------------------------------- */

/* Which tools to list.  All members may be absent. */
struct scalekit_list_tools_params {
    size_t struct_size;
    enum scalekit_choice summary;  /* SCALEKIT_YES: only the names, in tool_names */
    const char *provider;          /* up to 50 characters, upper case: "GMAIL" */
    const char *identifier;        /* up to 100 characters */
    const char *const *tool_names; /* exact names, any of them */
    size_t n_tool_names;
    const char *query; /* words of the name, 3 to 100 characters */
    const char *connection_name;
    const char *organization_id;      /* up to 32 characters */
    const char *user_id;              /* up to 32 characters */
    const char *connected_account_id; /* up to 100 characters, beginning with "ca_" */
    /* 0: the server's default, 300.  It takes 1,000 for more than that, and 100 with a query. */
    int64_t page_size;
    const char *page_token; /* of the page before */
};

/* Lists tools, a page at a time.  `params` may be NULL: all of them.
 *
 * HTTP: GET /api/v1/tools.  Errors: SCALEKIT_ERR_NOT_FOUND: no account of connection_name and
 * identifier. */
SCALEKIT_API scalekit_request *scalekit_list_tools(scalekit_client *client,
                                                   const struct scalekit_list_tools_params *params,
                                                   scalekit_tool_page_cb cb, void *user);

/* Whose tools to list, and which of them: at least one of the three lists must be given. */
struct scalekit_list_scoped_tools_params {
    size_t struct_size;
    const char *identifier;       /* required; up to 100 characters */
    const char *const *providers; /* upper case: "GMAIL" */
    size_t n_providers;
    const char *const *tool_names;
    size_t n_tool_names;
    const char *const *connection_names;
    size_t n_connection_names;
    int64_t page_size;      /* as in scalekit_list_tools() */
    const char *page_token; /* of the page before */
};

/* Lists the tools that a user's accounts can run, each with its account, a page at a time.
 *
 * HTTP: GET /api/v1/tools/scoped. */
SCALEKIT_API scalekit_request *scalekit_list_scoped_tools(
    scalekit_client *client, const struct scalekit_list_scoped_tools_params *params,
    scalekit_scoped_tool_page_cb cb, void *user);

/* Whose tools to list. */
struct scalekit_list_available_tools_params {
    size_t struct_size;
    const char *identifier; /* required; up to 100 characters */
    int64_t page_size;      /* as in scalekit_list_tools() */
    const char *page_token; /* of the page before */
};

/* Lists the tools that a user can run with any account, each once, a page at a time.
 *
 * HTTP: GET /api/v1/tools/available.  Errors: SCALEKIT_ERR_NOT_FOUND: nobody has this identifier. */
SCALEKIT_API scalekit_request *scalekit_list_available_tools(
    scalekit_client *client, const struct scalekit_list_available_tools_params *params,
    scalekit_tool_page_cb cb, void *user);

/* Whether an account can run a tool now. */
enum scalekit_tool_readiness {
    SCALEKIT_TOOL_READINESS_UNKNOWN, /* absent, or a new word: see readiness_state_text */
    SCALEKIT_TOOL_READY,
    SCALEKIT_TOOL_NEEDS_CONNECTION, /* the user has not connected an account yet */
    SCALEKIT_TOOL_NEEDS_REAUTH      /* the user must authorize again */
};

/* A connection that a found tool can run with. */
struct scalekit_tool_connection {
    size_t struct_size;
    const char *connection_name;
    const char *connected_account_id; /* NULL: there is no account yet */
    enum scalekit_tool_readiness readiness_state;
    const char *readiness_state_text; /* as the wire has it, "TOOL_READINESS_STATE_READY" */
};

/* A tool that was found. */
struct scalekit_found_tool {
    size_t struct_size;
    const char *name;     /* "gmail_fetch_mails" */
    const char *provider; /* "GMAIL" */
    const char *description;
    double score;                                              /* the higher, the better it fits */
    const struct scalekit_tool_connection *const *connections; /* of the identifier */
    size_t n_connections;
};

/* What was found, the best first. */
struct scalekit_found_tools {
    size_t struct_size;
    const struct scalekit_found_tool *const *tools;
    size_t n_tools;
};

/* What to search for. */
struct scalekit_search_tools_params {
    size_t struct_size;
    const char *query;      /* required, 1 to 256 characters: "read my mail" */
    const char *identifier; /* whose connections to show; up to 100 characters */
    int64_t top_k; /* how many at most; 0: the server's default, 10; it takes 50 for more */
};

/* Completion with what was found; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_found_tools_cb)(scalekit_request *request,
                                        const struct scalekit_found_tools *found, void *user);

/* Finds tools by what they do.  Preview: the service may still change it.
 *
 * HTTP: POST /api/v1/tools:search. */
SCALEKIT_API scalekit_request *scalekit_search_tools(
    scalekit_client *client, const struct scalekit_search_tools_params *params,
    scalekit_found_tools_cb cb, void *user);

/* Which account's tools to read again: connected_account_id, or connection_name and identifier. */
struct scalekit_refresh_tools_params {
    size_t struct_size;
    const char *connected_account_id; /* up to 100 characters */
    const char *connection_name;
    const char *identifier;
    const char *organization_id; /* up to 100 characters */
    const char *user_id;         /* up to 100 characters */
};

/* Has the catalogue read again what tools an account of a custom MCP provider has; it changes no
 * tokens.  All of them come in one page.  Preview: the service may still change it.
 *
 * HTTP: POST /api/v1/tools:refresh.  Errors: SCALEKIT_ERR_NOT_FOUND: no such account;
 * SCALEKIT_ERR_BAD_REQUEST: it is of another kind of provider. */
SCALEKIT_API scalekit_request *scalekit_refresh_tools(
    scalekit_client *client, const struct scalekit_refresh_tools_params *params,
    scalekit_tool_page_cb cb, void *user);

/* --- running a tool ---------------------------------------------------------------------------- */

/* Which tool, for which account, with what input. */
struct scalekit_execute_tool_params {
    size_t struct_size;
    const char *tool_name;            /* required: "gmail_fetch_mails" */
    const char *connected_account_id; /* up to 100 characters; or the next two */
    const char *connection_name;
    const char *identifier;      /* of any length */
    const char *organization_id; /* up to 100 characters */
    const char *user_id;         /* up to 100 characters */
    const char *agent_run_id;    /* up to 255 characters; appears in the tool-call log */
    const char *tool_input; /* a JSON object as text; NULL: {}.  Numbers travel as doubles: send
                                  * integers beyond 2^53 as strings. */
};

/* What the tool returned. */
struct scalekit_tool_result {
    size_t struct_size;
    const char *data; /* a JSON object as text; its shape is the tool's */
    const char *execution_id;
};

/* Completion of a tool call; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_tool_result_cb)(scalekit_request *request,
                                        const struct scalekit_tool_result *result, void *user);

/* Runs a tool.  Never sent twice once a byte of it may have arrived; the time allowed is the
 * client's tool_deadline_ms.
 *
 * HTTP: POST /api/v1/execute_tool.  Errors: SCALEKIT_ERR_NOT_FOUND: no such tool or account;
 * SCALEKIT_ERR_TOOL and its kin: the provider failed; SCALEKIT_ERR_REJECTED: a hook refused it
 * (tool_hook.h). */
SCALEKIT_API scalekit_request *scalekit_execute_tool(
    scalekit_client *client, const struct scalekit_execute_tool_params *params,
    scalekit_tool_result_cb cb, void *user);

/* --- changing the catalogue --------------------------------------------------------------------
 * All preview: the service may still change them. */

/* What a version of a tool is made of. */
struct scalekit_tool_params {
    size_t struct_size;
    const char *definition; /* required: a JSON object as text, with name and versions */
    const char *metadata;   /* a JSON object as text */
    const char *const *tags;
    size_t n_tags;
};

/* Adds a version of a tool.  Never sent twice once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/tools.  Errors: SCALEKIT_ERR_CONFLICT: it exists already. */
SCALEKIT_API scalekit_request *scalekit_create_tool(scalekit_client *client,
                                                    const struct scalekit_tool_params *params,
                                                    scalekit_tool_cb cb, void *user);

/* Replaces a version of a tool, which the definition names.
 *
 * HTTP: PUT /api/v1/tools.  Errors: SCALEKIT_ERR_NOT_FOUND: no such version. */
SCALEKIT_API scalekit_request *scalekit_update_tool(scalekit_client *client,
                                                    const struct scalekit_tool_params *params,
                                                    scalekit_tool_cb cb, void *user);

/* Which version of a tool to delete. */
struct scalekit_delete_tool_params {
    size_t struct_size;
    const char *tool_id; /* required, beginning with "tol_" */
};

/* Deletes a version of a tool.
 *
 * HTTP: DELETE /api/v1/tools/{id}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such version, also when a
 * retry finds that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_tool(
    scalekit_client *client, const struct scalekit_delete_tool_params *params, scalekit_done_cb cb,
    void *user);

/* Which version of a tool to make the default.  All are required. */
struct scalekit_set_tool_default_params {
    size_t struct_size;
    const char *name;           /* 1 to 100 characters, the first of a-z 0-9 _ */
    const char *schema_version; /* 1 to 10 characters: "1" */
    const char *tool_version;   /* 1 to 10 characters: "1" */
};

/* Makes a version of a tool the one that runs.
 *
 * HTTP: POST /api/v1/tools:set_default.  Errors: SCALEKIT_ERR_NOT_FOUND: no such version. */
SCALEKIT_API scalekit_request *scalekit_set_tool_default(
    scalekit_client *client, const struct scalekit_set_tool_default_params *params,
    scalekit_tool_cb cb, void *user);

SCALEKIT_END

#endif
