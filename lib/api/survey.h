/* survey.h - sees a given set of accounts with few requests: what look_plan.h chooses, carried out.
 *
 *     struct ski_survey *survey = ski_survey_start(client, &(struct ski_survey_config){…});
 *     … find, tell, find, tell, … done
 *     ski_survey_free(survey);
 *
 * Each look is told once, unless it is dropped.  The owner may end the survey at any time, also
 * inside each of its calls; when the client is being freed the survey stops by itself, and waits to
 * be freed. */
#ifndef SKI_API_SURVEY_H
#define SKI_API_SURVEY_H

#include "api/look_plan.h"
#include "base/failure.h"
#include <scalekit/connected_account.h>

struct ski_survey;

/* The owner's.  In each of them it may drop looks, and end the survey by ski_survey_free(). */
struct ski_survey_calls {
    /* Which look an account on a list's page answers; NULL: none of this survey's.  For every
     * account, in order, wanted or not.  `any` has the scope of the list and a name of it. */
    struct ski_look *(*find)(struct ski_survey *survey,
                             const struct scalekit_connected_account *account,
                             const struct ski_look *any, scalekit_request *request);
    /* A look has its answer: the account, or the error; the other one is NULL.  The request is the
     * evidence: it lives until this returns. */
    void (*tell)(struct ski_survey *survey, struct ski_look *look,
                 const struct scalekit_connected_account *account,
                 const struct scalekit_error *error, scalekit_request *request);
    /* A fresh request, before it leaves: class, retries and deadline are the owner's to set. */
    void (*prepare)(struct ski_survey *survey, scalekit_request *request, enum ski_look_way way);
    /* A request has ended, before what it brought is told, or is abandoned: then its state is not
     * SKI_DELIVERED.  NULL: the owner does not count. */
    void (*ended)(struct ski_survey *survey, const scalekit_request *request);
    /* A first page said how many accounts these connections have together, in the scope of `any`:
     * at least 1, as 0 is unknown to a look.  NULL: the owner does not remember. */
    void (*sized)(struct ski_survey *survey, const struct ski_look *any, const char *const *names,
                  size_t n_names, int64_t total);
    /* Every look has been told or dropped; or memory ran out (the failure): what was not told is
     * not.  Once, and the last call; the survey is still to be freed. */
    void (*done)(struct ski_survey *survey, const struct ski_failure *failure);
};

struct ski_survey_config {
    const struct ski_survey_calls *calls;
    void *owner;
    /* At least one; the array is copied.  Those without connected_account_id are named, and no two
     * of them are equal; of those with one, the listed ones may be equal to one of them.  A look and its texts are borrowed until it is told or dropped. */
    struct ski_look *const *looks;
    size_t n_looks;
    size_t max_in_flight; /* requests at the same time, at least 1 */
    /* Three failures in a row that are the environment's, or one that every request would share,
     * are everybody's: what has not been asked is told the last of them, and is not asked. */
    bool breaker;
};

/* Makes its first requests (prepare is called), tells nothing yet.  NULL: out of memory, the
 * client is being freed, or prepare has freed the survey; nothing is told then. */
struct ski_survey *ski_survey_start(scalekit_client *client,
                                    const struct ski_survey_config *config);

void *ski_survey_owner(const struct ski_survey *survey);

/* One of the requests under way; NULL: none is. */
const scalekit_request *ski_survey_request(const struct ski_survey *survey);

/* Whether a request that may show it is under way, and does not only wait for its turn. */
bool ski_survey_is_asking(const struct ski_look *look);

/* Nobody wants this look any more: it is not told, and not touched again.  A request of which
 * nobody wants anything is not made, or abandoned, and the survey goes on without it, later.  When
 * that was the last look, done comes from the loop, unless the survey is freed before.  Harmless
 * for a look of this survey that was told or dropped already. */
void ski_survey_drop(struct ski_survey *survey, struct ski_look *look);

/* Abandons what is under way; nothing is told any more.  NULL is ignored. */
void ski_survey_free(struct ski_survey *survey);

#endif
