/* Finds CPython in an executable: by its symbols, not by its name, and without running it. */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libraries.h"

/* "3.11" or "3.13t" at the start of `text`. */
static void parse_version(struct kp_python *python, const char *text)
{
    char *end;
    python->major = (int)strtol(text, &end, 10);
    if (*end != '.')
        return;
    python->minor = (int)strtol(end + 1, &end, 10);
    python->free_threaded |= *end == 't';
}

static void inspect_object(struct kp_python *python, const struct kp_elf *elf, const char *path)
{
    uint64_t version;
    const char *text;
    python->found = true;
    snprintf(python->object, sizeof python->object, "%s", path);
    if (kp_elf_read_word(elf, "Py_Version", &version)) { /* 3.11 and later: 0x030b02f0 */
        python->major = (int)(version >> 24 & 255);
        python->minor = (int)(version >> 16 & 255);
        python->micro = (int)(version >> 8 & 255);
    } else if (!strncmp(elf->soname, "libpython", 9)) {
        parse_version(python, elf->soname + 9);
    } else if ((text = kp_elf_find_text(elf, "lib/python3.")) || (text = kp_elf_find_text(elf, "python3."))) {
        parse_version(python, strstr(text, "python") + 6);
    }
    python->free_threaded |= kp_elf_defines(elf, "_Py_DecRefShared");
    python->has_evaluator = kp_elf_defines(elf, "_PyEval_EvalFrameDefault");
    python->has_eval_frame = kp_elf_defines(elf, "_PyInterpreterState_SetEvalFrameFunc");
    python->has_set_profile = kp_elf_defines(elf, "PyEval_SetProfile");
    python->has_audit_hook = kp_elf_defines(elf, "PySys_AddAuditHook");
}

void kp_python_inspect(struct kp_python *python, const struct kp_program *program)
{
    char path[PATH_MAX];
    struct kp_elf library;
    struct kp_needer needer = {.path = program->executable, .elf = &program->elf};
    memset(python, 0, sizeof *python);
    python->micro = -1;
    if (!program->is_elf)
        return;
    if (kp_elf_defines(&program->elf, "_PyEval_EvalFrameDefault") ||
        kp_elf_defines(&program->elf, "Py_BytesMain")) {
        inspect_object(python, &program->elf, program->executable);
        return;
    }
    for (size_t i = 0; kp_elf_needed(&program->elf, i); i++) {
        const char *needed = kp_elf_needed(&program->elf, i);
        if (strncmp(needed, "libpython", 9) || !kp_library_find(needed, &needer, path, sizeof path) ||
            !kp_elf_open(&library, path))
            continue;
        inspect_object(python, &library, path);
        kp_elf_close(&library);
        return;
    }
}
