#include "core/config.h"
#include "harness.h"
#include <limits.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->name, __FILE__, "", CU_FALSE)

static struct scalekit_config good_config(void)
{
    return (struct scalekit_config){
        .struct_size = sizeof(struct scalekit_config),
        .env_url = "https://acme.scalekit.dev",
        .client_id = "skc_1",
        .client_secret = "secret",
    };
}

/* --- defaults and limits ----------------------------------------------------------------------- */

/* How a member of some integer type is reached. */
enum width { INT, UNSIGNED, INT64, SIZE };

static const struct limit_row {
    const char *name;
    size_t offset;
    enum width width;
    int64_t normal, min, max, below, above;
} limit_rows[] = {
#define MEMBER(member, width) #member, offsetof(struct scalekit_config, member), width
    {MEMBER(deadline_ms, INT64), 20000, 1, 86400000, -1, 86400001},
    {MEMBER(tool_deadline_ms, INT64), 60000, 1, 86400000, -1, 86400001},
    {MEMBER(connect_timeout_ms, INT64), 10000, 1, 600000, -1, 600001},
    {MEMBER(idle_timeout_ms, INT64), 240000, 1, 86400000, -1, INT64_MAX},
    {MEMBER(max_connections, UNSIGNED), 64, 1, 1024, UINT_MAX, 1025},
    {MEMBER(max_queue, UNSIGNED), 10000, 1, 10000000, UINT_MAX, 10000001},
    {MEMBER(max_requests_per_minute, UNSIGNED), 0, 1, 1000000, UINT_MAX, 1000001},
    {MEMBER(max_retries, INT), 2, 1, 10, -2, 11},
    {MEMBER(max_response_bytes, SIZE), 8 << 20, 1, 1 << 30, -1, (1 << 30) + 1},
    {MEMBER(max_submitted, UNSIGNED), 4096, 1, 1048576, UINT_MAX, 1048577},
    {MEMBER(watch_first_check_ms, INT64), 2000, 1, 86400000, INT64_MIN, 86400001},
    {MEMBER(watch_interval_ms, INT64), 3000, 1, 86400000, -1, 86400001},
    {MEMBER(watch_fast_period_ms, INT64), 60000, 1, 86400000, -1, 86400001},
    {MEMBER(watch_max_interval_ms, INT64), 30000, 1, 86400000, -1, 86400001},
    {MEMBER(watch_deadline_ms, INT64), 900000, 1, INT64_C(2592000000), -1, INT64_C(2592000001)},
#undef MEMBER
};

static void put(struct scalekit_config *config, const struct limit_row *row, int64_t value)
{
    char *member = (char *)config + row->offset;

    switch (row->width) {
    case INT:
        *(int *)member = (int)value;
        break;
    case UNSIGNED:
        *(unsigned *)member = (unsigned)value;
        break;
    case INT64:
        *(int64_t *)member = value;
        break;
    case SIZE:
        *(size_t *)member = (size_t)value;
        break;
    }
}

static int64_t get(const struct scalekit_config *config, const struct limit_row *row)
{
    const char *member = (const char *)config + row->offset;

    switch (row->width) {
    case INT:
        return *(const int *)member;
    case UNSIGNED:
        return *(const unsigned *)member;
    case INT64:
        return *(const int64_t *)member;
    default:
        return (int64_t) * (const size_t *)member;
    }
}

static void test_defaults(void)
{
    struct scalekit_config given = good_config(), config;

    CU_ASSERT_PTR_NULL(ski_config_read(&config, &given));
    for (size_t i = 0; i < COUNT(limit_rows); i++)
        ROW_IS(&limit_rows[i], get(&config, &limit_rows[i]) == limit_rows[i].normal);
    CU_ASSERT_EQUAL(config.log_level, SCALEKIT_LOG_OFF);
    CU_ASSERT_PTR_EQUAL(config.env_url, given.env_url);
    CU_ASSERT_PTR_EQUAL(config.client_id, given.client_id);
    CU_ASSERT_PTR_EQUAL(config.client_secret, given.client_secret);
}

