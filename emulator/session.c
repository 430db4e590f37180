#include "session.h"
#include "text.h"
#include <stdlib.h>

struct emu_session {
    struct emu_node by_token;
    TAILQ_ENTRY(emu_session) by_age;
    int64_t expires_us;
    char token[65];
};

void emu_sessions_init(struct emu_sessions *sessions)
{
    TAILQ_INIT(&sessions->by_age);
}

static void free_session(struct emu_sessions *sessions, struct emu_session *session)
{
    emu_map_remove(&sessions->by_token, &session->by_token);
    TAILQ_REMOVE(&sessions->by_age, session, by_age);
    free(session);
}

void emu_sessions_clear(struct emu_sessions *sessions)
{
    while (!TAILQ_EMPTY(&sessions->by_age))
        free_session(sessions, TAILQ_FIRST(&sessions->by_age));
    emu_map_take(&sessions->by_token);
}

const char *emu_session_add(struct emu_sessions *sessions, int64_t life_s)
{
    struct emu_session *session = calloc(1, sizeof *session), *oldest;
    int64_t now = emu_now_us();

    while ((oldest = TAILQ_FIRST(&sessions->by_age)) && oldest->expires_us <= now)
        free_session(sessions, oldest);
    if (!session)
        return NULL;
    session->expires_us = now + life_s * EMU_SECOND;
    if (!emu_random_text(session->token, sizeof session->token) ||
        !emu_map_add(&sessions->by_token, &session->by_token, session->token)) {
        free(session);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&sessions->by_age, session, by_age);
    return session->token;
}

bool emu_session_is_valid(const struct emu_sessions *sessions, const char *token)
{
    const struct emu_session *session =
        EMU_OWNER(emu_map_find(&sessions->by_token, token), struct emu_session, by_token);

    return session && session->expires_us > emu_now_us();
}
