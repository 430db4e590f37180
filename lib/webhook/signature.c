#include "webhook/signature.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <string.h>

#define BLOCK         64 /* of SHA-256 */
#define DIGEST        32
#define DIGEST_BASE64 44
#define VERSION       "v1,"

struct key {
    size_t length;
    unsigned char bytes[SKI_WEBHOOK_LONGEST_KEY + 3]; /* OpenSSL decodes the padding, too */
};

/* --- the key ----------------------------------------------------------------------------------- */

/* Strict base64 up to the second '_' or the end; EVP_DecodeBlock() alone takes spaces as well. */
static bool decode_key(struct key *key, const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t digits = strspn(text, alphabet);
    size_t padding = strspn(text + digits, "=");
    size_t length = digits + padding;

    if (digits == 0 || padding > 2 || length % 4 != 0 ||
        (text[length] != '\0' && text[length] != '_'))
        return false;
    if (length / 4 * 3 - padding > SKI_WEBHOOK_LONGEST_KEY)
        return false;
    if (EVP_DecodeBlock(key->bytes, (const unsigned char *)text, (int)length) < 0)
        return false;
    key->length = length / 4 * 3 - padding;
    return true;
}

static bool read_key(struct key *key, const char *secret)
{
    const char *mark = secret ? strchr(secret, '_') : NULL;

    key->length = 0;
    return mark && decode_key(key, mark + 1);
}

/* --- HMAC -------------------------------------------------------------------------------------- */

/* OpenSSL looks an algorithm up in its tables, under a lock, wherever it is named: with that and the
 * allocations of HMAC(), a small message takes twice as long.  So SHA-256 is fetched once for the
 * process, and HMAC, which is RFC 2104's two hashes, is made of it. */
static const EVP_MD *sha256;

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (!sha256)
        sha256 = EVP_sha256();
}

static bool begin_hash(EVP_MD_CTX *hash, unsigned char block[BLOCK], unsigned char mask)
{
    for (size_t i = 0; i < BLOCK; i++)
        block[i] ^= mask;
    return EVP_DigestInit_ex(hash, sha256, NULL) && EVP_DigestUpdate(hash, block, BLOCK);
}

static bool add_message(EVP_MD_CTX *hash, const struct ski_webhook_message *message)
{
    return EVP_DigestUpdate(hash, message->id, strlen(message->id)) &&
           EVP_DigestUpdate(hash, ".", 1) &&
           EVP_DigestUpdate(hash, message->timestamp.at, message->timestamp.length) &&
           EVP_DigestUpdate(hash, ".", 1) &&
           EVP_DigestUpdate(hash, message->body, message->body_length);
}

/* A key that is longer than a block is hashed to begin with. */
static bool fill_block(EVP_MD_CTX *hash, unsigned char block[BLOCK], const struct key *key)
{
    memset(block, 0, BLOCK);
    if (key->length > BLOCK)
        return EVP_DigestInit_ex(hash, sha256, NULL) &&
               EVP_DigestUpdate(hash, key->bytes, key->length) &&
               EVP_DigestFinal_ex(hash, block, NULL);
    memcpy(block, key->bytes, key->length);
    return true;
}

static bool authenticate(unsigned char digest[DIGEST], const struct key *key,
                         const struct ski_webhook_message *message)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    unsigned char block[BLOCK];
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool good;

    pthread_once(&once, fetch_sha256);
    good = hash && fill_block(hash, block, key) && begin_hash(hash, block, 0x36) &&
           add_message(hash, message) && EVP_DigestFinal_ex(hash, digest, NULL) &&
           begin_hash(hash, block, 0x36 ^ 0x5c) && EVP_DigestUpdate(hash, digest, DIGEST) &&
           EVP_DigestFinal_ex(hash, digest, NULL);
    EVP_MD_CTX_free(hash);
    ski_cleanse(block, sizeof block);
    return good;
}

/* --- the signature ----------------------------------------------------------------------------- */

enum scalekit_webhook_verdict ski_webhook_sign(char out[SCALEKIT_WEBHOOK_SIGNATURE_SIZE],
                                               const char *secret,
                                               const struct ski_webhook_message *message)
{
    enum scalekit_webhook_verdict verdict = SCALEKIT_WEBHOOK_BAD_SECRET;
    unsigned char digest[DIGEST];
    struct key key;

    out[0] = '\0';
    if (read_key(&key, secret))
        verdict = authenticate(digest, &key, message) ? SCALEKIT_WEBHOOK_GOOD
                                                      : SCALEKIT_WEBHOOK_NO_MEMORY;
    ski_cleanse(key.bytes, key.length);
    if (verdict != SCALEKIT_WEBHOOK_GOOD)
        return verdict;
    memcpy(out, VERSION, strlen(VERSION));
    EVP_EncodeBlock((unsigned char *)out + strlen(VERSION), digest, DIGEST);
    return verdict;
}

bool ski_webhook_lists(const char *header, const char *signature)
{
    const size_t length = strlen(VERSION) + DIGEST_BASE64;
    bool listed = false;

    while (!listed && *header) {
        size_t item = strcspn(header, " ");

        listed = item == length && CRYPTO_memcmp(header, signature, length) == 0;
        header += item + (header[item] == ' ');
    }
    return listed;
}
