#include "phone.h"

static void on_ready(void *user, struct ski_connection *connection)
{
    struct phone *phone = user;

    CU_ASSERT_FALSE(phone->rig->calling);
    CU_ASSERT_EQUAL(phone->ended, 0);
    if (!ski_connection_is_multiplexed(connection))
        CU_ASSERT_EQUAL(ski_connection_room(connection), 1);
    phone->ready++;
    if (phone->next) {
        ski_connection_start(connection, &phone->next->exchange);
        phone->rig->pending++;
        phone->next = NULL;
    }
}

static void on_ended(void *user, struct ski_connection *connection, bool opened,
                     const struct ski_failure *failure)
{
    struct phone *phone = user;

    CU_ASSERT_FALSE(phone->rig->calling);
    CU_ASSERT_EQUAL(phone->ended, 0);
    CU_ASSERT_EQUAL(ski_connection_load(connection), 0);
    CU_ASSERT_EQUAL(opened, phone->ready > 0);
    phone->ended++;
    phone->opened = opened;
    if (failure)
        phone->failure = *failure;
    ski_connection_free(connection);
    phone->connection = NULL;
}

static void on_returned(void *user, struct ski_connection *connection,
                        struct ski_exchange *exchange)
{
    struct phone *phone = user;

    CU_ASSERT_FALSE(phone->rig->calling);
    CU_ASSERT(ski_connection_is_multiplexed(connection)); /* HTTP/1.1 gives nothing back */
    CU_ASSERT_PTR_NULL(exchange->connection);
    CU_ASSERT_FALSE(ski_list_linked(&exchange->link));
    CU_ASSERT_FALSE(exchange->sent);
    phone->returned++;
    phone->rig->pending--;
}

static const struct ski_connection_handler handler = {on_ready, on_returned, on_ended};

bool phone_try_dial(struct phone *phone, struct rig *rig)
{
    struct ski_stream_target target = {rig->url.host, rig->url.port, rig->tls, rig->resolver};

    *phone = (struct phone){.rig = rig};
    rig->calling = true;
    phone->connection =
        ski_connection_open(&rig->test.loop, &target, rig->url.authority, &handler, phone);
    rig->calling = false;
    return phone->connection;
}

void phone_dial(struct phone *phone, struct rig *rig)
{
    CU_ASSERT_FATAL(phone_try_dial(phone, rig));
    CU_ASSERT_EQUAL(ski_connection_room(phone->connection), 0);
}

void phone_open(struct phone *phone, struct rig *rig)
{
    phone_dial(phone, rig);
    RIG_UNTIL(rig, phone->ready == 1);
}

void phone_hang_up(struct phone *phone)
{
    phone->rig->calling = true;
    if (phone->connection)
        ski_connection_free(phone->connection);
    phone->connection = NULL;
    phone->rig->calling = false;
}

void phone_start(struct phone *phone, struct shot *shot)
{
    phone->rig->calling = true;
    ski_connection_start(phone->connection, &shot->exchange);
    phone->rig->calling = false;
    phone->rig->pending++;
}

void phone_start_all(struct phone *phone, struct shot *shots, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        phone_start(phone, &shots[i]);
}

void phone_cancel(struct phone *phone, struct shot *shot)
{
    phone->rig->calling = true;
    ski_connection_cancel(phone->connection, &shot->exchange);
    phone->rig->calling = false;
    phone->rig->pending--;
}

/* --- HTTP/2 ------------------------------------------------------------------------------------ */

void talk_init(struct talk *talk, const struct h2_server_options *options)
{
    rig_init(&talk->rig, &(struct rig_options){.h2 = options});
    phone_open(&talk->phone, &talk->rig);
    RIG_UNTIL(&talk->rig, rig_heard(&talk->rig)->settings_acks == 1);
}

void talk_free(struct talk *talk)
{
    phone_hang_up(&talk->phone);
    rig_free(&talk->rig);
}

struct h2_server *talk_server(const struct talk *talk)
{
    return rig_server(&talk->rig, 0);
}

void talk_until_held(struct talk *talk, unsigned n)
{
    RIG_UNTIL(&talk->rig, h2_server_waiting(talk_server(talk)) == n);
}

void talk_set_limit(struct talk *talk, uint32_t limit)
{
    unsigned acks = rig_heard(&talk->rig)->settings_acks;

    h2_server_set(talk_server(talk), NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limit);
    RIG_UNTIL(&talk->rig, rig_heard(&talk->rig)->settings_acks == acks + 1);
}
