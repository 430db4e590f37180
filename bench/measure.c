/* measure - runs a command, and writes what it cost to a file, as JSON.  Exits as the command did. */
#include "common.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "measure: %s: %s\n", what, strerror(errno));
    return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    double began = bench_now_s();
    int status;
    pid_t child;
    FILE *file;

    if (argc < 3) {
        fputs("Usage: measure FILE COMMAND [ARGUMENT]...\n", stderr);
        return 2;
    }
    child = fork();
    if (child == 0) {
        execvp(argv[2], argv + 2);
        fail(argv[2]);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return fail(argv[2]);
    file = fopen(argv[1], "w");
    if (!file)
        return fail(argv[1]);
    fprintf(file, "{\"wall_s\":%.6f,\"cpu_s\":%.6f,\"rss_mb\":%.2f}\n", bench_now_s() - began,
            bench_cpu_s(RUSAGE_CHILDREN), bench_peak_mb(RUSAGE_CHILDREN));
    if (fclose(file) != 0)
        return fail(argv[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
