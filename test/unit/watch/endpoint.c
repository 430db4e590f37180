#include "unit/watch/endpoint.h"
#include "json/time.h"
#include <stdlib.h>

#define ATTEMPTS  6
#define STALE_MS  301000 /* it is not accepted any more */
#define QUEUED_MS 290000 /* and here it is still */

/* A delivery under way. */
struct post {
    int64_t due_ms, sent_ms;
    uint64_t order;
    const struct realm_account *account;
    unsigned moment;
    const char *type, *word;
    unsigned message, part; /* part: which of the events of that moment; 0: the change itself */
    int64_t occurred_us;
    enum { GENUINE, FOREIGN, CHANGED } forgery;
    bool late_on_purpose;
};

/* What has been of an account's. */
struct life {
    unsigned moments;
    int64_t occurred_us; /* the event of the last of them */
};

/* --- under way ---------------------------------------------------------------------------------- */

static void add(struct endpoint *endpoint, const struct post *post)
{
    if (endpoint->n_posts == endpoint->room_posts) {
        endpoint->room_posts = endpoint->room_posts * 2 + 64;
        endpoint->posts = realloc(endpoint->posts, endpoint->room_posts * sizeof *endpoint->posts);
        CU_ASSERT_PTR_NOT_NULL_FATAL(endpoint->posts);
    }
    endpoint->posts[endpoint->n_posts] = *post;
    endpoint->posts[endpoint->n_posts++].order = endpoint->posted++;
}

/* The one that arrives first; NULL: none. */
static struct post *first_of(const struct endpoint *endpoint)
{
    struct post *first = NULL;

    for (unsigned i = 0; i < endpoint->n_posts; i++) {
        struct post *post = &endpoint->posts[i];

        if (!first || post->due_ms < first->due_ms ||
            (post->due_ms == first->due_ms && post->order < first->order))
            first = post;
    }
    return first;
}

/* --- sending ------------------------------------------------------------------------------------ */

/* It arrives at the first attempt that does not fail; false: at none. */
static bool attempt(struct endpoint *endpoint, struct post *post)
{
    static const int64_t pauses_ms[ATTEMPTS - 1] = {5000, 30000, 120000, 300000, 900000};
    struct realm *realm = endpoint->realm;

    for (unsigned i = 0; realm_chance(realm, endpoint->habits.failing); i++) {
        if (i == ATTEMPTS - 1)
            return false;
        post->sent_ms += pauses_ms[i];
    }
    post->due_ms = post->sent_ms + realm_between(realm, 0, endpoint->habits.slowest_ms);
    return true;
}

/* Somebody else knows the id, and says something else. */
static void forge(struct endpoint *endpoint, struct post post)
{
    struct realm *realm = endpoint->realm;

    post.forgery = realm_chance(realm, 50) ? FOREIGN : CHANGED;
    post.word = strcmp(post.word, "ACTIVE") == 0 ? "REVOKED" : "ACTIVE";
    post.due_ms = realm_between(realm, post.sent_ms, post.due_ms);
    add(endpoint, &post);
}

static void send_again(struct endpoint *endpoint, struct post post)
{
    const struct endpoint_habits *habits = &endpoint->habits;
    struct realm *realm = endpoint->realm;
    struct post again = post;

    if (realm_chance(realm, habits->doubled)) {
        if (realm_chance(realm, 50)) /* the answer did not arrive */
            again.sent_ms += 5000;
        again.due_ms = again.sent_ms + realm_between(realm, 0, habits->slowest_ms);
        add(endpoint, &again);
    }
    if (realm_chance(realm, habits->reissued)) {
        again.message = ++endpoint->last_message;
        again.due_ms = again.sent_ms + realm_between(realm, 0, habits->slowest_ms);
        add(endpoint, &again);
    }
    if (realm_chance(realm, habits->replayed)) {
        again = post;
        again.due_ms = again.sent_ms + STALE_MS + realm_between(realm, 0, STALE_MS);
        again.late_on_purpose = true;
        add(endpoint, &again);
    }
}

static void post_out(struct endpoint *endpoint, struct post post)
{
    const struct endpoint_habits *habits = &endpoint->habits;
    struct realm *realm = endpoint->realm;

    post.message = ++endpoint->last_message;
    post.sent_ms = realm_now(realm);
    if (realm_chance(realm, habits->lost) || !attempt(endpoint, &post))
        return;
    if (realm_chance(realm, habits->forged))
        forge(endpoint, post);
    if (realm_chance(realm, habits->queued)) {
        post.due_ms += realm_between(realm, 0, QUEUED_MS);
        post.late_on_purpose = true;
    }
    add(endpoint, &post);
    send_again(endpoint, post);
}

