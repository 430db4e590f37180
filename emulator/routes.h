/* routes.h - the handlers, one per row of the routing table in routes.c. */
#ifndef EMU_ROUTES_H
#define EMU_ROUTES_H

#include "server.h"

/* token.c */
void emu_route_token(struct emu_request *request);

/* account_routes.c */
void emu_route_create(struct emu_request *request);
void emu_route_update(struct emu_request *request);
void emu_route_delete(struct emu_request *request);
void emu_route_details(struct emu_request *request);
void emu_route_auth(struct emu_request *request);
void emu_route_magic_link(struct emu_request *request);
void emu_route_verify(struct emu_request *request);

/* list.c */
void emu_route_list(struct emu_request *request);
void emu_route_search(struct emu_request *request);

/* tool.c */
void emu_route_execute(struct emu_request *request);

/* consent.c */
void emu_route_consent_page(struct emu_request *request);
void emu_route_consent_decision(struct emu_request *request);
void emu_route_consent_done(struct emu_request *request);

/* gmail.c */
void emu_route_gmail_list(struct emu_request *request);
void emu_route_gmail_get(struct emu_request *request);

/* admin.c */
void emu_route_alive(struct emu_request *request);
void emu_route_index(struct emu_request *request);
void emu_route_stats(struct emu_request *request);
void emu_route_script(struct emu_request *request);
void emu_route_status(struct emu_request *request);
void emu_route_fail(struct emu_request *request);
void emu_route_revoke_tokens(struct emu_request *request);

#endif
