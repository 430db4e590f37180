/* Every suite of unit tests, by layer. */
#include "harness.h"

/* clang-format off */
#define SUITES(use) \
    use(arena) use(buf) use(clock) use(failure) use(list) use(log) use(loop) use(map) use(mem) \
    use(recycler) use(str) use(wheel) \
    use(check) use(copy) use(decode) use(encode) use(members) use(parse) use(time) use(type) \
    use(connector) use(resolver) use(stream) use(tls) \
    use(connection) use(connection_h1) use(connection_h2) use(connection_h2_life) use(exchange) \
    use(h1) use(h2) use(h2_answers) use(headers) use(path) use(pool) use(pool_h2) use(transfer) \
    use(url) \
    use(client) use(config) use(error) use(gate) use(governor) use(rate) use(request) use(retry) \
    use(submit) use(token) \
    use(account_event) use(account_key) use(authorization_link) use(call) use(check_accounts) \
    use(check_accounts_many) use(connected_account) \
    use(each) use(environment_connection) use(get_or_create) use(look_plan) \
    use(operation) use(operation_answers) use(operation_limits) use(operations) use(survey) use(time_range) \
    use(provider) use(proxy) use(proxy_stream) use(tool) use(tool_hook) \
    use(user_verification) \
    use(webhook_event) use(webhook_interceptor) use(webhook_signature) use(webhook_verify) \
    use(connect) use(deliveries) use(engine) use(feed) use(judge) use(news) use(race) use(reliance) use(roster) use(round) use(schedule) \
    use(seen_ids) \
    use(shown) use(table) use(tally) use(target) use(watch) \
    use(watch_connection) use(watch_options) use(watch_property) use(watch_scenario) use(watch_set) use(watch_stats) \
    use(peer) use(server_tls) use(webhook_server) \
    use(emulator_account) use(emulator_connection) use(emulator_consent) use(emulator) \
    use(emulator_event) \
    use(emulator_tool_call_log) use(emulator_provider) use(emulator_mcp) use(emulator_tool) \
    use(emulator_post) use(emulator_sign) use(emulator_webhook) \
    use(cli_exit) use(cli_forward) use(cli_json) use(cli_mask) use(cli_nearest) use(cli_record) \
    use(cli_sink) use(cli_source) use(cli_table) use(cli_tree) use(cli_value) \
    use(bench_crowd) use(bench_environment) use(bench_ground) use(bench_judge) use(bench_scale) \
    use(bench_scenario) use(bench_tally) use(bench_waiter)
/* clang-format on */

#define DECLARE(name) extern CU_TestInfo name##_suite[];
#define ROW(name)     USE_SUITE(name),

SUITES(DECLARE)

static const struct harness_suite suites[] = {SUITES(ROW){NULL, NULL}};

int main(int argc, char **argv)
{
    return harness_run(suites, argc, argv);
}
