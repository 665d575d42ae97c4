// For cpp_exceptions.py. Loaded with ctypes, so that no Python headers are needed.
#include <cstdio>
#include <stdexcept>
#include <string>
#include <unistd.h>

extern "C" void *PyObject_CallNoArgs(void *callable);

namespace {

struct Witness {
    std::string name;
    ~Witness() { std::printf("destroyed: %s\n", name.c_str()); }
};

int thrown_and_caught(int n)
{
    Witness witness{"inner " + std::to_string(n)};
    if (n == 0)
        throw std::out_of_range("inside");
    return thrown_and_caught(n - 1);
}

} // namespace

extern "C" void kp_test_throw()
{
    Witness witness{"thrower"};
    throw std::runtime_error("through the interpreter");
}

extern "C" int kp_test_inside()
{
    try {
        return thrown_and_caught(2);
    } catch (const std::out_of_range &) {
        std::fflush(stdout);
        return 42;
    }
}

extern "C" void kp_test_catch(void *callable)
{
    try {
        Witness witness{"catcher"};
        PyObject_CallNoArgs(callable);
        std::printf("nothing came\n");
    } catch (const std::runtime_error &error) {
        std::printf("caught: %s\n", error.what());
    }
    std::fflush(stdout);
    _exit(7);
}
