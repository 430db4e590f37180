#include "link.h"
#include "event.h"
#include "text.h"
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REMEMBERED (3600 * EMU_SECOND)
#define KEY_SIZE   4096

struct script {
    struct emu_node by_account;
    char *key;
    enum scalekit_consent consent;
    int64_t after_ms;
};

void emu_links_init(struct emu_links *links, struct event_base *base, struct emu_store *store)
{
    links->base = base;
    links->store = store;
    TAILQ_INIT(&links->by_age);
}

static void free_link(struct emu_link *link)
{
    emu_map_remove(&link->links->by_token, &link->by_token);
    emu_map_remove(&link->links->by_request, &link->by_request);
    TAILQ_REMOVE(&link->account->links, link, of_account);
    TAILQ_REMOVE(&link->links->by_age, link, by_age);
    if (link->timer)
        event_free(link->timer);
    emu_set_text(&link->client_state, NULL);
    emu_set_text(&link->verify_url, NULL);
    free(link);
}

void emu_link_free_all_of(struct emu_account *account)
{
    while (!TAILQ_EMPTY(&account->links))
        free_link(TAILQ_FIRST(&account->links));
}

void emu_links_free(struct emu_links *links)
{
    struct emu_node *node;

    while (!TAILQ_EMPTY(&links->by_age))
        free_link(TAILQ_FIRST(&links->by_age));
    while ((node = emu_map_take(&links->scripts))) {
        struct script *script = EMU_OWNER(node, struct script, by_account);

        free(script->key);
        free(script);
    }
    free(links->by_token.buckets);
    free(links->by_request.buckets);
}

/* --- deciding ---------------------------------------------------------------------------------- */

bool emu_link_is_expired(const struct emu_link *link)
{
    return link->expires_us <= emu_now_us();
}

static bool activate(struct emu_link *link)
{
    struct emu_store *store = link->links->store;

    if (!emu_account_set_status(store, link->account, "ACTIVE"))
        return false;
    if (link->account->auth == EMU_OAUTH)
        emu_event_record(store->events, EMU_EVENT_OAUTH_SUCCEEDED, link->account);
    return true;
}

bool emu_link_is_to_verify(const struct emu_link *link)
{
    return link->links->verify_users && link->account->auth == EMU_OAUTH;
}

static bool approve(struct emu_link *link)
{
    if (!emu_link_is_to_verify(link))
        return activate(link);
    link->state = EMU_LINK_VERIFYING;
    return emu_account_set_status(link->links->store, link->account, "PENDING_VERIFICATION");
}

bool emu_link_decide(struct emu_link *link, enum scalekit_consent consent)
{
    if (link->timer)
        event_del(link->timer);
    link->state = EMU_LINK_USED;
    switch (consent) {
    case SCALEKIT_CONSENT_APPROVE:
        return approve(link);
    case SCALEKIT_CONSENT_EXPIRE:
        return emu_account_set_status(link->links->store, link->account, "EXPIRED");
    case SCALEKIT_CONSENT_REVOKE:
        return emu_account_set_status(link->links->store, link->account, "REVOKED");
    case SCALEKIT_CONSENT_DENY:
    case SCALEKIT_CONSENT_MANUAL:
        break;
    }
    return true;
}

struct emu_link *emu_link_of_request(const struct emu_links *links, const char *auth_request_id)
{
    struct emu_link *link =
        EMU_OWNER(emu_map_find(&links->by_request, auth_request_id), struct emu_link, by_request);

    if (!link || link->state != EMU_LINK_VERIFYING || emu_link_is_expired(link))
        return NULL;
    return link;
}

bool emu_link_verified(struct emu_link *link)
{
    link->state = EMU_LINK_USED;
    return activate(link);
}

/* --- scripts ----------------------------------------------------------------------------------- */

static void on_script(evutil_socket_t fd, short what, void *arg)
{
    struct emu_link *link = arg;

    (void)fd;
    (void)what;
    if (link->state == EMU_LINK_OPEN && !emu_link_is_expired(link))
        emu_link_decide(link, link->scripted);
}

