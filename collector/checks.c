#include "checks.h"

#include <stdarg.h>
#include <stdio.h>

const char *kp_verdict_text(enum kp_verdict verdict)
{
    static const char *const texts[] = {"none", "ok", "note", "warn", "fail"};
    return texts[verdict];
}

void kp_checks_run(const struct kp_subject *subject, unsigned sets, kp_check_visit *visit, void *user)
{
    static const struct kp_check *const tables[] = {kp_checks_setup, kp_checks_program, kp_checks_native,
                                                    kp_checks_pid, kp_checks_trace};
    char text[KP_CHECK_TEXT_BYTES];
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        for (const struct kp_check *check = tables[i]; check->name; check++) {
            if (!(check->set & sets))
                continue;
            text[0] = 0;
            enum kp_verdict verdict = check->test(subject, text);
            if (verdict != KP_VERDICT_NONE)
                visit(user, check, verdict, text);
        }
    }
}

enum kp_verdict kp_check_say(char text[KP_CHECK_TEXT_BYTES], enum kp_verdict verdict, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, KP_CHECK_TEXT_BYTES, format, arguments);
    va_end(arguments);
    return verdict;
}
