#include "net/bio.h"
#include <sys/socket.h>

/* BIO_s_socket() ends in write(2), which raises SIGPIPE once the peer is gone. */
static int write_quietly(BIO *bio, const char *bytes, int length)
{
    ssize_t sent;

    BIO_clear_retry_flags(bio);
    sent = send((int)BIO_get_fd(bio, NULL), bytes, (size_t)length, MSG_NOSIGNAL);
    if (sent <= 0 && BIO_sock_should_retry((int)sent))
        BIO_set_retry_write(bio);
    return (int)sent;
}

BIO_METHOD *ski_bio_method_new(void)
{
    const BIO_METHOD *plain = BIO_s_socket();
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOCKET, "socket without SIGPIPE");

    if (!method)
        return NULL;
    if (BIO_meth_set_write(method, write_quietly) &&
        BIO_meth_set_read(method, BIO_meth_get_read(plain)) &&
        BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(plain)) &&
        BIO_meth_set_create(method, BIO_meth_get_create(plain)) &&
        BIO_meth_set_destroy(method, BIO_meth_get_destroy(plain)))
        return method;
    BIO_meth_free(method);
    return NULL;
}

BIO *ski_bio_new(const BIO_METHOD *method, int fd)
{
    BIO *bio = BIO_new(method);

    if (bio)
        BIO_set_fd(bio, fd, BIO_NOCLOSE);
    return bio;
}
