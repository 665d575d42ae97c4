# Runs alone.py under debugpy as an editor does: adapter on a port of loopback, a breakpoint in workload.py, a look at
# the stack and a variable, steps, and on. What the adapter told is the output, without ids, times and ports.
import json
import os
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
WORKLOAD = os.path.join(HERE, "workload.py")


class Client:
    def __init__(self, port):
        self.stream = socket.create_connection(("127.0.0.1", port), timeout=20).makefile("rwb")
        self.sent = 0
        self.waiting = []

    def send(self, command, **arguments):
        self.sent += 1
        body = json.dumps({"seq": self.sent, "type": "request", "command": command, "arguments": arguments}).encode()
        self.stream.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.stream.flush()
        return self.sent

    def receive(self):
        length = 0
        while True:
            line = self.stream.readline()
            if not line:
                raise EOFError("the adapter went away")
            if line == b"\r\n":
                return json.loads(self.stream.read(length))
            if line.startswith(b"Content-Length:"):
                length = int(line.split(b":")[1])

    def wait(self, kind, name):
        """The next message of this kind; others wait for whoever asks for them."""
        for message in self.waiting:
            if message["type"] == kind and message.get("event", message.get("command")) == name:
                self.waiting.remove(message)
                return message
        while True:
            message = self.receive()
            if message["type"] == kind and message.get("event", message.get("command")) == name:
                return message
            self.waiting.append(message)

    def ask(self, command, **arguments):
        self.send(command, **arguments)
        answer = self.wait("response", command)
        if not answer["success"]:
            raise RuntimeError(answer)
        return answer.get("body") or {}


def free_port():
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return server.getsockname()[1]


def connect(port, process):
    import time

    for _ in range(600):
        try:
            return Client(port)
        except ConnectionRefusedError:
            if process.poll() is not None:
                raise
            time.sleep(0.05)
    raise TimeoutError


def line_of(text):
    with open(WORKLOAD, encoding="utf-8") as file:
        return next(number for number, line in enumerate(file, 1) if text in line)


def stack(client, thread):
    frames = client.ask("stackTrace", threadId=thread)["stackFrames"]
    print([(frame["name"], frame["line"]) for frame in frames])
    return frames[0]["id"]


def debug(client):
    client.ask("initialize", adapterID="kprobe", pathFormat="path", linesStartAt1=True, columnsStartAt1=True)
    client.send("attach", justMyCode=True)
    client.wait("event", "initialized")
    places = [{"line": line_of("failed += 1")}, {"line": line_of("return str(error)")}]
    answer = client.ask("setBreakpoints", source={"path": WORKLOAD}, breakpoints=places)
    print([point["verified"] for point in answer["breakpoints"]])
    client.ask("configurationDone")
    client.wait("response", "attach")
    for expression in ("amount, account.balance", "error"):
        stopped = client.wait("event", "stopped")["body"]
        frame = stack(client, stopped["threadId"])
        print(stopped["reason"], client.ask("evaluate", expression=expression, frameId=frame, context="repl")["result"])
        client.ask("next", threadId=stopped["threadId"])
        stopped = client.wait("event", "stopped")["body"]
        print(stopped["reason"])
        stack(client, stopped["threadId"])
        client.ask("continue", threadId=stopped["threadId"])
    client.wait("event", "terminated")
    client.send("disconnect")


def main(output):
    port = free_port()
    # Into a file: the adapter inherits it, and lives on for a while.
    process = subprocess.Popen([sys.executable, "-Xfrozen_modules=off", "-m", "debugpy", "--listen", "127.0.0.1:%d" % port,
                                "--wait-for-client", os.path.join(HERE, "alone.py")], stdout=output)
    try:
        debug(connect(port, process))
        print(process.wait(60))
    finally:
        process.kill()
    output.seek(0)
    print(output.read(), end="")


with open(sys.argv[1], "w+") as file:
    main(file)
