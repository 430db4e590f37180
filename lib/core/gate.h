/* gate.h - what every attempt of a client passes before it is sent.
 *
 * While the governor is open (core/governor.h) passing costs a count.  Otherwise passes wait here, a
 * list per class; one timer asks for all of them at the time the governor named.  It is a pass's
 * owner, a request or the sign-in, that has the deadline. */
#ifndef SKI_CORE_GATE_H
#define SKI_CORE_GATE_H

#include "base/loop.h"
#include "core/governor.h"
#include "http/exchange.h"

/* Embedded in who sends. */
struct ski_pass {
    struct ski_list link;
    void (*go)(struct ski_pass *pass); /* from the loop: it may be sent, now */
    enum scalekit_request_class kind;  /* while it waits */
    int64_t since_ms;                  /* likewise */
    unsigned epoch;                    /* in which it went */
    bool first;                        /* it goes before all others of its class */
};

struct ski_gate {
    struct ski_loop *loop;
    struct ski_seat seat;
    struct ski_list waiting[SKI_CLASSES];
    unsigned n[SKI_CLASSES];
    unsigned n_waiting, max_waiting;
    int64_t half_second; /* the one in which the rate was measured last */
    int64_t come_ms;     /* there is no need to ask before */
    ski_timer timer;
    struct ski_task turn;
};

/* With a seat of its own at the governor.  SCALEKIT_ERR_NOMEM: nothing is to be freed. */
scalekit_err ski_gate_init(struct ski_gate *gate, struct ski_loop *loop,
                           scalekit_governor *governor, unsigned max_waiting);
void ski_gate_free(struct ski_gate *gate); /* also of one that was never made; nobody may wait */

enum ski_gate_answer {
    SKI_GATE_GO,
    SKI_GATE_WAIT, /* `go` will be called */
    SKI_GATE_FULL
};

static inline void ski_pass_init(struct ski_pass *pass, void (*go)(struct ski_pass *pass))
{
    ski_list_init(&pass->link);
    pass->go = go;
}

/* May it go?  `about_ms` is the time, or a little before: it only says when to measure. */
enum ski_gate_answer ski_gate_enter(struct ski_gate *gate, struct ski_pass *pass,
                                    enum scalekit_request_class kind, int64_t about_ms);
void ski_gate_leave(struct ski_gate *gate, struct ski_pass *pass); /* harmless when it is not in */

/* What an answer says about the limit of the environment; `error` is NULL when it was accepted. */
void ski_gate_learn(struct ski_gate *gate, const struct ski_pass *pass,
                    const struct ski_exchange *exchange, const struct scalekit_error *error);

#endif
