#include "diary.h"

#define HAS_ACCOUNT                                                                                \
    (1u << SCALEKIT_WATCH_PENDING_VERIFICATION | 1u << SCALEKIT_WATCH_UNKNOWN_STATUS |             \
     1u << SCALEKIT_WATCH_CHANGED | 1u << SCALEKIT_WATCH_SETTLED |                                 \
     1u << SCALEKIT_WATCH_ALREADY_ACTIVE)
#define MAY_HAVE_ACCOUNT                                                                           \
    (HAS_ACCOUNT | 1u << SCALEKIT_WATCH_LINK_EXPIRED | 1u << SCALEKIT_WATCH_DEADLINE)
#define HAS_ERROR                                                                                  \
    (1u << SCALEKIT_WATCH_DELETED | 1u << SCALEKIT_WATCH_REFUSED | 1u << SCALEKIT_WATCH_FAILED)
#define MAY_HAVE_ERROR                                                                             \
    (HAS_ERROR | 1u << SCALEKIT_WATCH_LINK_EXPIRED | 1u << SCALEKIT_WATCH_DEADLINE)

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

/* Whether an allocation has failed on purpose: an event may then come without what goes with it. */
static bool is_short_of_memory(const struct fixture *f)
{
    const struct test_memory *memory = f->config.allocator->user;

    return memory->fail_at && memory->count >= memory->fail_at;
}

static bool is_final(const struct diary *diary, enum scalekit_watch_event_kind kind)
{
    if (kind == SCALEKIT_WATCH_SETTLED || kind == SCALEKIT_WATCH_ALREADY_ACTIVE)
        return !diary->follows;
    return kind > SCALEKIT_WATCH_SETTLED;
}

static void check(const struct diary *diary, const struct scalekit_watch_event *event)
{
    unsigned kind = 1u << event->kind;
    bool poor = is_short_of_memory(diary->fixture);

    CU_ASSERT_EQUAL(event->struct_size, sizeof *event);
    CU_ASSERT_EQUAL(event->final, is_final(diary, event->kind));
    CU_ASSERT_EQUAL(!!event->link, event->kind == SCALEKIT_WATCH_LINK);
    CU_ASSERT(event->account ? kind & MAY_HAVE_ACCOUNT : poor || !(kind & HAS_ACCOUNT));
    CU_ASSERT(event->error ? kind & MAY_HAVE_ERROR : poor || !(kind & HAS_ERROR));
    if (event->account) {
        CU_ASSERT_EQUAL(event->account->status, event->status);
        CU_ASSERT_PTR_NULL(event->account->authorization_details);
        CU_ASSERT_NOT_EQUAL(event->source, SCALEKIT_WATCH_SOURCE_NONE);
    }
    if (event->kind == SCALEKIT_WATCH_STOPPED || event->kind == SCALEKIT_WATCH_LINK)
        CU_ASSERT_EQUAL(event->source, SCALEKIT_WATCH_SOURCE_NONE);
    if (event->error) {
        CU_ASSERT_NOT_EQUAL(event->error->code, SCALEKIT_OK);
        CU_ASSERT_EQUAL(event->error->struct_size, sizeof *event->error);
        CU_ASSERT_PTR_NOT_NULL(event->error->message);
    }
    if (event->status != SCALEKIT_ACCOUNT_UNKNOWN) {
        CU_ASSERT_PTR_NOT_NULL(event->status_text);
        CU_ASSERT(event->last_seen_at || poor || diary->knows);
    }
}

