/* replay.c - main() of a fuzz target where there is no libFuzzer: feeds it every file of its corpus,
 * so that what was found once is tested for good.
 *
 *     fuzz/json            every file of $srcdir/fuzz/corpus/json
 *     fuzz/json FILE...    these files */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int fail(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return 1;
}

/* The copy has exactly the input's size, so that a sanitizer sees the first byte read beyond it. */
static int replay_stream(FILE *stream, const char *path)
{
    long size;
    uint8_t *data;
    int status = 0;

    if (fseek(stream, 0, SEEK_END) != 0 || (size = ftell(stream)) < 0)
        return fail(path);
    rewind(stream);
    data = malloc(size ? (size_t)size : 1);
    if (!data)
        return fail(path);
    if (fread(data, 1, (size_t)size, stream) == (size_t)size)
        LLVMFuzzerTestOneInput(data, (size_t)size);
    else
        status = fail(path);
    free(data);
    return status;
}

static int replay_file(const char *path)
{
    FILE *stream = fopen(path, "rb");
    int status;

    if (!stream)
        return fail(path);
    status = replay_stream(stream, path);
    fclose(stream);
    return status;
}

static int replay_folder(const char *folder)
{
    struct dirent *entry;
    unsigned passed = 0, failed = 0;
    DIR *dir;

    if (chdir(folder) != 0 || !(dir = opendir(".")))
        return fail(folder);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (replay_file(entry->d_name) == 0)
            passed++;
        else
            failed++;
    }
    closedir(dir);
    printf("%u passed, %u failed\n", passed, failed);
    return failed || !passed;
}

int main(int argc, char **argv)
{
    const char *srcdir = getenv("srcdir");
    const char *slash = strrchr(argv[0], '/');
    char folder[4096];
    int status = 0;

    for (int i = 1; i < argc; i++)
        status |= replay_file(argv[i]);
    if (argc > 1)
        return status;
    snprintf(folder, sizeof folder, "%s/fuzz/corpus/%s", srcdir ? srcdir : ".",
             slash ? slash + 1 : argv[0]);
    return replay_folder(folder);
}
