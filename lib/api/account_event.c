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

/* Beside the account in the data of a status_updated. */
struct change {
    size_t struct_size;
    enum scalekit_account_status old_status;
    const char *old_status_text;
};

static const struct ski_field change_fields[] = {
    ENUM(change, old_status, scalekit_account_status, ski_account_status_words, "old_status"),
    END,
};
static const struct ski_type change_type = TYPE(change, change_fields);

static scalekit_err decode_data(struct ski_arena *arena, const struct ski_type *type,
                                const struct scalekit_event *event, const void **out)
{
    const char *data = event->data ? event->data : "";
    struct ski_failure failure;

    *out = NULL;
    return ski_json_decode(arena, type, data, strlen(data), out, &failure);
}

scalekit_err ski_account_of_event(struct ski_arena *arena, const struct scalekit_event *event,
                                  const struct scalekit_connected_account **out)
{
    const void *account;
    scalekit_err err = decode_data(arena, &data_type, event, &account);

    *out = account;
    return err;
}

scalekit_err ski_old_status_of_event(struct ski_arena *arena, const struct scalekit_event *event,
                                     enum scalekit_account_status *old_status, const char **text)
{
    const void *decoded;
    scalekit_err err = decode_data(arena, &change_type, event, &decoded);
    const struct change *change = decoded;

    *old_status = change ? change->old_status : SCALEKIT_ACCOUNT_UNKNOWN;
    *text = change ? change->old_status_text : NULL;
    return err;
}
