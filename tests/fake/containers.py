# SPDX-License-Identifier: Apache-2.0
"""One container as a real process: its pipes or terminal, its log, and who is attached to it."""
import asyncio
import collections
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time

PIPE_SIZE = 1 << 20
READ_SIZE = 32 * 1024  # what the real server puts into one message at the most
READS_A_TURN = 8
PARTIAL_LINE = 16 * 1024  # a longer line is logged in parts
INIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "container_init.py")


class StartError(Exception):
    """The program could not be started; the text is the runtime's."""


class Log:
    """What the kubelet keeps: whole lines of both streams in the order they came, CRLF turned into LF."""

    def __init__(self, path):
        self.path = path
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.size = 0
        self.index = []  # (offset of the end, seconds since 1970) of each piece
        self.partial = {1: b"", 2: b""}
        self.closed = False
        self.grown = asyncio.Event()

    def append(self, channel, data):
        end = data.rfind(b"\n") + 1
        head, tail = self.partial[channel] + data[:end], data[end:]
        if not end:
            head, tail = b"", self.partial[channel] + data
            if len(tail) > PARTIAL_LINE:
                head, tail = tail, b""
        self.partial[channel] = tail
        self.write(head)

    def write(self, data):
        if not data:
            return
        data = data.replace(b"\r\n", b"\n")
        os.write(self.file, data)
        self.size += len(data)
        self.index.append((self.size, time.time()))
        self.wake()

    def wake(self):
        self.grown.set()
        self.grown = asyncio.Event()

    def finish(self):
        """The container has ended: lines without an end appear, followers come to theirs."""
        for channel in (1, 2):
            self.write(self.partial[channel])
            self.partial[channel] = b""
        self.closed = True
        self.wake()

    def read(self, offset, size):
        return os.pread(self.file, size, offset)

    def tail(self, size):
        return self.read(max(0, self.size - size), size)

    def close(self):
        self.closed = True
        self.wake()
        if self.file is not None:
            os.close(self.file)
            self.file = None


