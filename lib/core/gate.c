#include "core/gate.h"
#include <string.h>

#define BATCH            256 /* let go per turn of the loop */
#define HALF_SECOND_BITS 9
#define EARLIEST_EPOCH_S 1000000000 /* x-ratelimit-reset beyond it is a date, not a duration */

/* --- asking ------------------------------------------------------------------------------------ */

static void say_demand(const struct ski_gate *gate, struct ski_demand *demand)
{
    int64_t now = ski_loop_now(gate->loop);

    memset(demand, 0, sizeof *demand);
    for (int kind = 0; kind < SKI_CLASSES; kind++) {
        demand->n[kind] = gate->n[kind];
        if (gate->n[kind])
            demand->waited_ms[kind] =
                now -
                SKI_CONTAINER(gate->waiting[kind].next, const struct ski_pass, link)->since_ms;
    }
}

static void come_back(struct ski_gate *gate, int64_t wait_ms)
{
    if (wait_ms == INT64_MAX) {
        ski_timer_clear(gate->loop, gate->timer);
        gate->come_ms = INT64_MIN;
        return;
    }
    gate->come_ms = ski_loop_now(gate->loop) + wait_ms;
    ski_timer_set(gate->loop, gate->timer, gate->come_ms);
}

/* Lets go as many as may; also tells the governor when nobody waits any more. */
static void let_go(struct ski_gate *gate)
{
    for (int i = 0; i < BATCH; i++) {
        struct ski_demand demand;
        struct ski_pass *pass;
        int64_t wait_ms;
        int kind;

        say_demand(gate, &demand);
        kind = ski_governor_ask(&gate->seat, &demand, &wait_ms);
        if (kind == SKI_NO_CLASS) {
            come_back(gate, wait_ms);
            return;
        }
        pass = SKI_CONTAINER(gate->waiting[kind].next, struct ski_pass, link);
        ski_gate_leave(gate, pass);
        pass->epoch = ski_governor_epoch(gate->seat.governor);
        pass->go(pass);
    }
    ski_task_defer(gate->loop, &gate->turn);
}

static void on_timer(void *owner)
{
    let_go(owner);
}

static void on_turn(struct ski_task *task)
{
    let_go(SKI_CONTAINER(task, struct ski_gate, turn));
}

/* --- passing ----------------------------------------------------------------------------------- */

/* Behind those that wait already, the governor is asked when they are. */
static enum ski_gate_answer wait_in(struct ski_gate *gate, struct ski_pass *pass,
                                    enum scalekit_request_class kind)
{
    int64_t now = ski_loop_now(gate->loop);

    if (gate->n_waiting >= gate->max_waiting && kind != SCALEKIT_CLASS_TOKEN)
        return SKI_GATE_FULL;
    pass->kind = kind;
    pass->since_ms = now;
    if (pass->first)
        ski_list_push_front(&gate->waiting[kind], &pass->link);
    else
        ski_list_push_back(&gate->waiting[kind], &pass->link);
    gate->n_waiting++;
    ski_seat_queue(&gate->seat, kind, ++gate->n[kind]);
    if (gate->come_ms <= now)
        ski_task_defer(gate->loop, &gate->turn);
    return SKI_GATE_WAIT;
}

enum ski_gate_answer ski_gate_enter(struct ski_gate *gate, struct ski_pass *pass,
                                    enum scalekit_request_class kind, int64_t about_ms)
{
    scalekit_governor *governor = gate->seat.governor;

    if (!ski_governor_is_open(governor))
        return wait_in(gate, pass, kind);
    ski_seat_count(&gate->seat, kind);
    pass->epoch = ski_governor_epoch(governor);
    if (about_ms >> HALF_SECOND_BITS != gate->half_second) {
        gate->half_second = about_ms >> HALF_SECOND_BITS;
        ski_governor_measure(governor);
    }
    return SKI_GATE_GO;
}

void ski_gate_leave(struct ski_gate *gate, struct ski_pass *pass)
{
    if (!ski_list_linked(&pass->link))
        return;
    ski_list_remove(&pass->link);
    gate->n_waiting--;
    ski_seat_queue(&gate->seat, pass->kind, --gate->n[pass->kind]);
}

