#include "api/operations.h"
#include "core/request.h"
#include <scalekit/provider.h>
#include <string.h>

/* --- what is wrong with a value ----------------------------------------------------------------- */

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

static const char *check_listed_identifier(const char *value)
{
    return value[strspn(value, LETTERS_AND_DIGITS "_:-")] ? "may hold only A-Z a-z 0-9 _ : -"
                                                          : NULL;
}

static const char *check_new_identifier(const char *value)
{
    return value[strspn(value, LETTERS_AND_DIGITS "_-")] ? "may hold only A-Z a-z 0-9 _ -" : NULL;
}

static const char *check_custom_name(const char *value)
{
    if (value[strspn(value, LETTERS_AND_DIGITS " ")])
        return "may hold only A-Z a-z 0-9 and space";
    return value[strspn(value, " ")] ? NULL : "must not be only spaces";
}

static const char *check_https(const char *value)
{
    return strncmp(value, "https://", 8) == 0 ? NULL : "must begin with https://";
}

static const char *check_icon(const char *value)
{
    if (strchr(value, '\n'))
        return "must be one line";
    return value[0] ? check_https(value) : NULL;
}

/* --- results ----------------------------------------------------------------------------------- */

static const struct ski_field provider_fields[] = {
    STRING(scalekit_provider, id, "id"),
    STRING(scalekit_provider, identifier, "identifier"),
    STRING(scalekit_provider, display_name, "display_name"),
    STRING(scalekit_provider, description, "description"),
    STRINGS(scalekit_provider, categories, "categories"),
    JSON(scalekit_provider, auth_patterns, "auth_patterns", .flags = SKI_LIST_JSON),
    STRING(scalekit_provider, icon_src, "icon_src"),
    INTEGER(scalekit_provider, display_priority, "display_priority"),
    BOOLEAN(scalekit_provider, coming_soon, "coming_soon"),
    STRING(scalekit_provider, proxy_url, "proxy_url"),
    BOOLEAN(scalekit_provider, proxy_enabled, "proxy_enabled"),
    BOOLEAN(scalekit_provider, is_custom, "is_custom"),
    BOOLEAN(scalekit_provider, is_custom_mcp, "is_custom_mcp"),
    MAP(scalekit_provider, metadata, "metadata"),
    END,
};
static const struct ski_type provider_type = TYPE(scalekit_provider, provider_fields);

struct provider_answer {
    size_t struct_size;
    const struct scalekit_provider *provider;
};

static const struct ski_field answer_fields[] = {
    OBJECT(provider_answer, provider, scalekit_provider, provider_type, "provider",
           .flags = SKI_REQUIRED),
    END,
};
static const struct ski_type answer_type = TYPE(provider_answer, answer_fields);

static const struct ski_field page_fields[] = {
    OBJECTS(scalekit_provider_page, providers, scalekit_provider, provider_type, "providers"),
    INTEGER(scalekit_provider_page, total_size, "total_size"),
    STRING(scalekit_provider_page, next_page_token, "next_page_token"),
    STRING(scalekit_provider_page, prev_page_token, "prev_page_token"),
    END,
};
static const struct ski_type page_type = TYPE(scalekit_provider_page, page_fields);

/* --- parameters -------------------------------------------------------------------------------- */

static const struct ski_word type_words[] = {
    {SCALEKIT_PROVIDER_TYPE_DEFAULT, "DEFAULT"},
    {SCALEKIT_PROVIDER_TYPE_CUSTOM, "CUSTOM"},
    {SCALEKIT_PROVIDER_TYPE_ALL, "ALL"},
    {0, NULL},
};

static const struct ski_field list_fields[] = {
    STRING(scalekit_list_providers_params, identifier, "identifier", .max = 255,
           .check = check_listed_identifier),
    ENUM(scalekit_list_providers_params, provider_type, scalekit_provider_type, type_words,
         "filter.provider_type"),
    INTEGER(scalekit_list_providers_params, page_size, "page_size", .max = UINT32_MAX),
    STRING(scalekit_list_providers_params, page_token, "page_token"),
    END,
};
static const struct ski_type list_type = TYPE(scalekit_list_providers_params, list_fields);

#define IDENTIFIER_IN_PATH(S)                                                                      \
    STRING(S, identifier, "identifier", .flags = SKI_REQUIRED | SKI_PATH, .max = 255)

