#include "json/time.h"
#include <stdio.h>

#define SECOND INT64_C(1000000)
#define DAY    (86400 * SECOND)

/* --- the calendar ---------------------------------------------------------------------------------- */

/* Both count years from March, so that the leap day is a year's last and month lengths need no
 * table: from March on, the months begin on day (153 m + 2) / 5. */

#define DAYS_PER_ERA   146097 /* 400 years */
#define EPOCH_FROM_ERA 719468 /* days from 0000-03-01 to 1970-01-01 */

static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = month > 2 ? month - 3 : month + 9;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - EPOCH_FROM_ERA;
}

static void date_of_days(int64_t days, int *year, int *month, int *day)
{
    int64_t from_zero = days + EPOCH_FROM_ERA;
    int64_t era = from_zero / DAYS_PER_ERA;
    int64_t day_of_era = from_zero % DAYS_PER_ERA;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t m = (5 * day_of_year + 2) / 153;

    *day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = (int)(era * 400 + year_of_era + (*month <= 2));
}

static int days_in_month(int64_t year, int64_t month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return days[month - 1] + (month == 2 && leap);
}

/* --- reading --------------------------------------------------------------------------------------- */

/* Takes one character off the front if it is `c`, given in lower case. */
static bool take(struct ski_slice *text, char c)
{
    if (text->length == 0 || ski_lower(text->at[0]) != c)
        return false;
    text->at++;
    text->length--;
    return true;
}

static bool take_digit(struct ski_slice *text, int *digit)
{
    if (text->length == 0 || text->at[0] < '0' || text->at[0] > '9')
        return false;
    *digit = text->at[0] - '0';
    text->at++;
    text->length--;
    return true;
}

static bool take_number(struct ski_slice *text, int digits, int least, int most, int64_t *out)
{
    int digit;

    *out = 0;
    while (digits-- > 0) {
        if (!take_digit(text, &digit))
            return false;
        *out = *out * 10 + digit;
    }
    return *out >= least && *out <= most;
}

static bool take_date(struct ski_slice *text, int64_t *days)
{
    int64_t year, month, day;

    if (!take_number(text, 4, 1, 9999, &year) || !take(text, '-') ||
        !take_number(text, 2, 1, 12, &month) || !take(text, '-') ||
        !take_number(text, 2, 1, days_in_month(year, month), &day))
        return false;
    *days = days_of_date(year, month, day);
    return true;
}

static bool take_clock(struct ski_slice *text, int64_t *seconds)
{
    int64_t hour, minute, second;

    if (!take_number(text, 2, 0, 23, &hour) || !take(text, ':') ||
        !take_number(text, 2, 0, 59, &minute) || !take(text, ':') ||
        !take_number(text, 2, 0, 60, &second))
        return false;
    *seconds = hour * 3600 + minute * 60 + second;
    return true;
}

/* ".1" to ".123456789", or nothing. */
static bool take_fraction(struct ski_slice *text, int64_t *microseconds)
{
    int64_t unit = SECOND / 10;
    int count = 0;
    int digit;

    *microseconds = 0;
    if (!take(text, '.'))
        return true;
    while (take_digit(text, &digit)) {
        *microseconds += digit * unit;
        unit /= 10;
        count++;
    }
    return count >= 1 && count <= 9;
}

static bool take_offset(struct ski_slice *text, int64_t *seconds)
{
    int64_t hour, minute;
    bool east;

    *seconds = 0;
    if (take(text, 'z'))
        return true;
    east = take(text, '+');
    if (!east && !take(text, '-'))
        return false;
    if (!take_number(text, 2, 0, 23, &hour) || !take(text, ':') ||
        !take_number(text, 2, 0, 59, &minute))
        return false;
    *seconds = (hour * 3600 + minute * 60) * (east ? 1 : -1);
    return true;
}

bool ski_time_parse(struct ski_slice text, scalekit_time *out)
{
    int64_t days, seconds, microseconds, offset;
    scalekit_time time;

    if (!take_date(&text, &days) || !take(&text, 't') || !take_clock(&text, &seconds) ||
        !take_fraction(&text, &microseconds) || !take_offset(&text, &offset) || text.length)
        return false;
    time = days * DAY + (seconds - offset) * SECOND + microseconds;
    if (time < SKI_TIME_EARLIEST || time > SKI_TIME_LATEST)
        return false;
    *out = time;
    return true;
}

/* --- writing --------------------------------------------------------------------------------------- */

void ski_time_format(char out[SKI_TIME_TEXT], scalekit_time time)
{
    int64_t since, days, seconds, fraction;
    int year, month, day, length;

    if (time < SKI_TIME_EARLIEST)
        time = SKI_TIME_EARLIEST;
    else if (time > SKI_TIME_LATEST)
        time = SKI_TIME_LATEST;
    since = time - SKI_TIME_EARLIEST; /* not negative, so that dividing rounds down */
    days = since / DAY + SKI_TIME_EARLIEST / DAY;
    seconds = since % DAY / SECOND;
    fraction = since % SECOND;
    date_of_days(days, &year, &month, &day);

    length = snprintf(out, SKI_TIME_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day,
                      (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60));
    out += length;
    if (fraction % 1000)
        snprintf(out, SKI_TIME_TEXT - (size_t)length, ".%06dZ", (int)fraction);
    else if (fraction)
        snprintf(out, SKI_TIME_TEXT - (size_t)length, ".%03dZ", (int)(fraction / 1000));
    else
        snprintf(out, SKI_TIME_TEXT - (size_t)length, "Z");
}
