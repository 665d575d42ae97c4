/* Checks of a program's file: would the loader take the shim, and would the shim find an interpreter in it?
 */
#include "checks.h"

#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "record_options.h"
#include "trace/options.h"

static enum kp_verdict test_found(const struct kp_subject *subject, char *text)
{
    const struct kp_program *program = subject->program;
    if (*program->problem)
        return kp_check_say(text, KP_VERDICT_FAIL, "%s", program->problem);
    return kp_check_say(text, KP_VERDICT_OK, "%s", program->path);
}

static enum kp_verdict test_script(const struct kp_subject *subject, char *text)
{
    const struct kp_program *program = subject->program;
    if (!*program->chain)
        return KP_VERDICT_NONE;
    return kp_check_say(text, KP_VERDICT_OK, "a script: %s", program->chain);
}

static enum kp_verdict test_static(const struct kp_subject *subject, char *text)
{
    const struct kp_program *program = subject->program;
    if (!program->is_elf)
        return KP_VERDICT_NONE;
    if (!*program->elf.loader)
        return kp_check_say(text, KP_VERDICT_FAIL,
                            "%s is statically linked: there is no loader that reads LD_PRELOAD",
                            program->executable);
    return kp_check_say(text, KP_VERDICT_OK, "dynamically linked");
}