static void write_page(struct page *page, const struct fixture *f,
                       const struct scalekit_watch_event *event)
{
    *page = (struct page){
        .kind = event->kind,
        .status = event->status,
        .previous = event->previous_status,
        .source = event->source,
        .at_ms = f->clock.monotonic_us / 1000,
        .looks = event->looks,
        .seen_at = event->last_seen_at,
        .code = event->error ? event->error->code : SCALEKIT_OK,
    };
    copy(page->status_text, sizeof page->status_text, event->status_text);
    copy(page->account, sizeof page->account, event->account ? event->account->id : NULL);
    copy(page->link, sizeof page->link, event->link ? event->link->link : NULL);
    copy(page->parameter, sizeof page->parameter, event->error ? event->error->parameter : NULL);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    struct diary *diary = user;
    struct fixture *f = diary->fixture;

    CU_ASSERT_FALSE(f->inside);
    CU_ASSERT_FALSE_FATAL(diary->ended);
    CU_ASSERT_PTR_EQUAL(watch, diary->watch);
    CU_ASSERT_EQUAL(scalekit_watch_status(watch), event->status);
    check(diary, event);
    CU_ASSERT_FATAL(diary->n < DIARY_PAGES);
    write_page(&diary->pages[diary->n++], f, event);
    diary->finals += event->final;
    diary->ended = event->final;
    if (diary->act)
        diary->act(diary);
    if (event->final)
        diary->watch = NULL;
}

/* What starts a watch may run inside a callback, of which none may run inside it. */
void diary_watch(struct diary *diary, const struct scalekit_watch_params *params)
{
    struct fixture *f = diary->fixture;

    f->inside = true;
    diary->follows = params && params->follow;
    diary->knows = params && params->known_status != SCALEKIT_ACCOUNT_UNKNOWN;
    diary->watch = scalekit_watch_account(f->client, params, on_event, diary);
    f->inside = false;
}

void diary_connect(struct diary *diary, const struct scalekit_connect_account_params *params)
{
    struct fixture *f = diary->fixture;

    f->inside = true;
    diary->watch = scalekit_connect_account(f->client, params, on_event, diary);
    f->inside = false;
}

void diary_follow(struct diary *diary, const char *identifier)
{
    diary_watch(diary, SCALEKIT_PARAMS(scalekit_watch_params, .connection_name = "gmail",
                                       .identifier = identifier));
}

void diary_stop(struct diary *diary)
{
    diary->fixture->inside = true;
    scalekit_watch_stop(diary->watch);
    diary->fixture->inside = false;
}

bool diary_reads(const struct diary *diary, const char *names)
{
    char text[512] = "";
    size_t length = 0;

    for (unsigned i = 0; i < diary->n; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%s", i ? " " : "",
                                   scalekit_watch_event_name(diary->pages[i].kind));
    if (text_is(text, names))
        return true;
    printf("    \"%s\" instead of \"%s\"\n", text, names);
    return false;
}

const struct page *diary_last(const struct diary *diary)
{
    CU_ASSERT_FATAL(diary->n > 0);
    return &diary->pages[diary->n - 1];
}

void script_statuses(struct fixture *f, const char *const statuses[MOST_STATUSES])
{
    static const struct {
        const char *status, *body;
    } accounts[] = {
        {"PENDING", ACCOUNT("PENDING")},
        {"PENDING_AUTH", ACCOUNT("PENDING_AUTH")},
        {"PENDING_VERIFICATION", ACCOUNT("PENDING_VERIFICATION")},
        {"ACTIVE", ACCOUNT("ACTIVE")},
        {"EXPIRED", ACCOUNT("EXPIRED")},
        {"REVOKED", ACCOUNT("REVOKED")},
        {"DISCONNECTED", ACCOUNT("DISCONNECTED")},
        {"FROZEN", ACCOUNT("FROZEN")},
        {"THAWING", ACCOUNT("THAWING")},
    };

    for (unsigned n = 0; n < MOST_STATUSES && statuses[n]; n++)
        for (size_t i = 0; i < COUNT(accounts); i++)
            if (text_is(accounts[i].status, statuses[n])) {
                service_once(f->service, DETAILS, ANSWER(200, accounts[i].body));
                service_always(f->service, DETAILS, ANSWER(200, accounts[i].body));
            }
}
