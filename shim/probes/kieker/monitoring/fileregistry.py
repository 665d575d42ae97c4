class WriterRegistry:

    def __init__(self, listener):
        self.storage = {}
        self.id = 0
        self.next_id = 0
        self.listener = listener

    def get_id(self, value):
        if value not in self.storage:
            self.register(value)
        return self.storage[value]

    def register(self, value):
        if value not in self.storage:
            self.next_id += 1
            self.storage[value] = self.next_id
            self.listener.on_new_registry_entry(value, self.next_id)
