# SPDX-License-Identifier: Apache-2.0
"""Logs, attach and exec of a pod."""
import asyncio
import calendar
import json
import os
import time

import errors
from containers import Process
from errors import TextError
from kinds import PODS
from websocket import BINARY, CLOSE, PING, PONG, ProtocolError, Reader, TooLarge, accept_key, frame

V4, V5 = "v4.channel.k8s.io", "v5.channel.k8s.io"
STDIN, STDOUT, STDERR, ERROR, RESIZE, END = 0, 1, 2, 3, 4, 255
PIECE = 32 * 1024
STATUS_SUCCESS = b'{"metadata":{},"status":"Success"}'


def container_of(pod, name):
    """The spec of a container by name, or the only one; errors as the API server words them."""
    spec = pod["spec"]
    everything = spec["containers"] + (spec.get("initContainers") or [])
    if not name:
        if len(everything) > 1:
            names = " ".join(c["name"] for c in spec["containers"])
            text = f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{names}]"
            if spec.get("initContainers"):
                text += f" or one of the init containers: [{' '.join(c['name'] for c in spec['initContainers'])}]"
            raise errors.bad_request(text)
        return spec["containers"][0]
    found = next((c for c in everything if c["name"] == name), None)
    if found is None:
        raise errors.bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")
    return found


# logs

async def log(server, request, namespace, name):
    pod = server.store.get(PODS, namespace, name)
    query = request.query
    if "stream" in query:
        kind = type(PODS)("", "v1", "pods", "PodLogOptions", True, (), ())
        raise errors.invalid(kind, name, [("FieldValueForbidden", "stream", "Forbidden: may not be specified")])
    container = container_of(pod, query.get("container"))["name"]
    if not pod["spec"].get("nodeName"):
        return request.connection.respond(204, [], b"")
    unit = server.kubelet.find(pod)
    found = unit.logs.get(container) if unit else None
    if query.get("previous") in ("true", "1"):
        raise errors.bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    if found is None or not unit.processes[container].started.done():
        waiting = unit.state(container)["state"].get("waiting", {"reason": "ContainerCreating"})
        why = waiting["reason"]
        if why in ("ErrImagePull", "ImagePullBackOff"):
            why = "image can't be pulled" if why == "ImagePullBackOff" else "trying and failing to pull image"
        raise errors.bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')
    await LogReader(found, request).serve()


class LogReader:
    def __init__(self, found, request):
        self.log, self.request = found, request
        query = request.query
        self.left = int(query["limitBytes"]) if "limitBytes" in query else None
        self.stamps = query.get("timestamps") in ("true", "1")
        self.follow = query.get("follow") in ("true", "1")
        self.offset = self.beginning(query)

    def beginning(self, query):
        start = 0
        since = None
        if "sinceSeconds" in query:
            since = time.time() - int(query["sinceSeconds"])
        elif "sinceTime" in query:
            since = calendar.timegm(time.strptime(query["sinceTime"][:19], "%Y-%m-%dT%H:%M:%S"))
        if since is not None:
            start = max([0] + [end for end, stamp in self.log.index if stamp < since])
        if "tailLines" in query:
            wanted, position, at = int(query["tailLines"]), self.log.size, self.log.size
            while position > start and wanted >= 0:
                step = max(start, position - 65536)
                piece = self.log.read(step, position - step)
                for index in range(len(piece) - 1, -1, -1):
                    if piece[index] == 10 and step + index + 1 != self.log.size:
                        wanted -= 1
                        if wanted <= 0:
                            return step + index + 1
                position = step
            return start if wanted > 0 else at
        return start

    async def serve(self):
        connection = self.request.connection
        connection.start_stream(200, "text/plain")
        while not connection.closed.is_set():
            grown = self.log.grown
            while self.offset < self.log.size and self.left != 0 and self.log.file is not None:
                data = self.log.read(self.offset, min(self.log.size - self.offset, PIECE * 4))
                await connection.write_chunk(self.shape(data))
                self.offset += len(data)
            if not self.follow or self.log.closed or self.left == 0:
                break
            await grown.wait()
        connection.end_stream()

    def shape(self, data):
        if self.stamps:
            data = b"".join(self.stamped(data))
        if self.left is not None:
            data = data[:self.left]
            self.left -= len(data)
        return data

    def stamped(self, data):
        offset = self.offset
        for line in data.splitlines(True):
            stamp = next((t for end, t in self.log.index if end > offset), time.time())
            if offset == 0 or self.log.read(offset - 1, 1) == b"\n":
                yield time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(stamp)).encode()
                yield b".%09dZ " % int(stamp % 1 * 1e9)
            yield line
            offset += len(line)


