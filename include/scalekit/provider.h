/* scalekit/provider.h - the providers whose accounts users connect: Gmail, Slack, and your own.
 *
 * A custom provider is an API or an MCP server of yours, or one that Scalekit does not have.  It
 * belongs to the environment; connections are made of it like of any other.
 *
 * How users authorize is said by auth_patterns, a JSON list as text.  The service takes any shape;
 * it understands lists of one object, with
 *
 *     type          "OAUTH", "BEARER", "BASIC" or "API_KEY"; required
 *     display_name  for the user; required
 *     description   for the user
 *     fields        what the user is asked for, [] for OAUTH: a list of {"field_name", "label",
 *                   "input_type": "text" or "password", "hint", "required": true or false}
 *     is_mcp        true for an MCP server
 *     oauth_config  an object, for OAUTH only: {"pkce_enabled":true}, …
 *
 * as in
 *
 *     [{"type":"BEARER","display_name":"Token","is_mcp":true,"fields":[{"field_name":"token",
 *       "label":"Token","input_type":"password","required":true}]}]
 *
 * Limits are checked before anything is sent: they stand with each member, a provider's identifier
 * is up to 255 characters, and page_size must not be negative.  What is out of limits fails with
 * SCALEKIT_ERR_INVALID and the parameter's name.  Other errors of every operation here: those of
 * connected_account.h.  What an operation adds is said with it. */
#ifndef SCALEKIT_PROVIDER_H
#define SCALEKIT_PROVIDER_H

#include <scalekit/request.h>

SCALEKIT_BEGIN

/* --- what a provider is ------------------------------------------------------------------------ */

/* A provider.  Text that is absent, null or empty on the wire is NULL. */
struct scalekit_provider {
    size_t struct_size;
    const char *id;
    const char *identifier;   /* "GMAIL": names it in every operation */
    const char *display_name; /* "Gmail" */
    const char *description;
    const char *const *categories;
    size_t n_categories;
    const char *auth_patterns; /* a JSON list as text; see above */
    const char *icon_src;      /* a URL */
    int64_t display_priority;
    bool coming_soon;
    const char *proxy_url; /* where Scalekit's proxy sends requests */
    bool proxy_enabled;
    bool is_custom;                        /* of this environment only */
    bool is_custom_mcp;                    /* and an MCP server */
    const struct scalekit_entry *metadata; /* of a custom one */
    size_t n_metadata;
};

/* One page of providers. */
struct scalekit_provider_page {
    size_t struct_size;
    const struct scalekit_provider *const *providers;
    size_t n_providers;
    int64_t total_size;          /* of all pages */
    const char *next_page_token; /* NULL on the last page */
    const char *prev_page_token; /* NULL on the first page */
};

/* Completion with one provider; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_provider_cb)(scalekit_request *request,
                                     const struct scalekit_provider *provider, void *user);

/* Completion with a page of providers; NULL exactly when it failed.  Borrowed from the request. */
typedef void (*scalekit_provider_page_cb)(scalekit_request *request,
                                          const struct scalekit_provider_page *page, void *user);

/* Which kind of providers. */
enum scalekit_provider_type {
    SCALEKIT_PROVIDER_TYPE_UNSET,   /* not filtered: the service decides */
    SCALEKIT_PROVIDER_TYPE_DEFAULT, /* Scalekit's */
    SCALEKIT_PROVIDER_TYPE_CUSTOM,  /* the environment's own */
    SCALEKIT_PROVIDER_TYPE_ALL
};

/* Which providers to list.  All members may be absent. */
struct scalekit_list_providers_params {
    size_t struct_size;
    /* The one of that identifier: up to 255 characters of A-Z a-z 0-9 _ : -. */
    const char *identifier;
    enum scalekit_provider_type provider_type;
    const char *provider_type_text; /* a type this version does not know */
    int64_t page_size;              /* 0: the server's default */
    const char *page_token;         /* of the page before */
};

/* Lists providers, a page at a time.  `params` may be NULL: no filter.  Preview: the service may
 * still change it.
 *
 * HTTP: GET /api/v1/providers. */
SCALEKIT_API scalekit_request *scalekit_list_providers(
    scalekit_client *client, const struct scalekit_list_providers_params *params,
    scalekit_provider_page_cb cb, void *user);

/* Which provider to delete. */
struct scalekit_provider_key {
    size_t struct_size;
    const char *identifier; /* required, up to 255 characters */
};

/* --- custom providers -------------------------------------------------------------------------- */

