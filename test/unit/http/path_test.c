/* Paths as callers write them; each is judged behind "/proxy", below "/proxy/". */
#include "harness.h"
#include "http/path.h"
#include <stdlib.h>

static const char *problem_of(const char *path)
{
    char whole[2 * SKI_MAX_PATH];

    snprintf(whole, sizeof whole, "/proxy%s", path);
    return ski_path_problem("/proxy/", whole);
}

#define PATH_IS(path, condition)                                                                   \
    CU_assertImplementation((condition), __LINE__, path, __FILE__, "", CU_FALSE)

/* --- good ones --------------------------------------------------------------------------------- */

static const char *const good_paths[] = {
    "/",
    "/gmail/v1/users/me/messages",
    "/gmail/v1/users/me/messages/",
    "/drive/v3/files/1aB-_~.x",
    "/calendar/v3/calendars/user%40example.com/events",
    "/repos/owner/repo/compare/main...dev",
    "/repos/owner/repo/contents/.github/workflows",
    "/api/v4/projects/group%2Fproject",
    "/api/v4/projects/group%2fsub%2Fproject/issues",
    "/bucket//key//with///slashes",
    "/a/./b",
    "/a/b/../c",
    "/a/b/%2e%2e/c",
    "/a/b/..",
    "/v1/things/a..b",
    "/v1/things/..a",
    "/v1/things/a..",
    "/v1/things/...",
    "/v1/things/....",
    "/v1/things:batchGet",
    "/v1/things;version=2/parts",
    "/v1/things;path=a%2Fb/..",
    "/v1/c%C3%B4t%C3%A9",
    "/v1/%E6%97%A5%E6%9C%AC",
    "/v1/100%25",
    "/v1/%252e%252e/x", /* decoded once, it is a name */
    "/v1/a%20b+c",
    "/v1/a!$&'()*+,;=:@",
    "/v1/share%5Cfile",
    "/v1/share\\file",
    "/v1/%3Fnot-a-query",
    "/v1/%23not-a-fragment",
};

static void lets_good_paths_through(void)
{
    for (size_t i = 0; i < sizeof good_paths / sizeof *good_paths; i++)
        PATH_IS(good_paths[i], problem_of(good_paths[i]) == NULL);
}

/* --- hostile ones ------------------------------------------------------------------------------ */

static const struct hostile_row {
    const char *path, *problem; /* a part of it */
} hostile_rows[] = {
    /* Dot segments of the wire. */
    {"/..", "climb"},
    {"/../", "climb"},
    {"/../api/v1/connected_accounts", "climb"},
    {"/a/../..", "climb"},
    {"/a/../../api/v1/organizations", "climb"},
    {"/a/b/../../../x", "climb"},
    {"/./../x", "climb"},
    {"/a/./../../x", "climb"},
    {"/../proxy/x", "climb"},
    {"/../../../../etc/passwd", "climb"},
    {"/a/..//../x", "climb"},

    /* Empty segments, which some servers count and others do not. */
    {"//..", "climb"},
    {"//../x", "climb"},
    {"///../x", "climb"},
    {"/a//../../x", "climb"},
    {"/a///../..//../x", "climb"},

    /* Encoded dots. */
    {"/%2e%2e", "climb"},
    {"/%2E%2E/x", "climb"},
    {"/%2e./x", "climb"},
    {"/.%2e/x", "climb"},
    {"/.%2E/%2e%2E/x", "climb"},
    {"/a/%2e%2e/%2e%2e/x", "climb"},
    {"/%2e/%2e%2e/x", "climb"},

    /* Encoded slashes. */
    {"/..%2fx", "climb"},
    {"/..%2Fx", "climb"},
    {"/%2e%2e%2fx", "climb"},
    {"/%2e%2e%2F..%2fx", "climb"},
    {"/a%2f..%2f..%2fx", "climb"},
    {"/a/..%2f..%2fx", "climb"},
    {"/%2f../x", "climb"},
    {"/%2f%2f..%2fx", "climb"},
    {"/a%2fb/../../x", "climb"}, /* one segment of the wire, two decoded */
    {"/..%2f%2e%2e/x", "climb"},

    /* Backslashes, plain and encoded. */
    {"/..\\x", "climb"},
    {"/\\..\\x", "climb"},
    {"/\\../x", "climb"},
    {"/..\\..\\x", "climb"},
    {"/a\\..\\..\\x", "climb"},
    {"/..%5cx", "climb"},
    {"/..%5Cx", "climb"},
    {"/%5c..%5c..%5cx", "climb"},
    {"/%2e%2e%5cx", "climb"},
    {"/a\\b/../../x", "climb"}, /* one segment for most, two for some */
    {"/a%5cb/../../x", "climb"},
    {"/a%5cb/..%2f../x", "climb"}, /* no slash but the encoded one is taken for one */

    /* Parameters of a segment. */
    {"/..;/x", "climb"},
    {"/..;a=b/x", "climb"},
    {"/%2e%2e;/x", "climb"},
    {"/..%3b/x", "climb"},
    {"/a/..;/..;/x", "climb"},
    {"/;/../x", "climb"},
    {"/;%5cb/../x", "climb"}, /* cut off before it is decoded, it is an empty one */
    {"/;%2fb/../x", "climb"},
    {"/%3ba%5cb/../x", "climb"},
    {"/.;\\b/../x", "climb"},
    {"/a/;%5cb/../../x", "climb"},

    /* Control characters, plain and encoded, and what splits a request. */
    {"/a\r\nx: y", "control"},
    {"/a\nb", "control"},
    {"/a\rb", "control"},
    {"/a\tb", "control"},
    {"/.\t./x", "control"},
    {"/\x01", "control"},
    {"/a\x7f", "control"},
    {"/\x1b[2J", "control"},
    {"/%00", "control"},
    {"/..%00/x", "control"},
    {"/x%00.html", "control"},
    {"/%0d%0aset-cookie:%20a=b", "control"},
    {"/.%09./x", "control"},
    {"/.%0a./x", "control"},
    {"/%7f", "control"},
    {"/%1f", "control"},

    /* Not encoded. */
    {"/a b", "encoded"},
    {"/a HTTP/1.1", "encoded"},
    {"/c\xc3\xb4t\xc3\xa9", "encoded"},
    {"/\xc0\xae\xc0\xae/x", "encoded"},
    {"/\xff", "encoded"},

    /* Half an encoding, on which decoders disagree. */
    {"/%", "digits"},
    {"/%2", "digits"},
    {"/%2/..", "digits"},
    {"/%zz", "digits"},
    {"/%2g%2e", "digits"},
    {"/%%32%65", "digits"},
    {"/%u002e%u002e/x", "digits"},

    /* Overlong forms of '.' and '/', and other bytes that are no UTF-8. */
    {"/%c0%ae%c0%ae/x", "UTF-8"},
    {"/%c0%2e%c0%2e/x", "UTF-8"},
    {"/%e0%80%ae%e0%80%ae/x", "UTF-8"},
    {"/%f0%80%80%ae/x", "UTF-8"},
    {"/..%c0%afx", "UTF-8"},
    {"/..%c1%9cx", "UTF-8"},
    {"/%e0%80%afx", "UTF-8"},
    {"/%ff%fe", "UTF-8"},
    {"/%ed%a0%80", "UTF-8"},

    /* Another path, host or part of a URL. */
    {"", "route"},
    {"x", "route"},
    {"-internal/x", "route"},
    {".evil.example/x", "route"},
    {"@evil.example/x", "route"},
    {":80@evil.example/x", "route"},
    {"%2fx", "route"},
    {"\\x", "route"},
    {"?x=/", "route"},
    {"#/x", "route"},
    {"/x?y=1", "query"},
    {"/?/../x", "query"},
    {"/x#y", "fragment"},
    {"/#/../x", "fragment"},
};

