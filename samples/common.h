/* common.h - what the samples share: settings from the environment, errors for people, and an
 * emulator for those who have no environment yet.  What is worth copying is in the samples. */
#ifndef SAMPLES_COMMON_H
#define SAMPLES_COMMON_H

#include "emulator.h"
#include <event2/event.h>
#include <limits.h>
#include <scalekit/scalekit.h>
#include <stdio.h>

/* The name every message begins with; each sample defines it. */
extern const char program[];

/* Prints "program: what went wrong" on stderr, and a line end. */
__attribute__((format(printf, 1, 2))) void complain(const char *format, ...);

/* Why `doing` failed, with what is known about it and what may help, on stderr. */
void complain_about(const char *doing, const struct scalekit_error *error);

/* Where a function writes why it failed; may be several lines. */
#define PROBLEM_SIZE 512

/* Fills `config` from the environment, or says which variable is wrong and what belongs there.
 * With SCALEKIT_LOG set, the library's log goes to stderr. */
bool settings_from_env(struct scalekit_config *config, char problem[PROBLEM_SIZE]);

/* What scalekit_client_new() found wrong, with the variable that holds it. */
void explain_settings(char problem[PROBLEM_SIZE], const char *wrong);

/* Ctrl-C, a polite kill and a terminal that closes, as events: a default action would leave the
 * emulator's directory behind.  Closing takes what is all zero, too. */
struct interrupts {
    struct event *events[3];
};

bool interrupts_open(struct interrupts *interrupts, struct event_base *base,
                     event_callback_fn on_interrupt, void *user);
void interrupts_close(struct interrupts *interrupts);

/* Seconds, "2" or "0.5", from `min_ms` to `max_ms` milliseconds; else says what is wrong. */
bool parse_seconds(const char *option, const char *text, int64_t min_ms, int64_t max_ms,
                   int64_t *milliseconds);

/* A whole number from `min` to `max`; else says what is wrong. */
bool parse_number(const char *option, const char *text, int64_t min, int64_t max, int64_t *number);

/* "2026-01-31T12:00:00Z"; "unknown" for no moment. */
#define MOMENT_SIZE 32
const char *format_moment(char out[MOMENT_SIZE], scalekit_time moment);

/* An emulator in this process, on `base`, over TLS, with its certificates in a directory of its
 * own.  Closing removes both; a sandbox that is all zero is closed already. */
struct sandbox {
    scalekit_emulator *emulator;
    char directory[PATH_MAX];
};

/* `config->tls_dir` is set here. */
bool sandbox_open(struct sandbox *sandbox, struct event_base *base,
                  struct scalekit_emulator_config *config, char problem[PROBLEM_SIZE]);
void sandbox_close(struct sandbox *sandbox);

/* The settings of a client for it. */
void sandbox_settings(const struct sandbox *sandbox, struct scalekit_config *config);

#endif
