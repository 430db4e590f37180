/* fleet_options.h - how a fleet is to be watched: its command line. */
#ifndef SAMPLES_FLEET_OPTIONS_H
#define SAMPLES_FLEET_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct fleet_options {
    const char *accounts; /* a file; NULL: the emulator's */
    int64_t count, connections, seed, ceiling;
    int64_t duration_ms, deadline_ms, grace_ms; /* 0: not given */
    int64_t lost, doubled, reordered, late;     /* percentages of the deliveries */
    bool emulator, webhooks, json, quiet;
};

enum fleet_reading { GO_ON, ENOUGH, WRONG };

/* Says what is wrong, or what it was asked for. */
enum fleet_reading fleet_read_options(struct fleet_options *options, int argc, char **argv);

#endif
