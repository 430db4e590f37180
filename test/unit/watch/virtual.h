/* virtual.h - time that passes only when there is nothing else to do.
 *
 * For a fixture whose client has the test's clock: what can happen now happens, then the clock jumps
 * to the client's next timer.  A watch of 15 minutes takes milliseconds, and always the same. */
#ifndef TEST_WATCH_VIRTUAL_H
#define TEST_WATCH_VIRTUAL_H

#include "unit/core/fixture.h"

int64_t virtual_now(const struct fixture *fixture); /* milliseconds */

/* Runs the loop until the client only waits: for time, or for an answer that does not come.  A test
 * that frees the client in a callback must have set fixture->client to NULL there. */
void virtual_settle(struct fixture *fixture);

/* Jumps to the next timer, but not beyond `end_ms`, and lets everything happen there.  false: the
 * end has been reached. */
bool virtual_step(struct fixture *fixture, int64_t end_ms);

void virtual_pass(struct fixture *fixture, int64_t milliseconds);

/* Until *done; fails the test after `limit_ms`. */
void virtual_until(struct fixture *fixture, const bool *done, int64_t limit_ms);

#endif
