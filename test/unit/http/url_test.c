#include "harness.h"
#include "http/url.h"
#include <stdlib.h>

#define ROW_IS(row, condition)                                                                     \
    CU_assertImplementation((condition), __LINE__, (row)->url ? (row)->url : "(null)", __FILE__,   \
                            "", CU_FALSE)

static const struct good_row {
    const char *url, *text, *host, *authority, *path;
    uint16_t port;
} good_rows[] = {
    {"https://acme.scalekit.dev", "https://acme.scalekit.dev", "acme.scalekit.dev",
     "acme.scalekit.dev", "", 443},
    {"https://acme.scalekit.dev/", "https://acme.scalekit.dev", "acme.scalekit.dev",
     "acme.scalekit.dev", "", 443},
    {"https://acme.scalekit.dev///", "https://acme.scalekit.dev", "acme.scalekit.dev",
     "acme.scalekit.dev", "", 443},
    {"HTTPS://Acme.ScaleKit.DEV/Path", "https://acme.scalekit.dev/Path", "acme.scalekit.dev",
     "acme.scalekit.dev", "/Path", 443},
    {"https://a.example:443", "https://a.example", "a.example", "a.example", "", 443},
    {"https://a.example:0443", "https://a.example", "a.example", "a.example", "", 443},
    {"https://a.example:8443/x/", "https://a.example:8443/x", "a.example", "a.example:8443", "/x",
     8443},
    {"https://a.example:80", "https://a.example:80", "a.example", "a.example:80", "", 80},
    {"https://a.example:1", "https://a.example:1", "a.example", "a.example:1", "", 1},
    {"https://a.example:65535", "https://a.example:65535", "a.example", "a.example:65535", "",
     65535},
    {"https://a.example./v1", "https://a.example./v1", "a.example.", "a.example.", "/v1", 443},
    {"https://a_b.x-y.example", "https://a_b.x-y.example", "a_b.x-y.example", "a_b.x-y.example", "",
     443},
    {"https://9gag.example", "https://9gag.example", "9gag.example", "9gag.example", "", 443},
    {"https://intranet", "https://intranet", "intranet", "intranet", "", 443},
    {"https://a.example/%7euser/a;b=c,d@e:f", "https://a.example/%7euser/a;b=c,d@e:f", "a.example",
     "a.example", "/%7euser/a;b=c,d@e:f", 443},
    {"https://192.0.2.7:8443", "https://192.0.2.7:8443", "192.0.2.7", "192.0.2.7:8443", "", 8443},
    {"https://[2001:DB8::1]", "https://[2001:db8::1]", "2001:db8::1", "[2001:db8::1]", "", 443},
    {"https://[2001:db8:0:0:0:0:0:1]:8443/a", "https://[2001:db8::1]:8443/a", "2001:db8::1",
     "[2001:db8::1]:8443", "/a", 8443},
    {"https://[::ffff:192.0.2.1]", "https://[::ffff:192.0.2.1]", "::ffff:192.0.2.1",
     "[::ffff:192.0.2.1]", "", 443},
    {"http://localhost", "http://localhost", "localhost", "localhost", "", 80},
    {"http://LocalHost:80/", "http://localhost", "localhost", "localhost", "", 80},
    {"http://localhost:443", "http://localhost:443", "localhost", "localhost:443", "", 443},
    {"http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", "127.0.0.1:8080", "", 8080},
    {"http://127.1.2.3", "http://127.1.2.3", "127.1.2.3", "127.1.2.3", "", 80},
    {"http://[::1]:80", "http://[::1]", "::1", "[::1]", "", 80},
    {"http://[0:0:0:0:0:0:0:1]:81", "http://[::1]:81", "::1", "[::1]:81", "", 81},
};

static void normalises_good_urls(void)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (size_t i = 0; i < sizeof good_rows / sizeof *good_rows; i++) {
        const struct good_row *row = &good_rows[i];
        const char *problem = "";
        struct ski_url url;
        scalekit_err err = ski_url_parse(&url, &mem, row->url, &problem);

        ROW_IS(row, err == SCALEKIT_OK && !problem);
        if (err)
            continue;
        ROW_IS(row, strcmp(url.text, row->text) == 0);
        ROW_IS(row, strcmp(url.host, row->host) == 0);
        ROW_IS(row, strcmp(url.authority, row->authority) == 0);
        ROW_IS(row, strcmp(url.path, row->path) == 0);
        ROW_IS(row, url.port == row->port);
        ROW_IS(row, url.tls == (row->text[4] == 's'));
        ski_url_free(&url, &mem);
        CU_ASSERT_PTR_NULL(url.text);
    }
}

