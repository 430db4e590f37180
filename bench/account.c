#include "account.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#define ACCOUNT_DEPTH 2 /* within {"connected_account":{ */
#define MAX_DEPTH     64

enum kind { IGNORED, STRING, STATUS, TYPE, MOMENT, JSON };

static const struct row {
    const char *key;
    enum kind kind;
    size_t offset;
} rows[] = {
    {"id", STRING, offsetof(struct account, id)},
    {"identifier", STRING, offsetof(struct account, identifier)},
    {"provider", STRING, offsetof(struct account, provider)},
    {"status", STATUS, offsetof(struct account, status_text)},
    {"authorization_type", TYPE, offsetof(struct account, type_text)},
    {"token_expires_at", MOMENT, offsetof(struct account, token_expires_at)},
    {"updated_at", MOMENT, offsetof(struct account, updated_at)},
    {"connector", STRING, offsetof(struct account, connection_name)},
    {"last_used_at", MOMENT, offsetof(struct account, last_used_at)},
    {"connection_id", STRING, offsetof(struct account, connection_id)},
    {"api_config", JSON, offsetof(struct account, api_config)},
};

static const struct row ignored = {"", IGNORED, 0};

static const char *const status_words[] = {
    [STATUS_PENDING] = "PENDING_AUTH", [STATUS_ACTIVE] = "ACTIVE", [STATUS_EXPIRED] = "EXPIRED"};
static const char *const type_words[] = {
    [TYPE_OAUTH] = "OAUTH", [TYPE_API_KEY] = "API_KEY", [TYPE_BEARER_TOKEN] = "BEARER_TOKEN"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

struct reader {
    struct account *account;
    yajl_handle yajl;
    const char *text;
    char *free; /* what is left of the account's memory: no string is longer than the text */
    const struct row *row;
    size_t json_start;
    unsigned depth;
    bool found, inside; /* the account was seen; is what is being read */
};

/* --- values ------------------------------------------------------------------------------------ */

static const char *keep(struct reader *reader, const void *text, size_t length)
{
    char *copy = reader->free;

    memcpy(copy, text, length);
    copy[length] = '\0';
    reader->free += length + 1;
    return copy;
}

/* 0, which every list has for unknown words, when it is none of them. */
static unsigned find_word(const char *const *words, unsigned count, const char *word)
{
    for (unsigned i = 1; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return 0;
}

static int digits(const char *text, size_t at, int count)
{
    int value = 0;

    for (int i = 0; i < count; i++) {
        if (text[at + (size_t)i] < '0' || text[at + (size_t)i] > '9')
            return -1;
        value = value * 10 + (text[at + (size_t)i] - '0');
    }
    return value;
}

/* "2026-01-31T23:59:59.123Z"; false for anything else. */
static bool read_moment(const char *text, size_t length, int64_t *moment)
{
    int year, month, day, hour, minute, second, shifted;
    int64_t days, micros = 0, unit = 100000;
    size_t at = 19;

    if (length < 20 || text[length - 1] != 'Z')
        return false;
    year = digits(text, 0, 4);
    month = digits(text, 5, 2);
    day = digits(text, 8, 2);
    hour = digits(text, 11, 2);
    minute = digits(text, 14, 2);
    second = digits(text, 17, 2);
    if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || minute < 0 || second < 0)
        return false;
    for (at += text[at] == '.'; at < length - 1; at++, unit /= 10)
        micros += unit * digits(text, at, 1);
    /* Days since 1970, in years that begin in March. */
    year -= month < 3;
    shifted = (month + 9) % 12;
    days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * shifted + 2) / 5 + day - 719469;
    *moment = (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + micros;
    return true;
}

/* --- what yajl finds --------------------------------------------------------------------------- */

static int on_string(void *user, const unsigned char *text, size_t length)
{
    struct reader *reader = user;
    struct account *account = reader->account;
    const struct row *row = reader->row;
    void *member = (char *)account + row->offset;

    if (reader->depth != ACCOUNT_DEPTH || row->kind == IGNORED)
        return 1;
    if (row->kind == MOMENT)
        return read_moment((const char *)text, length, member);
    if (row->kind == JSON)
        return 0;
    *(const char **)member = keep(reader, text, length);
    if (row->kind == STATUS)
        account->status =
            (enum account_status)find_word(status_words, COUNT(status_words), account->status_text);
    else if (row->kind == TYPE)
        account->type =
            (enum account_type)find_word(type_words, COUNT(type_words), account->type_text);
    return 1;
}

static int on_key(void *user, const unsigned char *key, size_t length)
{
    struct reader *reader = user;

    if (reader->depth == 1)
        reader->inside =
            length == strlen("connected_account") && memcmp(key, "connected_account", length) == 0;
    if (reader->depth != ACCOUNT_DEPTH)
        return 1;
    reader->row = &ignored;
    for (size_t i = 0; reader->inside && i < COUNT(rows); i++) {
        if (strncmp(rows[i].key, (const char *)key, length) == 0 && !rows[i].key[length]) {
            reader->row = &rows[i];
            break;
        }
    }
    return 1;
}

static int on_open(void *user)
{
    struct reader *reader = user;

    if (reader->depth == ACCOUNT_DEPTH)
        reader->json_start = yajl_get_bytes_consumed(reader->yajl) - 1;
    if (++reader->depth == ACCOUNT_DEPTH && reader->inside)
        reader->found = true;
    return reader->depth < MAX_DEPTH;
}

static int on_close(void *user)
{
    struct reader *reader = user;

    if (--reader->depth == ACCOUNT_DEPTH && reader->row->kind == JSON)
        reader->account->api_config =
            keep(reader, reader->text + reader->json_start,
                 yajl_get_bytes_consumed(reader->yajl) - reader->json_start);
    return 1;
}

bool account_read(struct account *account, const char *text, size_t length)
{
    static const yajl_callbacks callbacks = {
        .yajl_string = on_string,
        .yajl_map_key = on_key,
        .yajl_start_map = on_open,
        .yajl_end_map = on_close,
        .yajl_start_array = on_open,
        .yajl_end_array = on_close,
    };
    struct reader reader = {.account = account, .text = text, .row = &ignored};
    bool good;

    *account = (struct account){.memory = malloc(length + 1)};
    reader.free = account->memory;
    reader.yajl = account->memory ? yajl_alloc(&callbacks, NULL, &reader) : NULL;
    good = reader.yajl &&
           yajl_parse(reader.yajl, (const unsigned char *)text, length) == yajl_status_ok &&
           yajl_complete_parse(reader.yajl) == yajl_status_ok && reader.found;
    if (reader.yajl)
        yajl_free(reader.yajl);
    if (!good)
        account_free(account);
    return good;
}

void account_free(struct account *account)
{
    free(account->memory);
    account->memory = NULL;
}
