#include "mask.h"
#include <stdio.h>
#include <string.h>

#define SHOWN    4
#define SHORTEST 16 /* of those that show something of themselves */

const char *mask(char out[MASK_SIZE], const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    int shown = length < SHORTEST ? 0 : SHOWN;

    /* Never half a character: the bytes 10xxxxxx of UTF-8 go on with one. */
    while (shown && ((unsigned char)secret[shown] & 0xC0) == 0x80)
        shown--;
    if (length)
        snprintf(out, MASK_SIZE, "%.*s****", shown, secret);
    else
        snprintf(out, MASK_SIZE, "none");
    return out;
}
