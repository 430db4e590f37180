/* mask.h - enough of a secret to recognise it by, and never enough to use it. */
#ifndef CLI_MASK_H
#define CLI_MASK_H

#define MASK_SIZE 16

/* "ya29****"; of a short one "****"; "none" for NULL and "". */
const char *mask(char out[MASK_SIZE], const char *secret);

#endif
