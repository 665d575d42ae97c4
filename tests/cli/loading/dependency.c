int dependency_work(int value);

int dependency_work(int value)
{
    return 2 * value;
}
