/* What sequences of statuses mean, by table. */
#include "harness.h"
#include "watch/judge.h"
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define WORD         40

#define UNKNOWN      SCALEKIT_ACCOUNT_UNKNOWN
#define ACTIVE       SCALEKIT_ACCOUNT_ACTIVE
#define EXPIRED      SCALEKIT_ACCOUNT_EXPIRED
#define REVOKED      SCALEKIT_ACCOUNT_REVOKED
#define GONE         SCALEKIT_ACCOUNT_DISCONNECTED
#define PENDING      SCALEKIT_ACCOUNT_PENDING
#define AUTH         SCALEKIT_ACCOUNT_PENDING_AUTH
#define VERIFY       SCALEKIT_ACCOUNT_PENDING_VERIFICATION

/* What is seen one after the other, "ACTIVE@10" with an updated_at, and what each of it fires. */
static const struct row {
    const char *name;
    enum scalekit_account_status known;
    scalekit_time known_at;
    bool again, progress, follow; /* until_reauthorized */
    const char *seen, *told;
} rows[] = {
    {.name = "active from the start is no news", .seen = "ACTIVE", .told = "already_active"},
    {.name = "expired from the start settles", .seen = "EXPIRED", .told = "settled"},
    {.name = "revoked from the start settles", .seen = "REVOKED", .told = "settled"},
    {.name = "disconnected from the start settles", .seen = "DISCONNECTED", .told = "settled"},
    {.name = "a consent settles",
     .seen = "PENDING PENDING_AUTH PENDING_AUTH ACTIVE",
     .told = "- - - settled"},
    {.name = "a new word is a start, too",
     .seen = "FROZEN ACTIVE",
     .told = "unknown_status settled"},

    {.name = "known pending, active at once", .known = AUTH, .seen = "ACTIVE", .told = "settled"},
    {.name = "known expired, active at once",
     .known = EXPIRED,
     .seen = "ACTIVE",
     .told = "settled"},
    {.name = "known expired, and so it is", .known = EXPIRED, .seen = "EXPIRED", .told = "settled"},
    {.name = "known active, and so it is",
     .known = ACTIVE,
     .seen = "ACTIVE",
     .told = "already_active"},
    {.name = "known active, and expired since",
     .known = ACTIVE,
     .seen = "EXPIRED",
     .told = "settled"},
    {.name = "known to verify is not told",
     .known = VERIFY,
     .seen = "PENDING_VERIFICATION ACTIVE",
     .told = "- settled"},

    {.name = "verification is told once per change",
     .seen = "PENDING_VERIFICATION PENDING_VERIFICATION PENDING_AUTH PENDING_VERIFICATION ACTIVE",
     .told = "pending_verification - - pending_verification settled"},
    {.name = "new words are told once each",
     .seen = "FROZEN FROZEN THAWING PENDING THAWING ACTIVE",
     .told = "unknown_status - unknown_status - - settled"},

    {.name = "progress tells what settles nothing",
     .progress = true,
     .seen = "PENDING PENDING_AUTH PENDING_AUTH PENDING ACTIVE",
     .told = "- changed - changed settled"},
    {.name = "progress is not told twice",
     .progress = true,
     .seen = "PENDING PENDING_VERIFICATION PENDING FROZEN PENDING",
     .told = "- pending_verification changed unknown_status changed"},
    {.name = "progress starts from what was known",
     .progress = true,
     .known = PENDING,
     .seen = "PENDING PENDING_AUTH",
     .told = "- changed"},
    {.name = "what was known may have changed",
     .progress = true,
     .known = PENDING,
     .seen = "PENDING_AUTH",
     .told = "changed"},
    {.name = "without progress it is not told",
     .seen = "PENDING PENDING_AUTH PENDING",
     .told = "- - -"},

    {.name = "again: from the first look on",
     .again = true,
     .seen = "ACTIVE@10 ACTIVE@10 ACTIVE@11",
     .told = "- - settled"},
    {.name = "again: since what was known",
     .again = true,
     .known = ACTIVE,
     .known_at = 10,
     .seen = "ACTIVE@10 ACTIVE@9 ACTIVE@11",
     .told = "- - settled"},
    {.name = "again: before the first look",
     .again = true,
     .known = ACTIVE,
     .known_at = 10,
     .seen = "ACTIVE@11",
     .told = "settled"},
    {.name = "again: known without a time",
     .again = true,
     .known = ACTIVE,
     .seen = "ACTIVE@10 ACTIVE@11",
     .told = "- settled"},
    {.name = "again: a time that comes late",
     .again = true,
     .seen = "ACTIVE ACTIVE@10 ACTIVE ACTIVE@11",
     .told = "- - - settled"},
    {.name = "again: without times",
     .again = true,
     .seen = "ACTIVE ACTIVE PENDING_AUTH ACTIVE",
     .told = "- - - settled"},
    {.name = "again: still expired, however new",
     .again = true,
     .seen = "EXPIRED@10 EXPIRED@11 ACTIVE@12",
     .told = "- - settled"},
    {.name = "again: another status settles",
     .again = true,
     .seen = "EXPIRED@10 REVOKED@10",
     .told = "- settled"},
    {.name = "again: the same after pending",
     .again = true,
     .seen = "EXPIRED@10 PENDING_AUTH@11 EXPIRED@12",
     .told = "- - settled"},
    {.name = "again: the same after a new word",
     .again = true,
     .seen = "EXPIRED FROZEN EXPIRED",
     .told = "- unknown_status settled"},
    {.name = "again: pending from the start",
     .again = true,
     .seen = "PENDING_AUTH ACTIVE",
     .told = "- settled"},
    {.name = "again: with progress",
     .again = true,
     .progress = true,
     .seen = "EXPIRED PENDING_AUTH PENDING_VERIFICATION ACTIVE",
     .told = "- changed pending_verification settled"},

    {.name = "follow: every status that settles",
     .follow = true,
     .seen = "ACTIVE ACTIVE EXPIRED EXPIRED ACTIVE REVOKED",
     .told = "already_active - settled - settled settled"},
    {.name = "follow: the same after pending",
     .follow = true,
     .seen = "PENDING ACTIVE PENDING ACTIVE ACTIVE",
     .told = "- settled - settled -"},
    {.name = "follow: a newer time is no news",
     .follow = true,
     .seen = "ACTIVE@10 ACTIVE@11",
     .told = "already_active -"},
    {.name = "follow: again is for the first time",
     .follow = true,
     .again = true,
     .seen = "ACTIVE@10 ACTIVE@11 ACTIVE@12 EXPIRED@13",
     .told = "- settled - settled"},
    {.name = "follow: progress goes on",
     .follow = true,
     .progress = true,
     .seen = "ACTIVE PENDING PENDING_VERIFICATION ACTIVE",
     .told = "already_active changed pending_verification settled"},
};

