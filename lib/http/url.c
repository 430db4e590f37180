#include "http/url.h"
#include "base/str.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define MAX_URL  2048
#define MAX_NAME 253

/* A URL taken apart, before it is checked, and its host after. */
struct parts {
    bool tls, bracketed, loopback;
    struct ski_slice host, port, path;
    bool has_port;
    uint16_t number;         /* of the port */
    char name[MAX_NAME + 2]; /* the host in lower case, or an address in its usual spelling */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || (ski_lower(c) >= 'a' && ski_lower(c) <= 'f');
}

static bool is_alnum(char c)
{
    return is_digit(c) || (ski_lower(c) >= 'a' && ski_lower(c) <= 'z');
}

/* --- taking apart ------------------------------------------------------------------------------ */

/* Past "https://" or "http://"; NULL for anything else. */
static const char *skip_scheme(const char *text, bool *tls)
{
    if (ski_slice_ieq((struct ski_slice){text, strnlen(text, 8)}, "https://")) {
        *tls = true;
        return text + 8;
    }
    *tls = false;
    if (ski_slice_ieq((struct ski_slice){text, strnlen(text, 7)}, "http://"))
        return text + 7;
    return NULL;
}

static const char *split_authority(struct parts *parts, struct ski_slice authority)
{
    const char *end = authority.at + authority.length, *after;

    parts->bracketed = authority.length > 0 && authority.at[0] == '[';
    if (parts->bracketed) {
        authority.at++;
        authority.length--;
    }
    after = memchr(authority.at, parts->bracketed ? ']' : ':', authority.length);
    if (parts->bracketed && !after)
        return "env_url must have a ']' after its IPv6 address";
    parts->host.at = authority.at;
    parts->host.length = (size_t)((after ? after : end) - authority.at);
    if (parts->bracketed)
        after++;
    parts->has_port = after && after < end;
    if (!parts->has_port)
        return NULL;
    if (*after != ':')
        return "env_url must have only a port after its IPv6 address";
    parts->port = (struct ski_slice){after + 1, (size_t)(end - after - 1)};
    return NULL;
}

static const char *split(struct parts *parts, const char *text)
{
    const char *authority;
    size_t length;

    if (!text)
        return "env_url must be set";
    if (strnlen(text, MAX_URL + 1) > MAX_URL)
        return "env_url must be at most 2,048 bytes long";
    for (const char *c = text; *c; c++)
        if (*c <= ' ' || *c >= 0x7f)
            return "env_url must have neither spaces, control characters nor non-ASCII characters";
    authority = skip_scheme(text, &parts->tls);
    if (!authority)
        return "env_url must begin with https://";
    if (strpbrk(authority, "?#"))
        return "env_url must have neither a query nor a fragment";
    length = strcspn(authority, "/");
    if (memchr(authority, '@', length))
        return "env_url must not have a user name or password";
    parts->path = ski_slice_of(authority + length);
    return split_authority(parts, (struct ski_slice){authority, length});
}

/* --- checking ---------------------------------------------------------------------------------- */

static bool is_label(const char *label, size_t length)
{
    if (length < 1 || length > 63 || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!is_alnum(label[i]) && label[i] != '-' && label[i] != '_')
            return false;
    return true;
}

/* Whether resolvers might take a name with this last label for a number: 127.1, 0x7f000001. */
static bool looks_numeric(const char *label, size_t length)
{
    return strspn(label, "0123456789") == length || (label[0] == '0' && ski_lower(label[1]) == 'x');
}

/* Labels between dots; one more dot at the end says that the name is complete. */
static bool is_name(const char *name)
{
    size_t length;

    for (;; name += length + 1) {
        length = strcspn(name, ".");
        if (!is_label(name, length))
            return false;
        if (!name[length] || !name[length + 1])
            return !looks_numeric(name, length);
    }
}

