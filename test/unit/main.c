/* Every suite of unit tests, by layer. */
#include "harness.h"

/* clang-format off */
#define SUITES(use) \
    use(arena) use(buf) use(clock) use(failure) use(list) use(log) use(loop) use(map) use(mem) \
    use(recycler) use(str) use(wheel) \
    use(check) use(decode) use(encode) use(time) use(type) \
    use(connector) use(resolver) use(stream) use(tls) \
    use(connection) use(connection_h1) use(connection_h2) use(connection_h2_life) use(exchange) \
    use(h1) use(h2) use(h2_answers) use(headers) use(pool) use(pool_h2) use(url) \
    use(client) use(config) use(error) use(request) use(retry) use(token) \
    use(account_key) use(authorization_link) use(connected_account) use(get_or_create) use(tool) \
    use(connect) use(engine) use(look) use(watch) \
    use(emulator_account) use(emulator_consent) use(emulator) use(emulator_tool)
/* clang-format on */

#define DECLARE(name) extern CU_TestInfo name##_suite[];
#define ROW(name)     USE_SUITE(name),

SUITES(DECLARE)

static const struct harness_suite suites[] = {SUITES(ROW){NULL, NULL}};

int main(int argc, char **argv)
{
    return harness_run(suites, argc, argv);
}
