"""Cancellation: caught with clean-up, not caught, time-out, a coroutine never awaited but closed."""
import asyncio


def cleanup():
    return None


async def forever():
    try:
        await asyncio.sleep(3600)
    finally:
        cleanup()


async def shielded():
    try:
        await forever()
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        return "survived"


async def main():
    task = asyncio.ensure_future(forever())
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")
    task = asyncio.ensure_future(shielded())
    await asyncio.sleep(0)
    task.cancel()
    print(await task)
    try:
        await asyncio.wait_for(forever(), 0.001)
    except asyncio.TimeoutError:
        print("late")
    forever().close()


asyncio.run(main())
