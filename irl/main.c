/*
 * irl_host: the record compiler as the build itself uses it, before there is a kprobe command. What it takes
 * is a part of what `kprobe irl` takes, with the same meaning:
 *
 *     irl_host --lang LANGUAGES -o DIR [-I PATH]... [--index NAME] [-M FILE] [--no-builtin] FILE...
 */
#include <getopt.h>
#include <string.h>

#include "compile.h"

static const struct option options[] = {
    {"lang", required_argument, NULL, 'l'},
    {"output", required_argument, NULL, 'o'},
    {"include", required_argument, NULL, 'I'},
    {"index", required_argument, NULL, 'n'},
    {"dependencies", required_argument, NULL, 'M'},
    {"no-builtin", no_argument, NULL, 'b'},
    {NULL, 0, NULL, 0},
};

static int usage(const char *problem)
{
    fprintf(stderr, "irl_host: %s\n", problem);
    return 2;
}

int main(int argc, char **argv)
{
    struct kp_arena arena = {0};
    const char *languages = "", *output = NULL, *dependencies = NULL;
    const char **references = kp_irl_get(&arena, (size_t)argc * sizeof *references);
    struct kp_irl_inputs inputs = {.references = references};
    struct kp_irl_wishes wishes = {.author = KP_IRL_DEFAULT_AUTHOR, .since = KP_IRL_DEFAULT_SINCE};
    for (int letter; (letter = getopt_long(argc, argv, "l:o:I:M:", options, NULL)) != -1;)
        switch (letter) {
        case 'l':
            languages = optarg;
            break;
        case 'o':
            output = optarg;
            break;
        case 'I':
            references[inputs.reference_count++] = optarg;
            break;
        case 'n':
            wishes.index = optarg;
            break;
        case 'M':
            dependencies = optarg;
            break;
        case 'b':
            inputs.without_builtin = true;
            break;
        default:
            return 2;
        }
    if (!output || optind == argc)
        return usage("-o and a file are needed");
    inputs.files = (const char *const *)argv + optind;
    inputs.file_count = (size_t)(argc - optind);
    struct kp_irl_targets targets = {0};
    const char *problem = kp_irl_targets_parse(&targets, &arena, languages, &output, 1);
    if (problem)
        return usage(problem);
    inputs.languages = kp_irl_targets_languages(&targets);
    struct kp_irl_model *model = kp_irl_read(&inputs);
    kp_irl_reports_print(model->reports, stderr, false, 20);
    bool good = kp_irl_generate(model, &targets, &wishes, dependencies, "irl_host");
    kp_irl_model_destroy(model);
    kp_arena_free(&arena);
    return good ? 0 : 1;
}
