/* Secrets of webhooks, and signatures by them. */
#include "harness.h"
#include "sign.h"

static void test_signatures(void)
{
    static const struct {
        const char *secret, *id;
        int64_t timestamp;
        const char *body, *signature;
    } rows[] = {
        {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "msg_2abcDEF0123456789", 1764657094,
         "{\"spec_version\":\"1\",\"id\":\"evt_101652975398683158\",\"type\":\"connected_account."
         "status_updated\",\"object\":\"ConnectedAccount\",\"occurred_at\":\"2025-12-02T06:31:34."
         "895815554Z\",\"environment_id\":\"env_88640229614813449\",\"data\":{\"id\":\"ca_"
         "133400349586228019\",\"identifier\":\"john@acmecorp.com\",\"connection_id\":\"conn_"
         "133400101014995480\",\"connection_name\":\"gmail\",\"provider\":\"GMAIL\","
         "\"authorization_type\":\"OAUTH\",\"status\":\"EXPIRED\",\"old_status\":\"ACTIVE\"}}",
         "v1,a6NKlOT0Z7uC9e4UNXo2gXshI3QZgzznBJA47atIU84="},
        {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "msg_1", 1764657094, "",
         "v1,G3/dhbZAdoclO2AKGPgnaPvyjjEO2na/xnuUpBO2yk8="},
        {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGQ==", "msg_2", 1, "{\"id\":\"evt_1\"}",
         "v1,Y+u4LGUivcRKpw/4ln+WlbOi/aejRgC0LJTb0XCgxHE="},
        {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY", "msg_3", 99999999999, "Grüße",
         "v1,TGA9aIwdbK9LjdwlsbspBovSTe8QEbqbHeGjQ0sys0k="},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct emu_key_bytes key;
        char signature[EMU_SIGNATURE_SIZE];

        CU_ASSERT_FATAL(emu_secret_parse(rows[i].secret, &key));
        CU_ASSERT(emu_sign(signature, &key, rows[i].id, rows[i].timestamp, rows[i].body,
                           strlen(rows[i].body)));
        CU_ASSERT_STRING_EQUAL(signature, rows[i].signature);
    }
}

#define BYTES_24 "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcY"

static void test_secrets(void)
{
    static const struct {
        const char *secret;
        size_t length; /* of the key; 0: it is refused */
    } rows[] = {
        {"whsec_" BYTES_24, 24},
        {"whsec_" BYTES_24 "GQ==", 25},
        {"whsec_" BYTES_24 "GRo=", 26},
        {"whsec_" BYTES_24 BYTES_24 "AQIDBAUGBwgJCgsMDQ4PEA==", 64},
        {"whsec_" BYTES_24 BYTES_24 "AQIDBAUGBwgJCgsMDQ4PEBE=", 0},
        {"whsec_" BYTES_24 BYTES_24 BYTES_24, 0},
        {"whsec_AQIDBAUGBwgJCgsMDQ4PEBESExQVFhc=", 0},
        {"whsec_" BYTES_24 "GQ", 0},
        {"whsec_" BYTES_24 "G===", 0},
        {"whsec_====" BYTES_24, 0},
        {"whsec_" BYTES_24 "GR-_", 0},
        {"whsec_" BYTES_24 " ", 0},
        {"whsec_", 0},
        {BYTES_24, 0},
        {"WHSEC_" BYTES_24, 0},
        {"", 0},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct emu_key_bytes key;
        bool good = emu_secret_parse(rows[i].secret, &key);

        CU_ASSERT_EQUAL(good, rows[i].length != 0);
        if (good) {
            CU_ASSERT_EQUAL(key.length, rows[i].length);
            CU_ASSERT_EQUAL(key.bytes[23], 24);
        }
    }
}

static void test_made(void)
{
    char first[EMU_SECRET_SIZE], second[EMU_SECRET_SIZE];
    struct emu_key_bytes key;

    CU_ASSERT(emu_secret_make(first));
    CU_ASSERT(emu_secret_make(second));
    CU_ASSERT_STRING_NOT_EQUAL(first, second);
    CU_ASSERT(emu_secret_parse(first, &key));
    CU_ASSERT_EQUAL(key.length, 24);
}

SUITE(emulator_sign, {"signs as Standard Webhooks has it", test_signatures},
      {"takes a secret of 24 to 64 bytes and nothing else", test_secrets},
      {"makes secrets that it takes, each another", test_made})
