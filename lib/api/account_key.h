/* account_key.h - naming an account: the rows and rules that many operations share. */
#ifndef SKI_API_ACCOUNT_KEY_H
#define SKI_API_ACCOUNT_KEY_H

#include "json/type.h"

/* A part of a name, of which absent and empty are the same: NULL. */
const char *ski_given(const char *text);

/* What is wrong with a value, for people; NULL when it is right. */
const char *ski_check_connection_name(const char *value); /* A-Z a-z 0-9 _ : - and space */
const char *ski_check_account_id(const char *value);      /* begins with ca_ */

/* An id, or a connection and an identifier. */
const char *ski_check_account_key(const char *connected_account_id, const char *connection_name,
                                  const char *identifier, const char **parameter);

/* The members of struct scalekit_account_key, wherever they stand. */
#define ACCOUNT_KEY(S)                                                                             \
    STRING(S, connected_account_id, "id", .max = 32, .check = ski_check_account_id),               \
        STRING(S, connection_name, "connector", .max = 400, .check = ski_check_connection_name),   \
        STRING(S, identifier, "identifier", .max = 100),                                           \
        STRING(S, organization_id, "organization_id", .max = 32),                                  \
        STRING(S, user_id, "user_id", .max = 32)

/* Defines the rule above for a structure that has these members. */
#define CHECK_ACCOUNT_KEY(S)                                                                       \
    static const char *check_##S(const void *params, const char **parameter)                       \
    {                                                                                              \
        const struct S *p = params;                                                                \
                                                                                                   \
        return ski_check_account_key(p->connected_account_id, p->connection_name, p->identifier,   \
                                     parameter);                                                   \
    }

#endif
