#include "capture.h"
#include "harness.h"
#include <stdlib.h>

void capture_begin(struct capture *capture)
{
    *capture = (struct capture){0};
    capture->out = open_memstream(&capture->text, &capture->length);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture->out);
}

void capture_expect(struct capture *capture, const char *expected)
{
    CU_ASSERT_EQUAL_FATAL(fclose(capture->out), 0);
    if (strcmp(capture->text, expected) != 0)
        printf("    printed  %s\n    expected %s\n", capture->text, expected);
    CU_ASSERT_STRING_EQUAL(capture->text, expected);
    free(capture->text);
}
