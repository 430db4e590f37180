/* client.h - what a client is made of. */
#ifndef SKI_CORE_CLIENT_H
#define SKI_CORE_CLIENT_H

#include "base/loop.h"
#include "base/map.h"
#include "core/config.h"
#include "core/gate.h"
#include "core/request.h"
#include "core/submit.h"
#include "core/token.h"
#include "http/pool.h"
#include "http/url.h"

#define SKI_CLIENT_HEADERS 4

/* What is built on top of the client and must end before it (the watch engine). */
struct ski_attachment {
    void (*close)(struct ski_attachment *attachment); /* ends everything, calling back */
    void (*free)(struct ski_attachment *attachment);  /* when every request has completed */
};

struct scalekit_client {
    struct ski_loop loop;
    struct scalekit_config config; /* with defaults; its strings are gone but those below */
    struct ski_url url;
    char *user_agent, *api_version;
    struct ski_header headers[SKI_CLIENT_HEADERS];
    struct ski_tls *tls; /* NULL for http:// */
    struct ski_resolver *resolver;
    struct ski_pool *pool;
    struct ski_gate gate; /* to the governor, which it keeps */
    struct ski_token token;
    int retry_budget;

    struct ski_inbox inbox;  /* functions of other threads */
    struct ski_list pending; /* requests that have not been delivered */
    struct ski_map flights;  /* operations that equal calls share (api/get_or_create.c) */
    struct ski_attachment *attachment;
    struct ski_attachment *tool_hooks; /* only freed (api/tool_hook.c) */
    unsigned callbacks;                /* how deep in callbacks to the application */
    bool closing;
};

/* Around every call to the application: freeing the client inside takes effect at the last leave.
 * After ski_client_leave() the client may be gone. */
void ski_client_enter(scalekit_client *client);
void ski_client_leave(scalekit_client *client);

#endif
