"""Processes: a pool of forked workers, a worker that fails, an executor of its own."""
import concurrent.futures
import multiprocessing


def divisors(number):
    return [candidate for candidate in range(1, number + 1) if is_divisor(number, candidate)]


def is_divisor(number, candidate):
    return number % candidate == 0


def fails(number):
    raise ArithmeticError(number)


def main():
    context = multiprocessing.get_context("fork")
    with context.Pool(2) as pool:
        counts = pool.map(divisors, range(1, 40), chunksize=5)
        try:
            pool.apply(fails, (3,))
        except ArithmeticError as error:
            counts.append([str(error)])
        pool.close()
        pool.join()
    with concurrent.futures.ProcessPoolExecutor(2, context) as executor:
        counts += executor.map(divisors, (60, 61))
    print(sum(map(len, counts)))


if __name__ == "__main__":
    main()
