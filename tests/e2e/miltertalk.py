"""The MTA's side of the milter protocol, as little of it as the tests need, over a unix socket.

A Talk is one session. Each step sends its packet and returns the reply, or None where the milter
has negotiated that it does not answer; end() returns what the milter asks for at the end of the
message.
"""

import socket
import struct

ACTIONS = 0x1FF  # all that Postfix 3.7 offers
STEPS = 0x1FFFFF
CHGHDRS, DELRCPT = 0x10, 0x08
LEADSPC = 0x100000
NO_REPLY = {
    "C": 0x1000,
    "H": 0x2000,
    "M": 0x4000,
    "R": 0x8000,
    "T": 0x10000,
    "L": 0x80,
    "N": 0x40000,
    "B": 0x80000,
}
ANSWERED = STEPS & ~sum(NO_REPLY.values())  # an MTA that waits for an answer to each step
NO_STEP = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "B": 0x10, "L": 0x20, "N": 0x40, "T": 0x200}
CHUNK = 65535

ACCEPT, CONTINUE, TEMPFAIL, DISCARD, SKIP = "a", "c", "t", "d", "s"


class Closed(Exception):
    """The milter closed the connection."""


class Talk:
    def __init__(self, path, timeout=60, actions=ACTIONS, steps=STEPS):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(timeout)
        self.sock.connect(path)
        self.actions = self.steps = 0
        self.macros_wanted = {}
        try:
            self._negotiate(actions, steps)
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    # Packets.

    def send(self, command, data=b""):
        self.sock.sendall(struct.pack(">I", len(data) + 1) + command.encode() + data)

    def receive(self):
        head = self._read(5)
        (length,) = struct.unpack(">I", head[:4])
        return chr(head[4]), self._read(length - 1)

    def _read(self, count):
        data = b""
        while len(data) < count:
            try:
                piece = self.sock.recv(count - len(data))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Closed()
            data += piece
        return data

    def _negotiate(self, actions, steps):
        self.send("O", struct.pack(">III", 6, actions, steps))
        command, data = self.receive()
        assert command == "O", command
        version, self.actions, self.steps = struct.unpack(">III", data[:12])
        assert version == 6
        rest = data[12:]
        while len(rest) > 4:
            (stage,) = struct.unpack(">I", rest[:4])
            names, rest = rest[4:].split(b"\0", 1)
            self.macros_wanted[stage] = names.decode().split()

    def macros(self, command, **values):
        """Names of more than one letter go in braces."""
        data = command.encode()
        for name, value in values.items():
            key = name if len(name) == 1 else "{%s}" % name
            data += key.encode() + b"\0" + value.encode() + b"\0"
        self.send("D", data)

    def step(self, command, data=b""):
        if self.steps & NO_STEP.get(command, 0):
            return None
        self.send(command, data)
        if self.steps & NO_REPLY.get(command, 0):
            return None
        return self.receive()[0]

    # SMTP steps.

    def connect(self, name="client.example.net", addr="192.0.2.7", family="4"):
        self.macros("C", client_addr=addr, j="mx.example.test")
        data = name.encode() + b"\0" + family.encode()
        return self.step("C", data + struct.pack(">H", 40000) + addr.encode() + b"\0")

    def helo(self, name="client.example.net"):
        return self.step("H", _bytes(name) + b"\0")

    def mail(self, address, *args, login=None):
        if login:
            self.macros("M", auth_authen=login)
        return self.step("M", _list(address, args))

    def rcpt(self, address, *args, queue_id="4TEST1"):
        self.macros("R", i=queue_id)
        return self.step("R", _list(address, args))

    def data(self, queue_id="4TEST1"):
        self.macros("T", i=queue_id)
        return self.step("T")

    def field(self, name, value):
        """value as it follows the colon, leading blank and all; folds as LF."""
        return self.step("L", _bytes(name) + b"\0" + _bytes(value) + b"\0")

    def end_header(self, queue_id="4TEST1"):
        self.macros("N", i=queue_id)
        return self.step("N")

    def body(self, data):
        return self.step("B", data)

    def end(self, data=b"", queue_id="4TEST1"):
        """Returns (final reply, [recipients taken off], [(index, name) of deleted fields])."""
        self.macros("E", i=queue_id)
        self.send("E", data)
        deleted, fields = [], []
        while True:
            command, payload = self.receive()
            if command == "-":
                deleted.append(payload.rstrip(b"\0"))
            elif command == "m":
                (index,) = struct.unpack(">I", payload[:4])
                name, value, _ = payload[4:].split(b"\0")
                assert value == b"", value
                fields.append((index, name))
            else:
                return command, deleted, fields

    def abort(self):
        self.send("A")

    def quit(self):
        self.send("Q")

    # All of a message.

    def envelope(self, sender, rcpts, login=None):
        """rcpts: addresses, or (address, ESMTP arguments...)."""
        self.connect()
        self.helo()
        self.mail(sender, login=login)
        for rcpt in rcpts:
            self.rcpt(*([rcpt] if isinstance(rcpt, (str, bytes)) else rcpt))
        self.data()

    def header(self, message):
        """Sends the fields of a CRLF message as Postfix does; returns (reply to EOH, the body)."""
        head, _, body = message.partition(b"\r\n\r\n")
        for name, value in fields_of(head):
            self.field(name, value)
        return self.end_header(), body

    def message(self, sender, rcpts, message, login=None):
        """Returns what end() does; (ACCEPT, [], []) where the milter took no body."""
        self.envelope(sender, rcpts, login)
        reply, body = self.header(message)
        if reply != CONTINUE:
            return reply, [], []
        return self.content(body)

    def content(self, body):
        """The body as Postfix sends it: full chunks, and the rest with the end."""
        while len(body) >= CHUNK:
            reply = self.body(body[:CHUNK])
            assert reply in (CONTINUE, None), reply
            body = body[CHUNK:]
        return self.end(body)


def fields_of(head):
    fields = []
    for line in head.split(b"\r\n"):
        if line[:1] in (b" ", b"\t"):
            fields[-1][1] += b"\n" + line
        elif line:
            name, _, value = line.partition(b":")
            fields.append([name, value])
    return fields


def _bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def _list(address, args):
    return b"".join(_bytes(word) + b"\0" for word in (address,) + args)
