/* scalekit/mcp.h - tools for agents that speak MCP, the Model Context Protocol.
 *
 * A configuration says which connections, and which of their tools, an MCP server offers; all users
 * share it.  There are three ways to one user's tools:
 *
 *   session token   the agent calls the configuration's mcp_server_url with "Authorization: Bearer
 *                   <token>"; a new token per session.  For what is new:
 *                     scalekit_create_mcp_config()             once
 *                     scalekit_list_mcp_connected_accounts()   their links go to the user; again, or
 *                                                              a watch on each (watch.h), until all
 *                                                              are ACTIVE
 *                     scalekit_create_mcp_session_token()      once per session
 *   instance        a URL for one user of a configuration, which needs no token
 *   server          the same without a configuration
 *
 * Limits, checked before anything is sent and again by the server, are said with the members.  What
 * is out of limits fails with SCALEKIT_ERR_INVALID and the parameter's name.
 *
 * Errors of every operation here: those of connected_account.h; of those that name a configuration,
 * an instance or a server also SCALEKIT_ERR_NOT_FOUND: there is none. */
#ifndef SCALEKIT_MCP_H
#define SCALEKIT_MCP_H

#include <scalekit/connected_account.h>
#include <scalekit/request.h>

SCALEKIT_BEGIN

/* --- configurations ---------------------------------------------------------------------------- */

/* A connection of a configuration, and which of its tools are offered.  Only the first three
 * members may be sent; the others are from the service only. */
struct scalekit_mcp_config_mapping {
    size_t struct_size;
    const char *connection_name; /* required: "gmail" */
    const char *const *tools;    /* their names; none: every tool of the connection */
    size_t n_tools;
    const char *connection_id;
    const char *provider; /* "GMAIL" */
    /* The user's account, where the configuration is shown as that of an instance. */
    const char *connected_account_id;
    enum scalekit_account_status connected_account_status;
    const char *connected_account_status_text; /* as the wire has it; NULL when absent */
};

/* A configuration.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_mcp_config {
    size_t struct_size;
    const char *id;   /* "cfg_85630864460904897" */
    const char *name; /* unique in the environment */
    const char *description;
    const struct scalekit_mcp_config_mapping *const *connection_tool_mappings;
    size_t n_connection_tool_mappings;
    const char *mcp_server_url; /* as it is, for the agent; NULL where the feature is off */
};

/* One page of configurations. */
struct scalekit_mcp_config_page {
    size_t struct_size;
    const struct scalekit_mcp_config *const *configs;
    size_t n_configs;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Completion with a configuration; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_config_cb)(scalekit_request *request,
                                       const struct scalekit_mcp_config *config, void *user);

/* Completion with a page of configurations; NULL exactly when it failed.  Borrowed from the
 * request. */
typedef void (*scalekit_mcp_config_page_cb)(scalekit_request *request,
                                            const struct scalekit_mcp_config_page *page,
                                            void *user);

/* A new configuration. */
struct scalekit_create_mcp_config_params {
    size_t struct_size;
    const char *name; /* required; 1 to 100 characters of a-z 0-9 - and _; cannot be changed */
    const char *description;
    /* Up to 25.  Without any, no session token can be made. */
    const struct scalekit_mcp_config_mapping *const *connection_tool_mappings;
    size_t n_connection_tool_mappings;
};

/* Creates a configuration.  Never sent twice once a byte of it may have arrived.
 *
 *     const struct scalekit_mcp_config_mapping *mappings[] = {
 *         SCALEKIT_PARAMS(scalekit_mcp_config_mapping, .connection_name = "gmail"),
 *         SCALEKIT_PARAMS(scalekit_mcp_config_mapping, .connection_name = "slack"),
 *     };
 *
 *     scalekit_create_mcp_config(client,
 *         SCALEKIT_PARAMS(scalekit_create_mcp_config_params, .name = "daily",
 *                         .connection_tool_mappings = mappings,
 *                         .n_connection_tool_mappings = 2),
 *         on_config, user);
 *
 * HTTP: POST /api/v1/mcp/configs.  Errors: SCALEKIT_ERR_CONFLICT: there is one of that name. */
SCALEKIT_API scalekit_request *scalekit_create_mcp_config(
    scalekit_client *client, const struct scalekit_create_mcp_config_params *params,
    scalekit_mcp_config_cb cb, void *user);