# attach and exec

async def stream(server, request, namespace, name, verb):
    pod = server.store.get(PODS, namespace, name)
    upgrade = request.header("upgrade").lower() == "websocket" and "upgrade" in request.header("connection").lower()
    if request.method == "POST" and upgrade:
        raise errors.method_not_allowed()
    if upgrade and server.settings["attach_needs_create"] and not server.auth.allowed(
            request.user, "create", "", "pods/" + verb, namespace, name):
        raise errors.ApiError(403, "Forbidden", f'pods "{name}" is forbidden: ', errors.details(PODS, name))
    container = container_of(pod, request.query.get("container"))
    if not pod["spec"].get("nodeName"):
        raise errors.bad_request(f"pod {name} does not have a host assigned")
    wanted = {channel for channel, key in ((STDIN, "stdin"), (STDOUT, "stdout"), (STDERR, "stderr"))
              if request.flag(key)}
    if not wanted:
        raise TextError(400, "you must specify at least 1 of stdin, stdout, stderr")
    if not upgrade:
        raise errors.bad_request("Upgrade request required")
    unit = server.kubelet.find(pod)
    process = unit.processes.get(container["name"]) if unit else None
    if process is None or process.pid is None or process.exited.done():
        if verb == "exec":
            raise TextError(500, f'container not found ("{container["name"]}")')
        raise TextError(500, f"container {container['name']} not found in pod {name}_{namespace}")
    tty = request.flag("tty")
    if STDERR in wanted and (tty or container.get("tty")) and not (tty and verb == "attach" and
                                                                  not container.get("tty")):
        raise TextError(500, "rpc error: code = InvalidArgument desc = tty and stderr cannot both be true")
    protocol = choose(server, request.header("sec-websocket-protocol"))
    connection = request.connection
    if protocol is None:
        connection.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n")
        connection.close_after = True
        return
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"),
               ("Sec-WebSocket-Accept", accept_key(request.header("sec-websocket-key")))]
    if protocol:
        headers.append(("Sec-WebSocket-Protocol", protocol))
    session = Session(server, connection, protocol, wanted)
    connection.upgraded = session
    connection.write(connection.head(101, headers))
    session.send(STDOUT if STDOUT in wanted else STDERR if STDERR in wanted else ERROR, b"")
    late = next((rule.get("ms", 50) for rule in request.faults if rule["action"] == "attach-delay"), 0)
    if verb == "exec":
        process = execute(unit, container, process, request, session)
    session.tie(process, container, tty, verb == "exec", late)
    # Frames that came in the same packet as the request wait in the connection's buffer.
    session.data_received(bytes(connection.buffer))
    connection.buffer.clear()
    await session.over.wait()


def choose(server, offered):
    """The subprotocol; '' if none was offered, None if none of them is known."""
    names = [name.strip() for name in offered.split(",") if name.strip()]
    if not names:
        return ""
    if V5 in names and server.settings["v5"]:
        return V5
    return V4 if V4 in names else None


def execute(unit, container, target, request, session):
    """A second process in the container's namespaces."""
    argv = [value for key, value in request.pairs if key == "command"]
    spec = {**target.spec, "argv": argv, "join": target.pid, "tty": request.flag("tty")}
    path = os.path.join(unit.folder, f"exec-{id(session)}.json")
    process = Process(path, spec, request.flag("stdin"))
    unit.every.append(process)
    process.start()
    return process


