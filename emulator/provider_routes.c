/* /api/v1/providers and /api/v1/custom-providers. */
#include "check.h"
#include "paging.h"
#include "routes.h"
#include "text.h"
#include <ctype.h>
#include <string.h>

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* --- reading ----------------------------------------------------------------------------------- */

static void check_https(struct emu_request *request, const char *field, const char *value)
{
    if (*value && strncmp(value, "https://", 8) != 0)
        emu_violation(request, field, "string.pattern",
                      "value does not match regex pattern `^https://`");
}

static void check_auth_patterns(struct emu_request *request, unsigned rules)
{
    yajl_val patterns = emu_list(request, request->body, "auth_patterns");

    if (!patterns && rules & EMU_REQUIRED)
        emu_violation(request, "auth_patterns", "required", "value is required");
}

/* What a custom provider is made of. */
static void check_custom(struct emu_request *request, unsigned proxy_url_rules)
{
    static const struct emu_map_limits metadata_limits = {20, 3, 25, 256};
    const char *name = emu_text(request, "display_name", 1, 200, EMU_REQUIRED);

    emu_check_characters(request, "display_name", name, LETTERS_AND_DIGITS " ",
                         "^[a-zA-Z0-9 ]*[a-zA-Z0-9][a-zA-Z0-9 ]*$");
    if (*name && !name[strspn(name, " ")])
        emu_violation(request, "display_name", "string.pattern", "value is only spaces");
    emu_text(request, "description", 0, SIZE_MAX, 0);
    check_auth_patterns(request, EMU_REQUIRED);
    check_https(request, "proxy_url", emu_text(request, "proxy_url", 1, 2048, proxy_url_rules));
    check_https(request, "icon_src", emu_text(request, "icon_src", 0, 2048, 0));
    emu_bool(request, "proxy_enabled");
    emu_text_map(request, "metadata", &metadata_limits);
}

/* What one of Scalekit's is made of. */
static void check_default(struct emu_request *request, unsigned auth_patterns_rules)
{
    yajl_val priority = emu_json_get(request->body, "display_priority");

    emu_text(request, "display_name", 1, 200, EMU_REQUIRED);
    emu_text(request, "description", 0, SIZE_MAX, 0);
    emu_text(request, "icon_src", 0, SIZE_MAX, 0);
    emu_text(request, "proxy_url", 0, SIZE_MAX, 0);
    emu_strings(request, request->body, "categories");
    check_auth_patterns(request, auth_patterns_rules);
    emu_bool(request, "coming_soon");
    emu_bool(request, "proxy_enabled");
    if (priority && (!YAJL_IS_INTEGER(priority) || YAJL_GET_INTEGER(priority) > INT32_MAX ||
                     YAJL_GET_INTEGER(priority) < INT32_MIN))
        request->malformed = "display_priority";
}

/* --- answering --------------------------------------------------------------------------------- */

static void answer_provider(struct emu_request *request, const struct emu_provider *provider,
                            int status)
{
    if (!provider) {
        emu_out_of_memory(request);
        return;
    }
    emu_json_open(&request->json, NULL, '{');
    emu_json_provider(&request->json, "provider", provider);
    emu_json_close(&request->json, '}');
    emu_send(request, status);
}

static void create(struct emu_request *request, const char *identifier, bool is_custom)
{
    struct emu_providers *providers = &request->emulator->providers;

    if (emu_provider_find(providers, identifier))
        emu_fail(request, 409, "ALREADY_EXISTS", "provider already exists");
    else
        answer_provider(request, emu_provider_add(providers, identifier, is_custom, request->body),
                        is_custom ? 201 : 200);
}

/* The one that the path names; NULL when it has been answered already. */
static struct emu_provider *find(struct emu_request *request, bool is_custom)
{
    const char *identifier = emu_in_path(request, "identifier", 0, 255, 0);
    struct emu_provider *provider;

