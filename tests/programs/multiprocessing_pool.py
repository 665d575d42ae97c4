"""A multiprocessing pool of one worker, map and an exception that comes back."""
import multiprocessing


def work(n):
    if n == 2:
        raise ValueError(n)
    return n + 1


if __name__ == "__main__":
    with multiprocessing.get_context("fork").Pool(1) as pool:
        print(pool.map(work, [0, 1], chunksize=1))
        try:
            pool.apply(work, (2,))
        except ValueError as error:
            print(error)
        pool.close()
        pool.join()