/* A new custom provider. */
struct scalekit_create_custom_provider_params {
    size_t struct_size;
    const char *display_name; /* required, 1 to 200 of A-Z a-z 0-9 and space, not only spaces */
    const char *description;
    const char *auth_patterns; /* required: a JSON list as text; see above */
    /* Required: where Scalekit's proxy, or its MCP client, sends requests; https://, up to 2,048
     * characters. */
    const char *proxy_url;
    bool proxy_enabled;                    /* whether it may: nearly always true */
    const char *icon_src;                  /* https://, up to 2,048 characters */
    const struct scalekit_entry *metadata; /* up to 20: keys 3 to 25, values 1 to 256 characters */
    size_t n_metadata;
};

/* Creates a custom provider; the service makes its identifier.  Never sent twice once a byte of it
 * may have arrived.
 *
 * HTTP: POST /api/v1/custom-providers.  Errors: SCALEKIT_ERR_CONFLICT: it exists already. */
SCALEKIT_API scalekit_request *scalekit_create_custom_provider(
    scalekit_client *client, const struct scalekit_create_custom_provider_params *params,
    scalekit_provider_cb cb, void *user);

/* What to change of a custom provider. */
struct scalekit_update_custom_provider_params {
    size_t struct_size;
    const char *identifier;   /* required, up to 255 characters */
    const char *display_name; /* required, 1 to 200 of A-Z a-z 0-9 and space, not only spaces */
    const char *description;
    const char *auth_patterns; /* required: a JSON list as text; replaces the old one */
    const char *proxy_url;     /* https://, up to 2,048 characters */
    bool proxy_enabled;
    const char *icon_src; /* https://, up to 2,048 characters */
    /* Replaces all of the old: without it none is left.  Limits as when it is created. */
    const struct scalekit_entry *metadata;
    size_t n_metadata;
};

/* Changes a custom provider.
 *
 * HTTP: PUT /api/v1/custom-providers/{identifier}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such custom
 * provider. */
SCALEKIT_API scalekit_request *scalekit_update_custom_provider(
    scalekit_client *client, const struct scalekit_update_custom_provider_params *params,
    scalekit_provider_cb cb, void *user);

/* Deletes a custom provider for good; no connection can be made of it any more.
 *
 * HTTP: DELETE /api/v1/custom-providers/{identifier}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such
 * custom provider, also when a retry finds that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_custom_provider(
    scalekit_client *client, const struct scalekit_provider_key *params, scalekit_done_cb cb,
    void *user);

/* --- Scalekit's own providers ------------------------------------------------------------------
 * All preview: the service may still change them, and few may call them. */

/* A new provider. */
struct scalekit_create_provider_params {
    size_t struct_size;
    const char *identifier;   /* required, 1 to 100 characters of A-Z a-z 0-9 _ - */
    const char *display_name; /* required, 1 to 200 characters */
    const char *description;
    const char *const *categories;
    size_t n_categories;
    const char *auth_patterns; /* required: a JSON list as text; see above */
    const char *icon_src;
    int64_t display_priority; /* of 32 bits */
    bool coming_soon;
    const char *proxy_url;
    bool proxy_enabled;
};

/* Creates a provider.  Never sent twice once a byte of it may have arrived.
 *
 * HTTP: POST /api/v1/providers.  Errors: SCALEKIT_ERR_CONFLICT: it exists already. */
SCALEKIT_API scalekit_request *scalekit_create_provider(
    scalekit_client *client, const struct scalekit_create_provider_params *params,
    scalekit_provider_cb cb, void *user);

/* What to change of a provider. */
struct scalekit_update_provider_params {
    size_t struct_size;
    const char *identifier;   /* required, up to 255 characters */
    const char *display_name; /* required, 1 to 200 characters */
    const char *description;
    const char *const *categories;
    size_t n_categories;
    const char *auth_patterns; /* a JSON list as text; NULL: unchanged */
    const char *icon_src;
    int64_t display_priority;         /* of 32 bits */
    enum scalekit_choice coming_soon; /* unset: unchanged */
    const char *proxy_url;
    enum scalekit_choice proxy_enabled; /* unset: unchanged */
};

/* Changes a provider.
 *
 * HTTP: PUT /api/v1/providers/{identifier}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such provider. */
SCALEKIT_API scalekit_request *scalekit_update_provider(
    scalekit_client *client, const struct scalekit_update_provider_params *params,
    scalekit_provider_cb cb, void *user);

/* Deletes a provider.
 *
 * HTTP: DELETE /api/v1/providers/{identifier}.  Errors: SCALEKIT_ERR_NOT_FOUND: no such provider,
 * also when a retry finds that the first attempt had done it. */
SCALEKIT_API scalekit_request *scalekit_delete_provider(scalekit_client *client,
                                                        const struct scalekit_provider_key *params,
                                                        scalekit_done_cb cb, void *user);

SCALEKIT_END

#endif