/* What to change of a configuration. */
struct scalekit_update_mcp_config_params {
    size_t struct_size;
    const char *config_id;   /* required */
    const char *description; /* NULL: not sent */
    /* Up to 25, in place of those it has; none: not sent. */
    const struct scalekit_mcp_config_mapping *const *connection_tool_mappings;
    size_t n_connection_tool_mappings;
};

/* Changes a configuration; what is not sent stays as it is.
 *
 * HTTP: PUT /api/v1/mcp/configs/{config_id}. */
SCALEKIT_API scalekit_request *scalekit_update_mcp_config(
    scalekit_client *client, const struct scalekit_update_mcp_config_params *params,
    scalekit_mcp_config_cb cb, void *user);

/* Which configurations to list.  All members may be absent. */
struct scalekit_list_mcp_configs_params {
    size_t struct_size;
    const char *config_id;
    const char *name;
    const char *provider;       /* of any of its connections, upper case: "GMAIL" */
    const char *mcp_server_url; /* the whole URL */
    const char *search;         /* text in the name */
    int64_t page_size;          /* 1 to 30; 0: the server's default */
    const char *page_token;     /* of the page before */
};

/* Lists configurations, a page at a time.  `params` may be NULL: all of them.
 *
 * HTTP: GET /api/v1/mcp/configs. */
SCALEKIT_API scalekit_request *scalekit_list_mcp_configs(
    scalekit_client *client, const struct scalekit_list_mcp_configs_params *params,
    scalekit_mcp_config_page_cb cb, void *user);

/* Which configuration. */
struct scalekit_mcp_config_key {
    size_t struct_size;
    const char *config_id; /* required */
};

/* A configuration.
 *
 * HTTP: GET /api/v1/mcp/configs/{config_id}. */
SCALEKIT_API scalekit_request *scalekit_get_mcp_config(scalekit_client *client,
                                                       const struct scalekit_mcp_config_key *key,
                                                       scalekit_mcp_config_cb cb, void *user);

/* Deletes a configuration and its instances.  The users' accounts stay.
 *
 * HTTP: DELETE /api/v1/mcp/configs/{config_id}.  SCALEKIT_ERR_NOT_FOUND also when a retry finds that
 * the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_mcp_config(scalekit_client *client,
                                                          const struct scalekit_mcp_config_key *key,
                                                          scalekit_done_cb cb, void *user);

/* --- a user's accounts, and the token ---------------------------------------------------------- */

/* One connection of a configuration, as a user has it. */
struct scalekit_mcp_connection {
    size_t struct_size;
    const char *connection_id;
    const char *connection_name;      /* "gmail" */
    const char *provider;             /* "GMAIL" */
    const char *connected_account_id; /* NULL: the user has no account yet */
    enum scalekit_account_status connected_account_status;
    const char *connected_account_status_text; /* as the wire has it; NULL when absent */
    /* A fresh page for the user to authorize the account, whatever its status; good for about a
     * minute.  Secret.  NULL when links were not asked for. */
    const char *authentication_link;
};

/* All connections of a configuration, as a user has them.  Tools work when every account is
 * ACTIVE. */
struct scalekit_mcp_auth_state {
    size_t struct_size;
    const struct scalekit_mcp_connection *const *connections;
    size_t n_connections;
};

/* Completion with the state of all connections; NULL exactly when it failed.  Borrowed from the
 * request. */
typedef void (*scalekit_mcp_auth_state_cb)(scalekit_request *request,
                                           const struct scalekit_mcp_auth_state *state, void *user);

/* Whose accounts to list, of which configuration. */
struct scalekit_list_mcp_connected_accounts_params {
    size_t struct_size;
    const char *config_id;  /* required */
    const char *identifier; /* required; your name for the user */
    bool include_auth_link; /* makes the accounts that are missing, and a link for each */
};

/* The accounts of a user for the connections of a configuration.
 *
 * HTTP: POST /api/v1/mcp/configs/{config_id}/connected_accounts. */
SCALEKIT_API scalekit_request *scalekit_list_mcp_connected_accounts(
    scalekit_client *client, const struct scalekit_list_mcp_connected_accounts_params *params,
    scalekit_mcp_auth_state_cb cb, void *user);

/* Whom a token stands for, and where. */
struct scalekit_create_mcp_session_token_params {
    size_t struct_size;
    const char *config_id;  /* required */
    const char *identifier; /* required; your name for the user, 1 to 255 characters */
    int64_t expiry_seconds; /* 60 to 86,400; 0: an hour */
};

