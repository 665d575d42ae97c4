"""async for, async with, async generators with asend, athrow and aclose, async comprehensions."""
import asyncio


async def ticks(n):
    try:
        for i in range(n):
            await asyncio.sleep(0)
            yield i
    finally:
        await asyncio.sleep(0)


class Counter:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if not self.n:
            raise StopAsyncIteration
        self.n -= 1
        await asyncio.sleep(0)
        return self.n


class Scope:
    async def __aenter__(self):
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc):
        await asyncio.sleep(0)
        return exc[0] is KeyError


async def echo():
    got = None
    while True:
        try:
            got = yield got
        except ValueError:
            got = "caught"


async def main():
    print([i async for i in ticks(3)], [i async for i in Counter(3)])
    async with Scope():
        raise KeyError
    async for i in ticks(5):
        if i == 1:
            break
    e = echo()
    await e.asend(None)
    print(await e.asend("x"), await e.athrow(ValueError))
    await e.aclose()
    print([i async for i in (j * 2 async for j in ticks(2))])


asyncio.run(main())
