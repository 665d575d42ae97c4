/* An object to be loaded and unloaded by tests. */
int kp_test_plugin(int value);

int kp_test_plugin(int value)
{
    return value + 1;
}
