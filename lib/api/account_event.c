#include "api/account_event.h"
#include "api/connected_account.h"
#include "json/decode.h"
#include <string.h>

/* As of an account, but for the name of the connection. */
static const struct ski_field data_fields[] = {
    STRING(scalekit_connected_account, id, "id", .flags = SKI_REQUIRED),
    STRING(scalekit_connected_account, identifier, "identifier"),
    STRING(scalekit_connected_account, connection_id, "connection_id"),
    STRING(scalekit_connected_account, connection_name, "connection_name"),
    STRING(scalekit_connected_account, provider, "provider"),
    ENUM(scalekit_connected_account, status, scalekit_account_status, ski_account_status_words,
         "status"),
    ENUM(scalekit_connected_account, authorization_type, scalekit_authorization_type,
         ski_authorization_type_words, "authorization_type"),
    TIMESTAMP(scalekit_connected_account, token_expires_at, "token_expires_at"),
    TIMESTAMP(scalekit_connected_account, last_used_at, "last_used_at"),
    END,
};
static const struct ski_type data_type = TYPE(scalekit_connected_account, data_fields);

scalekit_err ski_account_of_event(struct ski_arena *arena, const struct scalekit_event *event,
                                  const struct scalekit_connected_account **out)
{
    const char *data = event->data ? event->data : "";
    const void *account = NULL;
    struct ski_failure failure;
    scalekit_err err = ski_json_decode(arena, &data_type, data, strlen(data), &account, &failure);

    *out = account;
    return err;
}
