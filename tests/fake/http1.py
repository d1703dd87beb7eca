# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 on asyncio, small enough to break on purpose.

No framework stands between: a fault has to cut, withhold or delay exact bytes, and the attach handshake has
to look on the wire as it was recorded.
"""
import asyncio
import email.utils
import http
import uuid
from urllib.parse import parse_qsl, unquote, urlsplit

import errors

MAX_HEAD = 64 * 1024
MAX_BODY = 8 * 1024 * 1024
HIGH_WATER = 256 * 1024


class Request:
    def __init__(self, method, target, headers, body, connection):
        self.method = method
        self.target = target
        split = urlsplit(target)
        self.path = unquote(split.path)
        self.pairs = parse_qsl(split.query, keep_blank_values=True)
        self.query = dict(reversed(self.pairs))  # the first value of a name counts
        self.headers = headers
        self.body = body
        self.connection = connection
        self.warnings = []

    def header(self, name, default=""):
        return next((value for key, value in self.headers if key == name), default)

    def flag(self, name):
        return name in self.query and self.query[name].lower() in ("true", "1", "t", "")


class Connection(asyncio.Protocol):
    """One TCP connection: requests one after the other, then perhaps something else (`upgraded`)."""

    def __init__(self, serve, connections):
        self.serve = serve  # async (request) -> None, which writes the answer
        self.connections = connections
        self.buffer = bytearray()
        self.busy = False
        self.upgraded = None
        self.closed = asyncio.Event()
        self.writable = asyncio.Event()
        self.writable.set()
        self.cut_after = None  # bytes that may still be written before the connection is cut
        self.mute_after = None  # bytes that may still be written before we fall silent
        self.close_after = False
        self.head_only = False
        self.task = None

    def connection_made(self, transport):
        self.transport = transport
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self.connections.add(self)

    def connection_lost(self, error):
        self.connections.discard(self)
        self.closed.set()
        self.writable.set()
        if self.upgraded:
            self.upgraded.connection_lost()
        elif self.task:
            self.task.cancel()

    def pause_writing(self):
        self.writable.clear()
        if self.upgraded:
            self.upgraded.pause_writing()

    def resume_writing(self):
        self.writable.set()
        if self.upgraded:
            self.upgraded.resume_writing()

    def eof_received(self):
        return False

    def data_received(self, data):
        if self.upgraded:
            self.upgraded.data_received(data)
            return
        self.buffer += data
        self.next_request()

    def next_request(self):
        if self.busy or self.closed.is_set():
            return
        try:
            request = self.parse()
        except (ValueError, IndexError):
            self.transport.abort()
            return
        if request:
            self.busy = True
            self.task = asyncio.get_running_loop().create_task(self.run(request))

    def parse(self):
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self.buffer) > MAX_HEAD:
                raise ValueError("head too large")
            return None
        lines = self.buffer[:end].decode("latin-1").split("\r\n")
        method, target, version = lines[0].split(" ")
        headers = []
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers.append((name.strip().lower(), value.strip()))
        fields = dict(headers)
        length = int(fields.get("content-length", "0"))
        if "chunked" in fields.get("transfer-encoding", ""):
            body, rest = unchunk(self.buffer, end + 4)
            if body is None:
                return None
        else:
            if length > MAX_BODY:
                raise ValueError("body too large")
            rest = end + 4 + length
            if len(self.buffer) < rest:
                if fields.get("expect") == "100-continue" and len(self.buffer) == end + 4:
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                return None
            body = bytes(self.buffer[end + 4:rest])
        del self.buffer[:rest]
        self.close_after = version == "HTTP/1.0" or "close" in fields.get("connection", "").lower()
        return Request(method, target, headers, body, self)

    async def run(self, request):
        try:
            await self.serve(request)
        except asyncio.CancelledError:
            return
        self.busy = False
        if self.upgraded or self.mute_after is not None:
            return
        if self.close_after:
            self.transport.close()
        else:
            self.next_request()

    # writing

    def write(self, data):
        if self.closed.is_set():
            return
        if self.mute_after is not None:
            data, self.mute_after = data[:self.mute_after], max(0, self.mute_after - len(data))
        if self.cut_after is not None:
            data, self.cut_after = data[:self.cut_after], self.cut_after - len(data)
        if data:
            self.transport.write(data)
        if self.cut_after is not None and self.cut_after <= 0:
            asyncio.get_running_loop().create_task(self.cut())

    async def cut(self):
        """Ends the connection without any farewell once what was written is out."""
        while self.transport.get_write_buffer_size() and not self.closed.is_set():
            await asyncio.sleep(0.005)
        self.transport.abort()

    def head(self, code, headers, close=False):
        reason = http.HTTPStatus(code).phrase
        lines = [f"HTTP/1.1 {code} {reason}"] + [f"{name}: {value}" for name, value in headers]
        if close or self.close_after:
            self.close_after = True
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def respond(self, code, headers, body):
        headers = list(headers) + [("Date", email.utils.formatdate(usegmt=True))]
        if code != 204:
            headers.append(("Content-Length", str(len(body))))
        self.write(self.head(code, headers) + body)

    def respond_json(self, code, value, headers=()):
        self.respond(code, api_headers("application/json") + list(headers), errors.encode(value))

    def start_stream(self, code, content_type, headers=()):
        headers = api_headers(content_type) + list(headers)
        headers += [("Date", email.utils.formatdate(usegmt=True)), ("Transfer-Encoding", "chunked")]
        self.write(self.head(code, headers))

    async def write_chunk(self, data):
        if data:
            self.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await self.writable.wait()

    def end_stream(self):
        self.write(b"0\r\n\r\n")


def api_headers(content_type):
    return [("Audit-Id", str(uuid.uuid4())), ("Cache-Control", "no-cache, private"), ("Content-Type", content_type)]


def unchunk(buffer, start):
    """(body, end) of a chunked body, or (None, 0) while it is incomplete."""
    body, position = bytearray(), start
    while True:
        line = buffer.find(b"\r\n", position)
        if line < 0:
            return None, 0
        size = int(bytes(buffer[position:line]).split(b";")[0], 16)
        if len(buffer) < line + 2 + size + 2:
            return None, 0
        body += buffer[line + 2:line + 2 + size]
        position = line + 2 + size + 2
        if size == 0:
            return bytes(body), position
        if len(body) > MAX_BODY:
            raise ValueError("body too large")
