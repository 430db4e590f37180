#include "stage.h"

#define LIMIT_MS 36000000
#define PENDING                                                                                    \
    "{\"connected_account\":{\"id\":\"ca_1\",\"identifier\":\"user_1\",\"connector\":\"gmail\","   \
    "\"status\":\"PENDING_AUTH\",\"updated_at\":\"" AT("09:00:00") "\"}}"

static void on_saw(struct ski_listener *listener, const struct ski_observation *observation)
{
    struct stage *stage = SKI_CONTAINER(listener, struct stage, listener);
    size_t length = strlen(stage->heard);

    if (observation->source != SCALEKIT_WATCH_SOURCE_FEED)
        return;
    CU_ASSERT_PTR_NOT_NULL_FATAL(observation->evidence);
    CU_ASSERT_PTR_NULL(observation->error);
    CU_ASSERT(observation->asked_ms <= virtual_now(&stage->f));
    snprintf(stage->heard + length, sizeof stage->heard - length, "%s %s, ",
             observation->account->id, observation->account->status_text);
    stage->heard_at = observation->at;
}

static void on_suspected(struct ski_listener *listener, const struct ski_observation *observation)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(observation->account);
    SKI_CONTAINER(listener, struct stage, listener)->suspicions++;
}

static void on_trust(struct ski_listener *listener)
{
    SKI_CONTAINER(listener, struct stage, listener)->turns++;
}

static void on_close(struct ski_listener *listener)
{
    struct stage *stage = SKI_CONTAINER(listener, struct stage, listener);

    stage->listening = false;
    ski_engine_ignore(stage->engine, listener);
}

void stage_open_slow(struct stage *stage, unsigned max_requests_per_minute)
{
    memset(stage, 0, sizeof *stage);
    fixture_init(&stage->f);
    fixture_use_clock(&stage->f);
    stage->f.config.max_requests_per_minute = max_requests_per_minute;
    fixture_start(&stage->f);
    service_always(stage->f.service, DETAILS, (struct service_answer){200, PENDING, NULL, 0, 0});
    stage_always(stage, PAGE());
    stage->engine = ski_engine_of(stage->f.client);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage->engine);
    stage->listener = (struct ski_listener){
        .saw = on_saw, .suspect = on_suspected, .trust = on_trust, .close = on_close};
    ski_list_init(&stage->listener.link);
}

void stage_open(struct stage *stage)
{
    stage_open_slow(stage, 0);
}

void stage_listen(struct stage *stage)
{
    stage->listening = true;
    ski_engine_listen(stage->engine, &stage->listener);
}

void stage_ignore(struct stage *stage)
{
    stage->listening = false;
    ski_engine_ignore(stage->engine, &stage->listener);
}

void stage_close(struct stage *stage)
{
    if (stage->listening)
        stage_ignore(stage);
    fixture_free(&stage->f);
}

static void on_event(scalekit_watch *watch, const struct scalekit_watch_event *event, void *user)
{
    (void)watch;
    (void)event;
    (void)user;
}

void stage_watch(struct stage *stage)
{
    stage->watch = scalekit_watch_account(
        stage->f.client,
        SCALEKIT_PARAMS(scalekit_watch_params, .connected_account_id = "ca_1", .follow = true,
                        .known_status = SCALEKIT_ACCOUNT_PENDING_AUTH),
        on_event, stage);
    CU_ASSERT_PTR_NOT_NULL_FATAL(stage->watch);
}

void stage_once(struct stage *stage, const char *page)
{
    service_once(stage->f.service, FEED, (struct service_answer){200, page, NULL, 0, 0});
}

void stage_always(struct stage *stage, const char *page)
{
    service_always(stage->f.service, FEED, (struct service_answer){200, page, NULL, 0, 0});
}

unsigned stage_reads(const struct stage *stage)
{
    return service_count(stage->f.service, FEED);
}

void stage_read(struct stage *stage, unsigned pages)
{
    unsigned enough = stage_reads(stage) + pages;
    int64_t end = virtual_now(&stage->f) + LIMIT_MS;

    while (stage_reads(stage) < enough && virtual_step(&stage->f, end))
        ;
    CU_ASSERT_FATAL(stage_reads(stage) >= enough);
    virtual_settle(&stage->f);
}

void stage_begin(struct stage *stage)
{
    stage_once(stage, PAGE(OLD_EVENT));
    stage_listen(stage);
    stage_read(stage, 1);
    CU_ASSERT_FATAL(ski_feed_is_trusted(&stage->engine->feed));
}

const struct service_request *stage_request(const struct stage *stage, unsigned n)
{
    return service_request(stage->f.service, FEED, n);
}
