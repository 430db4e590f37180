/* post.h - posts bodies to one place, one after the other, on a connection that is kept.
 *
 * It is told the status of each answer and nothing else of it.  Everything runs on plain events:
 * unlike a bufferevent with TLS nothing is put off, so that one that is freed in the middle of
 * anything is gone at once, and no callback comes later.  A peer that vanishes raises no
 * SIGPIPE. */
#ifndef EMU_POST_H
#define EMU_POST_H

#include <netinet/in.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct event_base;

/* Where to; only loopback is a place, under its three names. */
struct emu_place {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t address_size;
    bool tls;
    char host[16];      /* a name, or an address without brackets */
    char authority[24]; /* "127.0.0.1:8080", for the Host field */
    char *target;       /* the path and the query */
};

/* "http://localhost:8080/hooks?a=b".  False when it is no such URL, or memory ran out. */
bool emu_place_parse(struct emu_place *place, const char *url);
void emu_place_clear(struct emu_place *place);

/* Told of the end of a post: the answer's status, or 0 when none came in time or the connection
 * failed.  It may begin the next one, or free the poster. */
typedef void (*emu_post_cb)(int status, void *user);

struct emu_poster;

/* Borrows the place and, for TLS, the context.  NULL when memory ran out. */
struct emu_poster *emu_poster_new(struct event_base *base, const struct emu_place *place,
                                  SSL_CTX *tls, emu_post_cb cb, void *user);
void emu_poster_free(struct emu_poster *poster); /* NULL is ignored */

/* Sends a whole request, of malloc() and freed here in any case.  Only when no other is under way.
 * A connection that the peer has closed is replaced; one that it closes from now on has failed, as
 * nobody can tell whether it took the request.  The callback comes within `answer_ms`, and never
 * from inside this call.  False when memory ran out: none comes. */
bool emu_poster_send(struct emu_poster *poster, char *request, size_t length, int64_t answer_ms);

#endif
