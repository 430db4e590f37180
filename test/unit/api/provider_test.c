#include "wire.h"

CALL_ON(on_provider, scalekit_provider)
CALL_ON(on_page, scalekit_provider_page)

#define CUSTOM(name, ...)                                                                          \
    CALL_STARTER(name, create_custom_provider,                                                     \
                 SCALEKIT_PARAMS(scalekit_create_custom_provider_params, .auth_patterns = "[]",    \
                                 __VA_ARGS__),                                                     \
                 on_provider)
#define NAMED(start, name) CUSTOM(start, .display_name = name, .proxy_url = "https://a")
#define AT_URL(start, url) CUSTOM(start, .display_name = "A", .proxy_url = url)
#define ICON(start, url)                                                                           \
    CUSTOM(start, .display_name = "A", .proxy_url = "https://a", .icon_src = url)
#define CREATE_CALL(name, new_identifier)                                                          \
    CALL_STARTER(name, create_provider,                                                            \
                 SCALEKIT_PARAMS(scalekit_create_provider_params, .identifier = new_identifier,    \
                                 .display_name = "A", .auth_patterns = "[]"),                      \
                 on_provider)
#define LIST_CALL(name, ...)                                                                       \
    CALL_STARTER(name, list_providers,                                                             \
                 SCALEKIT_PARAMS(scalekit_list_providers_params, __VA_ARGS__), on_page)
#define UPDATE_CALL(name, ...)                                                                     \
    CALL_STARTER(name, update_custom_provider,                                                     \
                 SCALEKIT_PARAMS(scalekit_update_custom_provider_params, .identifier = "ACME",     \
                                 .display_name = "A", __VA_ARGS__),                                \
                 on_provider)

NAMED(name_good, "Acme MCP 2")
NAMED(name_accent, "Acm\xc3\xa9")
AT_URL(url_capital, "HTTPS://a")
AT_URL(url_template, "https://{{domain}}/api")
ICON(icon_empty, "")
ICON(icon_lines, "https://a\nb")
CREATE_CALL(create_good, "Acme_MCP-2")
CREATE_CALL(create_colon, "Acme:MCP")
LIST_CALL(list_colon, .identifier = "acme:mcp_2-x")
LIST_CALL(list_newer, .provider_type_text = "SHARED")
UPDATE_CALL(update_least, .auth_patterns = "[]")
UPDATE_CALL(update_object, .auth_patterns = "{}")

static const struct refusal_row rows[] = {
    {"name of letters, digits and spaces", name_good, NULL},
    {"name with an accent", name_accent, "display_name"},
    {"a URL in capitals", url_capital, "proxy_url"},
    {"a URL with a template", url_template, NULL},
    {"an empty icon", icon_empty, NULL},
    {"an icon of two lines", icon_lines, "icon_src"},
    {"a new identifier", create_good, NULL},
    {"a new identifier with a colon", create_colon, "identifier"},
    {"a listed identifier", list_colon, NULL},
    {"a newer type", list_newer, NULL},
    {"the least of an update", update_least, NULL},
    {"patterns that are no list", update_object, "auth_patterns"},
};

static void test_refusals(void)
{
    refusal_check(rows, COUNT(rows));
}

SUITE(provider, {"what is wrong is refused and named, before anything is sent", test_refusals})