static void test_limits(void)
{
    for (size_t i = 0; i < COUNT(limit_rows); i++) {
        const struct limit_row *row = &limit_rows[i];
        const int64_t good[] = {row->min, row->max}, bad[] = {row->below, row->above};
        struct scalekit_config given = good_config(), config;

        for (size_t j = 0; j < 2; j++) {
            put(&given, row, good[j]);
            ROW_IS(row, !ski_config_read(&config, &given) && get(&config, row) == good[j]);
        }
        for (size_t j = 0; j < 2; j++) {
            const char *problem;

            put(&given, row, bad[j]);
            problem = ski_config_read(&config, &given);
            ROW_IS(row, problem && strstr(problem, row->name));
        }
    }
}

static void test_no_retries(void)
{
    struct scalekit_config given = good_config(), config;

    given.max_retries = -1;
    CU_ASSERT_PTR_NULL(ski_config_read(&config, &given));
    CU_ASSERT_EQUAL(config.max_retries, 0);
}

/* --- text and surroundings --------------------------------------------------------------------- */

static char long_text[4002];

static const char *text_of(size_t length)
{
    memset(long_text, 'x', length);
    long_text[length] = '\0';
    return long_text;
}

static void test_required(void)
{
    struct scalekit_config config;
    const struct {
        const char *name;
        size_t offset;
    } rows[] = {
        {"env_url", offsetof(struct scalekit_config, env_url)},
        {"client_id", offsetof(struct scalekit_config, client_id)},
        {"client_secret", offsetof(struct scalekit_config, client_secret)},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_config given = good_config();
        const char **member = (const char **)((char *)&given + rows[i].offset);
        const char *problem;

        *member = NULL;
        problem = ski_config_read(&config, &given);
        ROW_IS(&rows[i], problem && strstr(problem, rows[i].name) && strstr(problem, "missing"));
        *member = "";
        problem = ski_config_read(&config, &given);
        ROW_IS(&rows[i], problem && strstr(problem, rows[i].name) && strstr(problem, "missing"));
    }
    CU_ASSERT_PTR_NOT_NULL(ski_config_read(&config, NULL));
}

static void test_lengths(void)
{
    struct scalekit_config config;
    const struct {
        const char *name;
        size_t offset, most;
    } rows[] = {
        {"client_id", offsetof(struct scalekit_config, client_id), 1000},
        {"client_secret", offsetof(struct scalekit_config, client_secret), 4000},
        {"user_agent", offsetof(struct scalekit_config, user_agent), 200},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct scalekit_config given = good_config();
        const char *problem;

        *(const char **)((char *)&given + rows[i].offset) = text_of(rows[i].most);
        ROW_IS(&rows[i], ski_config_read(&config, &given) == NULL);
        text_of(rows[i].most + 1);
        problem = ski_config_read(&config, &given);
        ROW_IS(&rows[i], problem && strstr(problem, rows[i].name));
    }
}

