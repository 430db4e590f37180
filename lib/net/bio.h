/* bio.h - OpenSSL's socket BIO, except that writing never raises SIGPIPE. */
#ifndef SKI_NET_BIO_H
#define SKI_NET_BIO_H

#include <openssl/bio.h>

/* NULL: out of memory.  Yours: BIO_meth_free(), after every BIO made with it. */
BIO_METHOD *ski_bio_method_new(void);

/* NULL: out of memory.  The descriptor stays the caller's. */
BIO *ski_bio_new(const BIO_METHOD *method, int fd);

#endif
