/* time_range.h - from when to when: the rule that filters share. */
#ifndef SKI_API_TIME_RANGE_H
#define SKI_API_TIME_RANGE_H

#include <scalekit/types.h>

/* What is wrong with a range, and *parameter; NULL when it is right.  0: open at that end. */
const char *ski_check_time_range(scalekit_time start_time, scalekit_time end_time,
                                 const char **parameter);

/* Defines the rule for a structure that has both members. */
#define CHECK_TIME_RANGE(S)                                                                        \
    static const char *check_##S(const void *params, const char **parameter)                       \
    {                                                                                              \
        const struct S *p = params;                                                                \
                                                                                                   \
        return ski_check_time_range(p->start_time, p->end_time, parameter);                        \
    }

#endif
