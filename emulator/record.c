#include "record.h"
#include "check.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void emu_record_init(struct emu_record *record, const char *prefix, uint64_t first_number,
                     void (*free_item)(void *item))
{
    *record =
        (struct emu_record){.first_number = first_number, .prefix = prefix, .free_item = free_item};
}

static uint64_t oldest(const struct emu_record *record)
{
    return record->last > EMU_RECORD_SIZE ? record->last - EMU_RECORD_SIZE + 1 : 1;
}

void emu_record_clear(struct emu_record *record)
{
    for (uint64_t n = oldest(record); n <= record->last; n++)
        record->free_item(record->items[n % EMU_RECORD_SIZE]);
    free(record->items);
    record->items = NULL;
    record->first_number += record->last; /* no id is used twice */
    record->last = 0;
}

bool emu_record_add(struct emu_record *record, void *item)
{
    void **place;

    if (!record->items)
        record->items = calloc(EMU_RECORD_SIZE, sizeof *record->items);
    if (!record->items)
        return false;
    place = &record->items[++record->last % EMU_RECORD_SIZE];
    if (*place)
        record->free_item(*place);
    *place = item;
    return true;
}

void *emu_record_get(const struct emu_record *record, uint64_t number)
{
    if (number < oldest(record) || number > record->last)
        return NULL;
    return record->items[number % EMU_RECORD_SIZE];
}

void emu_record_id(const struct emu_record *record, char out[EMU_ID_SIZE], uint64_t number)
{
    snprintf(out, EMU_ID_SIZE, "%s_%" PRIu64, record->prefix, record->first_number + number);
}

/* --- page tokens ------------------------------------------------------------------------------- */

/* ">:" for older or "<:" for newer, and ["<id>"] in base64. */
static void make_token(const struct emu_record *record, char out[EMU_TOKEN_SIZE],
                       const struct emu_place *place)
{
    char id[EMU_ID_SIZE], text[EMU_ID_SIZE + 4];
    int length;

    emu_record_id(record, id, place->number);
    length = snprintf(text, sizeof text, "[\"%s\"]", id);
    memcpy(out, place->newer ? "<:" : ">:", 2);
    EVP_EncodeBlock((unsigned char *)out + 2, (const unsigned char *)text, length);
}

/* A token is right when it is the one that would be made of what it says. */
static bool parse_token(const struct emu_record *record, struct emu_place *place, const char *token)
{
    unsigned char text[EMU_TOKEN_SIZE];
    char again[EMU_TOKEN_SIZE];
    size_t length = strlen(token), in_prefix = strlen(record->prefix);
    int decoded;

    if (length < 6 || length >= EMU_TOKEN_SIZE)
        return false;
    decoded = EVP_DecodeBlock(text, (const unsigned char *)token + 2, (int)length - 2);
    if (decoded < (int)in_prefix + 3)
        return false;
    text[decoded] = '\0';
    place->newer = *token == '<';
    place->number = strtoull((char *)text + in_prefix + 3, NULL, 10) - record->first_number;
    make_token(record, again, place);
    return strcmp(again, token) == 0 && place->number && place->number <= record->last;
}

void emu_read_place(struct emu_request *request, const struct emu_record *record,
                    struct emu_place *place)
{
    const char *token = emu_form_get(&request->query, "page_token");

    *place = (struct emu_place){0};
    if (token && *token && !parse_token(record, place, token))
        emu_violation(request, "page_token", "string.page_token", "value is not a page token");
}

size_t emu_read_page_size(struct emu_request *request)
{
    int64_t size = emu_below(request, "page_size", INT64_C(1) << 32);

    if (!size)
        return EMU_PAGE_USUAL;
    return size < EMU_PAGE_MAX ? (size_t)size : EMU_PAGE_MAX;
}

/* --- pages ------------------------------------------------------------------------------------- */

/* The nearest item that is wanted, on one side of a number; 0: none. */
static uint64_t find(const struct emu_record *record, const struct emu_wanted *wanted,
                     uint64_t number, bool newer)
{
    const void *item;

    if (newer && number + 1 < oldest(record))
        number = oldest(record) - 1;
    do
        number += newer ? 1 : (uint64_t)-1;
    while ((item = emu_record_get(record, number)) && !wanted->is(item, wanted->filter));
    return item ? number : 0;
}

static void fill_page(const struct emu_record *record, const struct emu_wanted *wanted,
                      const struct emu_place *place, size_t size, struct emu_page *page)
{
    uint64_t number = place->number ? place->number : record->last + 1;
    uint64_t found[EMU_PAGE_MAX];

    while (page->n < size && (number = find(record, wanted, number, place->newer)))
        found[page->n++] = number;
    for (size_t i = 0; i < page->n; i++) {
        page->numbers[i] = found[place->newer ? page->n - 1 - i : i];
        page->items[i] = emu_record_get(record, page->numbers[i]);
    }
}

void emu_record_page(const struct emu_record *record, const struct emu_wanted *wanted,
                     const struct emu_place *place, size_t size, struct emu_page *page)
{
    struct emu_place next = {place->number, false}, previous = {place->number, true};

    *page = (struct emu_page){.n = 0};
    fill_page(record, wanted, place, size, page);
    if (page->n) {
        previous.number = page->numbers[0];
        next.number = page->numbers[page->n - 1];
    }
    if (next.number && find(record, wanted, next.number, false))
        make_token(record, page->next_token, &next);
    if (previous.number && find(record, wanted, previous.number, true))
        make_token(record, page->prev_token, &previous);
}

size_t emu_record_count(const struct emu_record *record, const struct emu_wanted *wanted)
{
    uint64_t number = record->last + 1;
    size_t n = 0;

    while ((number = find(record, wanted, number, false)))
        n++;
    return n;
}
