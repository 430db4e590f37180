/* What several threads do at once.  A program of its own, so that ThreadSanitizer can be given just
 * this.  Only the main thread asserts: CUnit keeps its failures without a lock. */
#include "harness.h"

/* clang-format off */
#define SUITES(use) \
    use(thread_clients) use(thread_governor) use(thread_submit) use(thread_webhook)
/* clang-format on */

#define DECLARE(name) extern CU_TestInfo name##_suite[];
#define ROW(name)     USE_SUITE(name),

SUITES(DECLARE)

static const struct harness_suite suites[] = {SUITES(ROW){NULL, NULL}};

int main(int argc, char **argv)
{
    return harness_run(suites, argc, argv);
}
