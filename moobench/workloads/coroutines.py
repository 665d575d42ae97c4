"""Coroutines: by themselves, and in an event loop."""
import asyncio


async def leaf(value):
    return value + 1


async def branch(depth):
    if not depth:
        return await leaf(0)
    return await branch(depth - 1) + await branch(depth - 1)


class Pause:
    def __await__(self):
        yield

    async def twice(self):
        await self
        await self
        return 1


async def pausing(count):
    seen = 0
    for _ in range(count):
        seen += await Pause().twice()
    return seen


def drive(coroutine):
    while True:
        try:
            coroutine.send(None)
        except StopIteration as end:
            return end.value


def awaits(loops):
    seen = 0
    for _ in range(loops):
        seen += drive(branch(6)) + drive(pausing(20))
    return seen


async def node(level):
    if not level:
        await asyncio.sleep(0)
        return 1
    return sum(await asyncio.gather(*[node(level - 1) for _ in range(4)]))


async def trees(loops):
    seen = 0
    for _ in range(loops):
        seen += await node(3)
    return seen


def async_tree(loops):
    return asyncio.run(trees(loops))
