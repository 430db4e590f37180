/* What the data of an event says of its account. */
#include "api/account_event.h"
#include "harness.h"
#include "unit/core/fixture.h"

#define CONNECTED                                                                                  \
    "{\"id\":\"ca_1\",\"identifier\":\"john@acmecorp.com\",\"connection_id\":\"conn_1\","          \
    "\"connection_name\":\"gmail\",\"provider\":\"GMAIL\",\"authorization_type\":\"OAUTH\","       \
    "\"status\":\"ACTIVE\",\"old_status\":\"PENDING_AUTH\",\"metadata\":null,"                     \
    "\"token_expires_at\":\"1970-01-01T00:00:01Z\",\"last_used_at\":\"1970-01-01T00:00:02Z\"}"

struct ground {
    struct test_memory memory;
    struct ski_mem mem;
    struct ski_arena arena;
};

static void open_ground(struct ground *ground)
{
    test_memory_init(&ground->memory);
    ski_mem_init(&ground->mem, &ground->memory.allocator);
    ski_arena_init(&ground->arena, &ground->mem, 256, SIZE_MAX);
}

static void close_ground(struct ground *ground)
{
    ski_arena_free(&ground->arena);
    CU_ASSERT_EQUAL(ground->memory.live, 0);
}

static void test_every_member(void)
{
    const struct scalekit_event event = {.struct_size = sizeof event, .data = CONNECTED};
    const struct scalekit_connected_account *account;
    struct ground g;

    open_ground(&g);
    CU_ASSERT_EQUAL_FATAL(ski_account_of_event(&g.arena, &event, &account), SCALEKIT_OK);
    CU_ASSERT_EQUAL(account->struct_size, sizeof *account);
    CU_ASSERT_STRING_EQUAL(account->id, "ca_1");
    CU_ASSERT_STRING_EQUAL(account->identifier, "john@acmecorp.com");
    CU_ASSERT_STRING_EQUAL(account->connection_id, "conn_1");
    CU_ASSERT_STRING_EQUAL(account->connection_name, "gmail");
    CU_ASSERT_STRING_EQUAL(account->provider, "GMAIL");
    CU_ASSERT_EQUAL(account->authorization_type, SCALEKIT_AUTHORIZATION_OAUTH);
    CU_ASSERT_EQUAL(account->status, SCALEKIT_ACCOUNT_ACTIVE);
    CU_ASSERT_STRING_EQUAL(account->status_text, "ACTIVE");
    CU_ASSERT_EQUAL(account->token_expires_at, 1000000);
    CU_ASSERT_EQUAL(account->last_used_at, 2000000);
    CU_ASSERT_EQUAL(account->updated_at, 0);
    close_ground(&g);
}

static void test_hostile(void)
{
    const struct {
        const char *data;
        scalekit_err err;
        enum scalekit_account_status status;
        const char *text;
    } rows[] = {
        {"{\"id\":\"ca_1\"}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
        {"{\"id\":\"ca_1\",\"status\":\"NEW\"}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, "NEW"},
        {"{\"id\":\"ca_1\",\"status\":null}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
        {"{\"id\":\"ca_1\",\"status\":5}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, "5"},
        {"{\"id\":\"ca_1\",\"status\":{}}", SCALEKIT_ERR_DECODE, 0, NULL},
        {"[]", SCALEKIT_ERR_DECODE, 0, NULL},
        {"{\"id\":5}", SCALEKIT_ERR_DECODE, 0, NULL},
        {"{\"id\":\"\"}", SCALEKIT_ERR_DECODE, 0, NULL},
        {"{\"id\":\"a\\u0000b\"}", SCALEKIT_ERR_DECODE, 0, NULL},
        {"{}", SCALEKIT_ERR_DECODE, 0, NULL},
        {NULL, SCALEKIT_ERR_DECODE, 0, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct scalekit_event event = {.struct_size = sizeof event, .data = rows[i].data};
        const struct scalekit_connected_account *account;
        const char *name = rows[i].data ? rows[i].data : "no data";
        struct ground g;

        open_ground(&g);
        ROW_IS(name, ski_account_of_event(&g.arena, &event, &account) == rows[i].err);
        ROW_IS(name, !account == (rows[i].err != SCALEKIT_OK));
        ROW_IS(name, !account || (account->status == rows[i].status &&
                                  text_is(account->status_text, rows[i].text)));
        close_ground(&g);
    }
}

static void test_old_status(void)
{
    static const struct {
        const char *data;
        scalekit_err err;
        enum scalekit_account_status status;
        const char *text;
    } rows[] = {
        {CONNECTED, SCALEKIT_OK, SCALEKIT_ACCOUNT_PENDING_AUTH, "PENDING_AUTH"},
        {"{\"old_status\":\"NEW\"}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, "NEW"},
        {"{\"old_status\":null}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
        {"{}", SCALEKIT_OK, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
        {"{\"old_status\":[]}", SCALEKIT_ERR_DECODE, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
        {"[]", SCALEKIT_ERR_DECODE, SCALEKIT_ACCOUNT_UNKNOWN, NULL},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct scalekit_event event = {.struct_size = sizeof event, .data = rows[i].data};
        enum scalekit_account_status status;
        const char *text;
        struct ground g;

        open_ground(&g);
        ROW_IS(rows[i].data,
               ski_old_status_of_event(&g.arena, &event, &status, &text) == rows[i].err);
        ROW_IS(rows[i].data, status == rows[i].status && text_is(text, rows[i].text));
        close_ground(&g);
    }
}

static bool decode(struct test_memory *memory, void *unused)
{
    const struct scalekit_event event = {.struct_size = sizeof event, .data = CONNECTED};
    const struct scalekit_connected_account *account;
    struct ski_arena arena;
    struct ski_mem mem;
    scalekit_err err;

    (void)unused;
    ski_mem_init(&mem, &memory->allocator);
    ski_arena_init(&arena, &mem, 64, SIZE_MAX);
    err = ski_account_of_event(&arena, &event, &account);
    CU_ASSERT(err == SCALEKIT_OK || (err == SCALEKIT_ERR_NOMEM && !account));
    ski_arena_free(&arena);
    return err == SCALEKIT_OK;
}

static void test_without_memory(void)
{
    CU_ASSERT(test_every_allocation(decode, NULL) > 2);
}

SUITE(account_event, {"every member is an account's", test_every_member},
      {"what is missing is absent, and what is wrong no account", test_hostile},
      {"a status_updated says what it was before", test_old_status},
      {"memory that runs out is said so", test_without_memory})
