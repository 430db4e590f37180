/* Every operation's answer, spoilt value by value: what may be missing is absent, what has the wrong
 * type is refused by its path, what is new is skipped. */
#include "api/operations.h"
#include "document.h"
#include "trial.h"
#include <stdlib.h>

/* What no row of a kind takes. */
static const char *const wrong_values[][4] = {
    [SKI_STRING] = {"7", "true", "[\"a\"]", "{}"},
    [SKI_INTEGER] = {"\"x\"", "true", "0.5", "{}"},
    [SKI_NUMBER] = {"\"x\"", "true", "[]", "{}"},
    [SKI_BOOLEAN] = {"\"true\"", "1", "[]", "{}"},
    [SKI_CHOICE] = {"\"true\"", "1", "[]", "{}"},
    [SKI_TIMESTAMP] = {"\"yesterday\"", "1791200000", "true", "{}"},
    [SKI_DURATION] = {"\"an hour\"", "3600", "true", "{}"},
    [SKI_ENUM] = {"true", "[\"ACTIVE\"]", "{}", NULL},
    [SKI_JSON] = {"\"x\"", "7", "[]", "{}"},
    [SKI_OBJECT] = {"\"x\"", "7", "[]", "true"},
    [SKI_FLAT] = {"\"x\"", "7", "[]", "true"},
    [SKI_OBJECTS] = {"\"x\"", "7", "{}", "true"},
    [SKI_STRINGS] = {"\"x\"", "7", "{}", "true"},
    [SKI_MAP] = {"\"x\"", "7", "[]", "{\"key\":7}"},
};

static enum ski_kind kind_of(const struct spot *spot)
{
    if (!spot->item)
        return spot->field->kind;
    return spot->field->kind == SKI_OBJECTS ? SKI_OBJECT : SKI_STRING;
}

/* Only pointers can be missed. */
static bool is_required(const struct spot *spot)
{
    const unsigned pointers = 1u << SKI_STRING | 1u << SKI_JSON | 1u << SKI_OBJECT;

    return spot->field->flags & SKI_REQUIRED && pointers & 1u << kind_of(spot) && !spot->item;
}

/* Has the answer decoded; what the result says must be what `expected` says. */
static void check_decoded(struct trial *trial, const char *name, const char *answer,
                          const char *expected)
{
    struct call *call = trial_run(trial, trial->of->params, answer);
    char *result, *found, *wanted;

    ROW_IS(name, call->code == SCALEKIT_OK);
    if (call->code != SCALEKIT_OK) {
        printf("%s, %s: %s\n", trial->of->name, name, call->message);
        return;
    }
    result = trial_result(trial, call);
    found = document_normal(result);
    wanted = document_normal(expected);
    if (!text_is(found, wanted))
        printf("%s, %s:\n    found    %s\n    expected %s\n", trial->of->name, name, found, wanted);
    ROW_IS(name, text_is(found, wanted));
    free(wanted);
    free(found);
    free(result);
}

static void check_refused(struct trial *trial, const char *path, const char *answer)
{
    struct call *call = trial_run(trial, trial->of->params, answer);
    bool refused = call->code == SCALEKIT_ERR_DECODE && text_has(call->message, path);

    if (!refused)
        printf("%s: %s is not named by \"%s\"\n    %s\n", trial->of->name, path, call->message,
               answer);
    ROW_IS(path, refused);
    ROW_IS(path, call->phase == SCALEKIT_PHASE_DECODE && call->sent);
    ROW_IS(path, call->error && call->error->http_status == 200);
}

/* --- what may be missing ----------------------------------------------------------------------- */

static void check_without(struct trial *trial, const struct document *document, size_t nth,
                          const struct spot *spot)
{
    const char *const replacements[] = {NULL, "null", "\"\""};
    size_t count = kind_of(spot) == SKI_STRING ? COUNT(replacements) : COUNT(replacements) - 1;

    for (size_t i = 0; i < count; i++) {
        char *answer = document_with(document, nth, replacements[i]);

        if (is_required(spot))
            check_refused(trial, spot->path, answer);
        else
            check_decoded(trial, spot->path, answer, answer);
        free(answer);
    }
}

/* --- what is wrong ----------------------------------------------------------------------------- */

/* Whether a row of free-form JSON takes a value after all. */
static bool is_taken(const struct ski_field *field, const char *value)
{
    const char *taken = field->flags & SKI_LIST_JSON ? "[]" : "{}";

    return field->kind == SKI_JSON && (field->flags & SKI_ANY_JSON || strcmp(value, taken) == 0);
}

