/* scalekit/submit.h - the one door to a client for other threads.
 *
 * A client, and everything that was got from it (requests, results, errors, watches), belongs to the
 * thread that runs its event_base; a governor belongs to none.  Other threads may call the three
 * functions below and nothing else: they hand functions in, which the loop then runs, so that
 * whatever a thread wants done with the client, the client's own thread does.  What goes from one to
 * the other is copied, or handed over as `user`; no lock is needed for it.
 *
 *     thread of the loop                           another thread
 *     scalekit_client_hold(client)
 *     starts the thread  ───────────────────────►  scalekit_submit(client, ask, question)
 *     ask(client, question) runs                   …
 *                                                  scalekit_client_release(client)
 *
 * Holding.  libevent's dispatch returns when nothing is pending, and a loop that has returned cannot
 * be woken.  So whoever may submit holds the client meanwhile:
 *
 *   - As long as somebody holds a client, its loop does not return by itself.  While nobody does,
 *     the client has nothing on the loop for the sake of other threads, and opens nothing.
 *   - A hold keeps the handle valid for these three functions even after scalekit_client_free():
 *     scalekit_submit() then returns SCALEKIT_ERR_CLOSED.  So threads need not end before the client
 *     does, nor ask whether it is still there.
 *   - What was submitted before the last release still runs before the loop may return.
 *
 * A loop that was stopped (event_base_loopbreak()) keeps what was submitted until it runs again, or
 * the client is freed.  libevent needs no evthread_use_pthreads() for any of this. */
#ifndef SCALEKIT_SUBMIT_H
#define SCALEKIT_SUBMIT_H

#include <scalekit/error.h>

SCALEKIT_BEGIN

/* What runs on the loop.  `client` is the client, of which anything may be asked as in any other
 * callback, also to free it; or NULL when it was freed first: then nothing can be done any more but
 * free what `user` is. */
typedef void (*scalekit_submit_cb)(scalekit_client *client, void *user);

/* Lets other threads submit, and keeps the loop running until scalekit_client_release() was called
 * as often as this.  The first hold is taken on the client's thread, or before that thread runs;
 * further ones by anybody for whom one is held already, so that a thread may pass the right on.
 *
 * The first one opens a descriptor (an eventfd), and takes 16 bytes for each of max_submitted, both
 * kept until the client is freed.
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: the client is NULL; SCALEKIT_ERR_CLOSED: the client is
 * being freed, or was; SCALEKIT_ERR_NOMEM: out of memory or descriptors.  Unless it returned
 * SCALEKIT_OK nothing is held. */
SCALEKIT_API scalekit_err scalekit_client_hold(scalekit_client *client);

/* Gives one hold back; from any thread, also after the client was freed.  The last one of a freed
 * client gives the memory of the handle back, on the thread that calls this.  NULL is ignored. */
SCALEKIT_API void scalekit_client_release(scalekit_client *client);

/* Has `function` run once by the client's loop, later: never from inside this call, also when the
 * client's own thread calls it.  Functions run in the order in which they were submitted, and what a
 * thread did before it submitted is visible to its function.  Any thread may call this for which the
 * client is held.  It waits for nothing but a short lock, and allocates nothing.
 *
 *   function  called exactly once, on the client's thread, if and only if SCALEKIT_OK is returned
 *   user      passed to it; from then on it is the function's
 *
 * When scalekit_client_free() comes first, it calls the function before it returns, with a client of
 * NULL.
 *
 * Returns SCALEKIT_OK; SCALEKIT_ERR_INVALID: the client or the function is NULL, or nobody holds the
 * client; SCALEKIT_ERR_QUEUE_FULL: max_submitted functions wait already; SCALEKIT_ERR_CLOSED: the
 * client is being freed, or was. */
SCALEKIT_API scalekit_err scalekit_submit(scalekit_client *client, scalekit_submit_cb function,
                                          void *user);

SCALEKIT_END

#endif
