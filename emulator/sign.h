/* sign.h - secrets of webhooks, and signatures by them, as Standard Webhooks has it. */
#ifndef EMU_SIGN_H
#define EMU_SIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EMU_SECRET_SIZE    96 /* of "whsec_", the longest key in base64, and a NUL */
#define EMU_SIGNATURE_SIZE 48 /* of "v1,", 32 bytes in base64, and a NUL */

/* What a secret stands for. */
struct emu_key_bytes {
    unsigned char bytes[64];
    size_t length;
};

/* A new secret of 24 unpredictable bytes.  False when there is no chance to be had. */
bool emu_secret_make(char out[EMU_SECRET_SIZE]);

/* "whsec_" and 24 to 64 bytes in padded base64.  False when it is something else. */
bool emu_secret_parse(const char *secret, struct emu_key_bytes *key);

/* Signs "<id>.<timestamp>.<body>": "v1,a6NK...".  False when memory ran out. */
bool emu_sign(char out[EMU_SIGNATURE_SIZE], const struct emu_key_bytes *key, const char *id,
              int64_t timestamp, const char *body, size_t length);

#endif
