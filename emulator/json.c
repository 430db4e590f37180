#include "json.h"
#include "form.h"
#include "text.h"
#include <event2/buffer.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

/* --- writing ----------------------------------------------------------------------------------- */

static void put(struct emu_json *json, const char *text, size_t length)
{
    if (!json->failed && evbuffer_add(json->out, text, length) < 0)
        json->failed = true;
}

static void put_escaped(struct emu_json *json, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    const char *plain = text;

    put(json, "\"", 1);
    for (;; text++) {
        unsigned char c = (unsigned char)*text;
        char escape[] = "\\u0000";

        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        put(json, plain, (size_t)(text - plain));
        plain = text + 1;
        if (!c)
            break;
        escape[4] = hex[c >> 4];
        escape[5] = hex[c & 15];
        put(json, escape, 6);
    }
    put(json, "\"", 1);
}

static void begin_value(struct emu_json *json, const char *key)
{
    if (json->comma)
        put(json, ",", 1);
    json->comma = true;
    if (key) {
        put_escaped(json, key);
        put(json, ":", 1);
    }
}

void emu_json_open(struct emu_json *json, const char *key, char bracket)
{
    begin_value(json, key);
    put(json, &bracket, 1);
    json->comma = false;
}

void emu_json_close(struct emu_json *json, char bracket)
{
    put(json, &bracket, 1);
    json->comma = true;
}

void emu_json_text(struct emu_json *json, const char *key, const char *value)
{
    begin_value(json, key);
    put_escaped(json, value ? value : "");
}

void emu_json_raw(struct emu_json *json, const char *key, const char *value)
{
    begin_value(json, key);
    put(json, value, strlen(value));
}

void emu_json_number(struct emu_json *json, const char *key, int64_t value)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, value);
    emu_json_raw(json, key, text);
}

void emu_json_bool(struct emu_json *json, const char *key, bool value)
{
    emu_json_raw(json, key, value ? "true" : "false");
}

void emu_json_time(struct emu_json *json, const char *key, int64_t time_us)
{
    char text[EMU_TIME_SIZE];

    if (!time_us)
        return;
    emu_time_text(text, time_us);
    emu_json_text(json, key, text);
}

/* Recursion is bounded by what emu_json_parse() lets in. */
void emu_json_value(struct emu_json *json, const char *key, yajl_val value)
{
    if (YAJL_IS_OBJECT(value)) {
        emu_json_open(json, key, '{');
        for (size_t i = 0; i < YAJL_GET_OBJECT(value)->len; i++)
            emu_json_value(json, YAJL_GET_OBJECT(value)->keys[i],
                           YAJL_GET_OBJECT(value)->values[i]);
        emu_json_close(json, '}');
    } else if (YAJL_IS_ARRAY(value)) {
        emu_json_open(json, key, '[');
        for (size_t i = 0; i < YAJL_GET_ARRAY(value)->len; i++)
            emu_json_value(json, NULL, YAJL_GET_ARRAY(value)->values[i]);
        emu_json_close(json, ']');
    } else if (YAJL_IS_STRING(value)) {
        emu_json_text(json, key, YAJL_GET_STRING(value));
    } else if (YAJL_IS_NUMBER(value)) {
        emu_json_raw(json, key, YAJL_GET_NUMBER(value));
    } else if (YAJL_IS_TRUE(value) || YAJL_IS_FALSE(value)) {
        emu_json_bool(json, key, YAJL_IS_TRUE(value));
    } else {
        emu_json_raw(json, key, "null");
    }
}

/* --- reading ----------------------------------------------------------------------------------- */

/* yajl's tree is freed by recursion and ends strings at a NUL: both are kept out beforehand. */
static bool is_tame(const char *text, size_t length)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (!c)
            return false;
        if (in_string && c == '\\') {
            if (length - i >= 6 && memcmp(text + i, "\\u0000", 6) == 0)
                return false;
            i++;
        } else if (c == '"') {
            in_string = !in_string;
        } else if (in_string) {
            continue;
        } else if (c == '{' || c == '[') {
            if (++depth > MAX_DEPTH)
                return false;
        } else if ((c == '}' || c == ']') && depth) {
            depth--;
        }
    }
    return true;
}

yajl_val emu_json_parse(const char *text, size_t length)
{
    char *copy;
    yajl_val value;

    if (!length || !is_tame(text, length))
        return NULL;
    copy = strndup(text, length);
    if (!copy)
        return NULL;
    value = yajl_tree_parse(copy, NULL, 0);
    free(copy);
    return value;
}

yajl_val emu_json_get(yajl_val object, const char *name)
{
    if (!YAJL_IS_OBJECT(object))
        return NULL;
    for (size_t i = 0; i < YAJL_GET_OBJECT(object)->len; i++) {
        yajl_val value = YAJL_GET_OBJECT(object)->values[i];

        if (emu_name_is(YAJL_GET_OBJECT(object)->keys[i], name))
            return YAJL_IS_NULL(value) ? NULL : value;
    }
    return NULL;
}

/* --- texts ------------------------------------------------------------------------------------- */

void emu_json_start(struct emu_json *json)
{
    *json = (struct emu_json){.out = evbuffer_new()};
    json->failed = !json->out;
}

char *emu_json_finish(struct emu_json *json)
{
    char *text = json->failed ? NULL : emu_buffer_text(json->out);

    if (json->out)
        evbuffer_free(json->out);
    json->out = NULL;
    return text;
}

char *emu_json_print(yajl_val value)
{
    struct emu_json json;

    emu_json_start(&json);
    emu_json_value(&json, NULL, value);
    return emu_json_finish(&json);
}

static bool replace(char **slot, char *text)
{
    if (!text)
        return false;
    emu_set_text(slot, NULL);
    *slot = text;
    return true;
}

bool emu_json_set(char **slot, yajl_val value)
{
    return !value || replace(slot, emu_json_print(value));
}

static bool has_key(yajl_val object, const char *key)
{
    for (size_t i = 0; i < YAJL_GET_OBJECT(object)->len; i++)
        if (strcmp(YAJL_GET_OBJECT(object)->keys[i], key) == 0)
            return true;
    return false;
}

static void copy_members(struct emu_json *json, yajl_val from, yajl_val except)
{
    for (size_t i = 0; i < YAJL_GET_OBJECT(from)->len; i++)
        if (!except || !has_key(except, YAJL_GET_OBJECT(from)->keys[i]))
            emu_json_value(json, YAJL_GET_OBJECT(from)->keys[i], YAJL_GET_OBJECT(from)->values[i]);
}

bool emu_json_merge(char **slot, yajl_val changes)
{
    struct emu_json json;
    yajl_val old;

    if (!*slot || !changes)
        return emu_json_set(slot, changes);
    old = emu_json_parse(*slot, strlen(*slot));
    if (!old)
        return false;
    emu_json_start(&json);
    emu_json_open(&json, NULL, '{');
    copy_members(&json, old, changes);
    copy_members(&json, changes, NULL);
    emu_json_close(&json, '}');
    yajl_tree_free(old);
    return replace(slot, emu_json_finish(&json));
}
