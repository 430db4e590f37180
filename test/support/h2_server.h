/* h2_server.h - the server end of an HTTP/2 connection, without I/O, that does as a test tells it.
 *
 * Bytes come in by a function and go out by a callback.  What it answers depends on the target:
 *
 *     /bytes/N    a body of N bytes, "abc...zabc...", with its content-length
 *     /slow/N     the same, but as h2_server_more() allows it
 *     /echo       the body of the request
 *     /mirror     the header of the request, "name: value\n..."
 *     a script    its frames, as they are; see h2_scripts.c
 *     any other   200, and the target itself
 *
 * Good answers go through nghttp2, which keeps to the client's windows; scripts go past it. */
#ifndef TEST_SUPPORT_H2_SERVER_H
#define TEST_SUPPORT_H2_SERVER_H

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define H2_NUMBERED 16384 /* targets "/0", "/1", ... that are counted each by itself */

/* What was heard, over all connections that share it.  Zero it before use. */
struct h2_counts {
    unsigned requests;  /* looked at: neither refused nor beyond a GOAWAY */
    unsigned open;      /* streams, now */
    unsigned most_open; /* streams at a time on one connection */
    unsigned pings, ping_acks, settings_acks;
    unsigned resets;     /* RST_STREAM of the client */
    uint32_t reset_code; /* of the latest */
    unsigned goaways;    /* of the client */
    uint32_t goaway_code;
    unsigned refused;              /* streams that were refused by the server, wanted or not */
    unsigned invalid;              /* what a client must not send */
    size_t body_bytes;             /* of all requests */
    uint8_t numbered[H2_NUMBERED]; /* requests looked at for that target */
};

struct h2_server_options {
    nghttp2_settings_entry settings[4]; /* it begins with */
    unsigned n_settings;
    bool late;            /* nothing is sent before h2_server_greet() */
    const char *greeting; /* sent in place of the SETTINGS: it does not speak HTTP/2 */
    bool hold;            /* requests wait for h2_server_answer(); without it: at once */
    bool stuck;           /* takes in what the windows allow, and gives nothing back */
    bool no_ping_acks;
    unsigned reset_every; /* the n-th, 2n-th, ... request is reset, with this code */
    uint32_t reset_code;
    unsigned goaway_every;    /* the n-th request is the last, and GOAWAY says so */
    bool goaway_notice;       /* in two steps: GOAWAY(2^31-1), and the true one after the answers */
    struct h2_counts *counts; /* borrowed, may be shared */
};

enum h2_ending {
    H2_STAY,
    H2_FINISH, /* in good order */
    H2_CUT,    /* not so */
    H2_RESET   /* at once */
};

struct h2_server_io {
    void (*send)(void *user, const void *bytes, size_t length);
    /* The connection is to end, once all has been sent.  May free the server. */
    void (*end)(void *user, enum h2_ending how);
    void *user;
};

struct h2_server;

/* Each function may end the connection; after that it must not be used but to be freed. */
struct h2_server *h2_server_new(const struct h2_server_options *options,
                                const struct h2_server_io *io);
void h2_server_free(struct h2_server *server);

void h2_server_begin(struct h2_server *server); /* the connection is there: greets, unless late */
void h2_server_receive(struct h2_server *server, const void *bytes, size_t length);

void h2_server_greet(struct h2_server *server);                /* when late */
unsigned h2_server_waiting(const struct h2_server *server);    /* requests held */
void h2_server_answer(struct h2_server *server, unsigned n);   /* the n that wait longest */
void h2_server_reset(struct h2_server *server, uint32_t code); /* the one that waits longest */
void h2_server_more(struct h2_server *server, size_t bytes);   /* of each slow body */
void h2_server_set(struct h2_server *server, int32_t id, uint32_t value); /* SETTINGS again */
/* `last`: the stream; -1: the latest that was looked at. */
void h2_server_goaway(struct h2_server *server, int32_t last, uint32_t code, const char *debug);
void h2_server_play(struct h2_server *server, const char *script); /* without a request */
void h2_server_end(struct h2_server *server, enum h2_ending how);

/* --- scripts ------------------------------------------------------------------------------------ */

/* A frame as it is sent.  HEADERS, CONTINUATION and PUSH_PROMISE may be given as `fields`,
 * "name: value\n...", which are packed behind `bytes` without Huffman's code or the dynamic table. */
struct h2_frame {
    uint8_t type, flags;
    int32_t stream;     /* 0: the request's; -1: none, the connection's; others as they are */
    const char *fields; /* NULL: none */
    const char *bytes;
    size_t length;  /* of bytes */
    unsigned pack;  /* how often the fields are in the frame; 0: once */
    size_t padding; /* so many zeros behind all */
    size_t claims;  /* the length in the frame's head; 0: the true one */
    unsigned times; /* the frame is sent; 0: once */
};

struct h2_script {
    const char *target;
    bool early; /* does not wait for the request's body */
    enum h2_ending then;
    struct h2_frame frames[10]; /* up to the first that is all zero */
};

const struct h2_script *h2_script_find(const char *target);
/* Sends its frames; `stream` is the request's. */
void h2_script_send(const struct h2_script *script, int32_t stream, const struct h2_server_io *io);
unsigned h2_script_settings(const struct h2_script *script); /* how many will be acknowledged */

#endif
