/* gmail.h - one made-up mailbox, seen through Gmail's API and through the tool. */
#ifndef EMU_GMAIL_H
#define EMU_GMAIL_H

#include "account.h"

#define EMU_MAILS 100 /* in everybody's mailbox */

struct emu_mail {
    char id[17], thread_id[17], date[40]; /* the date as in a mail's header */
    const char *from, *subject, *snippet;
    int64_t date_ms; /* since 1970 */
    bool unread;
};

/* The mail number `n`, 0 being the latest. */
void emu_mail(struct emu_mail *mail, const struct emu_account *account, size_t n);
/* Whether a mail fits a search as Gmail's box takes it: words, from:, subject:, is:unread, is:read. */
bool emu_mail_matches(const struct emu_mail *mail, const char *query);

#endif
