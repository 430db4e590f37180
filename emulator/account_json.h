/* account_json.h - an account as the service shows it. */
#ifndef EMU_ACCOUNT_JSON_H
#define EMU_ACCOUNT_JSON_H

#include "account.h"
#include "json.h"

enum {
    EMU_SHOW_SECRETS = 1, /* with authorization_details */
    EMU_SHOW_CONFIG = 2,  /* with api_config */
};

void emu_json_account(struct emu_json *json, const char *key, const struct emu_account *account,
                      unsigned show);

#endif
