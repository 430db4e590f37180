/* governor.h - whose request goes next, over all clients of one environment.
 *
 *   client ── gate ── seat ──┐
 *   client ── gate ── seat ──┼──► governor: one rate (core/rate.h), classes by weight, seats by turns
 *   client ── gate ── seat ──┘
 *
 * While the governor is open nobody asks it: requests go, and their seat counts them.  Otherwise each
 * request asks, through the gate of its client (core/gate.h), and is let go or told when to ask again.
 *
 * Classes.  Each has a virtual time that advances by 8 / weight with each request let go; the class
 * that is behind goes first, as start-time fair queueing has it, and one that comes back after having
 * been idle starts at the present.  A second of waiting counts as much as one interactive request, so
 * that at low rates nobody starves.  Seats of one class take turns in the same way.
 *
 * Threads.  All state is under one mutex, held for arithmetic only: nothing is called from inside but
 * the clock, before.  Two facts are atomic, so that an open governor costs no lock: whether it is
 * open, and the epoch.  Nobody is woken across threads: what is due to a seat is kept for it as long
 * as it comes at the time it was told, give or take; one that does not come is passed over until it
 * does.
 *
 * Epochs.  A service that answers one request with 429 does so to hundreds that are in flight.  They
 * went out in one epoch, which the first of these answers ends: the others do not lower the rate. */
#ifndef SKI_CORE_GOVERNOR_H
#define SKI_CORE_GOVERNOR_H

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "core/rate.h"
#include <pthread.h>
#include <scalekit/governor.h>
#include <stdatomic.h>

#define SKI_CLASSES     5 /* of enum scalekit_request_class */
#define SKI_NO_CLASS    (-1)

#define SKI_MAX_CEILING 1000000

/* What waits at a seat. */
struct ski_demand {
    unsigned n[SKI_CLASSES];
    int64_t waited_ms[SKI_CLASSES]; /* the first of each class */
};

/* A client's place; embedded in it. */
struct ski_seat {
    struct ski_list link;
    scalekit_governor *governor;
    /* Written by the client's thread alone, read by others. */
    _Atomic uint64_t sent[SKI_CLASSES];
    _Atomic unsigned queued[SKI_CLASSES];

    /* Under the governor's mutex. */
    unsigned waiting[SKI_CLASSES]; /* when it asked last */
    int64_t since_ms[SKI_CLASSES];
    int64_t passed[SKI_CLASSES]; /* virtual time within a class, in requests */
    int64_t come_ms;             /* when it was told to ask again */
};

struct scalekit_governor {
    struct ski_mem mem;
    struct ski_clock clock;
    atomic_bool limited;
    atomic_uint epoch;

    pthread_mutex_t mutex;
    unsigned refs;
    struct ski_list seats;
    unsigned n_seats;
    struct ski_rate rate;
    int64_t passed[SKI_CLASSES]; /* virtual times, 8 to a request of weight 1 */
    int64_t present;             /* that of the class served last */
    int64_t turn[SKI_CLASSES];   /* that of the seat served last in a class */
    int watch_credit;
    uint64_t rate_limited;
    uint64_t left[SKI_CLASSES]; /* what seats that are gone had sent */
};

/* With one reference.  NULL: out of memory. */
scalekit_governor *ski_governor_new(const struct ski_mem *mem, const struct scalekit_clock *clock,
                                    unsigned ceiling);

/* A seat has a reference until it leaves. */
void ski_governor_join(scalekit_governor *governor, struct ski_seat *seat);
void ski_governor_leave(struct ski_seat *seat);

/* Whether requests may go without asking. */
static inline bool ski_governor_is_open(const scalekit_governor *governor)
{
    return !atomic_load_explicit(&governor->limited, memory_order_relaxed);
}

/* Whether it was told how many requests it may spend. */
static inline bool ski_governor_has_ceiling(const scalekit_governor *governor)
{
    return governor->rate.ceiling != 0; /* as it was made */
}

static inline unsigned ski_governor_epoch(const scalekit_governor *governor)
{
    return atomic_load_explicit(&governor->epoch, memory_order_relaxed);
}

/* One goes without asking. */
static inline void ski_seat_count(struct ski_seat *seat, enum scalekit_request_class kind)
{
    uint64_t sent = atomic_load_explicit(&seat->sent[kind], memory_order_relaxed);

    atomic_store_explicit(&seat->sent[kind], sent + 1, memory_order_relaxed);
}

/* So many wait, for who asks how things stand. */
static inline void ski_seat_queue(struct ski_seat *seat, enum scalekit_request_class kind,
                                  unsigned n)
{
    atomic_store_explicit(&seat->queued[kind], n, memory_order_relaxed);
}

/* Looks at what all seats have counted; to be called every half second or so while they do. */
void ski_governor_measure(scalekit_governor *governor);

/* May one of those that wait go?  Its class, which counts as gone, or SKI_NO_CLASS: then *wait_ms says
 * when to ask again; INT64_MAX when nothing waits. */
int ski_governor_ask(struct ski_seat *seat, const struct ski_demand *demand, int64_t *wait_ms);

/* A 429 to a request let go in that epoch.  Whether it lowered the rate, and to what. */
bool ski_governor_refuse(scalekit_governor *governor, unsigned epoch, double *per_second);

/* The service wants nothing for so long.  Whether it did not before. */
bool ski_governor_park(scalekit_governor *governor, int64_t milliseconds);

#endif