/* --- what has happened -------------------------------------------------------------------------- */

static const char *type_of(const char *before, const char *word)
{
    if (!word)
        return "connected_account.deleted";
    return before ? "connected_account.status_updated" : "connected_account.created";
}

static bool is_told(const struct endpoint *endpoint, const struct post *post)
{
    bool status = strcmp(post->type, "connected_account.status_updated") == 0;

    switch (endpoint->habits.share) {
    case ENDPOINT_STATUSES:
        return status;
    case ENDPOINT_OTHERS:
        return !status;
    case ENDPOINT_SOME:
        return (post->account - endpoint->realm->accounts) % 2 == 0;
    default:
        return true;
    }
}

/* What comes with a change, and may show the status before it or after. */
static void attend(struct endpoint *endpoint, struct post post, const char *before)
{
    static const char *const types[] = {
        "connected_account.updated",
        "connected_account.oauth_succeeded",
        "connected_account.oauth_tokens_fetched",
        "connected_account.token_refresh_succeeded",
        "connected_account.token_refresh_failed",
        "connected_account.magic_link_generated",
        "connected_account.sung",
        "user.login",
    };
    struct realm *realm = endpoint->realm;

    while (realm_chance(realm, endpoint->habits.attended)) {
        post.type = types[realm_roll(realm, sizeof types / sizeof *types)];
        if (before && realm_chance(realm, 50))
            post.word = before;
        post.part++;
        if (is_told(endpoint, &post))
            post_out(endpoint, post);
    }
}

/* When the event of a moment is said to have occurred: not exactly when the account was updated. */
static int64_t occurred_us(struct endpoint *endpoint, struct life *life,
                           const struct realm_moment *moment)
{
    int64_t off_us = endpoint->habits.off_us;
    int64_t at_us = moment->updated_us - realm_between(endpoint->realm, -off_us / 20, off_us);

    life->occurred_us = later(at_us, life->occurred_us + 1);
    return life->occurred_us;
}

/* A moment has come. */
static void tell(struct endpoint *endpoint, const struct realm_account *account, unsigned moment)
{
    struct life *life = &endpoint->lives[account - endpoint->realm->accounts];
    const struct realm_moment *now = &account->moments[moment];
    const char *before = account->moments[moment - 1].word;
    struct realm *realm = endpoint->realm;
    struct post post = {
        .account = account,
        .moment = moment,
        .type = type_of(before, now->word),
        .word = now->word ? now->word : before, /* one that is deleted is told as it was */
        .occurred_us = occurred_us(endpoint, life, now),
    };
    bool first = realm_chance(realm, 50);

    if (!post.word)
        return;
    if (first && is_told(endpoint, &post))
        post_out(endpoint, post);
    attend(endpoint, post, before);
    if (!first && is_told(endpoint, &post))
        post_out(endpoint, post);
}

static void watch_lives(struct endpoint *endpoint)
{
    const struct realm *realm = endpoint->realm;
    int64_t now = realm_now(realm);

    for (unsigned i = 0; i < realm->n_accounts; i++) {
        const struct realm_account *account = &realm->accounts[i];
        struct life *life = &endpoint->lives[i];

        for (; life->moments < account->n_moments && account->moments[life->moments].at_ms <= now;
             life->moments++)
            tell(endpoint, account, life->moments);
    }
}

/* --- arriving ----------------------------------------------------------------------------------- */

static void write_body(struct mail *mail, const struct post *post)
{
    const struct realm_account *account = post->account;
    char occurred[SKI_TIME_TEXT], name[48] = "";
    int length;

    ski_time_format(occurred, post->occurred_us);
    if (post->message % 4) /* it may be absent */
        snprintf(name, sizeof name, ",\"connection_name\":\"connection_%u\"", account->connection);
    length =
        snprintf(mail->body, sizeof mail->body,
                 "{\"spec_version\":\"1\",\"id\":\"%s\",\"type\":\"%s\",\"occurred_at\":\"%s\","
                 "\"environment_id\":\"env_1\",\"object\":\"ConnectedAccount\",\"data\":{"
                 "\"id\":\"ca_%u\",\"identifier\":\"user_%u\",\"provider\":\"GMAIL\","
                 "\"connection_id\":\"conn_%u\",\"status\":\"%s\"%s}}",
                 mail->event_id, post->type, occurred, account->moments[post->moment].id,
                 account->user, account->connection, post->word, name);
    CU_ASSERT_FATAL((size_t)length < sizeof mail->body);
}

