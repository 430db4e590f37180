/* town.h - accounts that a test can change, and the service that tells of them, without a network.
 *
 * It takes the exchanges of a fixture's client in place of connections and answers with the next turn
 * of the loop: look-ups, lists a page at a time, the sign-in.  There is no event feed. */
#ifndef TEST_WATCH_TOWN_H
#define TEST_WATCH_TOWN_H

#include "core/client.h"
#include "unit/core/fixture.h"

#define TOWN_NAME 24

struct townsman {
    char id[TOWN_NAME], connection[TOWN_NAME], identifier[TOWN_NAME];
    const char *status; /* a literal; NULL: there is no such account */
    scalekit_time updated_at;
};

struct town {
    struct fixture *fixture;
    struct ski_carrier carrier;
    struct ski_task turn;
    struct ski_list waiting; /* exchanges */
    struct townsman *people; /* in the order of lists */
    unsigned n, room;
    unsigned look_ups, lists;
    int refusal;         /* the status of every answer but the sign-in's; 0: they succeed */
    bool silent;         /* they never come */
    bool loops;          /* lists give the same page token again and again */
    char last_list[300]; /* the target of the latest */
    void (*listing)(struct town *town); /* before a page is written; NULL */
};

/* Opens a fixture in virtual time, with that memory (NULL: its own).  false: it was not enough. */
bool town_open(struct town *town, struct fixture *fixture, struct test_memory *memory);
void town_free(struct town *town); /* and the fixture */

/* One more account, "ca_<n>".  What is returned moves with the next one. */
struct townsman *town_add(struct town *town, const char *connection, const char *identifier,
                          const char *status);
struct townsman *town_find(struct town *town, const char *connection, const char *identifier);
/* Gives an account another status, now; NULL: deletes it. */
void town_set(struct town *town, const char *connection, const char *identifier,
              const char *status);

#endif
