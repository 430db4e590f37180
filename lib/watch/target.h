/* target.h - the accounts being followed, and the groups they are asked for in.
 *
 *   group   a connection, narrowed by an organization or a user: what one list can show
 *   target  one account of it, whatever the number of its watches
 *
 * A target that is to be looked at is due: it stands in its group's array until it is asked for. */
#ifndef SKI_WATCH_TARGET_H
#define SKI_WATCH_TARGET_H

#include "base/list.h"
#include "base/loop.h"
#include "base/map.h"
#include <scalekit/watch.h>

struct ski_wanted; /* round.c */
struct ski_targets;

#define SKI_NOT_DUE UINT32_MAX

/* Names an account.  Absent parts are NULL. */
struct ski_account_name {
    const char *id, *connection_name, *identifier, *organization_id, *user_id;
};

/* Targets to be looked at, in no order. */
struct ski_due {
    struct ski_target **targets;
    uint32_t n, capacity;
};

struct ski_group {
    struct ski_map_node node; /* in the engine's groups */
    struct ski_list link;     /* likewise, to walk them */
    struct ski_list by_age;   /* its targets: the longest unchecked first */
    struct ski_targets *targets;
    struct ski_due due;
    uint32_t n_targets;    /* never 0 */
    uint32_t asked;        /* of them its round still waits for; what was urgent does not count */
    uint32_t total;        /* accounts of the connection, as far as known; 0: unknown */
    ski_timer timer;       /* of its next round */
    struct ski_list ready; /* in the engine's, when its round is to start in this turn */
    int64_t started_ms;    /* the last round; INT64_MIN: none */
    struct ski_map_node by_id; /* in the engine's, when it is not narrowed and the id was seen */
    bool has_id;
    bool slow; /* its last round took longer than an interval: there is more to see than requests */
    bool scoped;          /* narrowed: an event may not tell whether it is about one of these */
    bool named_by_events; /* an event about one of these is known as such */
    /* NULL: absent.  The connection is absent of accounts known by id, until they have been seen. */
    const char *connection_name, *organization_id, *user_id;
    char names[];
};

struct ski_target {
    struct ski_map_node node; /* in the engine's targets */
    struct ski_list link;     /* in its group's, by age */
    struct ski_group *group;
    struct ski_wanted *wanted; /* by the round that asks for it; NULL */
    int64_t seen_ms;           /* when it was last seen; 0: never */
    scalekit_time updated_at; /* of what was seen last, or known before; 0: never, or it had none */
    uint32_t watches;         /* the first of them; never none */
    uint32_t due;             /* its place in the group's array, or the urgent one; SKI_NOT_DUE */
    uint32_t id_hash;         /* of the account seen; 0: never */
    unsigned
        missing_at : 16; /* tenths of a second, modulo 2^16, of the last "not found" that counted */
    unsigned missing : 2;  /* "not found" that counted, in a row */
    unsigned doubted : 2;  /* looks that are to come soon, for something may have happened */
    unsigned failures : 3; /* in a row, as far as the pause still grows with them */
    unsigned status : 4;   /* the last one seen, or known before */
    unsigned urgent : 1;   /* while due: it is in the urgent array */
    unsigned by_id : 1;
    char name[]; /* the identifier; of one known by id: see target.c */
};

struct ski_targets {
    struct ski_loop *loop;
    const struct ski_mem *mem;
    void (*round)(void *group); /* the group's timer fires */
    struct ski_map by_name, groups, groups_by_id;
    struct ski_list all; /* groups */
    struct ski_due urgent;
    uint32_t n_by_id;
};

void ski_targets_init(struct ski_targets *targets, struct ski_loop *loop,
                      void (*round)(void *group));
void ski_targets_free(struct ski_targets *targets); /* when there are none left */

/* The target of that name, made if there is none, then without watches.  NULL: out of memory. */
struct ski_target *ski_targets_get(struct ski_targets *targets,
                                   const struct ski_account_name *name);
void ski_target_free(struct ski_targets *targets,
                     struct ski_target *target); /* not wanted any more */

/* When the one that was not seen for longest was seen; 0: one never was; INT64_MAX: there are none. */
int64_t ski_targets_oldest_ms(const struct ski_targets *targets);

/* The group of that name; NULL: none. */
struct ski_group *ski_targets_group(const struct ski_targets *targets,
                                    const struct ski_account_name *name);
/* The target of that name; NULL: none. */
struct ski_target *ski_targets_find(const struct ski_targets *targets,
                                    const struct ski_account_name *name);

/* The one that an event is about, whose connection may be told by id only; NULL: none. */
struct ski_target *ski_targets_match(struct ski_targets *targets,
                                     const struct scalekit_connected_account *account);
/* The same, of those that are known by id. */
struct ski_target *ski_targets_by_id(const struct ski_targets *targets, const char *id);

void ski_target_name(const struct ski_target *target, struct ski_account_name *name);

/* It has been seen just now.  One known by id can be shown by lists from now on, unless memory runs
 * out. */
void ski_target_seen(struct ski_targets *targets, struct ski_target *target,
                     const struct scalekit_connected_account *account, int64_t now_ms);

/* It is known to have had that status since then. */
void ski_target_know(struct ski_target *target, enum scalekit_account_status status,
                     scalekit_time since);

/* In its group's array, or the urgent one; from the former to the latter.  false: out of memory,
 * nothing has changed. */
bool ski_target_set_due(struct ski_targets *targets, struct ski_target *target, bool urgent);
void ski_target_clear_due(struct ski_targets *targets, struct ski_target *target);

uint32_t ski_id_hash(const char *id); /* of an account or a connection; never 0 */

#endif
