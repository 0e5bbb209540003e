/* Feeds a fuzz target with every file of its corpus, whole and cut off at every byte: an ordinary test in every build.
 *
 *   replay_document tests/fuzz/corpus/document
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST = 1 << 20, CUT_BELOW = 2048 };

static size_t read_file(const char *path, uint8_t *data) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    size_t size = fread(data, 1, LARGEST, file);
    fclose(file);
    return size;
}

/* In memory of exactly its size, so that the address sanitizer sees what reads past it. */
static void feed(const uint8_t *data, size_t size) {
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    if (exact == NULL) {
        abort();
    }
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static size_t replay_folder(const char *folder, uint8_t *data) {
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        perror(folder);
        exit(1);
    }
    size_t count = 0;
    for (struct dirent *entry = readdir(stream); entry != NULL; entry = readdir(stream)) {
        if (entry->d_name[0] == '.') {
            continue;
        }
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        size_t size = read_file(path, data);
        printf("# %s: %zu bytes\n", entry->d_name, size);
        fflush(stdout); /* names the file if the target aborts */
        for (size_t cut = 0; size < CUT_BELOW && cut < size; cut++) {
            feed(data, cut);
        }
        feed(data, size);
        count++;
    }
    closedir(stream);
    return count;
}

int main(int count, char **arguments) {
    uint8_t *data = malloc(LARGEST);
    size_t files = 0;
    if (data == NULL) {
        return 1;
    }
    for (int i = 1; i < count; i++) {
        files += replay_folder(arguments[i], data);
    }
    free(data);
    printf("# %zu files\n", files);
    return files > 0 ? 0 : 1;
}
