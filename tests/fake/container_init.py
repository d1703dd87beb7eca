# SPDX-License-Identifier: Apache-2.0
"""Becomes the first process of a container: namespaces, mounts, root, user, exec. Needs root.

    container_init.py SPEC.json REPORT_FD

Run by containers.py with the container's stdin, stdout and stderr. Reports lines on REPORT_FD: `pid N` once the
program runs, or `error TEXT`; then `exit N`. Dies with its parent, and everything in the container with it.
"""
import ctypes
import errno
import fcntl
import json
import os
import signal
import socket
import sys
import termios

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID = 0x20000, 0x4000000, 0x8000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 32, 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS = 1, 38
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

libc = ctypes.CDLL(None, use_errno=True)


def check(result, what):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source, target, kind, flags, data=None):
    check(libc.mount(source.encode(), target.encode(), kind.encode() if kind else None, flags,
                     data.encode() if data else None), f"mount {target}")


def enter(spec):
    """From here on this process sees only the container."""
    root = spec["root"]
    mount("none", "/", None, MS_REC | MS_PRIVATE)
    mount(root, root, None, MS_BIND)
    for device in DEVICES:
        mount("/dev/" + device, f"{root}/dev/{device}", None, MS_BIND)
    if spec["tty"]:
        terminal = os.ttyname(0)  # /dev/pts/N, for programs that look their terminal up by name
        os.close(os.open(root + terminal, os.O_CREAT | os.O_WRONLY, 0o600))
        mount(terminal, root + terminal, None, MS_BIND)
    for entry in spec["mounts"]:
        target = root + entry["target"]
        mount(entry["source"], target, None, MS_BIND | MS_REC)
        if entry.get("readonly"):
            mount("none", target, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    mount("proc", root + "/proc", "proc", MS_NOSUID)
    if spec.get("readonly"):
        mount("none", root, None, MS_BIND | MS_REMOUNT | MS_RDONLY)
    os.chroot(root)
    os.chdir(spec["cwd"])
    socket.sethostname(spec["hostname"])
    os.setgroups(spec["groups"])
    os.setgid(spec["gid"])
    os.setuid(spec["uid"])


def join(spec):
    """For exec: enters the namespaces of a running container instead of making new ones."""
    pid = spec["join"]
    root = os.open(f"/proc/{pid}/root", os.O_RDONLY)
    for name in ("ipc", "uts", "pid", "mnt"):
        handle = os.open(f"/proc/{pid}/ns/{name}", os.O_RDONLY)
        check(libc.setns(handle, 0), "setns " + name)
        os.close(handle)
    os.fchdir(root)
    os.chroot(".")
    os.close(root)


def execute(spec):
    """execve with the container's own PATH; raises what a runtime would say."""
    argv, environment = spec["argv"], spec["env"]
    name = argv[0]
    if "/" in name:
        try:
            os.execve(name, argv, environment)
        except OSError as error:
            raise OSError(error.errno, f'exec: "{name}": stat {name}: {text(error)}'
                          if error.errno == errno.ENOENT else f'exec: "{name}": {text(error)}') from error
    denied = False
    for folder in environment.get("PATH", "").split(":"):
        try:
            os.execve(os.path.join(folder or ".", name), argv, environment)
        except PermissionError:
            denied = True
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                raise
    raise OSError(errno.EACCES if denied else errno.ENOENT, f'exec: "{name}": permission denied' if denied else
                  f'exec: "{name}": executable file not found in $PATH')


def text(error):
    return {errno.ENOENT: "no such file or directory", errno.EACCES: "permission denied"}.get(
        error.errno, os.strerror(error.errno).lower())


def die_with_parent(parent):
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def child(spec, failure):
    try:
        os.setsid()
        if spec["tty"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        if "join" in spec:
            os.chdir(spec["cwd"])
            os.setgroups(spec["groups"])
            os.setgid(spec["gid"])
            os.setuid(spec["uid"])
        else:
            enter(spec)
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if spec.get("no_new_privileges"):
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.umask(0o022)
        execute(spec)
    except OSError as error:
        os.write(failure, (error.strerror or str(error)).encode())
    os._exit(128)


def main():
    report = int(sys.argv[2])
    os.set_inheritable(report, False)
    with open(sys.argv[1], encoding="utf-8") as file:
        spec = json.load(file)
    die_with_parent(spec["parent"])
    try:
        if "join" in spec:
            join(spec)
        else:
            check(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID), "unshare")
    except OSError as error:
        os.write(report, f"error {error.strerror}\n".encode())
        return
    failure_read, failure_write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(failure_read)
        child(spec, failure_write)
    os.close(failure_write)
    null = os.open("/dev/null", os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    failure = os.read(failure_read, 65536)
    if failure:
        os.write(report, b"error " + failure.replace(b"\n", b" ") + b"\n")
    else:
        os.write(report, f"pid {pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    os.write(report, f"exit {code}\n".encode())


main()
