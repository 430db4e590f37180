/* Signatures: the same as OpenSSL's HMAC(), by keys and of bodies of any length. */
#include "harness.h"
#include "unit/core/fixture.h"
#include "webhook/signature.h"
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

/* The secret of a key of that length, whose bytes count up. */
static char *secret_of(size_t length)
{
    char *secret = malloc(16 + length / 3 * 4 + 4);
    unsigned char *key = malloc(length + 1);

    for (size_t i = 0; i < length; i++)
        key[i] = (unsigned char)i;
    memcpy(secret, "whsec_", 6);
    EVP_EncodeBlock((unsigned char *)secret + 6, key, (int)length);
    free(key);
    return secret;
}

static void expect(char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], size_t key_length, const char *body,
                   size_t length)
{
    unsigned char key[SKI_WEBHOOK_LONGEST_KEY], digest[32];
    char signed_text[8192];
    int n = snprintf(signed_text, sizeof signed_text, "%s.%s.", "msg_1", "17");

    for (size_t i = 0; i < key_length; i++)
        key[i] = (unsigned char)i;
    memcpy(signed_text + n, body, length);
    HMAC(EVP_sha256(), key, (int)key_length, (unsigned char *)signed_text, (size_t)n + length,
         digest, NULL);
    memcpy(out, "v1,", 3);
    EVP_EncodeBlock((unsigned char *)out + 3, digest, sizeof digest);
}

static void compare(size_t key_length, size_t body_length)
{
    char body[4096], made[SCALEKIT_WEBHOOK_SIGNATURE_SIZE],
        expected[SCALEKIT_WEBHOOK_SIGNATURE_SIZE], name[64];
    const struct ski_webhook_message message = {
        .id = "msg_1", .timestamp = ski_slice_of("17"), .body = body, .body_length = body_length};
    char *secret = secret_of(key_length);

    memset(body, 0xe4, sizeof body);
    snprintf(name, sizeof name, "a key of %zu, a body of %zu", key_length, body_length);
    expect(expected, key_length, body, body_length);
    ROW_IS(name, ski_webhook_sign(made, secret, &message) == SCALEKIT_WEBHOOK_GOOD);
    ROW_IS(name, strcmp(made, expected) == 0);
    free(secret);
}

static void test_same_as_openssl(void)
{
    for (size_t length = 1; length <= 200; length++)
        compare(length, length * 7 % 300);
    for (size_t length = 0; length <= 200; length++)
        compare(24, length);
    compare(SKI_WEBHOOK_LONGEST_KEY, sizeof(char[4096]));
}

static void test_secrets(void)
{
    static const struct {
        const char *secret;
        bool good;
    } rows[] = {
        {"whsec_AQID", true}, {"_AQID", true},      {"a_AQ==", true},      {"a_AQI=", true},
        {"a_AR==", true}, /* bits that nobody needs */
        {"a_AQID_b", true},   {"a_AQI=_b_%", true}, {"a_+/+/", true},      {"", false},
        {"AQID", false},      {"a_", false},        {"a__AQID", false},    {"a_AQI", false},
        {"a_A===", false},    {"a_AQ=", false},     {"a_AQID=", false},    {"a_AQID====", false},
        {"a_AQID ", false},   {"a_ AQID", false},   {"a_AQ\nID", false},   {"a_AQ=A", false},
        {"a_-_-_", false},    {"a_====", false},    {"a_AQID\xff", false}, {"a_AQI%", false},
        {NULL, false},
    };
    const struct ski_webhook_message message = {.id = "msg_1", .timestamp = ski_slice_of("17")};

    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *name = rows[i].secret ? rows[i].secret : "NULL";
        char made[SCALEKIT_WEBHOOK_SIGNATURE_SIZE] = "as it was";

        ROW_IS(name, ski_webhook_sign(made, rows[i].secret, &message) ==
                         (rows[i].good ? SCALEKIT_WEBHOOK_GOOD : SCALEKIT_WEBHOOK_BAD_SECRET));
        ROW_IS(name, strlen(made) == (rows[i].good ? SCALEKIT_WEBHOOK_SIGNATURE_SIZE - 1 : 0));
    }
}

static void test_long_secrets(void)
{
    static const size_t lengths[] = {SKI_WEBHOOK_LONGEST_KEY + 1, SKI_WEBHOOK_LONGEST_KEY + 2,
                                     SKI_WEBHOOK_LONGEST_KEY + 3, (size_t)1 << 20};
    const struct ski_webhook_message message = {.id = "msg_1", .timestamp = ski_slice_of("17")};
    char made[SCALEKIT_WEBHOOK_SIGNATURE_SIZE];

    for (size_t i = 0; i < COUNT(lengths); i++) {
        char *secret = secret_of(lengths[i]);

        CU_ASSERT_EQUAL(ski_webhook_sign(made, secret, &message), SCALEKIT_WEBHOOK_BAD_SECRET);
        free(secret);
    }
}

#define OTHER "v1,bHkPLGCpKugp3MlCY5s90lPMBPLe4J78zQSNAtJf7M8="
#define THIS  "v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84="

static void test_lists(void)
{
    static const struct {
        const char *header;
        bool listed;
    } rows[] = {
        {THIS, true},
        {OTHER " " THIS, true},
        {THIS " " OTHER, true},
        {"  " THIS "  ", true},
        {"v1,AAAA " THIS, true},
        {"v1, v1 , " THIS, true},
        {"v1,\xff\xfe " THIS " %%", true},
        {"", false},
        {" ", false},
        {OTHER, false},
        {THIS "x", false},
        {"x" THIS, false},
        {THIS "," OTHER, false},
        {OTHER "\t" THIS, false},
        {"v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84", false},
        {"v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU85=", false}, /* the same bytes */
        {"v2,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84=", false},
        {"V1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84=", false},
        {"a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84=", false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        ROW_IS(rows[i].header, ski_webhook_lists(rows[i].header, THIS) == rows[i].listed);
}

static void test_many_candidates(void)
{
    enum { MANY = 20000 };
    const size_t step = strlen(OTHER " ");
    char *header = malloc(MANY * step + sizeof THIS);

    for (size_t i = 0; i < MANY; i++)
        memcpy(header + i * step,
               i % 3 ? OTHER " " : "v1,short - - - - - - - - - - - - - - - - - - - - ", step);
    memcpy(header + MANY * step, THIS, sizeof THIS);
    CU_ASSERT(ski_webhook_lists(header, THIS));
    header[MANY * step + sizeof THIS - 2] = '-';
    CU_ASSERT(!ski_webhook_lists(header, THIS));
    free(header);
}

SUITE(webhook_signature, {"a signature is what OpenSSL's HMAC() makes of it", test_same_as_openssl},
      {"a key is strict base64, between the first '_' and the second", test_secrets},
      {"a key that is too long is none", test_long_secrets},
      {"one signature of a list is enough, whatever stands beside it", test_lists},
      {"thousands of candidates are looked through", test_many_candidates})
