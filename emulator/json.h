/* json.h - writes JSON into an evbuffer, and reads request bodies with yajl's tree.
 *
 * Members are written in the order of the calls; a NULL key writes an array element or the whole
 * document.  A failed write is remembered in `failed`, and the answer is then not sent. */
#ifndef EMU_JSON_H
#define EMU_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yajl/yajl_tree.h>

struct evbuffer;

struct emu_json {
    struct evbuffer *out;
    bool comma; /* the next value needs one before it */
    bool failed;
};

void emu_json_open(struct emu_json *json, const char *key, char bracket); /* '{' or '[' */
void emu_json_close(struct emu_json *json, char bracket);                 /* '}' or ']' */
void emu_json_text(struct emu_json *json, const char *key, const char *value);
void emu_json_number(struct emu_json *json, const char *key, int64_t value);
void emu_json_bool(struct emu_json *json, const char *key, bool value);
void emu_json_time(struct emu_json *json, const char *key,
                   int64_t time_us); /* 0: nothing is written */
void emu_json_raw(struct emu_json *json, const char *key, const char *value); /* JSON already */
void emu_json_value(struct emu_json *json, const char *key, yajl_val value);

/* NULL when it is not JSON, is nested deeper than 32, or hides a NUL in a string. */
yajl_val emu_json_parse(const char *text, size_t length);

/* A member by its name, in either spelling (see emu_name_is); NULL when absent or null, and when
 * `object` is NULL or no object. */
yajl_val emu_json_get(yajl_val object, const char *name);

/* Writes into a text of its own; emu_json_finish() gives it, to be freed by the caller, or NULL
 * when memory ran out. */
void emu_json_start(struct emu_json *json);
char *emu_json_finish(struct emu_json *json);

/* A value as such a text. */
char *emu_json_print(yajl_val value);
/* Replaces *slot by it; a NULL value leaves what is there.  False when memory ran out. */
bool emu_json_set(char **slot, yajl_val value);

/* Puts the members of `changes` over the object in *slot, which may be NULL as they may be.  False
 * when memory ran out: it is as before. */
bool emu_json_merge(char **slot, yajl_val changes);

#endif
