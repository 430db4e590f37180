/* session.h - the access tokens that were handed out to clients. */
#ifndef EMU_SESSION_H
#define EMU_SESSION_H

#include "map.h"
#include <sys/queue.h>

struct emu_sessions {
    struct emu_map by_token;
    TAILQ_HEAD(emu_session_list, emu_session) by_age;
};

void emu_sessions_init(struct emu_sessions *sessions);
void emu_sessions_clear(struct emu_sessions *sessions); /* no token is valid any more */
/* A new token; borrowed.  NULL when memory ran out. */
const char *emu_session_add(struct emu_sessions *sessions, int64_t life_s);
bool emu_session_is_valid(const struct emu_sessions *sessions, const char *token);

#endif