#define LABEL_63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct bad_row {
    const char *url, *problem; /* a part of it */
} bad_rows[] = {
    {NULL, "must be set"},
    {"", "begin with https://"},
    {"acme.scalekit.dev", "begin with https://"},
    {"https:/acme.scalekit.dev", "begin with https://"},
    {"https:acme.scalekit.dev", "begin with https://"},
    {"//acme.scalekit.dev", "begin with https://"},
    {"ftp://acme.scalekit.dev", "begin with https://"},
    {"http", "begin with https://"},
    {"https:\\\\acme.scalekit.dev", "begin with https://"},
    {" https://a.example", "spaces"},
    {"https://a.example ", "spaces"},
    {"https://a.example\n", "spaces"},
    {"https://a.example/\r\nhost: b", "spaces"},
    {"https://a\tb.example", "spaces"},
    {"https://a.example\x7f", "spaces"},
    {"https://b\xc3\xbc"
     "cher.example",
     "non-ASCII"},
    {"https://", "have a host"},
    {"https:///path", "have a host"},
    {"https://:443", "have a host"},
    {"https://[]", "have a host"},
    {"https://.", "valid host"},
    {"https://.a.example", "valid host"},
    {"https://a..example", "valid host"},
    {"https://a.example..", "valid host"},
    {"https://-a.example", "valid host"},
    {"https://a-.example", "valid host"},
    {"https://a%2eexample", "valid host"},
    {"https://a\\b.example", "valid host"},
    {"https://a,b.example", "valid host"},
    {"https://" LABEL_63 "a.example", "valid host"},
    {"https://" LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63, "valid host"},
    {"https://1.2.3", "valid host"},
    {"https://1.2.3.4.", "valid host"},
    {"https://1.2.3.256", "valid host"},
    {"https://1.2.3.4.5", "valid host"},
    {"https://2130706433", "valid host"},
    {"https://0x7f000001", "valid host"},
    {"https://127.0.0.0x1", "valid host"},
    {"https://[1.2.3.4]", "valid host"},
    {"https://[fe80::1%25eth0]", "valid host"},
    {"https://[::1", "']'"},
    {"https://[::1/", "']'"},
    {"https://[::1]x", "only a port"},
    {"https://[::1]443", "only a port"},
    {"https://2001:db8::1", "valid host"},
    {"https://db8::1", "port"},
    {"https://a.example:", "port"},
    {"https://a.example:0", "port"},
    {"https://a.example:65536", "port"},
    {"https://a.example:+1", "port"},
    {"https://a.example:1x", "port"},
    {"https://a.example:99999999999999999999999", "port"},
    {"https://user@a.example", "user name"},
    {"https://user:secret@a.example", "user name"},
    {"https://@a.example", "user name"},
    {"https://a.example?x=1", "query"},
    {"https://a.example/?x=1", "query"},
    {"https://a.example#top", "fragment"},
    {"https://a.example/a\\b", "path"},
    {"https://a.example/<b>", "path"},
    {"https://a.example/a%", "path"},
    {"https://a.example/a%2", "path"},
    {"https://a.example/a%2/", "path"},
    {"https://a.example/a%zz", "path"},
    {"http://acme.scalekit.dev", "except for localhost"},
    {"http://localhost.evil.com", "except for localhost"},
    {"http://localhost.", "except for localhost"},
    {"http://notlocalhost", "except for localhost"},
    {"http://127.0.0.1.evil.com", "except for localhost"},
    {"http://128.0.0.1", "except for localhost"},
    {"http://0.0.0.0", "except for localhost"},
    {"http://[::]", "except for localhost"},
    {"http://[::2]", "except for localhost"},
    {"http://[::ffff:127.0.0.1]", "except for localhost"},
};

static void says_what_is_wrong(void)
{
    struct ski_mem mem;

    ski_mem_init(&mem, NULL);
    for (size_t i = 0; i < sizeof bad_rows / sizeof *bad_rows; i++) {
        const struct bad_row *row = &bad_rows[i];
        const char *problem = NULL;
        struct ski_url url;

        ROW_IS(row, ski_url_parse(&url, &mem, row->url, &problem) == SCALEKIT_ERR_INVALID);
        ROW_IS(row, problem && strncmp(problem, "env_url must ", 13) == 0);
        ROW_IS(row, problem && strstr(problem, row->problem));
        ski_url_free(&url, &mem);
    }
}

static void takes_2048_bytes_and_no_more(void)
{
    char text[2050];
    const char *problem;
    struct ski_mem mem;
    struct ski_url url;

    ski_mem_init(&mem, NULL);
    memset(text, 'a', sizeof text);
    memcpy(text, "https://a.example/", 18);
    text[2048] = '\0';
    CU_ASSERT_EQUAL(ski_url_parse(&url, &mem, text, &problem), SCALEKIT_OK);
    CU_ASSERT_STRING_EQUAL(url.text, text);
    CU_ASSERT_STRING_EQUAL(url.host, "a.example");
    ski_url_free(&url, &mem);

    text[2048] = 'a';
    text[2049] = '\0';
    CU_ASSERT_EQUAL(ski_url_parse(&url, &mem, text, &problem), SCALEKIT_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(problem, "2,048"));
}

static bool parse_one(struct test_memory *memory, void *user)
{
    const char *problem;
    struct ski_mem mem;
    struct ski_url url;
    scalekit_err err;

    ski_mem_init(&mem, &memory->allocator);
    err = ski_url_parse(&url, &mem, user, &problem);
    CU_ASSERT(err == SCALEKIT_OK || err == SCALEKIT_ERR_NOMEM);
    CU_ASSERT_PTR_NULL(problem);
    ski_url_free(&url, &mem);
    return err == SCALEKIT_OK;
}

static void survives_lack_of_memory(void)
{
    char url[] = "https://a.example:8443/path";

    CU_ASSERT_EQUAL(test_every_allocation(parse_one, url), 2);
}

SUITE(url, {"normalises good URLs", normalises_good_urls},
      {"says what is wrong with the others", says_what_is_wrong},
      {"takes 2,048 bytes and no more", takes_2048_bytes_and_no_more},
      {"survives every lack of memory", survives_lack_of_memory})
