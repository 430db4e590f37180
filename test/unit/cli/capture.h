/* capture.h - what something prints, as text. */
#ifndef TEST_CAPTURE_H
#define TEST_CAPTURE_H

#include <stdio.h>

struct capture {
    FILE *out; /* to print to */
    char *text;
    size_t length;
};

/* Asserts that it can. */
void capture_begin(struct capture *capture);
/* Asserts that exactly this was printed, and frees it. */
void capture_expect(struct capture *capture, const char *expected);

#endif
