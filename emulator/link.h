/* link.h - authorization links, what their users do, and the scripts that do it for them.
 *
 * A link belongs to its account and goes with it.  It can be used once, by the page or by a script,
 * whichever comes first; used and expired ones are remembered for an hour, so that whoever opens
 * one late is told what happened. */
#ifndef EMU_LINK_H
#define EMU_LINK_H

#include "account.h"

struct event;
struct event_base;

enum emu_link_state {
    EMU_LINK_OPEN,
    EMU_LINK_USED,      /* decided */
    EMU_LINK_VERIFYING, /* approved; the application must verify the user */
};

struct emu_link {
    struct emu_node by_token, by_request;
    TAILQ_ENTRY(emu_link) of_account, by_age;
    struct emu_links *links;
    struct emu_account *account;
    enum emu_link_state state;
    char token[33], form_token[33], auth_request_id[45];
    char *client_state, *verify_url; /* "" when not given */
    int64_t expires_us;
    struct event *timer; /* of its script; NULL: none */
    enum scalekit_consent scripted;
};

struct emu_links {
    struct event_base *base;
    struct emu_store *store;
    struct emu_map by_token, by_request, scripts;
    TAILQ_HEAD(emu_link_list, emu_link) by_age;
    int64_t life_us;
    bool verify_users;
    enum scalekit_consent consent; /* the general script */
    int64_t after_ms;
};

void emu_links_init(struct emu_links *links, struct event_base *base, struct emu_store *store);
void emu_links_free(struct emu_links *links);

/* NULL when memory ran out. */
struct emu_link *emu_link_add(struct emu_links *links, struct emu_account *account,
                              const char *client_state, const char *verify_url);
void emu_link_free_all_of(struct emu_account *account);

struct emu_link *emu_link_find(const struct emu_links *links, const char *token);
bool emu_link_is_expired(const struct emu_link *link);
/* Whether the application has to verify the user after consent: only OAuth's need that. */
bool emu_link_is_to_verify(const struct emu_link *link);
/* Decides an open link.  False when memory ran out. */
bool emu_link_decide(struct emu_link *link, enum scalekit_consent consent);

/* The link whose user waits to be verified; NULL when unknown, expired or done. */
struct emu_link *emu_link_of_request(const struct emu_links *links, const char *auth_request_id);
bool emu_link_verified(struct emu_link *link);

bool emu_links_script_account(struct emu_links *links, const char *connection_name,
                              const char *identifier, enum scalekit_consent consent,
                              int64_t after_ms);

#endif
