// Scopes in C++: exceptions, and a plugin that comes and goes.
#include <dlfcn.h>

#include <cstdio>
#include <stdexcept>

#include "kprobe.h"

namespace
{

KPROBE_REGION(named, "named");

void throws(int n)
{
    KPROBE_SCOPE("throws");
    if (n == 0)
        throw std::runtime_error("x");
    throws(n - 1);
}

template <typename T> void generic(T)
{
    KPROBE_SCOPE_OF(&named);
}

struct Quiet {
    ~Quiet()
    {
        // While an exception is on its way, a scope of its own ends in order.
        KPROBE_SCOPE("quiet");
    }
};

void cleans_up()
{
    Quiet quiet;
    throws(0);
}

} // namespace

int main(int count, char **arguments)
{
    try {
        throws(1);
    } catch (const std::exception &) {
    }
    try {
        cleans_up();
    } catch (const std::exception &) {
    }
    generic(1);
    generic('c');
    for (int i = 0; i < 2 && count > 1; i++) {
        void *plugin = dlopen(arguments[1], RTLD_NOW);
        reinterpret_cast<void (*)()>(dlsym(plugin, "plugin"))();
        dlclose(plugin);
    }
    std::puts("done");
    return 0;
}
