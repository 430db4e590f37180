/* One walk over the text does everything: it checks, and prints what it passes.  With no file to
 * print to it only checks, which is done first, so that nothing is printed by halves. */
#include "json.h"
#include <ctype.h>
#include <string.h>

#define DEEPEST 64

#define KEY     "\033[36m"
#define STRING  "\033[32m"
#define NUMBER  "\033[33m"
#define LITERAL "\033[35m"
#define NORMAL  "\033[0m"

#define MASK    "\"***\""

struct walk {
    const char *at;
    FILE *out; /* NULL: only check */
    struct json_style style;
    unsigned depth;
};

static bool walk_value(struct walk *walk);

static void skip_space(struct walk *walk)
{
    walk->at += strspn(walk->at, " \t\r\n");
}

static bool take(struct walk *walk, char expected)
{
    skip_space(walk);
    if (*walk->at != expected)
        return false;
    walk->at++;
    return true;
}

/* The characters that JSON lets through and a terminal may obey: DEL, and U+0080 to U+009F. */
static bool is_control(const char *text)
{
    return *text == 0x7F || ((unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0);
}

static void put_text(struct walk *walk, const char *text, size_t length)
{
    for (const char *end = text + length; text < end; text++) {
        if (walk->style.pretty && is_control(text))
            fprintf(walk->out, "\\u00%02x", *text == 0x7F ? 0x7F : (unsigned char)*++text);
        else
            putc(*text, walk->out);
    }
}

static void put(struct walk *walk, const char *text, size_t length, const char *color)
{
    if (!walk->out)
        return;
    if (walk->style.color)
        fputs(color, walk->out);
    put_text(walk, text, length);
    if (walk->style.color)
        fputs(NORMAL, walk->out);
}

static void put_plain(struct walk *walk, const char *text)
{
    if (walk->out)
        fputs(text, walk->out);
}

static void new_line(struct walk *walk)
{
    if (walk->out && walk->style.pretty)
        fprintf(walk->out, "\n%*s", (int)(2 * walk->depth), "");
}

/* The end of the string that begins here; NULL when it has none. */
static const char *end_of_string(const char *at)
{
    for (at++; *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at != '\\')
            continue;
        at++;
        if (*at == 'u') {
            for (int i = 0; i < 4; i++)
                if (!isxdigit((unsigned char)*++at))
                    return NULL;
        } else if (!*at || !strchr("\"\\/bfnrt", *at)) {
            return NULL;
        }
    }
    return at + 1;
}

static bool walk_string(struct walk *walk, bool key)
{
    const char *start, *end;

    skip_space(walk);
    start = walk->at;
    end = *start == '"' ? end_of_string(start) : NULL;
    if (!end)
        return false;
    walk->at = end;
    if (walk->style.mask && !key)
        put(walk, MASK, strlen(MASK), STRING);
    else
        put(walk, start, (size_t)(end - start), key ? KEY : STRING);
    return true;
}

/* Of a number; NULL when it is none. */
static const char *end_of_number(const char *at)
{
    static const char digits[] = "0123456789";
    size_t n;

    at += *at == '-';
    n = strspn(at, digits);
    if (!n || (n > 1 && *at == '0'))
        return NULL;
    at += n;
    if (*at == '.') {
        n = strspn(++at, digits);
        at += n;
    }
    if (n && (*at == 'e' || *at == 'E')) {
        at++;
        at += *at == '+' || *at == '-';
        n = strspn(at, digits);
        at += n;
    }
    return n ? at : NULL;
}

static bool walk_scalar(struct walk *walk)
{
    static const char *const literals[] = {"true", "false", "null"};
    const char *start = walk->at, *end;

    for (size_t i = 0; i < sizeof literals / sizeof *literals; i++) {
        size_t length = strlen(literals[i]);

        if (strncmp(start, literals[i], length) == 0) {
            walk->at += length;
            put(walk, start, length, LITERAL);
            return true;
        }
    }
    end = end_of_number(start);
    if (!end)
        return false;
    walk->at = end;
    if (walk->style.mask)
        put(walk, MASK, strlen(MASK), STRING);
    else
        put(walk, start, (size_t)(end - start), NUMBER);
    return true;
}

static bool walk_member(struct walk *walk)
{
    if (!walk_string(walk, true) || !take(walk, ':'))
        return false;
    put_plain(walk, walk->style.pretty ? ": " : ":");
    return walk_value(walk);
}

/* An object or a list, behind its opening bracket. */
static bool walk_items(struct walk *walk, bool (*item)(struct walk *), char end)
{
    const char closing[] = {end, '\0'};

    if (take(walk, end)) {
        put_plain(walk, closing);
        return true;
    }
    walk->depth++;
    do {
        new_line(walk);
        if (!item(walk))
            return false;
        skip_space(walk);
        if (*walk->at == ',')
            put_plain(walk, ",");
    } while (take(walk, ','));
    walk->depth--;
    new_line(walk);
    put_plain(walk, closing);
    return take(walk, end);
}

static bool walk_value(struct walk *walk)
{
    skip_space(walk);
    if (*walk->at == '"')
        return walk_string(walk, false);
    if (*walk->at != '{' && *walk->at != '[')
        return walk_scalar(walk);
    if (walk->depth == DEEPEST)
        return false;
    put_plain(walk, *walk->at == '{' ? "{" : "[");
    return *walk->at++ == '{' ? walk_items(walk, walk_member, '}')
                              : walk_items(walk, walk_value, ']');
}

bool json_is_valid(const char *text)
{
    struct walk walk = {.at = text};

    if (!walk_value(&walk))
        return false;
    skip_space(&walk);
    return *walk.at == '\0';
}

void json_print(FILE *out, const char *text, const struct json_style *style)
{
    struct walk walk = {.at = text, .out = out, .style = *style};

    if (json_is_valid(text))
        walk_value(&walk);
    else
        fputs(text, out);
}

void json_print_string(FILE *out, const char *text)
{
    static const char escaped[] = "\"\\\n\r\t", letters[] = "\"\\nrt";

    putc('"', out);
    for (; *text; text++) {
        const char *special = strchr(escaped, *text);

        if (special)
            fprintf(out, "\\%c", letters[special - escaped]);
        else if ((unsigned char)*text < 0x20)
            fprintf(out, "\\u%04x", (unsigned)*text);
        else
            putc(*text, out);
    }
    putc('"', out);
}
