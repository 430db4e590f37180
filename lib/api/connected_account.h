/* connected_account.h - what other files of the library need of the resource. */
#ifndef SKI_API_CONNECTED_ACCOUNT_H
#define SKI_API_CONNECTED_ACCOUNT_H

#include "core/operation.h"
#include <scalekit/connected_account.h>

extern const struct ski_word ski_account_status_words[];
extern const struct ski_word ski_authorization_type_words[];
extern const struct ski_type ski_connected_account_type;
extern const struct ski_type ski_create_connected_account_type; /* its params */

const char *ski_check_create_connected_account(const void *params, const char **parameter);

/* For rows and flows whose result is an account. */
void ski_deliver_connected_account(scalekit_request *request, ski_callback cb, const void *result,
                                   void *user);

#endif
