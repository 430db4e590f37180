#include "api/account_key.h"
#include <string.h>

const char *ski_check_connection_name(const char *value)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_: -";

    return value[strspn(value, allowed)] ? "may hold only A-Z a-z 0-9 _ : - and space" : NULL;
}

const char *ski_check_account_id(const char *value)
{
    return strncmp(value, "ca_", 3) == 0 ? NULL : "must begin with ca_";
}

const char *ski_given(const char *text)
{
    return text && text[0] ? text : NULL;
}

const char *ski_check_account_key(const char *connected_account_id, const char *connection_name,
                                  const char *identifier, const char **parameter)
{
    if (ski_given(connected_account_id))
        return NULL;
    if (!ski_given(connection_name) && !ski_given(identifier)) {
        *parameter = "connected_account_id";
        return "connected_account_id, or connection_name and identifier, must be given";
    }
    if (!ski_given(connection_name)) {
        *parameter = "connection_name";
        return "connection_name must be given together with identifier";
    }
    if (!ski_given(identifier)) {
        *parameter = "identifier";
        return "identifier must be given together with connection_name";
    }
    return NULL;
}
