/* everything.h - a structure with a member of every kind, for tests of what tables lead. */
#ifndef TEST_UNIT_JSON_EVERYTHING_H
#define TEST_UNIT_JSON_EVERYTHING_H

#include "json/type.h"

enum color { COLOR_UNKNOWN, COLOR_RED, COLOR_GREEN };

struct everything {
    size_t struct_size;
    const char *string;
    int64_t integer;
    bool boolean;
    scalekit_time moment;
    enum color color;
    const char *color_text;
    const char *json;
    const char *any_json;
    const struct everything *object;
    const char *flat_string; /* on the wire in the object "flat_object" */
    int64_t flat_integer;
    const struct everything *const *objects;
    size_t n_objects;
    const char *const *strings;
    size_t n_strings;
    double number;
    enum scalekit_choice choice;
    int64_t duration;
    const struct scalekit_entry *map;
    size_t n_map;
    const char *list_json;
    const char *in_path;   /* PATH */
    const char *in_query;  /* QUERY */
    const char *secret;    /* SECRET */
    const char *read_only; /* READ_ONLY */
};

static const struct ski_word color_words[] = {
    {COLOR_RED, "RED"},
    {COLOR_GREEN, "GREEN"},
    {0, NULL},
};

static const struct ski_type everything_type;

static const struct ski_field flat_fields[] = {
    STRING(everything, flat_string, "a_string"),
    INTEGER(everything, flat_integer, "an_integer"),
    END,
};
static const struct ski_type flat_type = TYPE(everything, flat_fields);

static const struct ski_field everything_fields[] = {
    STRING(everything, string, "a_string"),
    INTEGER(everything, integer, "an_integer"),
    BOOLEAN(everything, boolean, "a_boolean"),
    TIMESTAMP(everything, moment, "a_moment"),
    ENUM(everything, color, color, color_words, "color"),
    JSON(everything, json, "some_json"),
    JSON(everything, any_json, "any_json", .flags = SKI_ANY_JSON),
    OBJECT(everything, object, everything, everything_type, "an_object"),
    FLAT(flat_type, "flat_object"),
    OBJECTS(everything, objects, everything, everything_type, "some_objects"),
    STRINGS(everything, strings, "some_strings"),
    NUMBER(everything, number, "a_number"),
    CHOICE(everything, choice, "a_choice"),
    DURATION(everything, duration, "a_duration"),
    MAP(everything, map, "a_map"),
    JSON(everything, list_json, "list_json", .flags = SKI_LIST_JSON),
    STRING(everything, in_path, "in_path", .flags = SKI_PATH),
    STRING(everything, in_query, "in_query", .flags = SKI_QUERY),
    STRING(everything, secret, "a_secret", .flags = SKI_SECRET),
    STRING(everything, read_only, "read_only", .flags = SKI_READ_ONLY),
    END,
};
static const struct ski_type everything_type = TYPE(everything, everything_fields);

#endif