static void stops_hostile_paths(void)
{
    CU_ASSERT(sizeof hostile_rows / sizeof *hostile_rows >= 60);
    for (size_t i = 0; i < sizeof hostile_rows / sizeof *hostile_rows; i++) {
        const struct hostile_row *row = &hostile_rows[i];
        const char *problem = problem_of(row->path);

        PATH_IS(row->path, problem && strncmp(problem, "path must ", 10) == 0);
        PATH_IS(row->path, problem && strstr(problem, row->problem));
    }
}

static void holds_for_any_route(void)
{
    CU_ASSERT_PTR_NULL(ski_path_problem("/api/v1/", "/api/v1/connected_accounts:search"));
    CU_ASSERT_PTR_NULL(ski_path_problem("/api/v1/", "/api/v1/"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "/api/v1/../../proxy/x"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "/api/v1/..%2fv2/x"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "/api/v1"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "/api/v2/x"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "/API/v1/x"));
    CU_ASSERT_PTR_NOT_NULL(ski_path_problem("/api/v1/", "api/v1/x"));
}

static void takes_8192_bytes_and_no_more(void)
{
    char path[SKI_MAX_PATH + 2];

    memset(path, 'a', sizeof path);
    memcpy(path, "/proxy/", 7);
    path[SKI_MAX_PATH] = '\0';
    CU_ASSERT_PTR_NULL(ski_path_problem("/proxy/", path));
    path[SKI_MAX_PATH] = 'a';
    path[SKI_MAX_PATH + 1] = '\0';
    CU_ASSERT_PTR_NOT_NULL(strstr(ski_path_problem("/proxy/", path), "8,192"));
}

static void checks_a_query(void)
{
    static const char *const bad[] = {"a b", "a\r\nb", "a\tb", "a#b", "\x7f", "\xc3\xa9"};

    CU_ASSERT_PTR_NULL(ski_query_problem(""));
    CU_ASSERT_PTR_NULL(ski_query_problem("a=1&b=../..&c=%2e%2e/?&d=%00"));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        PATH_IS(bad[i], ski_query_problem(bad[i]) != NULL);
}

SUITE(path, {"lets good paths through", lets_good_paths_through},
      {"stops hostile paths", stops_hostile_paths}, {"holds for any route", holds_for_any_route},
      {"takes 8,192 bytes and no more", takes_8192_bytes_and_no_more},
      {"checks a query", checks_a_query})
