/* Loads an interpreter, for itself only, and has it run a program. */
#include <dlfcn.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    void *python = count == 3 ? dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL) : NULL;
    void (*start)(int);
    int (*run)(const char *, void *);
    int (*stop)(void);

    if (!python) {
        printf("%s\n", dlerror());
        return 1;
    }
    *(void **)&start = dlsym(python, "Py_InitializeEx");
    *(void **)&run = dlsym(python, "PyRun_SimpleStringFlags");
    *(void **)&stop = dlsym(python, "Py_FinalizeEx");
    start(0);
    run(arguments[2], NULL);
    return stop();
}
