/* nearest.h - which word was meant by one that does not exist. */
#ifndef CLI_NEAREST_H
#define CLI_NEAREST_H

/* Offer every word there is, one after the other; `best` is then the one that was meant, or NULL
 * when none is near.  The words are borrowed. */
struct nearest {
    const char *word; /* as it was written */
    const char *best;
    unsigned distance; /* of the best */
};

struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *nearest, const char *candidate);

#endif
