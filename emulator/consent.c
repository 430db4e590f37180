/* The pages behind an authorization link.  Looking changes nothing; the form carries a token that
 * only its page knows, so that no other page can press the button. */
#include "page.h"
#include "routes.h"
#include "text.h"
#include <ctype.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PERMISSIONS 3
#define MAX_NAME        400 /* of a connection */

/* What the usual scopes of a provider mean, in words for its user. */
struct provider {
    const char *key, *name;
    const char *permissions[MAX_PERMISSIONS];
};

static const struct provider providers[] = {
    {"GMAIL", "Gmail", {"Read your email messages and settings", "See your email address"}},
    {"GOOGLECALENDAR", "Google Calendar", {"See and edit events on your calendars"}},
    {"GOOGLE", "Google", {"See your name and profile picture", "See your email address"}},
    {"SLACK", "Slack", {"Read messages in your channels", "Send messages as you"}},
    {"GITHUB", "GitHub", {"Read your repositories", "Open and comment on issues for you"}},
    {"NOTION", "Notion", {"Read the pages you choose", "Edit the pages you choose"}},
};

/* One that nobody has described goes by the connection's name. */
static struct provider find_provider(const struct emu_connection *connection)
{
    for (size_t i = 0; i < sizeof providers / sizeof *providers; i++)
        if (strcmp(providers[i].key, connection->provider) == 0)
            return providers[i];
    return (struct provider){connection->provider,
                             connection->name,
                             {"Use your account on your behalf", "See your basic profile"}};
}

/* --- pages that only tell ---------------------------------------------------------------------- */

static void tell(struct emu_request *request, int status, enum emu_mood mood, const char *heading,
                 const char *text)
{
    emu_page_begin(request, mood, heading);
    emu_page_html(request, "<p>%s</p>", text);
    emu_page_allow_target(request, "");
    emu_page_end(request, status);
}

void emu_route_consent_done(struct emu_request *request)
{
    tell(request, 200, EMU_GOOD, "You are connected", "You can close this window.");
}

/* The link if it can still be used; NULL when the reader has been told why not. */
static struct emu_link *find_link(struct emu_request *request)
{
    struct emu_link *link = emu_link_find(&request->emulator->links, request->rest);

    if (!link)
        tell(request, 404, EMU_BAD, "This link does not exist",
             "Check that it was copied completely, or ask the application for a new one.");
    else if (link->state != EMU_LINK_OPEN)
        tell(request, 410, EMU_BAD, "This link has been used",
             "A link works once. Ask the application for a new one.");
    else if (emu_link_is_expired(link))
        tell(request, 410, EMU_WAITING, "This link has expired",
             "Ask the application for a new one.");
    else
        return link;
    return NULL;
}

/* --- asking ------------------------------------------------------------------------------------ */

static void put_form(struct emu_request *request, const struct emu_link *link)
{
    emu_page_html(
        request,
        "<form method=\"post\"><input type=\"hidden\" name=\"form_token\" value=\"%s\">"
        "<button name=\"action\" value=\"deny\">Deny</button>"
        "<button class=\"primary\" name=\"action\" value=\"approve\">Approve</button></form>",
        link->form_token);
}

void emu_route_consent_page(struct emu_request *request)
{
    const struct emu_link *link = find_link(request);
    struct provider provider;
    char heading[MAX_NAME + 32], expiry[EMU_TIME_SIZE];

    if (!link)
        return;
    provider = find_provider(link->account->connection);
    emu_time_text(expiry, link->expires_us);
    expiry[16] = '\0'; /* to the minute; from 11 on it is the time of day */
    snprintf(heading, sizeof heading, "Allow access to %s?", provider.name);
    emu_page_begin(request, EMU_ASKING, heading);
    emu_page_html(request, "<p>An application asks to use this account.</p><dl>");
    emu_page_html(request, "<div><dt>User</dt><dd>%s</dd></div>",
                  link->account->person->identifier);
    emu_page_html(request, "<div><dt>Connection</dt><dd>%s</dd></div>",
                  link->account->connection->name);
    emu_page_html(request, "<div><dt>Link valid until</dt><dd>%s UTC</dd></div></dl>", expiry + 11);
    emu_page_html(request, "<h2>It will be able to</h2><ul>");
    for (size_t i = 0; i < MAX_PERMISSIONS && provider.permissions[i]; i++)
        emu_page_html(request, "<li>%s</li>", provider.permissions[i]);
    emu_page_html(request, "</ul>");
    put_form(request, link);
    emu_page_allow_target(request, link->verify_url);
    emu_page_end(request, 200);
}

