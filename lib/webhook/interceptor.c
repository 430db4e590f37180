#include "base/str.h"
#include "json/encode.h"
#include "json/parse.h"
#include <scalekit/webhook.h>
#include <string.h>

static bool is_valid(const struct ski_mem *mem, const struct scalekit_interceptor_params *params)
{
    return params && params->struct_size &&
           (!params->message || ski_utf8_valid(params->message, strlen(params->message))) &&
           (!params->response ||
            !ski_json_problem(mem, params->response, strlen(params->response), SKI_JSON_OBJECT));
}

static void write_answer(struct ski_buf *answer, const struct scalekit_interceptor_params *params)
{
    ski_buf_adds(answer, params->decision == SCALEKIT_ALLOW ? "{\"decision\":\"ALLOW\""
                                                            : "{\"decision\":\"DENY\"");
    if (params->message) {
        ski_buf_adds(answer, ",\"error\":{\"message\":");
        ski_json_string(answer, params->message);
        ski_buf_addc(answer, '}');
    }
    if (params->response) {
        ski_buf_adds(answer, ",\"response\":");
        ski_buf_adds(answer, params->response);
    }
    ski_buf_addc(answer, '}');
}

size_t scalekit_interceptor_answer(char *out, size_t size,
                                   const struct scalekit_interceptor_params *params)
{
    struct ski_mem mem;
    struct ski_buf answer;
    size_t length = 0;

    if (!out || size == 0)
        return 0;
    out[0] = '\0';
    ski_mem_init(&mem, NULL);
    if (!is_valid(&mem, params))
        return 0;
    ski_buf_init(&answer, &mem, size - 1);
    write_answer(&answer, params);
    if (answer.failed == SKI_BUF_OK) {
        length = answer.length;
        memcpy(out, answer.data, length);
        out[length] = '\0';
    }
    ski_buf_free(&answer);
    return length;
}
