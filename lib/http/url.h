/* url.h - the environment's URL, taken apart and checked. */
#ifndef SKI_HTTP_URL_H
#define SKI_HTTP_URL_H

#include "base/mem.h"

struct ski_url {
    char *text;       /* normalised: lower-case scheme and host, no default port, no trailing '/' */
    const char *host; /* without brackets */
    const char *authority; /* host[:port] as in a Host header */
    const char *path;      /* "" or "/prefix" */
    uint16_t port;
    bool tls;
};

/* SCALEKIT_OK; SCALEKIT_ERR_NOMEM; or SCALEKIT_ERR_INVALID, when *problem says what is wrong, for
 * people, in static text ("env_url must …").  Refused: anything but https:// (http:// for localhost,
 * 127.0.0.0/8 and [::1] only), user information, query, fragment, an empty or malformed host, a port
 * outside 1…65535, control characters, more than 2,048 bytes. */
scalekit_err ski_url_parse(struct ski_url *url, const struct ski_mem *mem, const char *text,
                           const char **problem);
void ski_url_free(struct ski_url *url, const struct ski_mem *mem);

#endif
