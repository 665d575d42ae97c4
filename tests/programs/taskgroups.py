"""Task groups and timeouts: cancellation from outside."""
# requires: 3.11
import asyncio


async def slow():
    await asyncio.sleep(3600)


async def fails():
    await asyncio.sleep(0)
    raise ValueError


async def main():
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(slow())
            group.create_task(fails())
    except* ValueError:
        print("group")
    try:
        async with asyncio.timeout(0.001):
            await slow()
    except TimeoutError:
        print("timeout")


asyncio.run(main())
