#include "api/time_range.h"

const char *ski_check_time_range(scalekit_time start_time, scalekit_time end_time,
                                 const char **parameter)
{
    if (!start_time || !end_time || start_time <= end_time)
        return NULL;
    *parameter = "end_time";
    return "end_time must not be before start_time";
}