class Process:
    """A program in namespaces of its own (or, for exec, in those of another)."""

    def __init__(self, spec_path, spec, keep_stdin, log=None):
        self.loop = asyncio.get_running_loop()
        self.spec_path, self.spec, self.log = spec_path, spec, log
        self.tty = spec["tty"]
        self.keep_stdin = keep_stdin
        self.started = self.loop.create_future()
        self.started.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.exited = self.loop.create_future()
        self.drained = self.loop.create_future()
        self.sessions = set()
        self.outputs = {}  # fd -> channel
        self.paused = False
        self.stdin = None
        self.stdin_queue = collections.deque()
        self.stdin_pending = 0
        self.stdin_ends = False
        self.pid = None
        self.report_buffer = b""

    def start(self):
        with open(self.spec_path, "w", encoding="utf-8") as file:
            json.dump({**self.spec, "parent": os.getpid()}, file)
        report_read, report_write = os.pipe()
        theirs = self.open_terminal() if self.tty else self.open_pipes()
        command = [sys.executable, "-I", "-S", INIT, self.spec_path, str(report_write)]
        self.helper = subprocess.Popen(command, stdin=theirs[0], stdout=theirs[1], stderr=theirs[2],
                                       pass_fds=[report_write], start_new_session=True, cwd="/")
        for fd in set(theirs) | {report_write}:
            os.close(fd)
        os.set_blocking(report_read, False)
        self.loop.add_reader(report_read, self.on_report, report_read)

    def open_pipes(self):
        """Returns the three descriptors of the container; keeps the other ends."""
        theirs = []
        if self.keep_stdin:
            read, write = os.pipe()
            fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_SIZE)
            os.set_blocking(write, False)
            self.stdin = write
            theirs.append(read)
        else:
            theirs.append(os.open("/dev/null", os.O_RDONLY))
        for channel in (1, 2):
            read, write = os.pipe()
            fcntl.fcntl(read, fcntl.F_SETPIPE_SZ, PIPE_SIZE if channel == 1 else 65536)
            self.watch_output(read, channel)
            theirs.append(write)
        return theirs

    def open_terminal(self):
        """A terminal of size 0x0, as containerd's is until somebody sends a size."""
        master, slave = pty.openpty()
        self.stdin = master if self.keep_stdin else None
        self.watch_output(master, 1)
        return [slave, slave, slave]

    def watch_output(self, fd, channel):
        os.set_blocking(fd, False)
        self.outputs[fd] = channel
        self.loop.add_reader(fd, self.on_output, fd)

    # what the helper says

    def on_report(self, fd):
        data = os.read(fd, 65536)
        self.report_buffer += data
        *lines, self.report_buffer = self.report_buffer.split(b"\n")
        for line in lines:
            word, _, rest = line.decode(errors="replace").partition(" ")
            if word == "pid":
                self.pid = int(rest)
                self.started.set_result(self.pid)
            elif word == "error" and not self.started.done():
                self.started.set_exception(StartError(rest))
            elif word == "exit" and not self.exited.done():
                self.exited.set_result(int(rest))
        if not data:
            self.loop.remove_reader(fd)
            os.close(fd)
            self.helper.wait()
            if not self.started.done():
                self.started.set_exception(StartError("the container's first process died"))
            if not self.exited.done():
                self.exited.set_result(137)

    # output

    def on_output(self, fd):
        pieces, ended = [], False
        for _ in range(READS_A_TURN):
            try:
                piece = os.read(fd, READ_SIZE)
            except BlockingIOError:
                break
            except OSError:  # EIO: the last one has closed the terminal
                piece = b""
            if not piece:
                ended = True
                break
            pieces.append(piece)
            if len(piece) < READ_SIZE // 2:
                break
        channel = self.outputs[fd]
        if pieces:
            if self.log:
                self.log.append(channel, pieces[0] if len(pieces) == 1 else b"".join(pieces))
            for session in list(self.sessions):
                session.output(channel, pieces)
        if ended:
            self.loop.remove_reader(fd)
            del self.outputs[fd]
            if fd != self.stdin:
                os.close(fd)
            if not self.outputs:
                self.finish()
        elif any(session.full for session in self.sessions):
            self.pause()

    def pause(self):
        """A client that does not read stops the container: its pipes fill up."""
        if not self.paused:
            self.paused = True
            for fd in self.outputs:
                self.loop.remove_reader(fd)

    def resume(self):
        if self.paused and not any(session.full for session in self.sessions):
            self.paused = False
            for fd in self.outputs:
                self.loop.add_reader(fd, self.on_output, fd)

    def finish(self):
        if self.log:
            self.log.finish()
        if self.stdin is not None:
            self.close_stdin_now()
        if not self.drained.done():
            self.drained.set_result(None)

    # input

    def write_stdin(self, data):
        """Queues data for the process; whoever writes looks at stdin_pending to stop in time."""
        if self.stdin is None or self.stdin_ends or not data:
            return
        if not self.stdin_queue:
            data = self.try_write(data)
            if not data:
                return
            if self.stdin is None:
                return
            self.loop.add_writer(self.stdin, self.on_stdin)
        self.stdin_queue.append(data)
        self.stdin_pending += len(data)

    def try_write(self, data):
        """What could not be written now; nothing once the reader is gone."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self.stdin, view):]
        except BlockingIOError:
            return view
        except OSError:
            self.close_stdin_now()
            return b""
        return b""

    def on_stdin(self):
        while self.stdin_queue and self.stdin is not None:
            data = self.stdin_queue[0]
            rest = self.try_write(data)
            if self.stdin is None:
                break
            self.stdin_pending -= len(data) - len(rest)
            if rest:
                self.stdin_queue[0] = rest
                break
            self.stdin_queue.popleft()
        if self.stdin is not None and not self.stdin_queue:
            self.loop.remove_writer(self.stdin)
            if self.stdin_ends:
                self.close_stdin_now()
        for session in list(self.sessions):
            session.stdin_drained()

    def close_stdin(self):
        """End of input, once everything before it is written. A terminal has no such end."""
        if self.stdin is None or self.tty:
            return
        self.stdin_ends = True
        if not self.stdin_queue:
            self.close_stdin_now()

    def close_stdin_now(self):
        self.loop.remove_writer(self.stdin)
        if self.stdin not in self.outputs:
            os.close(self.stdin)
        self.stdin = None
        self.stdin_queue.clear()
        self.stdin_pending = 0

    def resize(self, width, height):
        if self.tty and self.stdin is not None:
            fcntl.ioctl(self.stdin, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    # the end

    def signal(self, number):
        if self.pid and not self.exited.done():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        """Ends it for good, also while it is only being started."""
        self.signal(signal.SIGKILL)
        if not self.pid and hasattr(self, "helper") and self.helper.poll() is None:
            self.helper.kill()
