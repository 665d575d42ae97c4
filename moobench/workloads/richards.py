"""A small operating system: tasks of several priorities pass packets through queues; a scheduler runs who can run.

The classical simulation (M. Richards), written anew: polymorphic calls, attributes, short methods.
"""

IDLE, WORKER, HANDLER_A, HANDLER_B, DEVICE_A, DEVICE_B = range(6)
DEVICE_PACKET, WORK_PACKET = range(2)
PACKET_SLOTS = 4


class Packet:
    def __init__(self, following, owner, kind):
        self.following = following
        self.owner = owner
        self.kind = kind
        self.datum = 0
        self.data = [0] * PACKET_SLOTS

    def appended_to(self, queue):
        self.following = None
        if queue is None:
            return self
        last = queue
        while last.following is not None:
            last = last.following
        last.following = self
        return queue


class Task:
    def __init__(self, system, number, priority, queue):
        self.system = system
        self.number = number
        self.priority = priority
        self.queue = queue
        self.held = False
        self.waiting = queue is None
        system.add(self)

    def is_ready(self):
        return not self.held and (not self.waiting or self.queue is not None)

    def take(self):
        packet = self.queue
        if packet is not None:
            self.queue = packet.following
            packet.following = None
        self.waiting = False
        return packet

    def receive(self, packet, sender):
        self.queue = packet.appended_to(self.queue)
        return self if self.priority > sender.priority else sender

    def wait(self):
        self.waiting = True
        return self

    def hold(self):
        self.system.holds += 1
        self.held = True
        return None

    def run(self, packet):
        raise NotImplementedError


class Idle(Task):
    def __init__(self, system, count):
        super().__init__(system, IDLE, 0, None)
        self.waiting = False
        self.count = count
        self.seed = 1

    def run(self, packet):
        self.count -= 1
        if self.count <= 0:
            return self.hold()
        if self.seed & 1:
            self.seed = (self.seed >> 1) ^ 0xD008
            return self.system.release(DEVICE_B)
        self.seed >>= 1
        return self.system.release(DEVICE_A)


class Worker(Task):
    def __init__(self, system, queue):
        super().__init__(system, WORKER, 1000, queue)
        self.target = HANDLER_A
        self.letter = 0

    def run(self, packet):
        if packet is None:
            return self.wait()
        self.target = HANDLER_B if self.target == HANDLER_A else HANDLER_A
        packet.owner = self.target
        packet.datum = 0
        for slot in range(PACKET_SLOTS):
            self.letter = self.letter % 26 + 1
            packet.data[slot] = self.letter
        return self.system.send(packet)


class Handler(Task):
    def __init__(self, system, number, priority, queue, device):
        super().__init__(system, number, priority, queue)
        self.device = device
        self.work = None
        self.devices = None

    def sort_in(self, packet):
        if packet.kind == WORK_PACKET:
            self.work = packet.appended_to(self.work)
        else:
            self.devices = packet.appended_to(self.devices)

    def finish(self, work):
        self.work = work.following
        return self.system.send(work, WORKER)

    def feed(self, work):
        packet = self.devices
        self.devices = packet.following
        packet.datum = work.data[work.datum]
        work.datum += 1
        return self.system.send(packet, self.device)

    def run(self, packet):
        if packet is not None:
            self.sort_in(packet)
        work = self.work
        if work is None:
            return self.wait()
        if work.datum >= PACKET_SLOTS:
            return self.finish(work)
        if self.devices is None:
            return self.wait()
        return self.feed(work)


class Device(Task):
    def __init__(self, system, number, priority):
        super().__init__(system, number, priority, None)
        self.pending = None

    def run(self, packet):
        if packet is not None:
            self.pending = packet
            return self.hold()
        packet, self.pending = self.pending, None
        return self.wait() if packet is None else self.system.send(packet)


class System:
    def __init__(self, count):
        self.tasks = {}
        self.holds = self.sent = 0
        self.current = None
        Idle(self, count)
        Worker(self, self.packets(2, WORKER, WORK_PACKET))
        Handler(self, HANDLER_A, 2000, self.packets(3, DEVICE_A, DEVICE_PACKET), DEVICE_A)
        Handler(self, HANDLER_B, 3000, self.packets(3, DEVICE_B, DEVICE_PACKET), DEVICE_B)
        Device(self, DEVICE_A, 4000)
        Device(self, DEVICE_B, 5000)
        self.by_priority = sorted(self.tasks.values(), key=lambda task: -task.priority)

    @staticmethod
    def packets(count, owner, kind):
        chain = None
        for _ in range(count):
            chain = Packet(chain, owner, kind)
        return chain

    def add(self, task):
        self.tasks[task.number] = task

    def release(self, number):
        task = self.tasks[number]
        task.held = False
        return task if task.priority > self.current.priority else self.current

    def send(self, packet, owner=None):
        self.sent += 1
        sender = self.current
        target = self.tasks[packet.owner if owner is None else owner]
        packet.owner = sender.number
        return target.receive(packet, sender)

    def next_ready(self):
        for task in self.by_priority:
            if task.is_ready():
                return task
        return None

    def run(self):
        task = self.next_ready()
        while task is not None:
            self.current = task
            following = task.run(task.take())
            task = following if following is not None and following.is_ready() else self.next_ready()


def richards(loops):
    seen = 0
    for _ in range(loops):
        system = System(200)
        system.run()
        seen += system.holds * 100000 + system.sent
    return seen
