// Functions that throw, catch, hand on, and clean up.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "counted.h"

extern "C" {
void t_throw(int what);
int t_deep(int depth, int what);
int t_deeper(int depth, int what);
int t_catch(int depth, int what);
int t_rethrow(int depth, int what);
int t_nested(int what);
void t_through(void (*f)(void *), void *argument);
void t_cleaned(int what);
int t_compare(const void *a, const void *b);
}

extern "C" void t_throw(int what)
{
    CALLED();
    if (what % 3 == 0)
        throw what;
    if (what % 3 == 1)
        throw std::runtime_error("runtime " + std::to_string(what));
    throw std::string("text ") + std::to_string(what);
}

extern "C" int t_deep(int depth, int what)
{
    CALLED();
    if (depth == 0)
        t_throw(what);
    return depth > 0 ? 1 + t_deeper(depth - 1, what) : 0;
}

// Compilers know where a function that calls itself is: that would be no call through the PLT.
extern "C" int t_deeper(int depth, int what)
{
    CALLED();
    return t_deep(depth, what);
}

extern "C" void t_cleaned(int what)
{
    CALLED();
    (void)what;
}

// Its destructor calls a traced function, while the exception is on its way.
struct Guard {
    int what;
    ~Guard() { t_cleaned(what); }
};

extern "C" int t_catch(int depth, int what)
{
    CALLED();
    Guard guard{what};
    try {
        return t_deep(depth, what);
    } catch (int number) {
        return number;
    } catch (const std::runtime_error &error) {
        return (int)std::string(error.what()).size();
    } catch (...) {
        return -1;
    }
}

extern "C" int t_rethrow(int depth, int what)
{
    CALLED();
    Guard guard{what};
    try {
        Guard inner{what};
        return t_deep(depth, what);
    } catch (...) {
        t_cleaned(what);
        throw;
    }
}

extern "C" int t_nested(int what)
{
    CALLED();
    try {
        t_throw(what);
    } catch (...) {
        try {
            t_deep(3, what + 1);
        } catch (...) {
            return t_catch(2, what + 2);
        }
    }
    return 0;
}

extern "C" void t_through(void (*f)(void *), void *argument)
{
    CALLED();
    f(argument);
}

// Called by its address: not seen.
extern "C" int t_compare(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    if (x == 13 || y == 13)
        throw std::runtime_error("thirteen");
    return x < y ? -1 : x > y;
}