static const struct ski_field delete_fields[] = {
    IDENTIFIER_IN_PATH(scalekit_provider_key),
    END,
};
static const struct ski_type delete_type = TYPE(scalekit_provider_key, delete_fields);

#define CUSTOM_PROVIDER(S, proxy_url_flags)                                                        \
    STRING(S, display_name, "display_name", .flags = SKI_REQUIRED, .min = 1, .max = 200,           \
           .check = check_custom_name),                                                            \
        STRING(S, description, "description"),                                                     \
        JSON(S, auth_patterns, "auth_patterns", .flags = SKI_REQUIRED | SKI_LIST_JSON),            \
        STRING(S, proxy_url, "proxy_url", .flags = proxy_url_flags, .min = 1, .max = 2048,         \
               .check = check_https),                                                              \
        BOOLEAN(S, proxy_enabled, "proxy_enabled"),                                                \
        STRING(S, icon_src, "icon_src", .max = 2048, .check = check_icon),                         \
        MAP(S, metadata, "metadata", .max_items = 20, .key_min = 3, .key_max = 25, .min = 1,       \
            .max = 256)

static const struct ski_field create_custom_fields[] = {
    CUSTOM_PROVIDER(scalekit_create_custom_provider_params, SKI_REQUIRED),
    END,
};
static const struct ski_type create_custom_type =
    TYPE(scalekit_create_custom_provider_params, create_custom_fields);

static const struct ski_field update_custom_fields[] = {
    IDENTIFIER_IN_PATH(scalekit_update_custom_provider_params),
    CUSTOM_PROVIDER(scalekit_update_custom_provider_params, 0),
    END,
};
static const struct ski_type update_custom_type =
    TYPE(scalekit_update_custom_provider_params, update_custom_fields);

static const struct ski_field create_fields[] = {
    STRING(scalekit_create_provider_params, identifier, "identifier", .flags = SKI_REQUIRED,
           .min = 1, .max = 100, .check = check_new_identifier),
    STRING(scalekit_create_provider_params, display_name, "display_name", .flags = SKI_REQUIRED,
           .min = 1, .max = 200),
    STRING(scalekit_create_provider_params, description, "description"),
    STRINGS(scalekit_create_provider_params, categories, "categories"),
    JSON(scalekit_create_provider_params, auth_patterns, "auth_patterns",
         .flags = SKI_REQUIRED | SKI_LIST_JSON),
    STRING(scalekit_create_provider_params, icon_src, "icon_src"),
    INTEGER(scalekit_create_provider_params, display_priority, "display_priority", .min = INT32_MIN,
            .max = INT32_MAX),
    BOOLEAN(scalekit_create_provider_params, coming_soon, "coming_soon"),
    STRING(scalekit_create_provider_params, proxy_url, "proxy_url"),
    BOOLEAN(scalekit_create_provider_params, proxy_enabled, "proxy_enabled"),
    END,
};
static const struct ski_type create_type = TYPE(scalekit_create_provider_params, create_fields);

static const struct ski_field update_fields[] = {
    IDENTIFIER_IN_PATH(scalekit_update_provider_params),
    STRING(scalekit_update_provider_params, display_name, "display_name", .flags = SKI_REQUIRED,
           .min = 1, .max = 200),
    STRING(scalekit_update_provider_params, description, "description"),
    STRINGS(scalekit_update_provider_params, categories, "categories"),
    JSON(scalekit_update_provider_params, auth_patterns, "auth_patterns", .flags = SKI_LIST_JSON),
    STRING(scalekit_update_provider_params, icon_src, "icon_src"),
    INTEGER(scalekit_update_provider_params, display_priority, "display_priority", .min = INT32_MIN,
            .max = INT32_MAX),
    CHOICE(scalekit_update_provider_params, coming_soon, "coming_soon"),
    STRING(scalekit_update_provider_params, proxy_url, "proxy_url"),
    CHOICE(scalekit_update_provider_params, proxy_enabled, "proxy_enabled"),
    END,
};
static const struct ski_type update_type = TYPE(scalekit_update_provider_params, update_fields);

/* --- operations -------------------------------------------------------------------------------- */

DELIVER(deliver_provider, scalekit_provider_cb)
DELIVER(deliver_page, scalekit_provider_page_cb)

enum { LIST, CREATE_CUSTOM, UPDATE_CUSTOM, DELETE_CUSTOM, CREATE, UPDATE, DELETE };

