/* phone.h - a connection that notes what it is told. */
#ifndef TEST_HTTP_PHONE_H
#define TEST_HTTP_PHONE_H

#include "http/connection.h"
#include "rig.h"

struct phone {
    struct rig *rig;
    struct ski_connection *connection; /* NULL: it has ended */
    unsigned ready, returned, ended;
    bool opened;                /* as it was told at the end */
    struct ski_failure failure; /* of the end; code SCALEKIT_OK: none */
    struct shot *next;          /* to start as soon as it is ready again */
};

/* Opens one to the rig's URL, and waits until it is ready. */
void phone_open(struct phone *phone, struct rig *rig);
void phone_dial(struct phone *phone, struct rig *rig);     /* without waiting */
bool phone_try_dial(struct phone *phone, struct rig *rig); /* false: out of memory */
void phone_hang_up(struct phone *phone);                   /* frees it, if it has not ended */

/* Start and cancel see that nothing is told from inside. */
void phone_start(struct phone *phone, struct shot *shot);
void phone_start_all(struct phone *phone, struct shot *shots, unsigned n);
void phone_cancel(struct phone *phone, struct shot *shot);

/* A server that speaks HTTP/2, and a connection to it that has opened: each has heard the other. */
struct talk {
    struct rig rig;
    struct phone phone;
};

void talk_init(struct talk *talk, const struct h2_server_options *options);
void talk_free(struct talk *talk);
struct h2_server *talk_server(const struct talk *talk);
void talk_until_held(struct talk *talk, unsigned n); /* requests, at the server */
/* The server's limit of streams changes, and the client has heard it. */
void talk_set_limit(struct talk *talk, uint32_t limit);

#endif
