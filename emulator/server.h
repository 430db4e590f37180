/* server.h - the HTTP(S) side: from a connection to a handler, and from an answer to the wire.
 *
 * A plain answer is handed to the socket with MSG_NOSIGNAL here, and a TLS connection writes by a
 * BIO of ours: clients vanish, and a test that runs the emulator in its own process should not die
 * of SIGPIPE.  What is left to libevent's writev() is evhttp's own answer to a malformed request
 * over plain HTTP, and what did not fit the socket's buffer at once. */
#ifndef EMU_SERVER_H
#define EMU_SERVER_H

#include "form.h"
#include "json.h"
#include "state.h"

struct evhttp_request;

/* One request, while its handler runs. */
struct emu_request {
    scalekit_emulator *emulator;
    struct evhttp_request *http;
    const char *path;   /* without the query */
    const char *rest;   /* of a path that is routed by its beginning, or what its star stands for */
    const char *second; /* what its second star stands for */
    char segments[2][256];
    struct emu_form query;
    yajl_val body;        /* NULL: none */
    bool has_body;        /* fields are read from the body */
    struct emu_json json; /* the answer, while it is being written */
    struct emu_violation {
        const char *field, *constraint;
        char description[96];
    } violations[8];
    size_t n_violations;
    const char *malformed;             /* a field of the wrong JSON type */
    struct emu_call *call;             /* the tool call under way; NULL: none */
    const struct emu_account *account; /* whose, of a proxied request; NULL: it is none */
};

/* One row of the routing table; the first that fits is taken.  A path that ends in '/' stands for
 * everything below it; a '*', of which there may be two, for one segment, or its part before
 * a ":verb". */
struct emu_route {
    int method; /* enum evhttp_cmd_type; 0: any */
    const char *path;
    void (*handle)(struct emu_request *request);
    unsigned flags;
    const char *const *members; /* all that the body may have, ended by NULL; NULL: anything */
};

enum {
    EMU_SIGNED_IN = 1, /* needs an access token */
    EMU_BODY = 2,      /* takes a JSON body */
    EMU_ADMIN = 4,     /* of the emulator itself: only from what is no web page */
    EMU_LARGE = 8      /* takes a body of more than 1 MiB */
};

extern const struct emu_route emu_routes[]; /* ended by a NULL path */

bool emu_server_start(scalekit_emulator *emulator, uint16_t port, const char *tls_dir, char *error,
                      size_t error_size);
void emu_server_free(scalekit_emulator *emulator);

const char *emu_method(const struct emu_request *request); /* "GET" */
bool emu_is_signed_in(struct emu_request *request);

/* The answer is request->json, or the bytes in request->json.out. */
void emu_send(struct emu_request *request, int status);
void emu_send_nothing(struct emu_request *request); /* {} */
void emu_send_as(struct emu_request *request, int status, const char *content_type);
void emu_header(struct emu_request *request, const char *name, const char *value);
const char *emu_get_header(struct emu_request *request, const char *name); /* "" when absent */

/* Sends an error in the service's shape; `error_code` NULL: without details. */
void emu_fail(struct emu_request *request, int status, const char *error_code, const char *message);
/* The same for a tool's failure. */
void emu_fail_tool(struct emu_request *request, int status, const char *tool_error_code,
                   const char *message);
void emu_out_of_memory(struct emu_request *request);
void emu_not_found(struct emu_request *request, const char *what); /* "connection" */

#endif
