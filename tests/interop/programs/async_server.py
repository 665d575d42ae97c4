"""An asyncio server and its clients in one event loop: tasks, streams, queues, timeouts, cancellation, asynchronous generators."""
import asyncio

CLIENTS, LINES = 5, 4


async def lines(reader):
    while True:
        line = await reader.readline()
        if not line:
            return
        yield line


def answer_to(line):
    if line == b"2\n":
        raise ValueError(line)
    return line.strip()[::-1] + b"\n"


async def serve(reader, writer):
    async for line in lines(reader):
        try:
            writer.write(answer_to(line))
        except ValueError:
            writer.write(b"bad\n")
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def client(port, number, answers):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for line in range(LINES):
        writer.write(b"%d\n" % (line if number % 2 else line + 10))
        await answers.put(await asyncio.wait_for(reader.readline(), 20))
        await asyncio.sleep(0)
    writer.close()
    await writer.wait_closed()


async def sleeper():
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0)


async def fails():
    await asyncio.sleep(0)
    raise LookupError("nothing here")


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    answers = asyncio.Queue()
    sleeping = asyncio.create_task(sleeper())
    results = await asyncio.gather(*(client(port, number, answers) for number in range(CLIENTS)), fails(), return_exceptions=True)
    sleeping.cancel()
    await asyncio.gather(sleeping, return_exceptions=True)
    server.close()
    await server.wait_closed()
    print(answers.qsize(), [type(result).__name__ for result in results].count("LookupError"))


asyncio.run(main())
