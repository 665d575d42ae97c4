from struct import pack


class Serializer:
    """The values as text, each followed by "; ": as the pack has it."""

    def __init__(self, string_byte):
        self.string_byte = string_byte

    def put(self, value):
        self.string_byte.append(value if value == "\n" else str(value) + "; ")

    def _put(self, value):
        self.string_byte.append(str(value) + "; ")

    def put_boolean(self, boolean):
        self._put(boolean)

    put_byte = put_int = put_long = put_double = put_string = put_char = put_short = put_float = _put

    def pack(self):
        raise NotImplementedError("pack() is not suppored by the file serializer.")


class BinarySerializer:
    """The values in Kieker's binary form; strings by their ids in a registry."""

    def __init__(self, buffer, string_registry):
        self.buffer = buffer
        self.format_string = "!"
        self.string_registry = string_registry

    def _put(self, letter, value):
        self.buffer.append(value)
        self.format_string += letter

    def put_boolean(self, boolean):
        self._put("?", boolean)

    def put_byte(self, value):
        self._put("b", value)

    def put_char(self, value):
        self._put("H", ord(value) if isinstance(value, str) else value)

    def put_short(self, value):
        self._put("h", value)

    def put_int(self, value):
        self._put("i", value)

    def put_long(self, value):
        self._put("q", value)

    def put_float(self, value):
        self._put("f", value)

    def put_double(self, value):
        self._put("d", value)

    def put_string(self, value):
        if value != "\n":
            self._put("i", self.string_registry.get_id(value))

    def pack(self):
        result = pack(self.format_string, *self.buffer)
        self.format_string = "!"
        self.buffer.clear()
        return result
