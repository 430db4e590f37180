#include "trial.h"
#include "json/decode.h"
#include "json/encode.h"
#include <stdlib.h>

#define MAX_TEXT (1u << 20)

void trial_open(struct trial *trial, const struct wire_case *of)
{
    trial->of = of;
    trial->function = function_find(of->operation->name);
    CU_ASSERT_PTR_NOT_NULL_FATAL(trial->function);
    fixture_init(&trial->fixture);
    trial->fixture.config.user_agent = "app/2";
    fixture_start(&trial->fixture);
    ski_mem_init(&trial->mem, &trial->fixture.memory.allocator);
}

void trial_free(struct trial *trial)
{
    fixture_free(&trial->fixture);
}

struct call *trial_run(struct trial *trial, const char *params, const char *answer)
{
    struct service_answer scripted = {.status = answer ? 200 : 501, .body = answer};
    scalekit_err err = SCALEKIT_OK;
    const void *decoded = NULL;
    struct ski_failure failure;
    struct ski_arena arena;
    struct call *call;

    ski_arena_init(&arena, &trial->mem, 1024, SIZE_MAX);
    if (params)
        err = ski_json_decode_params(&arena, trial->of->operation->params, params, strlen(params),
                                     &decoded, &failure);
    if (err != SCALEKIT_OK)
        printf("%s: %s in %s\n", trial->of->name, failure.text, params);
    CU_ASSERT_EQUAL_FATAL(err, SCALEKIT_OK);
    service_always(trial->fixture.service, trial->of->route, scripted);
    call = trial->function->start(&trial->fixture, decoded);
    ski_arena_free(&arena);
    call_wait(call);
    return call;
}

/* The table of what the callback gets, and the name it had in the answer; NULL: it was the answer. */
static const struct ski_type *result_type(const struct ski_operation *operation, const char **name)
{
    const struct ski_field *field = operation->result->fields;

    *name = NULL;
    if (operation->result_offset == SKI_WHOLE_RESULT)
        return operation->result;
    while (field->kind != SKI_OBJECT || field->offset != operation->result_offset)
        field++;
    *name = field->name;
    return field->type;
}

char *trial_result(const struct trial *trial, const struct call *call)
{
    const struct ski_operation *operation = trial->of->operation;
    const struct ski_type *type;
    const char *name;
    struct ski_buf out;
    char *text;

    if (!operation->result)
        return strdup("{}");
    type = result_type(operation, &name);
    ski_buf_init(&out, &trial->mem, MAX_TEXT);
    if (name)
        ski_buf_addf(&out, "{\"%s\":", name);
    ski_json_encode(&out, type, call->result, SKI_ENCODE_ALL);
    if (name)
        ski_buf_addc(&out, '}');
    text = strdup(ski_buf_text(&out));
    ski_buf_free(&out);
    return text;
}