static const char *check_host(struct parts *parts)
{
    static const char malformed[] = "env_url must have a valid host name or address";
    struct ski_slice host = parts->host;
    struct in6_addr v6;
    struct in_addr v4;

    if (host.length == 0)
        return "env_url must have a host";
    if (host.length > MAX_NAME + (host.at[host.length - 1] == '.'))
        return malformed;
    for (size_t i = 0; i < host.length; i++)
        parts->name[i] = ski_lower(host.at[i]);
    parts->name[host.length] = '\0';

    if (parts->bracketed) {
        if (inet_pton(AF_INET6, parts->name, &v6) != 1)
            return malformed;
        inet_ntop(AF_INET6, &v6, parts->name, sizeof parts->name);
        parts->loopback = IN6_IS_ADDR_LOOPBACK(&v6);
    } else if (inet_pton(AF_INET, parts->name, &v4) == 1) {
        parts->loopback = ntohl(v4.s_addr) >> 24 == 127;
    } else {
        if (!is_name(parts->name))
            return malformed;
        parts->loopback = strcmp(parts->name, "localhost") == 0;
    }
    return NULL;
}

static const char *check_port(struct parts *parts)
{
    uint64_t number;

    parts->number = parts->tls ? 443 : 80;
    if (!parts->has_port)
        return NULL;
    if (!ski_parse_u64(parts->port, &number) || number < 1 || number > 65535)
        return "env_url must have a port from 1 to 65535";
    parts->has_port = number != parts->number;
    parts->number = (uint16_t)number;
    return NULL;
}

static const char *check_path(struct parts *parts)
{
    struct ski_slice *path = &parts->path;

    while (path->length > 0 && path->at[path->length - 1] == '/')
        path->length--;
    for (size_t i = 0; i < path->length; i++) {
        const char *c = path->at + i;

        if (*c == '%' ? !is_hex(c[1]) || !is_hex(c[2])
                      : !is_alnum(*c) && !strchr("/-._~!$&'()*+,;=:@", *c))
            return "env_url must have a path of URL characters only";
    }
    return NULL;
}

static const char *check(struct parts *parts, const char *text)
{
    const char *problem = split(parts, text);

    if (!problem)
        problem = check_host(parts);
    if (!problem)
        problem = check_port(parts);
    if (!problem)
        problem = check_path(parts);
    if (!problem && !parts->tls && !parts->loopback)
        problem = "env_url must begin with https://, except for localhost";
    return problem;
}

/* --- putting together -------------------------------------------------------------------------- */

/* One block: text NUL authority NUL host NUL.  The path is the end of the text. */
static bool build(struct ski_url *url, const struct ski_mem *mem, const struct parts *parts)
{
    char authority[sizeof parts->name + sizeof "[]:65535"];
    size_t text, part, name = strlen(parts->name) + 1;
    int length;

    length = snprintf(authority, sizeof authority, parts->bracketed ? "[%s]" : "%s", parts->name);
    if (parts->has_port)
        length += snprintf(authority + length, sizeof authority - (size_t)length, ":%u",
                           (unsigned)parts->number);
    part = (size_t)length + 1;
    text = strlen("https://") + (size_t)length + parts->path.length + 1;
    url->text = ski_alloc(mem, text + part + name);
    if (!url->text)
        return false;

    length = snprintf(url->text, text, "%s://%s%.*s", parts->tls ? "https" : "http", authority,
                      (int)parts->path.length, parts->path.at);
    url->path = url->text + (size_t)length - parts->path.length;
    url->authority = memcpy(url->text + text, authority, part);
    url->host = memcpy(url->text + text + part, parts->name, name);
    url->port = parts->number;
    url->tls = parts->tls;
    return true;
}

scalekit_err ski_url_parse(struct ski_url *url, const struct ski_mem *mem, const char *text,
                           const char **problem)
{
    struct parts parts = {0};

    memset(url, 0, sizeof *url);
    *problem = check(&parts, text);
    if (*problem)
        return SCALEKIT_ERR_INVALID;
    return build(url, mem, &parts) ? SCALEKIT_OK : SCALEKIT_ERR_NOMEM;
}

void ski_url_free(struct ski_url *url, const struct ski_mem *mem)
{
    ski_free(mem, url->text);
    memset(url, 0, sizeof *url);
}
