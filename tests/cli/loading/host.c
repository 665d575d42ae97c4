/*
 * Loads a plugin again and again.
 *   host FILE TIMES [deep]
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int count, char **arguments)
{
    int flags = RTLD_LAZY | (count > 3 ? RTLD_DEEPBIND : 0);
    int sum = 0;

    for (int i = 0; i < atoi(arguments[2]); i++) {
        void *plugin = dlopen(arguments[1], flags);
        int (*run)(int), *number;

        if (!plugin) {
            printf("%s\n", dlerror());
            return 1;
        }
        *(void **)&run = dlsym(plugin, "plugin_run");
        number = dlsym(plugin, "plugin_number");
        if (!run || !number || dlsym(plugin, "no_such_function") || !dlerror() || dlerror())
            return 2;
        sum += run(i) + *number;
        dlclose(plugin);
    }
    if (dlopen("no_such_library.so", RTLD_NOW) || !strstr(dlerror(), "no_such_library.so"))
        return 3;
    printf("%d\n", sum);
    return 0;
}