/* What an agent shows to the configuration's MCP server. */
struct scalekit_mcp_session_token {
    size_t struct_size;
    const char *token; /* a JWT; secret */
    scalekit_time expires_at;
};

/* Completion with a token; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_session_token_cb)(scalekit_request *request,
                                              const struct scalekit_mcp_session_token *token,
                                              void *user);

/* Makes a token with which an agent acts as a user on a configuration's MCP server.  A token cannot
 * be taken back before it expires.  Never sent twice once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/mcp/configs/{mcp_config_id}/tokens.  Errors: SCALEKIT_ERR_BAD_REQUEST: an
 * account of the user is missing or not ACTIVE, or the configuration has no connections. */
SCALEKIT_API scalekit_request *scalekit_create_mcp_session_token(
    scalekit_client *client, const struct scalekit_create_mcp_session_token_params *params,
    scalekit_mcp_session_token_cb cb, void *user);

/* --- instances --------------------------------------------------------------------------------- */

/* A configuration made ready for one user. */
struct scalekit_mcp_instance {
    size_t struct_size;
    const char *id; /* "inst_88630864544790977" */
    const char *name;
    const char *user_identifier; /* your name for the user */
    const struct scalekit_mcp_config *config;
    scalekit_time last_used_at; /* 0, or in the year 1: never */
    scalekit_time updated_at;
    const char *url; /* for the agent.  Whoever has it acts as the user: secret */
};

/* One page of instances. */
struct scalekit_mcp_instance_page {
    size_t struct_size;
    const struct scalekit_mcp_instance *const *instances;
    size_t n_instances;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Completion with an instance; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_instance_cb)(scalekit_request *request,
                                         const struct scalekit_mcp_instance *instance, void *user);

/* Completion with a page of instances; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_instance_page_cb)(scalekit_request *request,
                                              const struct scalekit_mcp_instance_page *page,
                                              void *user);

/* Which instance there must be. */
struct scalekit_ensure_mcp_instance_params {
    size_t struct_size;
    const char *name;            /* for people; NULL: whatever its name */
    const char *config_name;     /* required */
    const char *user_identifier; /* required; your name for the user */
};

/* The instance of a user, made if there is none.
 *
 * HTTP: POST /api/v1/mcp/instances. */
SCALEKIT_API scalekit_request *scalekit_ensure_mcp_instance(
    scalekit_client *client, const struct scalekit_ensure_mcp_instance_params *params,
    scalekit_mcp_instance_cb cb, void *user);

/* Which instances to list.  All members may be absent. */
struct scalekit_list_mcp_instances_params {
    size_t struct_size;
    const char *instance_id;
    const char *name;
    const char *config_name;
    const char *user_identifier;
    const char *search;     /* text in the name or the user's identifier */
    int64_t page_size;      /* 1 to 30; 0: the server's default */
    const char *page_token; /* of the page before */
};

/* Lists instances, a page at a time.  `params` may be NULL: all of them.
 *
 * HTTP: GET /api/v1/mcp/instances. */
SCALEKIT_API scalekit_request *scalekit_list_mcp_instances(
    scalekit_client *client, const struct scalekit_list_mcp_instances_params *params,
    scalekit_mcp_instance_page_cb cb, void *user);

/* Which instance. */
struct scalekit_mcp_instance_key {
    size_t struct_size;
    const char *instance_id; /* required */
};

/* An instance.
 *
 * HTTP: GET /api/v1/mcp/instances/{instance_id}. */
SCALEKIT_API scalekit_request *scalekit_get_mcp_instance(
    scalekit_client *client, const struct scalekit_mcp_instance_key *key,
    scalekit_mcp_instance_cb cb, void *user);

/* What to change of an instance. */
struct scalekit_update_mcp_instance_params {
    size_t struct_size;
    const char *instance_id; /* required */
    const char *name;        /* NULL: unchanged */
    const char *config_name; /* of the configuration to move it to; NULL: unchanged */
};

/* Changes an instance.
 *
 * HTTP: PATCH /api/v1/mcp/instances/{instance_id}. */
SCALEKIT_API scalekit_request *scalekit_update_mcp_instance(
    scalekit_client *client, const struct scalekit_update_mcp_instance_params *params,
    scalekit_mcp_instance_cb cb, void *user);

