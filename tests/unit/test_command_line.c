/* collector/options: rows to variables, and every wrong command line refused with what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "options.h"

static bool flag;
static const char *text, *list, *choice;
static unsigned long long number;

static const struct kp_option_row rows[] = {
    {'f', "flag", KP_ARGUMENT_NONE, NULL, "a flag", NULL, &flag},
    {'t', "text", KP_ARGUMENT_STRING, "TEXT", "a text", NULL, &text},
    {'l', "list", KP_ARGUMENT_LIST, "LINE", "lines", NULL, &list},
    {'n', "number", KP_ARGUMENT_NUMBER, "N", "a number", NULL, &number},
    {0, "choice", KP_ARGUMENT_CHOICE, "WORD", "a word", "total|self|calls", &choice},
    {0},
};
static const struct kp_command permuting = {.name = "test", .arguments = "", .summary = "", .options = rows};
static const struct kp_command stopping = {
    .name = "test", .arguments = "", .summary = "", .options = rows, .stops_at_operand = true};

/* Parses a line of blank-separated words; what was printed to standard error is in `printed`. */
static char printed[4096];
static char *words[32];

static int parse(const struct kp_command *command, const char *line, int *first, int *count)
{
    static char copy[512];
    char *rest = NULL;
    *count = 0;
    snprintf(copy, sizeof copy, "test %s", line);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        words[(*count)++] = word;
    words[*count] = NULL;
    flag = false;
    text = list = choice = NULL;
    number = 0;

    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    int status = kp_options_parse(command, *count, words, first);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    printed[fread(printed, 1, sizeof printed - 1, file)] = 0;
    fclose(file);
    return status;
}

static void refused(const char *line, const char *expected)
{
    int first, count;
    assert_int_equal(parse(&permuting, line, &first, &count), KP_EXIT_USAGE);
    if (!strstr(printed, expected))
        fail_msg("'%s' is not in: %s", expected, printed);
}

static void command_line_sets_the_variables(void **state)
{
    (void)state;
    int first, count;
    assert_int_equal(parse(&permuting, "a -f --text=x b -n 17 --choice self -- -t", &first, &count),
                     KP_PARSED);
    assert_true(flag);
    assert_string_equal(text, "x");
    assert_int_equal(number, 17);
    assert_string_equal(choice, "self");
    assert_int_equal(count - first, 3);
    assert_string_equal(words[first], "a");
    assert_string_equal(words[first + 1], "b");
    assert_string_equal(words[first + 2], "-t");
}

static void command_line_takes_unique_abbreviations_and_letters_in_one(void **state)
{
    (void)state;
    int first, count;
    assert_int_equal(parse(&permuting, "--num 5 -ftx", &first, &count), KP_PARSED);
    assert_int_equal(number, 5);
    assert_true(flag);
    assert_string_equal(text, "x");
}

static void command_line_stops_at_the_program(void **state)
{
    (void)state;
    int first, count;
    assert_int_equal(parse(&stopping, "-f prog -t x --bad", &first, &count), KP_PARSED);
    assert_true(flag);
    assert_null(text);
    assert_int_equal(count - first, 4);
    assert_int_equal(parse(&stopping, "-f -- --prog", &first, &count), KP_PARSED);
    assert_string_equal(words[first], "--prog");
}

static void command_line_joins_lists_and_overrides_texts(void **state)
{
    (void)state;
    int first, count;
    assert_int_equal(parse(&permuting, "-l a -l b --list=c -t 1 -t 2", &first, &count), KP_PARSED);
    assert_string_equal(list, "a\nb\nc");
    assert_string_equal(text, "2");
}

static void command_line_parses_each_time_afresh(void **state)
{
    (void)state;
    int first, count;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(parse(&permuting, "x -ft 1 y", &first, &count), KP_PARSED);
        assert_int_equal(count - first, 2);
        assert_string_equal(text, "1");
    }
}

static void command_line_refuses_with_reason(void **state)
{
    (void)state;
    refused("--flga", "kprobe test: there is no option '--flga'; did you mean '--flag'?");
    refused("--zzzzzz", "there is no option '--zzzzzz'\nTry 'kprobe test --help'.");
    refused("-z", "there is no option '-z'");
    refused("-fz", "there is no option '-z'");
    refused("--text", "option '--text' needs a value: --text=TEXT");
    refused("-t", "option '--text' needs a value: --text=TEXT");
    refused("--flag=1", "option '--flag' takes no value");
    refused("--help=1", "option '--help' takes no value");
    refused("--number=12x", "--number='12x': 'x' at position 3 is no number; allowed: a whole number from 0");
    refused("--number=-1", "'-1' at position 1 is no number");
    refused("--number=+1", "'+1' at position 1 is no number");
    refused("-n 99999999999999999999", "too big");
    refused("--choice=sefl", "no such WORD (did you mean self?); allowed: total, self, calls");
    refused("--choice=se", "--choice='se': no such WORD");
    refused("--choice=self|calls", "no such WORD");
    refused("--choice=", "no such WORD");
}

/* Each command's table is sane: names and letters unique, choices and metavars there, help without a full
 * stop. */
static void command_line_rows_of_all_commands_are_sane(void **state)
{
    (void)state;
    for (const struct kp_command *const *command = kp_commands; *command; command++) {
        assert_ptr_equal(kp_command_find((*command)->name), *command);
        assert_non_null((*command)->run);
        assert_true((*command)->examples && (*command)->examples->command);
        for (const struct kp_option_row *row = (*command)->options; row && row->name; row++) {
            assert_non_null(row->value);
            assert_int_equal(row->argument == KP_ARGUMENT_NONE, row->metavar == NULL);
            assert_true(row->argument != KP_ARGUMENT_CHOICE || row->choices);
            assert_int_not_equal(row->help[strlen(row->help) - 1], '.');
            assert_string_not_equal(row->name, "help");
            assert_int_not_equal(row->letter, 'h');
            for (const struct kp_option_row *other = (*command)->options; other != row; other++) {
                assert_string_not_equal(other->name, row->name);
                assert_true(!row->letter || row->letter != other->letter);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_sets_the_variables),
        cmocka_unit_test(command_line_takes_unique_abbreviations_and_letters_in_one),
        cmocka_unit_test(command_line_stops_at_the_program),
        cmocka_unit_test(command_line_joins_lists_and_overrides_texts),
        cmocka_unit_test(command_line_parses_each_time_afresh),
        cmocka_unit_test(command_line_refuses_with_reason),
        cmocka_unit_test(command_line_rows_of_all_commands_are_sane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
