/* Every suite of integration tests: the library against real servers on loopback. */
#include "harness.h"

/* clang-format off */
#define SUITES(use) \
    use(batch) use(flow) use(hostile) use(http2) use(http2_hostile) use(program) use(proxy) \
    use(user_verification) use(webhook_delivery) use(webhook_server)
/* clang-format on */

#define DECLARE(name) extern CU_TestInfo name##_suite[];
#define ROW(name)     USE_SUITE(name),

SUITES(DECLARE)

static const struct harness_suite suites[] = {SUITES(ROW){NULL, NULL}};

int main(int argc, char **argv)
{
    return harness_run(suites, argc, argv);
}
