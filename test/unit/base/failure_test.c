#include "base/failure.h"
#include "harness.h"

static void fills_every_member(void)
{
    struct ski_failure failure = {.parameter = "left over"};

    CU_ASSERT_EQUAL(ski_fail(&failure, SCALEKIT_ERR_CONNECT, SCALEKIT_PHASE_CONNECT, "%s:%d",
                             "example.com", 443),
                    SCALEKIT_ERR_CONNECT);
    CU_ASSERT_EQUAL(failure.code, SCALEKIT_ERR_CONNECT);
    CU_ASSERT_EQUAL(failure.phase, SCALEKIT_PHASE_CONNECT);
    CU_ASSERT_PTR_NULL(failure.parameter);
    CU_ASSERT_STRING_EQUAL(failure.text, "example.com:443");
}

/* The euro sign has three bytes; behind 0, 1, 2 letters it ends at, one or two beyond the limit. */
static void long_texts_are_cut_between_characters(void)
{
    const size_t limit = sizeof((struct ski_failure *)0)->text - 1;
    char text[400];

    for (size_t letters = limit - 4; letters <= limit; letters++) {
        struct ski_failure failure;
        size_t expected = letters + 3 <= limit ? letters + 3 : letters;

        memset(text, 'x', letters);
        snprintf(text + letters, sizeof text - letters, "\u20ac\u20ac\u20ac");
        ski_fail(&failure, SCALEKIT_ERR_TLS, SCALEKIT_PHASE_TLS, "%s", text);
        CU_ASSERT_EQUAL(strlen(failure.text), expected);
        CU_ASSERT_EQUAL(strncmp(failure.text, text, expected), 0);
    }
}

static bool is_duplicate(const char *const *words, int count, const char *word)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static void every_kind_has_a_name_and_a_text_of_its_own(void)
{
    const char *names[SCALEKIT_ERR_TOOL_RATE_LIMITED + 1];
    const char *texts[SCALEKIT_ERR_TOOL_RATE_LIMITED + 1];

    for (int i = 0; i <= SCALEKIT_ERR_TOOL_RATE_LIMITED; i++) {
        names[i] = scalekit_err_name((scalekit_err)i);
        texts[i] = scalekit_strerror((scalekit_err)i);
        CU_ASSERT_EQUAL(strncmp(names[i], i ? "SCALEKIT_ERR_" : "SCALEKIT_OK", i ? 13 : 12), 0);
        CU_ASSERT_FALSE(is_duplicate(names, i, names[i]));
        CU_ASSERT_FALSE(is_duplicate(texts, i, texts[i]));
    }
    CU_ASSERT_STRING_EQUAL(scalekit_err_name(SCALEKIT_ERR_DEADLINE), "SCALEKIT_ERR_DEADLINE");
    CU_ASSERT_STRING_EQUAL(scalekit_strerror(SCALEKIT_ERR_DEADLINE), "deadline exceeded");
}

static void every_phase_has_a_word_of_its_own(void)
{
    const char *words[SCALEKIT_PHASE_DECODE + 1];

    for (int i = 0; i <= SCALEKIT_PHASE_DECODE; i++) {
        words[i] = scalekit_phase_name((enum scalekit_phase)i);
        CU_ASSERT_FALSE(is_duplicate(words, i, words[i]));
    }
    CU_ASSERT_STRING_EQUAL(scalekit_phase_name(SCALEKIT_PHASE_CONNECT), "connect");
}

static void values_of_a_newer_library_have_words_too(void)
{
    CU_ASSERT_STRING_EQUAL(scalekit_strerror((scalekit_err)999), "unknown error");
    CU_ASSERT_STRING_EQUAL(scalekit_err_name((scalekit_err)999), "SCALEKIT_ERR_?");
    CU_ASSERT_STRING_EQUAL(scalekit_phase_name((enum scalekit_phase)999), "unknown");
}

SUITE(failure, {"fills every member", fills_every_member},
      {"long texts are cut between characters", long_texts_are_cut_between_characters},
      {"every kind has a name and a text of its own", every_kind_has_a_name_and_a_text_of_its_own},
      {"every phase has a word of its own", every_phase_has_a_word_of_its_own},
      {"values of a newer library have words too", values_of_a_newer_library_have_words_too})