/* --- deciding ---------------------------------------------------------------------------------- */

static bool put_url(struct evbuffer *out, const char *url)
{
    for (; *url; url++) {
        bool plain = isgraph((unsigned char)*url) && !strchr("\"<>\\^`{|}", *url);

        if ((plain ? evbuffer_add(out, url, 1)
                   : evbuffer_add_printf(out, "%%%02X", (unsigned char)*url)) < 0)
            return false;
    }
    return true;
}

/* <user_verify_url>?auth_request_id=…, and &state=… if there is one; NULL when memory ran out. */
static char *verify_location(const struct emu_link *link)
{
    struct evbuffer *out = evbuffer_new();
    bool has_state = link->client_state && *link->client_state;
    char *location = NULL;

    if (!out)
        return NULL;
    if (put_url(out, link->verify_url) &&
        evbuffer_add_printf(out, "%cauth_request_id=%s", strchr(link->verify_url, '?') ? '&' : '?',
                            link->auth_request_id) > 0 &&
        (!has_state ||
         (evbuffer_add_printf(out, "&state=") > 0 && emu_percent_encode(out, link->client_state))))
        location = emu_buffer_text(out);
    evbuffer_free(out);
    return location;
}

static void send_to_verification(struct emu_request *request, const struct emu_link *link)
{
    char *location = verify_location(link);

    if (!location) {
        emu_out_of_memory(request);
        return;
    }
    emu_header(request, "Location", location);
    emu_header(request, "Cache-Control", "no-store");
    emu_header(request, "Referrer-Policy", "no-referrer");
    emu_send_as(request, 302, "text/html; charset=utf-8");
    free(location);
}

/* The browser has nowhere to go to be verified, and the consent comes to nothing. */
static void fail_to_exchange(struct emu_request *request, struct emu_link *link)
{
    emu_link_decide(link, SCALEKIT_CONSENT_DENY);
    tell(request, 400, EMU_BAD, "This did not work",
         "failed_to_exchange: user_verify_url not configured for verification redirect");
}

static void approve(struct emu_request *request, struct emu_link *link)
{
    if (emu_link_is_to_verify(link) && !*link->verify_url)
        fail_to_exchange(request, link);
    else if (!emu_link_decide(link, SCALEKIT_CONSENT_APPROVE))
        emu_out_of_memory(request);
    else if (link->state == EMU_LINK_VERIFYING)
        send_to_verification(request, link);
    else
        tell(request, 200, EMU_GOOD, "Access granted",
             "The application can use your account now. You can close this window.");
}

static const char *field(const struct emu_form *form, const char *name)
{
    const char *value = emu_form_get(form, name);

    return value ? value : "";
}

static void decide(struct emu_request *request, struct emu_link *link, const struct emu_form *form)
{
    const char *action = field(form, "action");

    if (!emu_same(field(form, "form_token"), link->form_token)) {
        tell(request, 403, EMU_BAD, "This did not come from the page",
             "Open the link again and decide there.");
    } else if (strcmp(action, "approve") == 0) {
        approve(request, link);
    } else if (strcmp(action, "deny") == 0) {
        emu_link_decide(link, SCALEKIT_CONSENT_DENY);
        tell(request, 200, EMU_BAD, "Access denied",
             "The application cannot use your account. You can close this window.");
    } else {
        tell(request, 400, EMU_BAD, "Nothing was decided", "Open the link again.");
    }
}

void emu_route_consent_decision(struct emu_request *request)
{
    struct evbuffer *body = evhttp_request_get_input_buffer(request->http);
    struct emu_link *link = find_link(request);
    struct emu_form form;

    if (!link)
        return;
    if (emu_form_parse(&form, (const char *)evbuffer_pullup(body, -1), evbuffer_get_length(body)))
        decide(request, link, &form);
    else
        tell(request, 400, EMU_BAD, "Nothing was decided", "Open the link again.");
    emu_form_free(&form);
}