static bool set_script(struct emu_link *link, enum scalekit_consent consent, int64_t after_ms)
{
    struct timeval delay = {after_ms / 1000, after_ms % 1000 * 1000};

    link->scripted = consent;
    if (consent == SCALEKIT_CONSENT_MANUAL)
        return !link->timer || event_del(link->timer) == 0;
    if (!link->timer)
        link->timer = evtimer_new(link->links->base, on_script, link);
    return link->timer && evtimer_add(link->timer, &delay) == 0;
}

static bool script_key(char out[KEY_SIZE], const char *connection_name, const char *identifier)
{
    int length = snprintf(out, KEY_SIZE, "%s\x1f%s", connection_name, identifier);

    return length > 0 && length < KEY_SIZE;
}

static struct script *find_script(const struct emu_links *links, const char *key)
{
    return EMU_OWNER(emu_map_find(&links->scripts, key), struct script, by_account);
}

static struct script *add_script(struct emu_links *links, const char *key)
{
    struct script *script = calloc(1, sizeof *script);

    if (!script)
        return NULL;
    script->key = strdup(key);
    if (script->key && emu_map_add(&links->scripts, &script->by_account, script->key))
        return script;
    free(script->key);
    free(script);
    return NULL;
}

static bool script_open_links(struct emu_account *account, const struct script *script)
{
    struct emu_link *link;

    TAILQ_FOREACH(link, &account->links, of_account)
    if (link->state == EMU_LINK_OPEN && !set_script(link, script->consent, script->after_ms))
        return false;
    return true;
}

bool emu_links_script_account(struct emu_links *links, const char *connection_name,
                              const char *identifier, enum scalekit_consent consent,
                              int64_t after_ms)
{
    const struct emu_index *accounts = emu_store_person(links->store, identifier);
    char key[KEY_SIZE];
    struct script *script;

    if (!script_key(key, connection_name, identifier))
        return false;
    script = find_script(links, key);
    if (!script)
        script = add_script(links, key);
    if (!script)
        return false;
    script->consent = consent;
    script->after_ms = after_ms;
    for (size_t i = 0; accounts && i < accounts->n; i++) {
        struct emu_account *account = accounts->slots[i].account;

        if (account && strcmp(account->connection->name, connection_name) == 0 &&
            !script_open_links(account, script))
            return false;
    }
    return true;
}

static bool apply_script(struct emu_link *link)
{
    const struct emu_links *links = link->links;
    const struct script *script;
    char key[KEY_SIZE];

    if (!script_key(key, link->account->connection->name, link->account->person->identifier))
        return false;
    script = find_script(links, key);
    if (script)
        return set_script(link, script->consent, script->after_ms);
    return set_script(link, links->consent, links->after_ms);
}

/* --- making ------------------------------------------------------------------------------------ */

static void forget_old(struct emu_links *links)
{
    int64_t before = emu_now_us() - REMEMBERED;

    while (!TAILQ_EMPTY(&links->by_age) && TAILQ_FIRST(&links->by_age)->expires_us < before)
        free_link(TAILQ_FIRST(&links->by_age));
}

struct emu_link *emu_link_add(struct emu_links *links, struct emu_account *account,
                              const char *client_state, const char *verify_url)
{
    struct emu_link *link = calloc(1, sizeof *link);

    if (!link)
        return NULL;
    forget_old(links);
    link->links = links;
    link->account = account;
    link->expires_us = emu_now_us() + links->life_us;
    TAILQ_INSERT_TAIL(&account->links, link, of_account);
    TAILQ_INSERT_TAIL(&links->by_age, link, by_age);
    if (emu_random_text(link->token, sizeof link->token) &&
        emu_random_text(link->form_token, sizeof link->form_token) &&
        emu_random_text(link->auth_request_id, sizeof link->auth_request_id) &&
        emu_map_add(&links->by_token, &link->by_token, link->token) &&
        emu_map_add(&links->by_request, &link->by_request, link->auth_request_id) &&
        emu_set_text(&link->client_state, client_state) &&
        emu_set_text(&link->verify_url, verify_url) && apply_script(link)) {
        emu_event_record(links->store->events, EMU_EVENT_MAGIC_LINK_GENERATED, account);
        return link;
    }
    free_link(link);
    return NULL;
}

struct emu_link *emu_link_find(const struct emu_links *links, const char *token)
{
    return EMU_OWNER(emu_map_find(&links->by_token, token), struct emu_link, by_token);
}