class Session:
    """One attached client: reads its frames, sends it what the process prints."""

    def __init__(self, server, connection, protocol, wanted):
        self.settings = server.settings
        self.server = server
        self.connection = connection
        self.protocol = protocol
        self.wanted = wanted
        self.reader = Reader()
        self.process = None
        self.stalled = self.ended = self.full = False
        self.over = asyncio.Event()
        server.sessions.add(self)

    def tie(self, process, container, tty, is_exec, late):
        self.process, self.container, self.is_exec = process, container, is_exec
        self.tty = process.tty
        self.once = is_exec or bool(container.get("stdinOnce"))
        self.silent = process.tty and not tty  # attached without a terminal to one that has one: nothing comes
        if tty and not process.tty:
            self.wanted.discard(STDERR)
        loop = asyncio.get_running_loop()
        if late:
            loop.call_later(late / 1000, process.sessions.add, self)
        else:
            process.sessions.add(self)
        loop.create_task(self.until_end())

    async def until_end(self):
        await asyncio.wait([self.process.drained, self.process.exited], return_when=asyncio.ALL_COMPLETED)
        if not self.is_exec:
            self.finish(STATUS_SUCCESS)
            return
        error = self.process.started.exception()
        code = self.process.exited.result()
        if error:
            text = ("Internal error occurred: Internal error occurred: error executing command in container: failed "
                    f"to exec in container: {error}")
            status = {"metadata": {}, "status": "Failure", "message": text, "reason": "InternalError",
                      "details": {"causes": [{"message": text.split(": ", 1)[1]}]}, "code": 500}
        elif code:
            status = {"metadata": {}, "status": "Failure", "message": "command terminated with non-zero exit code: "
                      f"command terminated with exit code {code}", "reason": "NonZeroExitCode",
                      "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]}}
        else:
            return self.finish(STATUS_SUCCESS)
        self.finish(json.dumps(status, separators=(",", ":")).encode())

    # to the client

    def send(self, channel, data):
        self.connection.write(frame(BINARY, bytes((channel,)), data))

    def output(self, channel, pieces):
        if self.ended or self.silent or channel not in self.wanted:
            return
        mark = bytes((channel,))
        self.connection.write(b"".join([frame(BINARY, mark, piece) for piece in pieces]))
        self.full = self.buffered() > self.settings["attach_buffer"]

    def buffered(self):
        return self.connection.transport.get_write_buffer_size()

    def pause_writing(self):
        self.full = self.buffered() > self.settings["attach_buffer"]

    def resume_writing(self):
        self.full = False
        if self.process:
            self.process.resume()

    def finish(self, status=None):
        """The end of a session: the Status on channel 3, then a close frame."""
        if self.ended:
            return
        if status is not None and self.protocol:
            self.send(ERROR, status)
        self.connection.write(frame(CLOSE, b"\x03\xe8") if self.protocol else b"")
        self.leave()
        asyncio.get_running_loop().create_task(self.close_when_sent())

    async def close_when_sent(self):
        """The transport drops what a slow client has not taken a moment after its close; the real one waits."""
        transport = self.connection.transport
        raw = getattr(getattr(transport, "_ssl_protocol", None), "_transport", None)
        while not self.connection.closed.is_set() and (
                transport.get_write_buffer_size() or raw and raw.get_write_buffer_size()):
            await asyncio.sleep(0.01)
        transport.close()

    def leave(self):
        self.ended = True
        self.full = False
        self.over.set()
        self.server.sessions.discard(self)
        if self.process:
            self.process.sessions.discard(self)
            self.process.resume()

    # from the client

    def data_received(self, data):
        self.reader.feed(data)
        self.work()

    def work(self):
        try:
            while not self.ended and not self.stalled:
                got = self.reader.next()
                if got is None:
                    break
                self.one(*got)
        except TooLarge:
            self.hang_up()
            self.finish()
        except ProtocolError:
            self.hang_up()
            self.connection.write(frame(CLOSE, b"\x03\xea"))
            self.leave()
            self.connection.transport.close()

    def one(self, final, opcode, payload):
        """Every data frame is a message of its own, also a fragment: the real server takes them so."""
        if opcode == PING:
            self.connection.write(frame(PONG, payload))
        elif opcode == CLOSE:
            self.hang_up()
            self.finish()
        elif opcode != PONG and payload:
            self.message(payload[0], payload)

    def message(self, channel, payload):
        if channel == STDIN and STDIN in self.wanted:
            self.process.write_stdin(memoryview(payload)[1:])
            if self.process.stdin_pending > self.settings["stdin_buffer"]:
                self.stalled = True  # nothing behind it is looked at, not even a ping
                self.connection.transport.pause_reading()
        elif channel == RESIZE:
            try:
                size = json.loads(payload[1:])
                self.process.resize(int(size["Width"]), int(size["Height"]))
            except (ValueError, KeyError, TypeError):
                pass
        elif channel == END and self.protocol == V5:
            if payload == b"\xff\x00":
                self.half_close()
            else:
                self.hang_up()
                self.finish()

    def stdin_drained(self):
        if self.stalled and self.process.stdin_pending <= self.settings["stdin_buffer"] // 2:
            self.stalled = False
            self.connection.transport.resume_reading()
            self.work()

    def half_close(self):
        """`ff 00`: end of input with stdinOnce and no terminal, else the end of the session."""
        if STDIN not in self.wanted or not self.container.get("stdin") and not self.is_exec:
            return
        if self.once and not self.tty:
            self.process.close_stdin()
        else:
            self.finish(STATUS_SUCCESS)

    def hang_up(self):
        """The client is gone, or going: with stdinOnce its input ends."""
        if self.process and STDIN in self.wanted and self.once and not self.tty and \
                self in self.process.sessions:
            self.process.close_stdin()

    def connection_lost(self):
        if not self.ended:
            self.hang_up()
            self.leave()
