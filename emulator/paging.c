#include "paging.h"
#include "check.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_TEXT      19 /* a letter and 18 digits */
#define TOKEN_LENGTH    28
#define USUAL_OF_RECORD 10 /* things on a page */
#define MAX_NUMBER      UINT64_C(999999999999999999)

/* 19 characters end in "==" in base64: whoever does not encode them in a query finds out. */
static void make_token(char out[TOKEN_LENGTH + 1], const struct emu_position *position)
{
    uint64_t number = position->number < MAX_NUMBER ? position->number : MAX_NUMBER;
    char text[TOKEN_TEXT + 1];

    snprintf(text, sizeof text, "%c%018" PRIu64, position->backward ? 'b' : 'a', number);
    EVP_EncodeBlock((unsigned char *)out, (const unsigned char *)text, TOKEN_TEXT);
}

/* A token is right when it is the one that would be made of what it says. */
static bool parse_token(struct emu_position *position, const char *token)
{
    unsigned char text[TOKEN_LENGTH];
    char again[TOKEN_LENGTH + 1];

    if (strlen(token) != TOKEN_LENGTH ||
        EVP_DecodeBlock(text, (const unsigned char *)token, TOKEN_LENGTH) < TOKEN_TEXT)
        return false;
    text[TOKEN_TEXT] = '\0';
    position->backward = *text == 'b';
    position->number = strtoull((char *)text + 1, NULL, 10);
    make_token(again, position);
    return strcmp(again, token) == 0;
}

size_t emu_read_page_size(struct emu_request *request, size_t usual, size_t max,
                          enum emu_excess excess)
{
    int64_t below = excess == EMU_REFUSE ? (int64_t)max + 1 : INT64_C(1) << 32;
    size_t size = (size_t)emu_below(request, "page_size", below);

    if (!size)
        return usual;
    return size < max ? size : max;
}

void emu_read_position(struct emu_request *request, struct emu_position *position)
{
    const char *token = emu_form_get(&request->query, "page_token");

    *position = (struct emu_position){0};
    if (token && *token && !parse_token(position, token))
        emu_violation(request, "page_token", "string.page_token", "value is not a page token");
}

void emu_json_token(struct emu_json *json, const char *key, const struct emu_position *position,
                    bool exists)
{
    char token[TOKEN_LENGTH + 1] = "";

    if (exists)
        make_token(token, position);
    emu_json_text(json, key, token);
}

/* --- by place ---------------------------------------------------------------------------------- */

void emu_read_paging(struct emu_request *request, struct emu_paging *paging, size_t usual,
                     size_t max, enum emu_excess excess)
{
    size_t size = emu_read_page_size(request, usual, max, excess);
    struct emu_position position;

    emu_read_position(request, &position);
    *paging = (struct emu_paging){.from = position.number};
    if (position.backward)
        paging->from = position.number > size ? position.number - size : 0;
    paging->to = position.backward ? position.number : position.number + size;
}

bool emu_on_page(struct emu_paging *paging)
{
    size_t place = paging->total++;

    return place >= paging->from && place < paging->to;
}

void emu_json_paging(struct emu_json *json, const struct emu_paging *paging)
{
    struct emu_position next = {false, paging->to}, previous = {true, paging->from};

    emu_json_number(json, "total_size", (int64_t)paging->total);
    emu_json_token(json, "next_page_token", &next, paging->to < paging->total);
    emu_json_token(json, "prev_page_token", &previous, paging->from > 0);
}

void emu_answer_page(struct emu_request *request, const struct emu_shelf *shelf,
                     const struct emu_listing *listing, const void *filter)
{
    struct emu_json *json = &request->json;
    const struct emu_item *item;
    struct emu_paging paging;

    emu_read_paging(request, &paging, listing->usual, listing->max, listing->excess);
    if (emu_refused(request))
        return;
    emu_json_open(json, NULL, '{');
    emu_json_open(json, listing->key, '[');
    TAILQ_FOREACH(item, &shelf->by_age, by_age)
    if (listing->wants(request, item, filter) && emu_on_page(&paging))
        listing->put(request, item);
    emu_json_close(json, ']');
    emu_json_paging(json, &paging);
    emu_json_close(json, '}');
    emu_send(request, 200);
}

/* --- by time ----------------------------------------------------------------------------------- */

/* The nearest thing that is wanted, on one side of a number; 0: none. */
static uint64_t find(const struct emu_record *record, const struct emu_wanted *wanted,
                     uint64_t number, bool newer)
{
    const void *item;

    if (newer && number + 1 < emu_record_oldest(record))
        number = emu_record_oldest(record) - 1;
    do
        number += newer ? 1 : (uint64_t)-1;
    while ((item = emu_record_get(record, number)) && !wanted->is(item, wanted->filter));
    return item ? number : 0;
}

static void fill_page(const struct emu_record *record, const struct emu_wanted *wanted,
                      const struct emu_position *position, size_t size, struct emu_page *page)
{
    uint64_t number = position->backward ? position->number : position->number + 1;
    uint64_t found[EMU_RECORD_PAGE];

    while (page->n < size && (number = find(record, wanted, number, position->backward)))
        found[page->n++] = number;
    for (size_t i = 0; i < page->n; i++) {
        page->numbers[i] = found[position->backward ? page->n - 1 - i : i];
        page->items[i] = emu_record_get(record, page->numbers[i]);
    }
}

/* What is around a page; one without anything on it is between two things as well. */
static void find_neighbours(const struct emu_record *record, const struct emu_wanted *wanted,
                            const struct emu_position *position, struct emu_page *page)
{
    uint64_t newest = page->n ? page->numbers[0] : position->number;
    uint64_t next = page->n ? page->numbers[page->n - 1] - 1 : position->number;

    page->has_previous = find(record, wanted, newest, true);
    page->has_next = find(record, wanted, next + 1, false);
    page->previous = (struct emu_position){true, record->first_number + newest};
    page->next = (struct emu_position){false, record->first_number + next};
}

/* Tokens say the numbers of ids, of which none is used twice. */
static void read_number(struct emu_request *request, const struct emu_record *record,
                        struct emu_position *position)
{
    uint64_t number = position->number - record->first_number;

    if (!position->number)
        number = record->last;
    else if (position->number <= record->first_number || number > record->last)
        emu_violation(request, "page_token", "string.page_token", "value is not a page token");
    position->number = number;
}

bool emu_record_page(struct emu_request *request, const struct emu_record *record,
                     const struct emu_wanted *wanted, struct emu_page *page)
{
    size_t size = emu_read_page_size(request, USUAL_OF_RECORD, EMU_RECORD_PAGE, EMU_CUT);
    struct emu_position position;

    emu_read_position(request, &position);
    read_number(request, record, &position);
    if (emu_refused(request))
        return false;
    *page = (struct emu_page){.n = 0};
    fill_page(record, wanted, &position, size, page);
    find_neighbours(record, wanted, &position, page);
    return true;
}

size_t emu_record_count(const struct emu_record *record, const struct emu_wanted *wanted)
{
    uint64_t number = record->last + 1;
    size_t n = 0;

    while ((number = find(record, wanted, number, false)))
        n++;
    return n;
}
