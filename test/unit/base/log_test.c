#include "base/log.h"
#include "harness.h"

struct heard {
    int lines;
    enum scalekit_log_level level;
    char line[4096];
};

static void hear(enum scalekit_log_level level, const char *line, void *user)
{
    struct heard *heard = user;

    heard->lines++;
    heard->level = level;
    snprintf(heard->line, sizeof heard->line, "%s", line);
}

static void lines_above_the_level_are_not_written(void)
{
    for (int level = SCALEKIT_LOG_OFF; level <= SCALEKIT_LOG_TRACE; level++) {
        struct heard heard = {0};
        const struct ski_log log = {(enum scalekit_log_level)level, hear, &heard};

        for (int line = SCALEKIT_LOG_ERROR; line <= SCALEKIT_LOG_TRACE; line++) {
            CU_ASSERT_EQUAL(ski_log_wants(&log, (enum scalekit_log_level)line), line <= level);
            ski_log(&log, (enum scalekit_log_level)line, "line %d", line);
            ski_log_text(&log, (enum scalekit_log_level)line, "text");
        }
        CU_ASSERT_EQUAL(heard.lines, 2 * level);
        CU_ASSERT_EQUAL((int)heard.level, level);
    }
}

static void without_a_function_nothing_happens(void)
{
    const struct ski_log log = {.level = SCALEKIT_LOG_TRACE};

    CU_ASSERT_FALSE(ski_log_wants(&log, SCALEKIT_LOG_ERROR));
    ski_log(&log, SCALEKIT_LOG_ERROR, "unheard");
    ski_log_text(&log, SCALEKIT_LOG_ERROR, "unheard");
}

static void a_line_cannot_be_forged(void)
{
    static const struct {
        const char *said, *heard;
    } cases[] = {
        {"plain", "plain"},
        {"a\nb\r\tc\x1b[31m\x7f", "a?b??c?[31m?"},
        {"caf\u00e9 \u20ac", "caf\u00e9 \u20ac"},
        {"\xc2\x9b[31m\xc2\x80\xc2\xa0", "??[31m??\xc2\xa0"},
        {"cut: \xc2", "cut: \xc2"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard heard = {0};
        const struct ski_log log = {SCALEKIT_LOG_INFO, hear, &heard};

        ski_log(&log, SCALEKIT_LOG_INFO, "%s", cases[i].said);
        CU_ASSERT_STRING_EQUAL(heard.line, cases[i].heard);
    }
}

static void lines_are_cut_at_1024_bytes_and_texts_are_not(void)
{
    struct heard heard = {0};
    const struct ski_log log = {SCALEKIT_LOG_INFO, hear, &heard};
    char text[2001];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ski_log(&log, SCALEKIT_LOG_INFO, "%.1024s", text);
    CU_ASSERT_EQUAL(strlen(heard.line), 1024);
    ski_log(&log, SCALEKIT_LOG_INFO, "%s", text);
    CU_ASSERT_EQUAL(strlen(heard.line), 1024);
    memcpy(text + 1023, "\u00e9", 2);
    ski_log(&log, SCALEKIT_LOG_INFO, "%s", text);
    CU_ASSERT_EQUAL(strlen(heard.line), 1023);
    ski_log_text(&log, SCALEKIT_LOG_INFO, text);
    CU_ASSERT_STRING_EQUAL(heard.line, text);
}

static void levels_are_known_by_name_in_any_case(void)
{
    static const struct {
        const char *name;
        int level;
    } cases[] = {
        {"off", SCALEKIT_LOG_OFF},
        {"error", SCALEKIT_LOG_ERROR},
        {"WARN", SCALEKIT_LOG_WARN},
        {"Info", SCALEKIT_LOG_INFO},
        {"debug", SCALEKIT_LOG_DEBUG},
        {"tRaCe", SCALEKIT_LOG_TRACE},
        {"warning", -1},
        {"", -1},
        {"inf", -1},
        {NULL, -1},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        CU_ASSERT_EQUAL(scalekit_log_level_parse(cases[i].name), cases[i].level);
    for (int level = SCALEKIT_LOG_OFF; level <= SCALEKIT_LOG_TRACE; level++)
        CU_ASSERT_EQUAL(
            scalekit_log_level_parse(scalekit_log_level_name((enum scalekit_log_level)level)),
            level);
    CU_ASSERT_STRING_EQUAL(scalekit_log_level_name((enum scalekit_log_level)99), "off");
}

SUITE(log, {"lines above the level are not written", lines_above_the_level_are_not_written},
      {"without a function nothing happens", without_a_function_nothing_happens},
      {"a line cannot be forged", a_line_cannot_be_forged},
      {"lines are cut at 1,024 bytes and texts are not",
       lines_are_cut_at_1024_bytes_and_texts_are_not},
      {"levels are known by name in any case", levels_are_known_by_name_in_any_case})
