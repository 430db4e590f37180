#include "sign.h"
#include <inttypes.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX     "whsec_"
#define KEY_MIN    24
#define KEY_MAX    64
#define BASE64_MAX ((KEY_MAX + 2) / 3 * 4)

bool emu_secret_make(char out[EMU_SECRET_SIZE])
{
    unsigned char key[KEY_MIN];
    unsigned char text[BASE64_MAX + 1];

    if (RAND_bytes(key, sizeof key) != 1)
        return false;
    EVP_EncodeBlock(text, key, sizeof key);
    snprintf(out, EMU_SECRET_SIZE, PREFIX "%s", (const char *)text);
    return true;
}

/* The '=' at the end; OpenSSL would skip white space, and take padding anywhere. */
static bool count_padding(const char *text, size_t length, size_t *padding)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t plain = strspn(text, alphabet);

    *padding = length - plain;
    return *padding <= 2 && strspn(text + plain, "=") == *padding && length % 4 == 0;
}

bool emu_secret_parse(const char *secret, struct emu_key_bytes *key)
{
    unsigned char bytes[BASE64_MAX];
    const char *text = secret + strlen(PREFIX);
    size_t length, padding;
    int decoded;

    if (strncmp(secret, PREFIX, strlen(PREFIX)) != 0)
        return false;
    length = strlen(text);
    if (length > BASE64_MAX || !count_padding(text, length, &padding))
        return false;
    decoded = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)length);
    if (decoded < (int)(KEY_MIN + padding) || decoded > (int)(KEY_MAX + padding))
        return false;
    key->length = (size_t)decoded - padding;
    memcpy(key->bytes, bytes, key->length);
    return true;
}

bool emu_sign(char out[EMU_SIGNATURE_SIZE], const struct emu_key_bytes *key, const char *id,
              int64_t timestamp, const char *body, size_t length)
{
    size_t size = strlen(id) + 32 + length;
    char *content = malloc(size);
    unsigned char mac[EVP_MAX_MD_SIZE], text[EMU_SIGNATURE_SIZE - 3];
    unsigned int mac_length;
    int head;
    bool done;

    if (!content)
        return false;
    head = snprintf(content, size, "%s.%" PRId64 ".", id, timestamp);
    memcpy(content + head, body, length);
    done = HMAC(EVP_sha256(), key->bytes, (int)key->length, (const unsigned char *)content,
                (size_t)head + length, mac, &mac_length) != NULL;
    free(content);
    if (done) {
        EVP_EncodeBlock(text, mac, (int)mac_length);
        snprintf(out, EMU_SIGNATURE_SIZE, "v1,%s", (const char *)text);
    }
    return done;
}
