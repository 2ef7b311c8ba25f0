// Replays a fuzzer's kept corpus without the fuzzing engine: every file in the folders or paths
// given is handed to LLVMFuzzerTestOneInput once. Ends with a count; a crash names its file,
// because the name is printed (to stderr, unbuffered) before the input runs.
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { INPUT_SIZE_MAX = 16 << 20, PATH_SIZE = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t replayed;

static void die(const char *path, const char *why) {
    fprintf(stderr, "%s: %s\n", path, why);
    exit(1);
}

static void replay_file(const char *path, size_t size) {
    if (size > INPUT_SIZE_MAX) die(path, "larger than an input may be");
    FILE *file = fopen(path, "rb");
    if (!file) die(path, strerror(errno));
    // Exactly as large as the input, so that reading past its end is caught.
    uint8_t *data = malloc(size ? size : 1);
    if (!data) die(path, "no memory");
    if (fread(data, 1, size, file) != size) die(path, "cut short");
    fclose(file);
    fprintf(stderr, "# %s\n", path);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    replayed++;
}

static void replay(const char *path) {
    struct stat info;
    if (stat(path, &info) != 0) die(path, strerror(errno));
    if (!S_ISDIR(info.st_mode)) {
        replay_file(path, (size_t)info.st_size);
        return;
    }
    struct dirent **names = NULL;
    int count = scandir(path, &names, NULL, alphasort);
    if (count < 0) die(path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char inner[PATH_SIZE];
        int length = snprintf(inner, sizeof inner, "%s/%s", path, names[i]->d_name);
        if (length < 0 || (size_t)length >= sizeof inner) die(path, "path too long");
        if (names[i]->d_name[0] != '.') replay(inner);
        free(names[i]);
    }
    free(names);
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) replay(argv[i]);
    if (replayed == 0) die(argc > 1 ? argv[1] : "no corpus", "nothing to replay");
    printf("%zu inputs replayed\n", replayed);
    return 0;
}
