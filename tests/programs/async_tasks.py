"""Coroutines awaited, gathered, run as tasks in turns."""
import asyncio


async def leaf(n):
    await asyncio.sleep(0)
    return n


async def branch(n):
    first = await leaf(n)
    second = await leaf(n + 1)
    return first + second


async def fails():
    await asyncio.sleep(0)
    raise ValueError("task")


async def main():
    print(await branch(1))
    print(await asyncio.gather(*(branch(n) for n in range(3))))
    task = asyncio.ensure_future(fails())
    try:
        await task
    except ValueError as error:
        print(error)
    print(await asyncio.gather(fails(), leaf(3), return_exceptions=True))


asyncio.run(main())
