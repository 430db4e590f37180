/* errand.h - the inside of a survey (survey.h): what is still to be asked, and what that leads to.
 *
 *     looks ──► sweeps ──► page, page, … while it pays ──┐ given up, after
 *       │ by id   │ not on its (complete) pages          ▼ halves of it
 *       ▼         ▼                              pool ──► by user
 *     single ◄────┴──────────────────────────────────────┘ not in its list
 *
 * What is to be asked waits in a queue of errands, a bounded number of which is under way.  When
 * the first page of every sweep of unknown size is there, those that pay are compared with doing
 * without any: where users must be listed for what some sweeps have left, their lists show the rest
 * as well.  Then the pool is planned.  A look goes through it once at most: an array of them all
 * has room.
 *
 * A look knows the errand that is to show it, and its place in that errand's array.  When it is
 * told or dropped the place becomes NULL, so that nothing here leads to it any more; what a list
 * asks for on its later pages is remembered with the errand.
 *
 * A function that returns false is out of memory, and has said so to the survey. */
#ifndef SKI_API_ERRAND_H
#define SKI_API_ERRAND_H

#include "api/survey.h"
#include "base/arena.h"
#include "base/list.h"
#include "base/loop.h"

/* What every page of a list asks for; the texts are the survey's. */
struct ski_asked {
    struct ski_look any; /* the scope, the first name, and a user's identifier */
    size_t n_names;
    const char *names[];
};

/* A request to make, or several for the pages of a list. */
struct ski_errand {
    struct ski_list link; /* in the survey's waiting, ready or under_way */
    struct ski_survey *survey;
    struct ski_look_step plan;
    struct ski_look **looks; /* the array that the plan is about; NULL: told or dropped */
    struct ski_sweep sweep;  /* nobody wants anything of it when sweep.left is 0 */
    struct ski_asked *asked; /* NULL: of a list nothing yet */
    bool probing;            /* a sweep whose first page is to tell its size */
    bool judged;             /* a sweep that pays, together with the others */
    char *page_token;
    scalekit_request *step;
};

struct ski_survey {
    scalekit_client *client;
    const struct ski_survey_calls *calls;
    void *owner;
    struct ski_arena arena;  /* everything below but page tokens */
    struct ski_look **looks; /* of all; those by id last, those to be swept first */
    size_t n_named, n_looks;
    struct ski_look **pool; /* to be planned by user, from `planned` on */
    size_t n_pool, planned;
    struct ski_errand idle; /* of what is in no other */
    size_t left;            /* neither told nor dropped */
    struct ski_list waiting, under_way;
    struct ski_list ready; /* sweeps that pay, to be judged */
    size_t n_under_way, max_under_way;
    size_t probing;
    bool breaker;
    unsigned strikes;
    scalekit_request *broken; /* whose failure is everybody's; NULL */
    struct ski_task turn;
    unsigned inside; /* turns and calls that are unwinding */
    bool short_of_memory;
    bool over;  /* nothing is told any more */
    bool freed; /* at the end of the turn */
};

/* The step of a plan about `looks`, which then know it. */
bool ski_errand_add(struct ski_survey *survey, struct ski_look_step plan, struct ski_look **looks);
/* The looks of a step go to the pool. */
void ski_errand_pool(struct ski_survey *survey, const struct ski_look_step *plan,
                     struct ski_look *const *looks);

/* It is not to be asked any more; its request is abandoned. */
void ski_errand_discard(struct ski_errand *errand);
/* Its request is not under way any more. */
void ski_errand_take(struct ski_errand *errand);

/* The look is told, or dropped: nothing leads to it any more. */
void ski_errand_let_go(struct ski_look *look);
/* What has been let go of goes out of its plan. */
void ski_errand_close_ranks(struct ski_errand *errand);

/* After a page that has been told: the next one, if there is one and it pays; else what is left
 * goes another way. */
bool ski_errand_turn_page(struct ski_errand *errand,
                          const struct scalekit_connected_account_page *page);
/* What is left of a list that failed for a reason that look-ups would not share. */
bool ski_errand_refused(struct ski_errand *errand);

/* Once the size of every sweep is known: which go on, and how the rest is seen. */
bool ski_errand_judge(struct ski_survey *survey);

#endif
