#include "routes.h"
#include <event2/http.h>

#define ACCOUNTS "/api/v1/connected_accounts"

/* What the emulator's own endpoints take. */
static const char *const nothing[] = {NULL};
static const char *const of_script[] = {"connector", "connection_name", "identifier",
                                        "consent",   "after_ms",        NULL};
static const char *const of_status[] = {"connector", "connection_name", "identifier", "status",
                                        NULL};
static const char *const of_fail[] = {"path_prefix", "times", "status", "body", "delay_ms", NULL};

const struct emu_route emu_routes[] = {
    {EVHTTP_REQ_POST, "/oauth/token", emu_route_token, 0, NULL},

    {EVHTTP_REQ_GET, ACCOUNTS "/details", emu_route_details, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS "/auth", emu_route_auth, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS, emu_route_list, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_GET, ACCOUNTS ":search", emu_route_search, EMU_SIGNED_IN, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS, emu_route_create, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_PUT, ACCOUNTS, emu_route_update, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS ":delete", emu_route_delete, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS "/magic_link", emu_route_magic_link, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, ACCOUNTS "/user/verify", emu_route_verify, EMU_SIGNED_IN | EMU_BODY, NULL},
    {EVHTTP_REQ_POST, "/api/v1/execute_tool", emu_route_execute, EMU_SIGNED_IN | EMU_BODY, NULL},

    {EVHTTP_REQ_GET, "/magicLink/", emu_route_consent_page, 0, NULL},
    {EVHTTP_REQ_POST, "/magicLink/", emu_route_consent_decision, 0, NULL},
    {EVHTTP_REQ_GET, "/connect/success", emu_route_consent_done, 0, NULL},

    {EVHTTP_REQ_GET, "/gmail/v1/users/me/messages", emu_route_gmail_list, 0, NULL},
    {EVHTTP_REQ_GET, "/gmail/v1/users/me/messages/", emu_route_gmail_get, 0, NULL},

    {EVHTTP_REQ_GET, "/isalive", emu_route_alive, 0, NULL},
    {EVHTTP_REQ_GET, "/_emulator", emu_route_index, EMU_ADMIN, NULL},
    {EVHTTP_REQ_GET, "/_emulator/stats", emu_route_stats, EMU_ADMIN, NULL},
    {EVHTTP_REQ_POST, "/_emulator/consent", emu_route_script, EMU_ADMIN | EMU_BODY, of_script},
    {EVHTTP_REQ_POST, "/_emulator/status", emu_route_status, EMU_ADMIN | EMU_BODY, of_status},
    {EVHTTP_REQ_POST, "/_emulator/fail", emu_route_fail, EMU_ADMIN | EMU_BODY, of_fail},
    {EVHTTP_REQ_POST, "/_emulator/revoke_tokens", emu_route_revoke_tokens, EMU_ADMIN | EMU_BODY,
     nothing},
    {0},
};
