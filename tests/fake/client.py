# SPDX-License-Identifier: Apache-2.0
"""A plain client for the self-test: HTTPS requests, watches, and raw WebSocket sessions."""
import base64
import http.client
import json
import os
import socket
import ssl
import time
from urllib.parse import urlsplit

from websocket import BINARY, CLOSE, Reader, client_frame


class Client:
    def __init__(self, folder, url, token=None):
        self.folder, self.url = folder, urlsplit(url)
        self.token = token
        self.context = ssl.create_default_context(cafile=os.path.join(folder, "pki/ca.crt"))
        if token is None:
            self.context.load_cert_chain(os.path.join(folder, "pki/admin.crt"), os.path.join(folder, "pki/admin.key"))

    def headers(self):
        return {"Authorization": "Bearer " + self.token} if self.token else {}

    def raw(self, method, path, body=None, headers=None, timeout=10):
        """(code, headers, bytes)"""
        connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.context,
                                                 timeout=timeout)
        try:
            data = json.dumps(body).encode() if body is not None else None
            connection.request(method, path, data, {**self.headers(), "Content-Type": "application/json",
                                                    **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, method, path, body=None, headers=None, timeout=10):
        """(code, decoded body)"""
        code, _, data = self.raw(method, path, body, headers, timeout)
        return code, json.loads(data)

    def get(self, path, wanted=200):
        code, body = self.call("GET", path)
        assert code == wanted, body
        return body

    def post(self, path, body, wanted=201):
        code, answer = self.call("POST", path, body)
        assert code == wanted, answer
        return answer

    def watch(self, path, until, timeout=15):
        """The events of a watch up to the first for which `until` holds."""
        connection = http.client.HTTPSConnection(self.url.hostname, self.url.port, context=self.context,
                                                 timeout=timeout)
        connection.request("GET", path, headers=self.headers())
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        events = []
        try:
            for line in answer:
                events.append(json.loads(line))
                if until(events[-1]):
                    break
        finally:
            connection.close()
        return events

    def wait(self, path, condition, timeout=10):
        """Polls an object until the condition holds; returns it."""
        end = time.monotonic() + timeout
        while True:
            code, body = self.call("GET", path)
            if code == 200 and condition(body):
                return body
            if time.monotonic() > end:
                raise AssertionError(f"{path}: not within {timeout} s: {json.dumps(body)[:800]}")
            time.sleep(0.03)

    def connect(self):
        plain = socket.create_connection((self.url.hostname, self.url.port), 15)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.context.wrap_socket(plain, server_hostname=self.url.hostname)

    def attach(self, path, protocol="v5.channel.k8s.io", first=b"", headers=None):
        return WebSocket(self, path, protocol, first, headers or {})


class WebSocket:
    """One attach session; `first` is sent in the same packet as the handshake."""

    def __init__(self, client, path, protocol, first, headers):
        self.socket = client.connect()
        lines = [f"GET {path} HTTP/1.1", f"Host: {client.url.netloc}", "Upgrade: websocket", "Connection: Upgrade",
                 "Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version: 13"]
        if protocol:
            lines.append("Sec-WebSocket-Protocol: " + protocol)
        lines += [f"{key}: {value}" for key, value in {**client.headers(), **headers}.items()]
        self.socket.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + first)
        self.reader = Reader(masked=False)
        self.frames = []
        self.ended = False
        self.read_head()

    def read_head(self):
        data = b""
        while b"\r\n\r\n" not in data:
            piece = self.socket.recv(65536)
            if not piece:
                break
            data += piece
        head, _, rest = data.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.code = int(lines[0].split()[1])
        self.headers = {key.lower(): value for key, value in (line.split(": ", 1) for line in lines[1:])}
        if self.code == 101:
            self.reader.feed(rest)
            return
        self.body = rest
        left = int(self.headers.get("content-length", 0)) - len(rest)
        while left > 0:
            piece = self.socket.recv(left)
            self.body += piece
            left -= len(piece)

    def send(self, channel, data=b""):
        self.socket.sendall(client_frame(BINARY, bytes((channel,)) + data))

    def frame(self, opcode, payload, final=True):
        self.socket.sendall(client_frame(opcode, payload, final))

    def next(self, timeout=10):
        """The next frame as (opcode, payload); None at the end of TCP."""
        end = time.monotonic() + timeout
        while True:
            got = self.reader.next()
            if got:
                self.frames.append(got[1:])
                return got[1:]
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                data = self.socket.recv(262144)
            except (ConnectionResetError, ssl.SSLError) as error:
                if isinstance(error, TimeoutError) or "timed out" in str(error):
                    raise TimeoutError() from None
                data = b""
            if not data:
                self.ended = True
                return None
            self.reader.feed(data)

    def until_close(self, timeout=15):
        """All frames up to the close frame or the end of TCP."""
        while True:
            got = self.next(timeout)
            if got is None or got[0] == CLOSE:
                return self.frames

    def until_silent(self, seconds):
        """Reads until nothing comes for so long: True. False if the server ends the connection."""
        try:
            while self.next(seconds) is not None:
                pass
            return False
        except TimeoutError:
            return True

    def quiet(self, seconds):
        """True if not one frame comes for so long."""
        count = len(self.frames)
        return self.until_silent(seconds) and len(self.frames) == count

    def read_until(self, text, channel=1, timeout=10):
        """Reads until the bytes of a channel contain `text`."""
        while text not in self.channel(channel):
            assert self.next(timeout) is not None, (text, self.channel(channel))
        return self.channel(channel)

    def channel(self, number):
        return b"".join(payload[1:] for opcode, payload in self.frames
                        if opcode == BINARY and payload[:1] == bytes((number,)))

    def cut(self):
        """Ends TCP at once, without any farewell."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def close(self):
        self.socket.close()