static void check_wrong(struct trial *trial, const struct document *document, size_t nth,
                        const struct spot *spot)
{
    const char *const *values = wrong_values[kind_of(spot)];

    for (size_t i = 0; i < COUNT(*wrong_values) && values[i]; i++) {
        char *answer;

        if (is_taken(spot->field, values[i]))
            continue;
        answer = document_with(document, nth, values[i]);
        check_refused(trial, spot->path, answer);
        free(answer);
    }
}

/* --- what is required -------------------------------------------------------------------------- */

/* Without it the caller would have got nothing. */
static bool is_the_point(const struct ski_operation *operation, const struct ski_field *field)
{
    if (operation->result_offset != SKI_WHOLE_RESULT)
        return field->kind == SKI_OBJECT && field->offset == operation->result_offset;
    return strcmp(field->name, "link") == 0 || strcmp(field->name, "token") == 0;
}

static void test_required(void)
{
    for (const struct ski_operation *const *list = ski_operation_lists; *list; list++)
        for (const struct ski_operation *operation = *list; operation->name; operation++) {
            const struct ski_field *field = operation->result ? operation->result->fields : NULL;

            for (; field && field->kind != SKI_END; field++)
                ROW_IS(operation->name,
                       is_the_point(operation, field) == !!(field->flags & SKI_REQUIRED));
        }
}

/* --- every spot of every case ------------------------------------------------------------------ */

typedef void (*checker)(struct trial *trial, const struct document *document, size_t nth,
                        const struct spot *spot);

static void check_spots(struct trial *trial, const struct document *document, checker check)
{
    struct spot spot;
    size_t count = 0;

    for (; document_spot(document, count, &spot); count++)
        check(trial, document, count, &spot);
    ROW_IS(trial->of->name, count > 0);
}

static void for_every_case(void (*body)(struct trial *trial, const struct document *document))
{
    struct wire_cases cases;

    cases_read(&cases);
    for (size_t i = 0; i < cases.count; i++) {
        const struct wire_case *c = &cases.at[i];
        struct document document;
        struct trial trial;

        if (!c->operation->result)
            continue;
        trial_open(&trial, c);
        document_read(&document, c->response, c->operation->result, BY_WIRE);
        body(&trial, &document);
        document_free(&document);
        trial_free(&trial);
    }
    cases_free(&cases);
}

static void spots_without(struct trial *trial, const struct document *document)
{
    check_spots(trial, document, check_without);
}

static void spots_wrong(struct trial *trial, const struct document *document)
{
    check_spots(trial, document, check_wrong);
}

/* Of the answer itself; at most one is required, the object that the answer is about. */
static const char *required_member(const struct ski_type *type)
{
    const struct ski_field *field = type->fields;

    while (field->kind != SKI_END && !(field->flags & SKI_REQUIRED))
        field++;
    return field->name;
}

static void empty(struct trial *trial, const struct document *document)
{
    static const char *const answers[] = {"{}", ""};
    const char *required = required_member(document->type);

    for (size_t i = 0; i < COUNT(answers); i++) {
        if (required)
            check_refused(trial, required, answers[i]);
        else
            check_decoded(trial, "an empty answer", answers[i], "{}");
    }
}

/* Whatever it is about. */
static void broken(struct trial *trial, const struct document *document)
{
    char *cut = document_with_unknown(document);

    cut[strlen(cut) - 1] = '\0';
    check_refused(trial, "", cut);
    check_refused(trial, "", "[]");
    check_refused(trial, "", "\"an answer\"");
    free(cut);
}

static void unknown(struct trial *trial, const struct document *document)
{
    char *answer = document_with_unknown(document);

    check_decoded(trial, "members that are new", answer, trial->of->response);
    free(answer);
}

static void camel_case(struct trial *trial, const struct document *document)
{
    char *answer = document_in_camel_case(document);

    check_decoded(trial, "lowerCamelCase", answer, trial->of->response);
    free(answer);
}

static void test_absent(void)
{
    for_every_case(spots_without);
}

static void test_wrong(void)
{
    for_every_case(spots_wrong);
}

static void test_empty(void)
{
    for_every_case(empty);
}

static void test_broken(void)
{
    for_every_case(broken);
}

static void test_unknown(void)
{
    for_every_case(unknown);
}

static void test_camel_case(void)
{
    for_every_case(camel_case);
}

SUITE(operation_answers, {"an answer must have what it is about, and no more", test_required},
      {"a value that is absent, null or empty is absent, or missed", test_absent},
      {"a value of the wrong type is refused by its path", test_wrong},
      {"an empty answer is no account, page or link, but no crash", test_empty},
      {"what ends early, or is no object, is refused", test_broken},
      {"members that are new are skipped", test_unknown},
      {"names are understood in lowerCamelCase", test_camel_case})
