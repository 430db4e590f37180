#include "fault.h"
#include <stdlib.h>
#include <string.h>

void emu_faults_init(struct emu_faults *faults)
{
    TAILQ_INIT(&faults->list);
}

static void free_fault(struct emu_fault *fault)
{
    free(fault->path_prefix);
    free(fault->body);
    free(fault);
}

void emu_faults_free(struct emu_faults *faults)
{
    struct emu_fault *fault;

    while ((fault = TAILQ_FIRST(&faults->list))) {
        TAILQ_REMOVE(&faults->list, fault, next);
        free_fault(fault);
    }
}

bool emu_fault_add(struct emu_faults *faults, const char *path_prefix, int times, int status,
                   const char *body, int64_t delay_ms)
{
    struct emu_fault *fault = calloc(1, sizeof *fault);

    if (!fault)
        return false;
    fault->times = times;
    fault->status = status;
    fault->delay_ms = delay_ms;
    fault->path_prefix = strdup(path_prefix);
    fault->body = body ? strdup(body) : NULL;
    if (!fault->path_prefix || (body && !fault->body)) {
        free_fault(fault);
        return false;
    }
    TAILQ_INSERT_TAIL(&faults->list, fault, next);
    return true;
}

struct emu_fault *emu_fault_take(struct emu_faults *faults, const char *path)
{
    struct emu_fault *fault;

    TAILQ_FOREACH(fault, &faults->list, next)
    if (fault->times > 0 && strncmp(path, fault->path_prefix, strlen(fault->path_prefix)) == 0) {
        fault->times--;
        return fault;
    }
    return NULL;
}

void emu_fault_done(struct emu_faults *faults, struct emu_fault *fault)
{
    if (fault->times > 0)
        return;
    TAILQ_REMOVE(&faults->list, fault, next);
    free_fault(fault);
}