/* --- learning ---------------------------------------------------------------------------------- */

static bool read_number(const struct ski_headers *headers, const char *name, uint64_t *out)
{
    const char *value = ski_headers_get(headers, name);

    return value && ski_parse_u64(ski_slice_trim(ski_slice_of(value)), out);
}

static void park(struct ski_gate *gate, int64_t milliseconds)
{
    if (ski_governor_park(gate->seat.governor, milliseconds))
        ski_log(&gate->loop->log, SCALEKIT_LOG_WARN, "Scalekit wants no requests for %lld ms",
                (long long)milliseconds);
}

/* x-ratelimit-reset is the seconds left or, as some have it, the second of the epoch. */
static void learn_from_headers(struct ski_gate *gate, const struct ski_headers *headers)
{
    uint64_t remaining, reset;
    int64_t now_s;

    if (!read_number(headers, "x-ratelimit-remaining", &remaining) || remaining > 0 ||
        !read_number(headers, "x-ratelimit-reset", &reset) || reset > UINT32_MAX)
        return;
    if (reset >= EARLIEST_EPOCH_S) {
        now_s = SCALEKIT_TIME_SECONDS(ski_clock_wall(&gate->loop->clock));
        reset = (int64_t)reset > now_s ? reset - (uint64_t)now_s : 0;
    }
    if (reset > 0)
        park(gate, (int64_t)reset * 1000);
}

static void learn_from_429(struct ski_gate *gate, const struct ski_pass *pass,
                           const struct scalekit_error *error)
{
    double per_second;

    if (ski_governor_refuse(gate->seat.governor, pass->epoch, &per_second))
        ski_log(&gate->loop->log, SCALEKIT_LOG_WARN,
                "Scalekit's limit was met: now at most %.1f requests a minute", per_second * 60.0);
    if (error->retry_after_ms > 0)
        park(gate, error->retry_after_ms);
}

/* Asked of every answer, and memmem() takes three times as long. */
static bool has_hints(const struct ski_headers *headers)
{
    static const char name[] = "x-ratelimit-";
    const char *at = headers->block.data;
    size_t left = headers->block.length;

    while (left >= sizeof name) {
        const char *x = memchr(at, name[0], left);

        if (!x)
            return false;
        left -= (size_t)(x - at);
        at = x;
        if (left >= sizeof name && memcmp(at, name, sizeof name - 1) == 0)
            return true;
        at++;
        left--;
    }
    return false;
}

void ski_gate_learn(struct ski_gate *gate, const struct ski_pass *pass,
                    const struct ski_exchange *exchange, const struct scalekit_error *error)
{
    /* A tool's, or possibly: memory ran out before it was known. */
    if (error && (error->code >= SCALEKIT_ERR_TOOL || error->code == SCALEKIT_ERR_NOMEM))
        return;
    if (error && error->code == SCALEKIT_ERR_RATE_LIMITED)
        learn_from_429(gate, pass, error);
    if (has_hints(&exchange->answer_headers))
        learn_from_headers(gate, &exchange->answer_headers);
}

/* --- life -------------------------------------------------------------------------------------- */

scalekit_err ski_gate_init(struct ski_gate *gate, struct ski_loop *loop,
                           scalekit_governor *governor, unsigned max_waiting)
{
    ski_timer timer = ski_timer_new(loop, on_timer, gate);

    if (timer == SKI_NO_TIMER)
        return SCALEKIT_ERR_NOMEM;
    *gate = (struct ski_gate){
        .loop = loop, .max_waiting = max_waiting, .come_ms = INT64_MIN, .timer = timer};
    for (int kind = 0; kind < SKI_CLASSES; kind++)
        ski_list_init(&gate->waiting[kind]);
    ski_task_init(&gate->turn, on_turn);
    ski_governor_join(governor, &gate->seat);
    return SCALEKIT_OK;
}

void ski_gate_free(struct ski_gate *gate)
{
    if (!gate->loop)
        return;
    ski_governor_leave(&gate->seat);
    ski_timer_free(gate->loop, gate->timer);
    ski_task_cancel(&gate->turn);
    gate->loop = NULL;
}