static enum scalekit_account_status status_of(const char *word)
{
    for (unsigned status = UNKNOWN + 1; status <= GONE; status++)
        if (strcmp(word, scalekit_account_status_name(status)) == 0)
            return (enum scalekit_account_status)status;
    return UNKNOWN;
}

/* The next word of a text; the time behind it.  false: there is none. */
static bool next_word(const char **text, char word[WORD], scalekit_time *at)
{
    size_t length = strcspn(*text, " ");
    char *time;

    CU_ASSERT_FATAL(length < WORD);
    memcpy(word, *text, length);
    word[length] = '\0';
    *text += length + ((*text)[length] == ' ');
    time = strchr(word, '@');
    *at = time ? strtol(time + 1, NULL, 10) : 0;
    if (time)
        *time = '\0';
    return length > 0;
}

static const char *name_of(int event)
{
    return event == SKI_NO_EVENT ? "-"
                                 : scalekit_watch_event_name((enum scalekit_watch_event_kind)event);
}

static void judge_row(const struct row *row)
{
    struct ski_view view = {
        .until_reauthorized = row->again, .progress = row->progress, .follow = row->follow};
    enum scalekit_account_status before = row->known;
    scalekit_time known_at = row->known_at, at;
    const char *seen = row->seen, *told = row->told;
    char word[WORD], expected[WORD], unknown[WORD] = "";
    bool right = true;

    ski_view_know(&view, row->known);
    while (next_word(&seen, word, &at)) {
        enum scalekit_account_status status = status_of(word);
        bool changed_text = status == UNKNOWN && strcmp(word, unknown) != 0;
        scalekit_time unused;

        if (status == UNKNOWN)
            memcpy(unknown, word, sizeof unknown);
        right =
            right && next_word(&told, expected, &unused) &&
            strcmp(name_of(ski_judge(&view, status, changed_text, at, &known_at)), expected) == 0 &&
            view.status == status && view.previous == before;
        before = status;
    }
    CU_assertImplementation(right && !*told, __LINE__, row->name, __FILE__, "", CU_FALSE);
}

static void judges(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        judge_row(&rows[i]);
}

static void ends(void)
{
    static const struct {
        enum scalekit_watch_event_kind kind;
        bool ends, ends_following;
    } kinds[] = {
        {SCALEKIT_WATCH_LINK, false, false},
        {SCALEKIT_WATCH_PENDING_VERIFICATION, false, false},
        {SCALEKIT_WATCH_UNKNOWN_STATUS, false, false},
        {SCALEKIT_WATCH_CHANGED, false, false},
        {SCALEKIT_WATCH_SETTLED, true, false},
        {SCALEKIT_WATCH_ALREADY_ACTIVE, true, false},
        {SCALEKIT_WATCH_DELETED, true, true},
        {SCALEKIT_WATCH_LINK_EXPIRED, true, true},
        {SCALEKIT_WATCH_DEADLINE, true, true},
        {SCALEKIT_WATCH_REFUSED, true, true},
        {SCALEKIT_WATCH_FAILED, true, true},
        {SCALEKIT_WATCH_STOPPED, true, true},
    };
    const struct ski_view once = {.follow = false}, follows = {.follow = true};

    CU_ASSERT_EQUAL(COUNT(kinds), SCALEKIT_WATCH_STOPPED + 1);
    for (size_t i = 0; i < COUNT(kinds); i++) {
        CU_ASSERT_EQUAL(kinds[i].kind, i);
        CU_ASSERT_EQUAL(ski_judge_is_final(&once, kinds[i].kind), kinds[i].ends);
        CU_ASSERT_EQUAL(ski_judge_is_final(&follows, kinds[i].kind), kinds[i].ends_following);
    }
}

static void statuses_settle(void)
{
    static const bool settle[] = {
        [UNKNOWN] = false, [PENDING] = false, [AUTH] = false,   [VERIFY] = false,
        [ACTIVE] = true,   [EXPIRED] = true,  [REVOKED] = true, [GONE] = true,
    };

    CU_ASSERT_EQUAL(COUNT(settle), 8);
    for (size_t i = 0; i < COUNT(settle); i++)
        CU_ASSERT_EQUAL(ski_status_settles((enum scalekit_account_status)i), settle[i]);
}

/* It is part of every watch. */
static void is_small(void)
{
    CU_ASSERT_EQUAL(sizeof(struct ski_view), 4);
}

SUITE(judge, {"each sequence of statuses has its events", judges},
      {"what ends a watch, and one that follows", ends},
      {"ACTIVE, EXPIRED, REVOKED and DISCONNECTED settle", statuses_settle},
      {"a view is 4 bytes", is_small})
