/* state.h - everything an emulator holds. */
#ifndef EMU_STATE_H
#define EMU_STATE_H

#include "account.h"
#include "catalogue.h"
#include "event.h"
#include "fault.h"
#include "link.h"
#include "mcp.h"
#include "provider.h"
#include "session.h"
#include "tool_call_log.h"
#include "webhook.h"
#include <openssl/ssl.h>

struct evhttp;

struct emu_server {
    struct evhttp *http;
    SSL_CTX *tls; /* NULL: plain HTTP */
    struct event *adopt, *settle;
    TAILQ_HEAD(emu_arrival_list, emu_arrival) arrivals; /* accepted, not yet adopted */
    TAILQ_HEAD(emu_writer_list, emu_writer) writers;    /* wrote a moment ago */
    TAILQ_HEAD(emu_pause_list, emu_pause) pauses;       /* requests that are made to wait */
    char run[13];                                       /* begins every request id */
};

struct scalekit_emulator {
    struct event_base *base;
    char *client_id, *client_secret, *ca_file, *url;
    int64_t token_life_s;
    scalekit_emulator_log_cb log;
    void *log_user;
    struct emu_server server;
    struct emu_sessions sessions;
    struct emu_store store;
    struct emu_links links;
    struct emu_providers providers;
    struct emu_catalogue catalogue; /* of tools */
    struct emu_mcp mcp;
    struct emu_events events;
    struct emu_webhooks webhooks;
    struct emu_record calls; /* of tools */
    char environment_id[EMU_ID_SIZE];
    struct emu_faults faults;
    struct scalekit_emulator_stats stats;
    uint64_t executions;
};

#endif
