/* common.h - what both programs of the benchmark share: options, the meter, the report. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stdint.h>

struct bench_options {
    const char *url, *ca_file; /* required */
    const char *client_id, *client_secret, *connection;
    int64_t n;
    unsigned in_flight;
    bool http1, json;
};

/* Reads the arguments of `program`.  False: it has said why, or what it was asked; `status` is then
 * what to exit with. */
bool bench_options_read(struct bench_options *options, const char *program, int argc, char **argv,
                        int *status);

/* The user whom request `number` asks about. */
#define BENCH_IDENTIFIER_SIZE 32
void bench_identifier(char identifier[BENCH_IDENTIFIER_SIZE], int64_t number);

/* Time and CPU from start to stop. */
struct bench_meter {
    double wall_s, cpu_s;
};

void bench_meter_start(struct bench_meter *meter);
void bench_meter_stop(struct bench_meter *meter);

/* Prints what it took, as a line or as JSON.  False: standard output is broken. */
bool bench_report(const struct bench_options *options, const char *client, const char *protocol,
                  const struct bench_meter *meter);

/* Of this process (RUSAGE_SELF) or of those it waited for (RUSAGE_CHILDREN). */
double bench_peak_mb(int whose);
double bench_cpu_s(int whose);
double bench_now_s(void);

#endif
