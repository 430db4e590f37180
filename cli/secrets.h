/* secrets.h - the secrets of webhooks: those that --secret has given, or the files it has named, or
 * what SCALEKIT_WEBHOOK_SECRET says. */
#ifndef CLI_SECRETS_H
#define CLI_SECRETS_H

#include "input.h"
#include "options.h"

struct secrets {
    const char **items; /* borrowed from the options or the files */
    size_t n;
    struct input *files; /* as many; without text where none was named */
};

/* 0, or an exit status: it has said what is wrong.  To be freed in either case. */
int secrets_read(struct secrets *secrets, const struct texts *given);
void secrets_free(struct secrets *secrets);

#endif
