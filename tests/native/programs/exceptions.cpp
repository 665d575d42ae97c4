// C++ exceptions across traced frames, in threads, out of callbacks of C functions, and what unwinders see of the stack.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <exception>
#include <execinfo.h>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>
#ifdef WITH_LIBUNWIND
#define UNW_LOCAL_ONLY
#include <libunwind.h>
#endif

extern "C" {
void t_throw(int what);
int t_deep(int depth, int what);
int t_catch(int depth, int what);
int t_rethrow(int depth, int what);
int t_nested(int what);
void t_through(void (*f)(void *), void *argument);
void t_cleaned(int what);
int t_compare(const void *a, const void *b);
int main(int argc, char **argv);
}

static std::string caught(const std::exception_ptr &pointer)
{
    try {
        std::rethrow_exception(pointer);
    } catch (int number) {
        return "int " + std::to_string(number);
    } catch (const std::exception &error) {
        return std::string("exception ") + error.what();
    } catch (const std::string &text) {
        return text;
    }
}

static void one(int what)
{
    std::string first, second;
    try {
        t_throw(what);
    } catch (...) {
        first = caught(std::current_exception());
    }
    try {
        t_rethrow(what % 9, what);
    } catch (...) {
        second = caught(std::current_exception());
    }
    int c = t_catch(what % 5, what), n = t_nested(what);
    std::printf("%d: %s, %s, %d, %d\n", what, first.c_str(), second.c_str(), c, n);
}

static void sorting()
{
    int good[] = {5, 3, 9, 1, 7}, bad[] = {5, 3, 13, 1, 7, 2, 8, 6};
    std::qsort(good, 5, sizeof *good, t_compare);
    std::printf("sorted %d %d %d\n", good[0], good[2], good[4]);
    try {
        std::qsort(bad, 8, sizeof *bad, t_compare);
        std::printf("sorted?\n");
    } catch (const std::runtime_error &error) {
        std::printf("not sorted: %s\n", error.what());
    }
}

// The functions of the program and its library that are on the stack, from the inside out.
static std::string named(void *const *addresses, int count)
{
    std::string text;
    for (int i = 0; i < count; i++) {
        Dl_info info;
        if (dladdr((char *)addresses[i] - 1, &info) && info.dli_sname &&
            (!std::strncmp(info.dli_sname, "t_", 2) || !std::strcmp(info.dli_sname, "main")))
            text += std::string(" ") + info.dli_sname;
    }
    return text;
}

static void __attribute__((noinline)) look(void *)
{
    void *addresses[64];
    int count = backtrace(addresses, 64);
    std::printf("backtrace:%s\n", named(addresses, count).c_str());
#ifdef WITH_LIBUNWIND
    unw_context_t context;
    unw_cursor_t cursor;
    unw_getcontext(&context);
    unw_init_local(&cursor, &context);
    count = 0;
    do {
        unw_word_t ip;
        unw_get_reg(&cursor, UNW_REG_IP, &ip);
        addresses[count++] = (void *)ip;
    } while (count < 64 && unw_step(&cursor) > 0);
    std::printf("libunwind:%s\n", named(addresses, count).c_str());
#endif
}

static void look_deeper(void *argument)
{
    t_through(look, argument);
    t_cleaned(1);
}

struct Last {
    ~Last() { t_cleaned(2); }
};
static thread_local Last last_of_thread;
static Last last_of_program;

static void in_thread(int number)
{
    (void)&last_of_thread;
    for (int i = 0; i < 20; i++)
        t_catch(i % 4, number + i);
    try {
        t_rethrow(3, number);
    } catch (...) {
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? std::atoi(argv[1]) : 12;
    for (int i = 0; i < rounds; i++)
        one(i);
    sorting();
    t_through(look_deeper, nullptr);
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; i++)
        threads.emplace_back(in_thread, i);
    for (auto &thread : threads)
        thread.join();
    try {
        t_deep(1000, 1);
    } catch (const std::runtime_error &error) {
        std::printf("from the depth: %s\n", error.what());
    }
    std::fflush(stdout);
    if (argc > 2) {
        if (!std::strcmp(argv[2], "terminate"))
            t_throw(4);
        if (!std::strcmp(argv[2], "exit"))
            std::exit(3);
    }
    return 0;
}