static void *some_malloc(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *some_realloc(void *old, size_t size, void *user)
{
    (void)user;
    return realloc(old, size);
}

static void some_free(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static int64_t some_time(void *user)
{
    (void)user;
    return 0;
}

static uint64_t some_random(void *user)
{
    (void)user;
    return 0;
}

static const char *read_surroundings(const struct scalekit_allocator *allocator,
                                     const struct scalekit_clock *clock)
{
    struct scalekit_config given = good_config(), config;

    given.allocator = allocator;
    given.clock = clock;
    return ski_config_read(&config, &given);
}

static void test_surroundings(void)
{
    static const struct scalekit_allocator allocators[] = {
        {some_malloc, some_realloc, some_free, NULL},
        {NULL, some_realloc, some_free, NULL},
        {some_malloc, NULL, some_free, NULL},
        {some_malloc, some_realloc, NULL, NULL}};
    static const struct scalekit_clock clocks[] = {{some_time, some_time, some_random, NULL},
                                                   {NULL, some_time, some_random, NULL},
                                                   {some_time, NULL, some_random, NULL},
                                                   {some_time, some_time, NULL, NULL}};

    CU_ASSERT_PTR_NULL(read_surroundings(&allocators[0], &clocks[0]));
    for (size_t i = 1; i < COUNT(allocators); i++)
        CU_ASSERT_STRING_EQUAL(read_surroundings(&allocators[i], NULL),
                               "allocator lacks a function");
    for (size_t i = 1; i < COUNT(clocks); i++)
        CU_ASSERT_STRING_EQUAL(read_surroundings(NULL, &clocks[i]), "clock lacks a function");
}

static void test_log_level(void)
{
    struct scalekit_config given = good_config(), config;

    given.log_level = SCALEKIT_LOG_TRACE;
    CU_ASSERT_PTR_NULL(ski_config_read(&config, &given));
    given.log_level = (enum scalekit_log_level)(SCALEKIT_LOG_TRACE + 1);
    CU_ASSERT_PTR_NOT_NULL(ski_config_read(&config, &given));
    given.log_level = (enum scalekit_log_level) - 1;
    CU_ASSERT_PTR_NOT_NULL(ski_config_read(&config, &given));
}

/* --- versions of the structure ----------------------------------------------------------------- */

struct newer_config {
    struct scalekit_config known;
    const char *later;
};

static void test_older_program(void)
{
    struct scalekit_config given = good_config(), config;

    given.struct_size = offsetof(struct scalekit_config, idle_timeout_ms);
    given.deadline_ms = 5;
    given.idle_timeout_ms = -5; /* beyond what it knows */
    given.log_level = (enum scalekit_log_level)99;
    CU_ASSERT_PTR_NULL(ski_config_read(&config, &given));
    CU_ASSERT_EQUAL(config.deadline_ms, 5);
    CU_ASSERT_EQUAL(config.idle_timeout_ms, 240000);
}

static void test_newer_program(void)
{
    struct newer_config given = {.known = good_config()};
    struct scalekit_config config;
    const char *problem;

    given.known.struct_size = sizeof given;
    CU_ASSERT_PTR_NULL(ski_config_read(&config, &given.known));
    given.later = "set";
    problem = ski_config_read(&config, &given.known);
    CU_ASSERT(problem && strstr(problem, "does not know"));
}

static void test_unset_size(void)
{
    struct scalekit_config given = good_config(), config;
    const char *problem;

    given.struct_size = 0;
    problem = ski_config_read(&config, &given);
    CU_ASSERT(problem && strstr(problem, "struct_size"));
    given.struct_size = SIZE_MAX / 2; /* garbage: nothing of that size is read */
    problem = ski_config_read(&config, &given);
    CU_ASSERT(problem && strstr(problem, "struct_size"));
}

/* --- the environment --------------------------------------------------------------------------- */

static const char *const variables[] = {"SCALEKIT_ENV_URL",   "SCALEKIT_ENVIRONMENT_URL",
                                        "SCALEKIT_CLIENT_ID", "SCALEKIT_CLIENT_SECRET",
                                        "SCALEKIT_CA_FILE",   "SCALEKIT_LOG"};
#define NOT_A_LEVEL "SCALEKIT_LOG is not a log level: off, error, warn, info, debug or trace"

enum { ENV_URL, ENVIRONMENT_URL, CLIENT_ID, SECRET, CA_FILE, LOG, VARIABLES };

static const struct environment_row {
    const char *name;
    const char *values[VARIABLES]; /* NULL: not set */
    const char *url;               /* the one that is taken; NULL: refused */
    const char *problem;
    enum scalekit_log_level level;
} environment_rows[] = {
    {"all", {"u", "v", "i", "s", "c", "debug"}, "u", NULL, SCALEKIT_LOG_DEBUG},
    {"first spelling", {"u", NULL, "i", "s", NULL, NULL}, "u", NULL, SCALEKIT_LOG_OFF},
    {"second spelling", {NULL, "v", "i", "s", NULL, NULL}, "v", NULL, SCALEKIT_LOG_OFF},
    {"first is empty", {"", "v", "i", "s", NULL, NULL}, "v", NULL, SCALEKIT_LOG_OFF},
    {"optional ones empty", {"u", "", "i", "s", "", ""}, "u", NULL, SCALEKIT_LOG_OFF},
    {"level in capitals", {"u", NULL, "i", "s", NULL, "TRACE"}, "u", NULL, SCALEKIT_LOG_TRACE},
    {"level off", {"u", NULL, "i", "s", NULL, "off"}, "u", NULL, SCALEKIT_LOG_OFF},
    {"no URL",
     {NULL, NULL, "i", "s", NULL, NULL},
     NULL,
     "SCALEKIT_ENV_URL is not set",
     SCALEKIT_LOG_OFF},
    {"empty URLs",
     {"", "", "i", "s", NULL, NULL},
     NULL,
     "SCALEKIT_ENV_URL is not set",
     SCALEKIT_LOG_OFF},
    {"no id",
     {"u", NULL, NULL, "s", NULL, NULL},
     NULL,
     "SCALEKIT_CLIENT_ID is not set",
     SCALEKIT_LOG_OFF},
    {"empty id",
     {"u", NULL, "", "s", NULL, NULL},
     NULL,
     "SCALEKIT_CLIENT_ID is not set",
     SCALEKIT_LOG_OFF},
    {"no secret",
     {"u", NULL, "i", NULL, NULL, NULL},
     NULL,
     "SCALEKIT_CLIENT_SECRET is not set",
     SCALEKIT_LOG_OFF},
    {"no level", {"u", NULL, "i", "s", NULL, "loud"}, NULL, NOT_A_LEVEL, SCALEKIT_LOG_OFF},
    {"nothing",
     {NULL, NULL, NULL, NULL, NULL, NULL},
     NULL,
     "SCALEKIT_ENV_URL is not set",
     SCALEKIT_LOG_OFF},
};

static void set_variable(const char *name, const char *value)
{
    if (value)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

static bool is_text(const char *text, const char *expected)
{
    return text && expected ? strcmp(text, expected) == 0 : text == expected;
}

static void read_environment(const struct environment_row *row)
{
    const char *ca_file =
        row->values[CA_FILE] && row->values[CA_FILE][0] ? row->values[CA_FILE] : NULL;
    struct scalekit_config config;
    const char *problem = "?";
    scalekit_err err;

    memset(&config, 0xff, sizeof config);
    for (size_t i = 0; i < VARIABLES; i++)
        set_variable(variables[i], row->values[i]);
    err = scalekit_config_from_env(&config, &problem);
    ROW_IS(row, is_text(problem, row->problem));
    ROW_IS(row, err == (row->problem ? SCALEKIT_ERR_INVALID : SCALEKIT_OK));
    ROW_IS(row, scalekit_config_from_env(&config, NULL) == err);
    if (err)
        return;
    ROW_IS(row, config.struct_size == sizeof config);
    ROW_IS(row, is_text(config.env_url, row->url));
    ROW_IS(row, is_text(config.client_id, "i"));
    ROW_IS(row, is_text(config.client_secret, "s"));
    ROW_IS(row, is_text(config.ca_file, ca_file));
    ROW_IS(row, config.log_level == row->level);
    ROW_IS(row, !config.user_agent && !config.deadline_ms && !config.allocator && !config.log);
}

static void test_environment(void)
{
    char *before[VARIABLES];

    for (size_t i = 0; i < VARIABLES; i++) {
        const char *value = getenv(variables[i]);

        before[i] = value ? strdup(value) : NULL;
    }
    for (size_t i = 0; i < COUNT(environment_rows); i++)
        read_environment(&environment_rows[i]);
    CU_ASSERT_EQUAL(scalekit_config_from_env(NULL, NULL), SCALEKIT_ERR_INVALID);
    for (size_t i = 0; i < VARIABLES; i++) {
        set_variable(variables[i], before[i]);
        free(before[i]);
    }
}

/* What a program of an older header has on its stack ends where its structure ended. */
static void test_environment_of_older_program(void)
{
    struct scalekit_config config;
    size_t older = offsetof(struct scalekit_config, user_agent);

    memset(&config, 0xff, sizeof config);
    scalekit_config_read_env(&config, older, NULL);
    CU_ASSERT_EQUAL(config.struct_size, older);
    CU_ASSERT_EQUAL(((const unsigned char *)&config)[older], 0xff);
}

static void test_environment_of_newer_program(void)
{
    struct {
        struct scalekit_config known;
        const char *unknown;
    } config;

    memset(&config, 0xff, sizeof config);
    scalekit_config_read_env(&config.known, sizeof config, NULL);
    CU_ASSERT_EQUAL(config.known.struct_size, sizeof config);
    CU_ASSERT_PTR_NULL(config.unknown);
}

SUITE(config, {"what is left out has its default", test_defaults},
      {"every limit is kept, and named", test_limits}, {"-1 retries are none", test_no_retries},
      {"what is required is named when it is missing", test_required},
      {"text has a length", test_lengths},
      {"an allocator and a clock are complete", test_surroundings},
      {"a log level is one of the enumeration", test_log_level},
      {"a smaller structure of an older program is accepted", test_older_program},
      {"a larger one is accepted while what is new in it is zero", test_newer_program},
      {"a structure without its size is refused", test_unset_size},
      {"the environment is read in every combination", test_environment},
      {"it fills no more than an older program has", test_environment_of_older_program},
      {"and zeroes what a newer one has more", test_environment_of_newer_program})
