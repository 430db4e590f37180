/* fault.h - what shall go wrong: for the next requests under a path, an answer, a wait, or both. */
#ifndef EMU_FAULT_H
#define EMU_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#define EMU_NO_STATUS (-1) /* only a wait; then the request is answered as usual */

struct emu_fault {
    TAILQ_ENTRY(emu_fault) next;
    char *path_prefix, *body;
    int times, status;
    int64_t delay_ms;
};

struct emu_faults {
    TAILQ_HEAD(emu_fault_list, emu_fault) list;
};

void emu_faults_init(struct emu_faults *faults);
void emu_faults_free(struct emu_faults *faults);
/* `body` may be NULL.  False when memory ran out. */
bool emu_fault_add(struct emu_faults *faults, const char *path_prefix, int times, int status,
                   const char *body, int64_t delay_ms);

/* The oldest fault for this path, one time used up; to be given to emu_fault_done() before the next
 * is asked for.  NULL: none. */
struct emu_fault *emu_fault_take(struct emu_faults *faults, const char *path);
void emu_fault_done(struct emu_faults *faults, struct emu_fault *fault);

#endif