static void write_mail(struct mail *mail, const struct post *post)
{
    unsigned event = post->account->moments[post->moment].event;

    *mail = (struct mail){
        .account = post->account,
        .moment = post->moment,
        .sent_s = realm_wall_us(post->sent_ms) / 1000000,
        .occurred_us = post->occurred_us,
        .forged = post->forgery != GENUINE,
    };
    snprintf(mail->type, sizeof mail->type, "%s", post->type);
    snprintf(mail->id, sizeof mail->id, "msg_%u", post->message);
    snprintf(mail->timestamp, sizeof mail->timestamp, "%lld", (long long)mail->sent_s);
    if (post->part)
        snprintf(mail->event_id, sizeof mail->event_id, "evt_%u_%u", event, post->part);
    else
        snprintf(mail->event_id, sizeof mail->event_id, "evt_%u", event);
    write_body(mail, post);
    CU_ASSERT_EQUAL(
        scalekit_webhook_sign(mail->signature,
                              post->forgery == FOREIGN ? ENDPOINT_FORGER : ENDPOINT_SECRET,
                              mail->id, mail->sent_s, mail->body, strlen(mail->body)),
        SCALEKIT_WEBHOOK_GOOD);
    if (post->forgery == CHANGED)
        mail->body[strlen(mail->body) - 1] = ' ';
}

void endpoint_write(struct endpoint *endpoint, struct mail *mail,
                    const struct realm_account *account, unsigned moment, const char *type,
                    unsigned part)
{
    const struct realm_moment *then = &account->moments[moment];
    char name[64];

    snprintf(name, sizeof name, "connected_account.%s", type);
    write_mail(mail, &(struct post){.account = account,
                                    .moment = moment,
                                    .type = name,
                                    .word = then->word,
                                    .message = ++endpoint->last_message,
                                    .part = part,
                                    .sent_ms = realm_now(endpoint->realm),
                                    .occurred_us = then->updated_us});
}

int64_t endpoint_next_ms(const struct endpoint *endpoint)
{
    const struct realm *realm = endpoint->realm;
    const struct post *first = first_of(endpoint);
    int64_t next = first ? first->due_ms : INT64_MAX;

    for (unsigned i = 0; i < realm->n_accounts; i++)
        if (endpoint->lives[i].moments < realm->accounts[i].n_moments)
            next = earlier(next, realm->accounts[i].moments[endpoint->lives[i].moments].at_ms);
    return next;
}

/* Where time went by unseen, they were sent once more. */
bool endpoint_take(struct endpoint *endpoint, struct mail *mail)
{
    int64_t now = realm_now(endpoint->realm);
    struct post *first;

    watch_lives(endpoint);
    while ((first = first_of(endpoint)) && first->due_ms <= now) {
        struct post post = *first;

        *first = endpoint->posts[--endpoint->n_posts];
        if (now < endpoint->habits.from_ms || now >= endpoint->habits.to_ms)
            continue;
        if (!post.late_on_purpose)
            post.sent_ms += now - post.due_ms;
        write_mail(mail, &post);
        return true;
    }
    return false;
}

void endpoint_hurry(struct endpoint *endpoint)
{
    struct post *first = first_of(endpoint);
    int64_t now = realm_now(endpoint->realm);

    if (!first || first->due_ms < now || first->late_on_purpose)
        return;
    first->due_ms = now;
    first->sent_ms = earlier(first->sent_ms, now);
}

/* --- the whole ---------------------------------------------------------------------------------- */

void endpoint_init(struct endpoint *endpoint, struct realm *realm)
{
    struct post *posts = endpoint->posts;
    unsigned room_posts = endpoint->room_posts;

    free(endpoint->lives);
    *endpoint = (struct endpoint){.realm = realm, .posts = posts, .room_posts = room_posts};
    endpoint->habits = (struct endpoint_habits){.to_ms = INT64_MAX, .slowest_ms = 50};
    endpoint->lives = calloc(realm->n_accounts, sizeof *endpoint->lives);
    CU_ASSERT_PTR_NOT_NULL_FATAL(endpoint->lives);
    for (unsigned i = 0; i < realm->n_accounts; i++) {
        const struct realm_account *account = &realm->accounts[i];
        struct life *life = &endpoint->lives[i];

        while (life->moments < account->n_moments && account->moments[life->moments].at_ms <= 0)
            life->moments++;
    }
}

void endpoint_free(struct endpoint *endpoint)
{
    free(endpoint->posts);
    free(endpoint->lives);
    memset(endpoint, 0, sizeof *endpoint);
}
