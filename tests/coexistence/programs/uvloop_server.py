# An echo server and its clients on uvloop: streams, protocols, timers, executor threads, a subprocess.
import asyncio
import sys

import uvloop

import workload


class Doubler(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data * 2)


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()
    await writer.wait_closed()


async def client(port, name):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answers = []
    for number in range(3):
        writer.write(b"%s %d\n" % (name, number))
        answers.append(await reader.readline())
    writer.close()
    await writer.wait_closed()
    return answers


async def doubled(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"abc")
    answer = await reader.readexactly(6)
    writer.close()
    return answer


async def cancelled():
    try:
        await asyncio.sleep(30)
    finally:
        workload.fibonacci(3)


async def main():
    loop = asyncio.get_running_loop()
    print(type(loop).__module__)
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    print(await asyncio.gather(*[client(port, b"client %d" % n) for n in range(3)]))
    server.close()
    other = await loop.create_server(Doubler, "127.0.0.1", 0)
    print(await doubled(other.sockets[0].getsockname()[1]))
    other.close()
    print(await loop.run_in_executor(None, workload.fibonacci, 6))
    task = asyncio.ensure_future(cancelled())
    await asyncio.sleep(0.01)
    task.cancel()
    print(await asyncio.gather(task, return_exceptions=True))
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print(6 * 7)", stdout=asyncio.subprocess.PIPE)
    print((await child.communicate())[0], child.returncode)
    print(await asyncio.wait_for(workload.tasks(), 10))


uvloop.run(main()) if hasattr(uvloop, "run") else asyncio.run(main())
print(workload.withdrawals(workload.Account(100)))