static enum kp_verdict test_privileges(const struct kp_subject *subject, char *text)
{
    const struct kp_program *program = subject->program;
    const struct stat *stat_of = &program->stat;
    if (!program->is_elf)
        return KP_VERDICT_NONE;
    if (stat_of->st_mode & S_ISUID && stat_of->st_uid != getuid())
        return kp_check_say(text, KP_VERDICT_FAIL, "%s is setuid (user %u): the loader ignores LD_PRELOAD",
                            program->executable, stat_of->st_uid);
    if ((stat_of->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && stat_of->st_gid != getgid())
        return kp_check_say(text, KP_VERDICT_FAIL, "%s is setgid (group %u): the loader ignores LD_PRELOAD",
                            program->executable, stat_of->st_gid);
    if (getxattr(program->executable, "security.capability", NULL, 0) > 0)
        return kp_check_say(
            text, getuid() ? KP_VERDICT_FAIL : KP_VERDICT_NOTE,
            "%s has file capabilities: the loader ignores LD_PRELOAD for users other than root",
            program->executable);
    if (stat_of->st_mode & S_ISUID)
        return kp_check_say(text, KP_VERDICT_NOTE,
                            "%s is setuid to this very user: traced here, but not for others",
                            program->executable);
    return kp_check_say(text, KP_VERDICT_OK, "no setuid, setgid or file capabilities");
}

static enum kp_verdict test_loader(const struct kp_subject *subject, char *text)
{
    const struct kp_program *program = subject->program;
    const char *loader = program->elf.loader, *slash = strrchr(loader, '/');
    if (!program->is_elf || !*loader)
        return KP_VERDICT_NONE;
    if (!strncmp(slash ? slash + 1 : loader, "ld-musl", 7))
        return kp_check_say(text, KP_VERDICT_FAIL, "%s uses musl (%s); libkprobe.so needs glibc",
                            program->executable, loader);
    if (access(loader, X_OK))
        return kp_check_say(text, KP_VERDICT_FAIL, "the loader %s is missing", loader);
    if (strncmp(slash ? slash + 1 : loader, "ld-linux", 8))
        return kp_check_say(text, KP_VERDICT_WARN, "an unusual loader: %s", loader);
    return kp_check_say(text, KP_VERDICT_OK, "%s", loader);
}

static enum kp_verdict test_architecture(const struct kp_subject *subject, char *text)
{
    struct kp_elf shim;
    const struct kp_elf *elf = &subject->program->elf;
    if (!subject->program->is_elf || !*subject->shim || !kp_elf_open(&shim, subject->shim))
        return KP_VERDICT_NONE;
    bool same = shim.machine == elf->machine && shim.bits == elf->bits;
    kp_elf_close(&shim);
    return kp_check_say(text, same ? KP_VERDICT_OK : KP_VERDICT_FAIL, "%s, %u bits%s",
                        kp_elf_machine_name(elf->machine), elf->bits, same ? "" : ", unlike libkprobe.so");
}

static enum kp_verdict test_python(const struct kp_subject *subject, char *text)
{
    const struct kp_python *python = &subject->python;
    char micro[16] = "";
    if (!subject->program->is_elf)
        return KP_VERDICT_NONE;
    if (!python->found)
        return kp_check_say(text, kp_check_asks_for_c() ? KP_VERDICT_NOTE : KP_VERDICT_WARN,
                            "no CPython in %s or its libraries%s", subject->program->executable,
                            kp_check_asks_for_c() ? "; its C functions are asked for" : "");
    if (!python->major)
        return kp_check_say(text, KP_VERDICT_WARN, "CPython in %s, its version cannot be told",
                            python->object);
    if (python->micro >= 0)
        snprintf(micro, sizeof micro, ".%d", python->micro);
    return kp_check_say(text, KP_VERDICT_OK, "CPython %d.%d%s in %s", python->major, python->minor, micro,
                        python->object);
}

static enum kp_verdict test_version(const struct kp_subject *subject, char *text)
{
    const struct kp_python *python = &subject->python;
    if (!python->found || !python->major)
        return KP_VERDICT_NONE;
    if (python->free_threaded)
        return kp_check_say(text, KP_VERDICT_FAIL,
                            "a free-threaded build of CPython %d.%d, which kprobe refuses", python->major,
                            python->minor);
    if (python->major != 3 || python->minor < 8)
        return kp_check_say(text, KP_VERDICT_FAIL, "CPython %d.%d; supported are 3.8 to 3.14", python->major,
                            python->minor);
    if (python->minor > 14)
        return kp_check_say(text, KP_VERDICT_NOTE,
                            "CPython 3.%d is newer than this kprobe: public interfaces only", python->minor);
    return kp_check_say(text, KP_VERDICT_OK, "supported");
}

/* When each engine takes an interpreter; `auto` takes the first one that does. */
struct engine_rule {
    unsigned choice; /* enum kp_engine_choice */
    int first_minor, last_minor;
    const char *span;
};

static const struct engine_rule engine_rules[] = {
    {KP_ENGINE_OPCODE, 11, 14, "3.11 to 3.14"},
    {KP_ENGINE_MONITORING, 12, 99, "3.12 and later"},
    {KP_ENGINE_FRAME, 8, 11, "3.8 to 3.11"},
    {KP_ENGINE_PROFILE, 8, 99, "any version"},
};

static const char *engine_name(unsigned choice)
{
    return kp_option_choice(kp_option_row(KP_OPTION_ENGINE), choice);
}

static bool engine_takes(const struct engine_rule *rule, const struct kp_python *python)
{
    if (python->minor < rule->first_minor || python->minor > rule->last_minor)
        return false;
    if (rule->choice == KP_ENGINE_PROFILE)
        return python->has_set_profile;
    /* Whether its self-test succeeds is only known in a traced process. */
    if (rule->choice == KP_ENGINE_OPCODE)
        return python->has_evaluator;
    /* 3.8 has the slot but no function for it. */
    return rule->choice != KP_ENGINE_FRAME || python->minor == 8 || python->has_eval_frame;
}

static enum kp_verdict test_engine(const struct kp_subject *subject, char *text)
{
    const struct kp_python *python = &subject->python;
    char declined[256] = "", error[256];
    struct kp_options options;
    if (!python->found || python->major != 3 || python->minor < 8 || python->free_threaded)
        return KP_VERDICT_NONE;
    if (!kp_record_environment_check(&options, error, sizeof error))
        return KP_VERDICT_NONE;
    for (size_t i = 0; i < sizeof engine_rules / sizeof *engine_rules; i++) {
        const struct engine_rule *rule = &engine_rules[i];
        size_t used = strlen(declined);
        bool asked = options.engine == KP_ENGINE_AUTO || options.engine == rule->choice;
        if (asked && engine_takes(rule, python))
            return kp_check_say(text, *declined && options.engine ? KP_VERDICT_WARN : KP_VERDICT_OK, "%s%s",
                                engine_name(rule->choice), declined);
        if (asked)
            snprintf(declined + used, sizeof declined - used, "; not %s, which is for %s",
                     engine_name(rule->choice), rule->span);
    }
    return kp_check_say(text, KP_VERDICT_FAIL, "no engine takes it%s", declined);
}

const struct kp_check kp_checks_program[] = {
    {KP_CHECK_PROGRAM, false, "program", test_found, "give a path or a name in PATH"},
    {KP_CHECK_PROGRAM, false, "script", test_script, ""},
    {KP_CHECK_PROGRAM, true, "linking", test_static, "use a dynamically linked build of the program"},
    {KP_CHECK_PROGRAM, true, "privileges", test_privileges,
     "run a copy without them (cp drops them), or run as the user it changes to"},
    {KP_CHECK_PROGRAM, true, "loader", test_loader, "use a build of the program for glibc"},
    {KP_CHECK_PROGRAM, true, "architecture", test_architecture,
     "use a build of kprobe for the program's processor"},
    {KP_CHECK_PROGRAM, false, "interpreter", test_python,
     "C functions are traced when a rule asks for them: with -f '+libc.so.6:*' its calls into libc; what the "
     "program "
     "starts or loads later may still be a Python"},
    {KP_CHECK_PROGRAM, true, "version", test_version, "use a CPython from 3.8 to 3.14 with its GIL"},
    {KP_CHECK_PROGRAM, false, "engine", test_engine, "set KPROBE_ENGINE=auto"},
    {0},
};
