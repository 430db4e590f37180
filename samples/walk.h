/* walk.h - what users and their browsers do with the sample verify_user, as a script: for those who
 * want to see it without clicking, and for `make check`. */
#ifndef SAMPLES_WALK_H
#define SAMPLES_WALK_H

#include "common.h"

typedef void (*walk_done_cb)(bool good, void *user);

/* One request at a time, and two browsers, each with its cookies.  Closing takes what is all zero,
 * too. */
#define WALK_BROWSERS 2
#define WALK_COOKIES  4
#define WALK_TEXT     1024

struct walk_cookie {
    char name[64], value[64];
};

struct walk {
    struct event_base *base;
    const char *app_url;
    walk_done_cb done;
    void *user;
    size_t step;
    struct event *next; /* judges the answer and goes on, outside of evhttp's callback */
    struct evhttp_connection *connection;
    struct walk_cookie jars[WALK_BROWSERS][WALK_COOKIES];
    /* What came last. */
    int status;
    char url[WALK_TEXT];                       /* of the page */
    char location[WALK_TEXT], page[16 * 1024]; /* "" where there was none */
    char redirect[WALK_TEXT];                  /* to the application, from its last consent */
};

/* Walks through the application at that URL (borrowed), which uses an emulator, and prints each step.
 * False when memory ran out; else `done` is called from the loop. */
bool walk_open(struct walk *walk, struct event_base *base, const char *app_url, walk_done_cb done,
               void *user);
void walk_close(struct walk *walk);

#endif
