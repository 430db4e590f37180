/* account.h - a connected account read by yajl, as a program on libcurl would do it: strings
 * copied, words and moments turned into numbers, one block of memory for all of it. */
#ifndef BENCH_ACCOUNT_H
#define BENCH_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum account_status { STATUS_UNKNOWN, STATUS_PENDING, STATUS_ACTIVE, STATUS_EXPIRED };
enum account_type { TYPE_UNKNOWN, TYPE_OAUTH, TYPE_API_KEY, TYPE_BEARER_TOKEN };

struct account {
    char *memory; /* of the strings */
    const char *id, *connection_name, *connection_id, *identifier, *provider;
    const char *status_text, *type_text;
    const char *api_config; /* as text */
    enum account_status status;
    enum account_type type;
    int64_t token_expires_at, updated_at, last_used_at; /* microseconds since 1970 */
};

/* Reads {"connected_account":{…}}.  False: it is no such JSON, or memory ran out; then there is
 * nothing to free. */
bool account_read(struct account *account, const char *text, size_t length);
void account_free(struct account *account);

#endif
