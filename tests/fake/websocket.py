# SPDX-License-Identifier: Apache-2.0
"""WebSocket frames (RFC 6455), read and written the way the real server does, its mistakes included."""
import base64
import hashlib
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
CLIENT_LIMIT = 32 * 1024 * 1024  # bytes in one frame of a client, the channel included


class ProtocolError(Exception):
    pass


class TooLarge(Exception):
    pass


def accept_key(key):
    return base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()


def xor(data, mask):
    """Applies a mask; whole-number arithmetic, because byte by byte would be 100 times slower."""
    size = len(data)
    pattern = (mask * (size // 4 + 1))[:size]
    return (int.from_bytes(data, "little") ^ int.from_bytes(pattern, "little")).to_bytes(size, "little")


def header(opcode, size, mask_bit=0, final=True):
    first = (0x80 if final else 0) | opcode
    if size < 126:
        return bytes((first, mask_bit | size))
    if size < 65536:
        return struct.pack("!BBH", first, mask_bit | 126, size)
    return struct.pack("!BBQ", first, mask_bit | 127, size)


def frame(opcode, *parts):
    """A frame of the server (not masked)."""
    return header(opcode, sum(map(len, parts))) + b"".join(parts)


def client_frame(opcode, payload, final=True):
    mask = os.urandom(4)
    return header(opcode, len(payload), 0x80, final) + mask + xor(payload, mask)


class Reader:
    """Takes bytes as they come, gives frames (final, opcode, payload)."""

    def __init__(self, masked=True, limit=CLIENT_LIMIT):
        self.buffer = bytearray()
        self.start = 0
        self.masked = masked
        self.limit = limit

    def feed(self, data):
        if self.start:
            del self.buffer[:self.start]
            self.start = 0
        self.buffer += data

    def next(self):
        """The next frame, or None; ProtocolError for an unmasked one, TooLarge above the limit."""
        at, have = self.start, len(self.buffer) - self.start
        if have < 2:
            return None
        first, second = self.buffer[at], self.buffer[at + 1]
        size, used = second & 127, 2
        if size >= 126:
            wide = 2 if size == 126 else 8
            if have < 2 + wide:
                return None
            size, used = int.from_bytes(self.buffer[at + 2:at + 2 + wide], "big"), 2 + wide
        if bool(second & 0x80) != self.masked:
            raise ProtocolError("frame with the wrong masking")
        if size > self.limit:
            raise TooLarge()
        mask_size = 4 if self.masked else 0
        if have < used + mask_size + size:
            return None
        body = at + used + mask_size
        payload = bytes(self.buffer[body:body + size])
        if self.masked:
            payload = xor(payload, bytes(self.buffer[at + used:body]))
        self.start = body + size
        return bool(first & 0x80), first & 15, payload
