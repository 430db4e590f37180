/* receiver.h - an endpoint of webhooks, by evhttp, that answers as it is told and keeps what it
 * got. */
#ifndef TEST_EMULATOR_RECEIVER_H
#define TEST_EMULATOR_RECEIVER_H

#include "world.h"
#include <openssl/ssl.h>

#define RECEIVER_SIZE 1000

enum { SILENCE = 0, HANG_UP = -1 }; /* in place of a status */

struct receipt {
    char id[64], event_id[64], content_type[40];
    long long timestamp;
    bool is_signed;
    uint16_t peer; /* the port at the other end */
};

struct receiver {
    struct event_base *base;
    struct evhttp *http;
    SSL_CTX *tls; /* NULL: plain HTTP */
    char url[64];
    const char *secret; /* what deliveries must be signed with */
    const int *answers; /* by arrival, ended by 0 after the first; the last is given again; NULL:
                             200 */
    size_t n_answers;
    bool closes; /* the connection after each answer */
    struct receipt receipts[RECEIVER_SIZE];
    size_t n, wanted;
    bool done;       /* as many came as were wanted */
    char body[4096]; /* of the latest */
};

/* `tls_dir` NULL: plain HTTP; otherwise with the certificate there. */
void receiver_start(struct receiver *receiver, struct event_base *base, const char *tls_dir);
void receiver_stop(struct receiver *receiver);

/* Adds it to the world's emulator, with a secret that is made; `config` NULL: every default. */
void receiver_register(struct receiver *receiver, struct world *world,
                       const struct scalekit_emulator_webhook *config);

/* Turns the loop until it got so many since the start. */
void receiver_wait(struct receiver *receiver, size_t wanted);

#endif
