/*
 * Any bytes as record models: read, linked, checked, reported, and printed by all back ends, without a crash,
 * a hang or a leak. NUL bytes separate files. The first byte of the input says whether Kieker's own models
 * are there, and whether the last file is loaded for reference only.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "irl/irl.h"

#define MOST_FILES 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

struct texts {
    int fds[MOST_FILES];
    char paths[MOST_FILES][32];
    const char *names[MOST_FILES];
    size_t count;
};

static void add_text(struct texts *texts, const uint8_t *data, size_t bytes)
{
    size_t i = texts->count;
    texts->fds[i] = memfd_create("fuzz", MFD_CLOEXEC);
    if (texts->fds[i] < 0)
        return;
    snprintf(texts->paths[i], sizeof texts->paths[i], "/proc/self/fd/%d", texts->fds[i]);
    texts->names[i] = texts->paths[i];
    texts->count++;
    if (write(texts->fds[i], data, bytes) != (ssize_t)bytes)
        perror("fuzz_irl");
}

static void split(struct texts *texts, const uint8_t *data, size_t bytes)
{
    const uint8_t *end;
    while (texts->count < MOST_FILES - 1 && (end = memchr(data, 0, bytes))) {
        size_t part = (size_t)(end - data);
        add_text(texts, data, part);
        data += part + 1;
        bytes -= part + 1;
    }
    add_text(texts, data, bytes);
}

/* No folder can be made below /dev/null: the code is printed, and goes nowhere. */
static void generate(const struct kp_irl_model *model)
{
    const struct kp_irl_wishes wishes = {.author = "IRL Generator", .since = "1.15"};
    for (const struct kp_irl_backend *const *row = kp_irl_backends; *row; row++) {
        struct kp_irl_output *output = kp_irl_output_create("/dev/null/none");
        (*row)->generate(model, &wishes, output);
        kp_irl_output_finish(output);
        kp_irl_output_destroy(output);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static FILE *nowhere;
    struct texts texts = {.count = 0};
    if (bytes < 1 || (!nowhere && !(nowhere = fopen("/dev/null", "we"))))
        return 0;
    split(&texts, data + 1, bytes - 1);
    size_t references = (data[0] & 1) && texts.count > 1;
    struct kp_irl_inputs inputs = {.files = texts.names,
                                   .file_count = texts.count - references,
                                   .references = texts.names + texts.count - references,
                                   .reference_count = references,
                                   .without_builtin = !(data[0] & 2)};
    struct kp_irl_model *model = kp_irl_read(&inputs);
    kp_irl_reports_print(model->reports, nowhere, data[0] & 4, data[0] & 8 ? 5 : 0);
    if (!kp_irl_reports_errors(model->reports))
        generate(model);
    kp_irl_model_destroy(model);
    for (size_t i = 0; i < texts.count; i++)
        close(texts.fds[i]);
    return 0;
}
