/* path.c - the least depth of a path.
 *
 * What lies between two '/' of the wire is a segment; its bytes, decoded, fall into pieces at '/' and
 * '\'.  A server that sees the segment whole descends by one, one that sees the pieces may climb with
 * each ".." among them.  The least of both: minus one for each such piece; if there is none, one down
 * for a segment with a name before its parameters.  No view of the path ever is higher up than that
 * sum. */
#include "http/path.h"
#include "base/str.h"
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ski_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that a server sees next, and *at behind it; -1: a '%' without two digits. */
static int next_byte(const char **at)
{
    const char *byte = *at;
    int high, low;

    *at += 1;
    if (*byte != '%')
        return (unsigned char)*byte;
    high = hex_value(byte[1]);
    low = high < 0 ? -1 : hex_value(byte[2]);
    if (low < 0)
        return -1;
    *at += 2;
    return high * 16 + low;
}

static bool is_control(int byte)
{
    return byte < ' ' || byte == 0x7f;
}

/* --- characters -------------------------------------------------------------------------------- */

/* Of the wire.  NULL when all of them may be sent. */
static const char *check_wire(const char *text, const char *forbidden)
{
    size_t length = strnlen(text, SKI_MAX_PATH + 1);

    if (length > SKI_MAX_PATH)
        return "path must be at most 8,192 bytes long, and so must its query";
    for (size_t i = 0; i < length; i++) {
        if (is_control((unsigned char)text[i]))
            return "path must not have control characters";
        if (text[i] == ' ' || (unsigned char)text[i] > 0x7e)
            return "path must be percent-encoded: no spaces, ASCII only";
        if (strchr(forbidden, text[i]))
            return "path must be without a fragment, and a query stands by itself";
    }
    return NULL;
}

/* Of what a server sees.  Other than UTF-8 are the overlong forms of '.' and '/'. */
static const char *check_decoded(const char *at)
{
    char seen[SKI_MAX_PATH];
    size_t length = 0;

    while (*at) {
        int byte = next_byte(&at);

        if (byte < 0)
            return "path must have two hexadecimal digits after each '%'";
        if (is_control(byte))
            return "path must not have control characters, encoded ones included";
        seen[length++] = (char)byte;
    }
    return ski_utf8_valid(seen, length) ? NULL : "path must be UTF-8";
}

/* --- depth ------------------------------------------------------------------------------------- */

struct piece {
    bool is_name, climbs, has_parameter;
};

/* Past one piece, and the separator or end behind it is the next byte. */
static const char *skip_piece(const char *at, struct piece *piece)
{
    size_t bytes = 0, dots = 0;

    piece->has_parameter = false;
    while (*at) {
        const char *after = at;
        int byte = next_byte(&after);

        if (byte == '/' || byte == '\\')
            break;
        at = after;
        piece->has_parameter |= byte == ';';
        if (!piece->has_parameter) {
            bytes++;
            dots += byte == '.';
        }
    }
    piece->climbs = bytes == 2 && dots == 2;
    piece->is_name = bytes > dots || dots > 2;
    return at;
}

/* How far a segment leads down, at least; *at behind its '/', or at the end.  Who cuts parameters off
 * before decoding sees no name behind the first. */
static int read_segment(const char **at)
{
    bool named = false, cut = false;
    struct piece piece;
    int up = 0;

    for (;;) {
        *at = skip_piece(*at, &piece);
        named |= piece.is_name && !cut;
        cut |= piece.has_parameter;
        up += piece.climbs;
        if (!**at)
            break;
        if (**at == '/') {
            *at += 1;
            break;
        }
        next_byte(at); /* a '\', or an encoded separator */
    }
    return up ? -up : named;
}

static bool climbs_out(const char *at)
{
    int depth = 0;

    while (*at && depth >= 0)
        depth += read_segment(&at);
    return depth < 0;
}

const char *ski_path_problem(const char *prefix, const char *path)
{
    size_t length = strlen(prefix);
    const char *problem;

    if (strncmp(path, prefix, length) != 0)
        return "path must be below its route";
    problem = check_wire(path, "?#");
    if (!problem)
        problem = check_decoded(path);
    if (!problem && climbs_out(path + length))
        problem = "path must not climb out of its route";
    return problem;
}

const char *ski_query_problem(const char *query)
{
    return check_wire(query, "#");
}
