/* time.h - RFC 3339 moments. */
#ifndef SKI_JSON_TIME_H
#define SKI_JSON_TIME_H

#include "base/str.h"

/* The first and the last moment of the years 1 to 9999, all that RFC 3339 can say. */
#define SKI_TIME_EARLIEST (INT64_C(-62135596800) * 1000000)
#define SKI_TIME_LATEST   (INT64_C(253402300800) * 1000000 - 1)

/* "2026-08-21T10:00:00.123456Z", also with an offset; any number of fractional digits from 0 to 9,
 * cut to microseconds; years 1 to 9999, in UTC too.  A leap second counts as the second after.  false: not a
 * moment. */
bool ski_time_parse(struct ski_slice text, scalekit_time *out);

#define SKI_TIME_TEXT 32
/* With Z, and 0, 3 or 6 fractional digits, as few as hold it; a moment outside the years 1 to
 * 9999 is written as the nearest inside. */
void ski_time_format(char out[SKI_TIME_TEXT], scalekit_time time);

#endif
