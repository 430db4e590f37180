#include "paging.h"
#include "check.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_TEXT   10 /* "f" for from or "t" for to, and 9 digits */
#define TOKEN_LENGTH 16
#define MAX_PLACE    999999999

/* 10 characters end in "==" in base64: whoever does not encode them in a query finds out. */
static void make_token(char out[TOKEN_LENGTH + 1], char side, size_t place)
{
    char text[TOKEN_TEXT + 1];

    snprintf(text, sizeof text, "%c%09d", side, (int)(place % MAX_PLACE));
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, TOKEN_TEXT);
}

/* A token is right when it is the one that would be made of what it says. */
static bool parse_token(const char *token, char *side, size_t *place)
{
    unsigned char text[TOKEN_LENGTH];
    char again[TOKEN_LENGTH + 1];

    if (strlen(token) != TOKEN_LENGTH ||
        EVP_DecodeBlock(text, (const unsigned char *)token, TOKEN_LENGTH) < TOKEN_TEXT)
        return false;
    text[TOKEN_TEXT] = '\0';
    *side = (char)*text;
    *place = strtoul((char *)text + 1, NULL, 10);
    make_token(again, *side, *place);
    return (*side == 'f' || *side == 't') && strcmp(again, token) == 0;
}

void emu_read_paging(struct emu_request *request, struct emu_paging *paging, size_t usual,
                     size_t max)
{
    int64_t given = emu_below(request, "page_size", INT64_C(1) << 32);
    const char *token = emu_form_get(&request->query, "page_token");
    size_t size = given ? (size_t)given : usual, place = 0;
    char side = 'f';

    if (token && *token && !parse_token(token, &side, &place))
        emu_violation(request, "page_token", "string.page_token", "value is not a page token");
    if (size > max)
        size = max;
    *paging = (struct emu_paging){.from = place, .to = place + size};
    if (side == 't')
        *paging = (struct emu_paging){.from = place > size ? place - size : 0, .to = place};
}

bool emu_on_page(struct emu_paging *paging)
{
    size_t place = paging->total++;

    return place >= paging->from && place < paging->to;
}

void emu_json_paging(struct emu_json *json, const struct emu_paging *paging)
{
    char token[TOKEN_LENGTH + 1];

    emu_json_number(json, "total_size", (int64_t)paging->total);
    make_token(token, 'f', paging->to);
    emu_json_text(json, "next_page_token", paging->to < paging->total ? token : "");
    make_token(token, 't', paging->from);
    emu_json_text(json, "prev_page_token", paging->from > 0 ? token : "");
}