/* Deletes an instance; its URL stops working.  The user's accounts stay.
 *
 * HTTP: DELETE /api/v1/mcp/instances/{instance_id}.  SCALEKIT_ERR_NOT_FOUND also when a retry finds
 * that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_mcp_instance(
    scalekit_client *client, const struct scalekit_mcp_instance_key *key, scalekit_done_cb cb,
    void *user);

/* Whose accounts to look at. */
struct scalekit_get_mcp_instance_auth_state_params {
    size_t struct_size;
    const char *instance_id; /* required */
    bool include_auth_links; /* makes the accounts that are missing, and a link for each */
};

/* The accounts of an instance's user for its connections.
 *
 * HTTP: POST /api/v1/mcp/instances/{instance_id}:get_auth_state. */
SCALEKIT_API scalekit_request *scalekit_get_mcp_instance_auth_state(
    scalekit_client *client, const struct scalekit_get_mcp_instance_auth_state_params *params,
    scalekit_mcp_auth_state_cb cb, void *user);

/* --- servers ----------------------------------------------------------------------------------- */

/* A connection of a server, and which of its tools are offered. */
struct scalekit_mcp_server_mapping {
    size_t struct_size;
    const char *connection_name;   /* required: "gmail" */
    const char *const *tool_names; /* none: every tool of the connection */
    size_t n_tool_names;
    enum scalekit_account_status status; /* of the user's account; from the service only */
    const char *status_text;             /* as the wire has it; NULL when absent */
};

/* An MCP server for one user, made without a configuration. */
struct scalekit_mcp_server {
    size_t struct_size;
    const char *id;
    const char *connected_account_identifier; /* your name for the user */
    const struct scalekit_mcp_server_mapping *const *tool_mappings;
    size_t n_tool_mappings;
    const char *url; /* for the agent.  Whoever has it acts as the user: secret */
};

/* Servers; there are no pages of them. */
struct scalekit_mcp_server_list {
    size_t struct_size;
    const struct scalekit_mcp_server *const *servers;
    size_t n_servers;
};

/* Completion with a server; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_server_cb)(scalekit_request *request,
                                       const struct scalekit_mcp_server *server, void *user);

/* Completion with servers; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_mcp_server_list_cb)(scalekit_request *request,
                                            const struct scalekit_mcp_server_list *list,
                                            void *user);

/* A new server. */
struct scalekit_create_mcp_server_params {
    size_t struct_size;
    const char *connected_account_identifier; /* required; your name for the user */
    const struct scalekit_mcp_server_mapping *const *tool_mappings; /* required, at least one */
    size_t n_tool_mappings;
};

/* Creates a server; where there is an equal one, that one is the result.
 *
 * HTTP: POST /api/v1/mcp. */
SCALEKIT_API scalekit_request *scalekit_create_mcp_server(
    scalekit_client *client, const struct scalekit_create_mcp_server_params *params,
    scalekit_mcp_server_cb cb, void *user);

/* Which server. */
struct scalekit_mcp_server_key {
    size_t struct_size;
    const char *mcp_id; /* required */
};

/* A server.
 *
 * HTTP: GET /api/v1/mcp/{mcp_id}. */
SCALEKIT_API scalekit_request *scalekit_get_mcp_server(scalekit_client *client,
                                                       const struct scalekit_mcp_server_key *key,
                                                       scalekit_mcp_server_cb cb, void *user);

/* Which servers to list.  All members may be absent. */
struct scalekit_list_mcp_servers_params {
    size_t struct_size;
    const char *connected_account_identifier;
    const char *link_token; /* of the link to a server; secret */
};

/* Lists servers.  `params` may be NULL: all of them.
 *
 * HTTP: GET /api/v1/mcp. */
SCALEKIT_API scalekit_request *scalekit_list_mcp_servers(
    scalekit_client *client, const struct scalekit_list_mcp_servers_params *params,
    scalekit_mcp_server_list_cb cb, void *user);

/* Deletes a server; its URL stops working.  The user's accounts stay.
 *
 * HTTP: DELETE /api/v1/mcp/{mcp_id}.  SCALEKIT_ERR_NOT_FOUND also when a retry finds that the first
 * attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_mcp_server(scalekit_client *client,
                                                          const struct scalekit_mcp_server_key *key,
                                                          scalekit_done_cb cb, void *user);

SCALEKIT_END

#endif