#define CUSTOM_PATH "/api/v1/custom-providers"
#define PATH        "/api/v1/providers"
#define PROVIDER_RESULT                                                                            \
    .result = &answer_type, .result_offset = offsetof(struct provider_answer, provider),           \
    .deliver = deliver_provider

const struct ski_operation ski_provider_operations[] = {
    [LIST] = {.name = "list_providers",
              .method = "GET",
              .path = PATH,
              .summary = "the providers there are, a page at a time",
              .placement = SKI_IN_QUERY,
              .idempotency = SKI_SAFE,
              .preview = true,
              .params = &list_type,
              .result = &page_type,
              .result_offset = SKI_WHOLE_RESULT,
              .deliver = deliver_page},
    [CREATE_CUSTOM] = {.name = "create_custom_provider",
                       .method = "POST",
                       .path = CUSTOM_PATH,
                       .summary = "makes a provider of an API or MCP server of your own",
                       .placement = SKI_IN_BODY,
                       .idempotency = SKI_UNSAFE,
                       .params = &create_custom_type,
                       PROVIDER_RESULT},
    [UPDATE_CUSTOM] = {.name = "update_custom_provider",
                       .method = "PUT",
                       .path = CUSTOM_PATH "/{identifier}",
                       .summary = "changes a custom provider",
                       .placement = SKI_IN_BODY,
                       .idempotency = SKI_IDEMPOTENT,
                       .params = &update_custom_type,
                       PROVIDER_RESULT},
    [DELETE_CUSTOM] = {.name = "delete_custom_provider",
                       .method = "DELETE",
                       .path = CUSTOM_PATH "/{identifier}",
                       .summary = "deletes a custom provider",
                       .placement = SKI_IN_QUERY,
                       .idempotency = SKI_IDEMPOTENT,
                       .params = &delete_type,
                       .deliver = ski_deliver_done},
    [CREATE] = {.name = "create_provider",
                .method = "POST",
                .path = PATH,
                .summary = "makes a provider for everybody",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_UNSAFE,
                .preview = true,
                .params = &create_type,
                PROVIDER_RESULT},
    [UPDATE] = {.name = "update_provider",
                .method = "PUT",
                .path = PATH "/{identifier}",
                .summary = "changes a provider",
                .placement = SKI_IN_BODY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &update_type,
                PROVIDER_RESULT},
    [DELETE] = {.name = "delete_provider",
                .method = "DELETE",
                .path = PATH "/{identifier}",
                .summary = "deletes a provider",
                .placement = SKI_IN_QUERY,
                .idempotency = SKI_IDEMPOTENT,
                .preview = true,
                .params = &delete_type,
                .deliver = ski_deliver_done},
    {.name = NULL},
};

static scalekit_request *start(scalekit_client *client, int operation, const void *params,
                               ski_callback cb, void *user)
{
    return ski_request_start(client, &ski_provider_operations[operation], params, cb, user);
}

scalekit_request *scalekit_list_providers(scalekit_client *client,
                                          const struct scalekit_list_providers_params *params,
                                          scalekit_provider_page_cb cb, void *user)
{
    static const struct scalekit_list_providers_params everything = {.struct_size =
                                                                         sizeof everything};

    return start(client, LIST, params ? params : &everything, (ski_callback)cb, user);
}

scalekit_request *scalekit_create_custom_provider(
    scalekit_client *client, const struct scalekit_create_custom_provider_params *params,
    scalekit_provider_cb cb, void *user)
{
    return start(client, CREATE_CUSTOM, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_custom_provider(
    scalekit_client *client, const struct scalekit_update_custom_provider_params *params,
    scalekit_provider_cb cb, void *user)
{
    return start(client, UPDATE_CUSTOM, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_custom_provider(scalekit_client *client,
                                                  const struct scalekit_provider_key *params,
                                                  scalekit_done_cb cb, void *user)
{
    return start(client, DELETE_CUSTOM, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_create_provider(scalekit_client *client,
                                           const struct scalekit_create_provider_params *params,
                                           scalekit_provider_cb cb, void *user)
{
    return start(client, CREATE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_update_provider(scalekit_client *client,
                                           const struct scalekit_update_provider_params *params,
                                           scalekit_provider_cb cb, void *user)
{
    return start(client, UPDATE, params, (ski_callback)cb, user);
}

scalekit_request *scalekit_delete_provider(scalekit_client *client,
                                           const struct scalekit_provider_key *params,
                                           scalekit_done_cb cb, void *user)
{
    return start(client, DELETE, params, (ski_callback)cb, user);
}
