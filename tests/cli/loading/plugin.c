/* A plugin that needs another library, which it finds by its own RUNPATH. */
int dependency_work(int value);
int plugin_run(int value);
int plugin_number = 7;

int plugin_run(int value)
{
    return dependency_work(value) + 1;
}