    if (emu_refused(request))
        return NULL;
    provider = emu_provider_find(&request->emulator->providers, identifier);
    if (provider && provider->is_custom == is_custom)
        return provider;
    emu_not_found(request, is_custom ? "custom provider" : "provider");
    return NULL;
}

static void update(struct emu_request *request, bool is_custom)
{
    struct emu_provider *provider = find(request, is_custom);

    if (provider)
        answer_provider(request, emu_provider_write(provider, request->body) ? provider : NULL,
                        200);
}

static void remove_one(struct emu_request *request, bool is_custom)
{
    struct emu_provider *provider = find(request, is_custom);

    if (!provider)
        return;
    emu_provider_remove(&request->emulator->providers, provider);
    emu_send_nothing(request);
}

/* --- routes ------------------------------------------------------------------------------------ */

/* "Acme MCP" becomes ACME_MCP. */
static void make_identifier(char out[256], const char *display_name)
{
    size_t i;

    for (i = 0; display_name[i] && i < 255; i++)
        out[i] = (char)(display_name[i] == ' ' ? '_' : toupper((unsigned char)display_name[i]));
    out[i] = '\0';
}

void emu_route_custom_provider_create(struct emu_request *request)
{
    char identifier[256];

    check_custom(request, EMU_REQUIRED);
    if (emu_refused(request))
        return;
    make_identifier(identifier, emu_member(request, request->body, "display_name"));
    create(request, identifier, true);
}

void emu_route_custom_provider_update(struct emu_request *request)
{
    check_custom(request, 0);
    update(request, true);
}

void emu_route_custom_provider_delete(struct emu_request *request)
{
    remove_one(request, true);
}

void emu_route_provider_create(struct emu_request *request)
{
    const char *identifier = emu_text(request, "identifier", 1, 100, EMU_REQUIRED);

    emu_check_characters(request, "identifier", identifier, LETTERS_AND_DIGITS "_-",
                         "^[a-zA-Z0-9_-]*$");
    check_default(request, EMU_REQUIRED);
    if (!emu_refused(request))
        create(request, identifier, false);
}

void emu_route_provider_update(struct emu_request *request)
{
    check_default(request, 0);
    update(request, false);
}

void emu_route_provider_delete(struct emu_request *request)
{
    remove_one(request, false);
}

/* --- lists ------------------------------------------------------------------------------------- */

struct filter {
    const char *identifier;
    bool all, custom; /* or only Scalekit's */
};

static bool wants(struct emu_request *request, const struct emu_item *item, const void *filter)
{
    const struct emu_provider *provider = EMU_OWNER(item, const struct emu_provider, item);
    const struct filter *wanted = filter;

    (void)request;
    return (wanted->all || provider->is_custom == wanted->custom) &&
           emu_is_or_empty(wanted->identifier, provider->identifier);
}

static void put(struct emu_request *request, const struct emu_item *item)
{
    emu_json_provider(&request->json, NULL, EMU_OWNER(item, const struct emu_provider, item));
}

void emu_route_provider_list(struct emu_request *request)
{
    static const struct emu_listing listing = {"providers", wants, put, 30, 1000, EMU_CUT};
    const char *type = emu_text(request, "filter.provider_type", 0, SIZE_MAX, 0);
    const struct filter filter = {
        .identifier = emu_text(request, "identifier", 0, 255, 0),
        .all = strcmp(type, "ALL") == 0,
        .custom = strcmp(type, "CUSTOM") == 0,
    };

    emu_check_characters(request, "identifier", filter.identifier, LETTERS_AND_DIGITS "_:-",
                         "^[a-zA-Z0-9_:-]*$");
    if (*type && !filter.all && !filter.custom && strcmp(type, "DEFAULT") != 0)
        request->malformed = "filter.provider_type";
    emu_answer_page(request, &request->emulator->providers.shelf, &listing, &filter);
}
