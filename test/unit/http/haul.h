/* haul.h - exchanges with bodies in pieces, an owner that looks after them, and an HTTP/1.1 server of
 * large bodies.  All bodies are "abc...zabc...". */
#ifndef TEST_HTTP_HAUL_H
#define TEST_HTTP_HAUL_H

#include "http/transfer.h"
#include "rig.h"

struct haul {
    struct shot shot;
    struct ski_transfer transfer;
    struct ski_task turn;
    struct pond *pond;

    unsigned turns;   /* of the owner */
    bool stuck;       /* takes nothing, and does not say so */
    size_t got;       /* of the answer */
    size_t most;      /* of it, waiting at a time */
    bool torn;        /* it was not the alphabet */
    size_t to_send;   /* of the request's body */
    size_t sent;      /* of it, put into the transfer */
    size_t piece;     /* at a time, at most; 0: as much as fits */
    bool withholding; /* has nothing for now */
};

/* A GET whose answer is passed on. */
void haul_init(struct haul *haul, struct pond *pond, const char *target);
/* Makes it a POST of so many bytes; `told`: the server hears how many. */
void haul_set_body(struct haul *haul, size_t length, bool told);
void haul_free(struct haul *haul);
void haul_start(struct haul *haul);
void haul_cancel(struct haul *haul);
void haul_pause(struct haul *haul, bool paused);
void haul_tend(struct haul *haul); /* the owner's turn, now */
/* Whether all of the answer came, and was what it should be. */
bool haul_arrived(struct haul *haul, int status, size_t length);

/* A server for `pond` in place of the rig's.  It answers by target:
 *
 *     /bytes/N     N bytes, with their length
 *     /chunks/N    N bytes in chunks
 *     /close/N     N bytes, to the end of the connection
 *     /half/N      the first half of N bytes
 *     /early       413 as soon as it has the header
 *     /mute        nothing
 *     any other    how many bytes of the request's body came, when that is complete */
struct porter {
    struct test_peer *peer;
    size_t body;    /* bytes of the latest request's body */
    bool torn;      /* they were not the alphabet, or badly framed */
    unsigned heads; /* requests */
};

void porter_init(struct porter *porter, struct pond *pond, SSL_CTX *tls);
void porter_free(struct porter *porter);

#endif
