# SPDX-License-Identifier: Apache-2.0
"""Checks of attach, exec and logs: the recorded sessions, and what the research says besides."""
import json
import time

from harness import POD_PATH, check, recording, same
from websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, client_frame

END = [(BINARY, b'\x03{"metadata":{},"status":"Success"}'), (CLOSE, b"\x03\xe8")]
HALF_CLOSE = b"\xff\x00"
V4 = "v4.channel.k8s.io"


def server_frames(name):
    return [(entry["op"], bytes.fromhex(entry["payload"])) for entry in recording(name)
            if entry["dir"] == "s2c" and "op" in entry]


def like_recording(name, frames):
    """First and last frames are equal, and so is what came on each channel (their order is not kept)."""
    wanted = server_frames(name)
    same(frames[0], wanted[0], name)
    same(frames[-1], wanted[-1], name)
    if wanted[-2][1][0] == 3:
        same(frames[-2], wanted[-2], name)
    for channel in (1, 2):
        texts = [b"".join(p[1:] for op, p in part if op == BINARY and p[0] == channel) for part in (frames, wanted)]
        same(texts[0], texts[1], f"{name} channel {channel}")
    same([f for f in frames if f[0] == PONG], [f for f in wanted if f[0] == PONG], name)


def state_of(world, name, **more):
    pod = world.admin.wait(f"{POD_PATH}/{name}", lambda pod: "terminated" in pod["status"]["containerStatuses"][0][
        "state"], **more)
    return pod["status"]["containerStatuses"][0]["state"]["terminated"]


def log_of(world, name, query=""):
    return world.admin.raw("GET", f"{POD_PATH}/{name}/log{query}")[2]


@check
def attach_with_half_close_is_as_recorded(world):
    socket = world.attach(world.io_pod())
    same(socket.headers["sec-websocket-protocol"], "v5.channel.k8s.io")
    socket.send(0, b"hello\n")
    socket.read_until(b"err:hello\n", 2)
    socket.frame(PING, b"hb")
    while (PONG, b"hb") not in socket.frames:
        socket.next()
    socket.frame(BINARY, HALF_CLOSE)
    like_recording("attach-v5-stdin-halfclose.ndjson", socket.until_close())
    same(socket.next(), None, "TCP ends")


@check
def attach_with_a_burst_is_as_recorded(world):
    first = client_frame(BINARY, b"\0a\n") + client_frame(BINARY, b"\0b\n") + client_frame(BINARY, HALF_CLOSE)
    like_recording("attach-v5-burst.ndjson", world.attach(world.io_pod(), first=first).until_close())


@check
def attach_without_stdin_once_ends_at_half_close(world):
    name = world.io_pod(once=False)
    socket = world.attach(name)
    socket.send(0, b"hello\n")
    socket.read_until(b"err:hello\n", 2)
    socket.frame(BINARY, HALF_CLOSE)
    like_recording("attach-v5-halfclose-stdinonce-false.ndjson", socket.until_close())
    again = world.attach(name)
    again.send(0, b"more\n")
    again.read_until(b"got:more\n")
    again.cut()
    third = world.attach(name)
    third.send(0, b"third\n")
    third.read_until(b"got:third\n")
    third.close()


@check
def attach_sees_the_end_of_a_deleted_pod(world):
    name = world.io_pod(script="trap 'echo got TERM; exit 0' TERM; while :; do sleep 0.05; done")
    socket = world.attach(name)
    socket.next()
    world.admin.call("DELETE", f"{POD_PATH}/{name}")
    like_recording("attach-v5-pod-deleted.ndjson", socket.until_close())


@check
def attach_to_a_terminal_follows_its_size(world):
    name = world.io_pod(tty=True, script="stty size; tty; sh")
    socket = world.attach(name, "stdin=true&stdout=true&tty=true")
    socket.send(4, b'{"Width":132,"Height":43}')
    socket.send(0, b"stty size\n")
    socket.read_until(b"43 132\r\n")
    socket.send(4, b'{"Width":80,"Height":24}')
    socket.send(0, b"stty size; exit 5\n")
    frames = socket.until_close()
    same(frames[-2:], END)
    assert b"24 80\r\n" in socket.channel(1)
    # What busybox says to 0x0, the size before the first resize.
    assert log_of(world, name).startswith(b"stty: standard input\n/dev/pts/"), log_of(world, name)
    same(state_of(world, name)["exitCode"], 5)


@check
def a_terminal_survives_half_close_and_cut(world):
    name = world.io_pod(tty=True, script="sh")
    socket = world.attach(name, "stdin=true&stdout=true&tty=true")
    socket.send(0, b"kept=yes\n")
    socket.read_until(b"kept=yes\r\n")
    socket.frame(BINARY, HALF_CLOSE)
    same(socket.until_close()[-2:], END)
    world.attach(name, "stdin=true&stdout=true&tty=true").cut()
    socket = world.attach(name, "stdin=true&stdout=true&tty=true")
    socket.send(0, b"echo =$kept=\n")
    socket.read_until(b"=yes=")
    socket.close()


@check
def v4_has_no_end_of_input(world):
    name = world.io_pod()
    socket = world.attach(name, protocol=V4)
    socket.send(0, b"hello\n")
    socket.read_until(b"err:hello\n", 2)
    socket.read_until(b"got:hello\n")
    socket.frame(BINARY, HALF_CLOSE)
    assert socket.quiet(0.2), "v4 knows no half-close"
    socket.frame(CLOSE, b"\x03\xe8")
    like_recording("attach-v4-close.ndjson", socket.until_close())
    same(state_of(world, name)["exitCode"], 0)
    world.set(v5=False)
    name = world.io_pod()
    same(world.attach(name, protocol="v5.channel.k8s.io").code, 403)
    same(world.attach(name, protocol="v5.channel.k8s.io, " + V4).headers["sec-websocket-protocol"], V4)
    world.set(v5=True)


@check
def a_frame_too_large_ends_the_input(world):
    name = world.io_pod(script="wc -c")
    socket = world.attach(name)
    socket.socket.sendall(b"\x82\xff" + (32 * 1024 * 1024 + 1).to_bytes(8, "big") + b"abcd")
    frames = socket.until_close()
    same(frames, server_frames("attach-v5-frame-too-large.ndjson"))
    same(state_of(world, name)["exitCode"], 0)
    same(log_of(world, name), b"0\n")


@check
def attach_errors_are_as_recorded(world):
    world.faults({"pod": "^pull", "reason": "ErrImagePull"}, {"pod": "^unsched", "reason": "Unschedulable"})
    world.pod("sleep 60", "hold")
    world.pod("exit 3", "exit3", wait="Failed")
    world.io_pod("tty", tty=True, script="sh")
    world.pod("true", "unsched", wait=None)
    world.pod("true", "pull", wait=None)
    world.pod("true", "mount", {"volumeMounts": [{"name": "v", "mountPath": "/v"}]}, wait=None,
              volumes=[{"name": "v", "configMap": {"name": "missing"}}])
    world.pod("true", "initrun", wait=None, initContainers=[{"name": "i", "image": "shop/web:1", "command": [
        "sleep", "60"]}])
    world.admin.wait(f"{POD_PATH}/initrun", lambda p: p["status"].get("initContainerStatuses", [{}])[0].get("started"))
    for case in ("401", "badcontainer-400", "creating-500", "exited-500", "init-500", "nostreams-400", "nosuchpod-404",
                 "pending-400", "rbac-create-403", "rbac-get-403", "subprotocol-403", "tty-stderr-500", "waiting-500"):
        sent, wanted = recording(f"attach-err-{case}.ndjson")
        path = sent["http"].split(" ")[1].replace("/r-rec/", "/shop/")
        client = world.runner if "Authorization" in sent["http"] else world.admin
        token, client.token = client.token, "wrong" if case == "401" else client.token
        verbs = ["get"] if case == "rbac-create-403" else ["create"]
        world.allow({"verbs": verbs, "resources": ["pods/attach"]})
        protocol = "v9.nosuch" if "v9" in sent["http"] else "v5.channel.k8s.io"
        found = client.attach(path, protocol=protocol)
        client.token = token
        body = wanted["body"].replace("r-rec", "shop").replace(":shop:default", ":shop:runner")
        same(found.code, int(wanted["http"].split(" ")[1]), case)
        same(found.body.decode(), body, case)
        lines = dict(line.split(": ", 1) for line in wanted["http"].strip().split("\r\n")[1:])
        for key in ("Content-Type", "Connection"):
            same(found.headers.get(key.lower()), lines.get(key), case + " " + key)
    world.allow({"verbs": ["get", "create"], "resources": ["pods/attach"]})
    same(world.runner.attach(f"{POD_PATH}/hold/attach?container=c&stdout=true").code, 101)
    same(world.admin.call("GET", f"{POD_PATH}/hold/attach?container=c&stdout=true")[0], 400)
    world.faults()
    for name in ("hold", "exit3", "tty", "unsched", "pull", "mount", "initrun"):
        world.admin.call("DELETE", f"{POD_PATH}/{name}?gracePeriodSeconds=0")


@check
def output_before_the_attach_is_lost(world):
    name = world.io_pod(script="echo early; read -r l; echo late:$l")
    deadline = time.monotonic() + 5
    while log_of(world, name) != b"early\n":
        assert time.monotonic() < deadline
    socket = world.attach(name)
    socket.send(0, b"go\n")
    frames = socket.until_close()
    same(socket.channel(1), b"late:go\n")
    same(frames[-2:], END)
    same(log_of(world, name), b"early\nlate:go\n")


@check
def a_cut_ends_the_input_of_stdin_once(world):
    name = world.io_pod(script="cat >/dev/null; echo eof; sleep 0.3; exit 4")
    socket = world.attach(name)
    socket.next()
    socket.cut()
    second = world.attach(name)
    same(second.until_close()[-2:], END)
    same(state_of(world, name)["exitCode"], 4)
    same(log_of(world, name), b"eof\n")


@check
def a_scripted_cut_ends_the_connection_in_the_middle(world):
    name = world.io_pod(script="read -r l; yes | head -c 100000; sleep 0.2; exit 6")
    world.faults({"match": {"path": "/attach", "nth": 1}, "action": "cut", "bytes": 20000})
    socket = world.attach(name)
    socket.send(0, b"go\n")
    frames = socket.until_close()
    assert socket.ended and CLOSE not in [op for op, _ in frames]
    assert len(socket.channel(1)) < 20000
    world.faults()
    same(state_of(world, name)["exitCode"], 6)
    same(len(log_of(world, name)), 100000)


@check
def a_half_open_attach_is_silent(world):
    name = world.io_pod()
    world.faults({"match": {"path": "/attach"}, "action": "half-open", "bytes": 200})
    socket = world.attach(name)
    socket.send(0, b"hello\n" * 50)
    assert socket.until_silent(0.4), "the connection stays open"
    assert len(socket.channel(1)) < 200
    world.faults()
    socket.cut()


@check
def an_attach_that_comes_late_loses_output(world):
    name = world.io_pod(script="read -r l; echo first; sleep 0.5; echo second")
    world.faults({"match": {"path": "/attach"}, "action": "attach-delay", "ms": 300})
    socket = world.attach(name)
    socket.send(0, b"go\n")
    socket.until_close()
    world.faults()
    same(socket.channel(1), b"second\n")


@check
def fragments_are_mistaken_for_messages(world):
    name = world.io_pod(script="cat")
    socket = world.attach(name)
    socket.frame(BINARY, b"\0ab", final=False)
    socket.frame(CONTINUATION, b"\0cd")
    socket.frame(CONTINUATION, b"xlost")
    socket.frame(TEXT, b"\0ef\n")
    socket.frame(BINARY, b"")
    socket.frame(BINARY, HALF_CLOSE)
    socket.until_close()
    same(socket.channel(1), b"abcdef\n")


@check
def two_clients_see_the_same(world):
    name = world.io_pod()
    one, two = world.attach(name), world.attach(name)
    one.next(), two.next()
    one.send(0, b"x\n")
    one.read_until(b"got:x\n")
    two.frame(BINARY, HALF_CLOSE)
    for socket in (one, two):
        same(socket.until_close()[-2:], END)
        same(socket.channel(1), b"got:x\nEOF\n")


@check
def a_client_that_does_not_read_blocks_the_container(world):
    name = world.io_pod(script="read -r l; head -c 60000000 /dev/zero; echo end >&2")
    socket = world.attach(name)
    socket.send(0, b"go\n")
    time.sleep(1.5)
    pod = world.admin.get(f"{POD_PATH}/{name}")
    assert "running" in pod["status"]["containerStatuses"][0]["state"], pod["status"]
    frames = socket.until_close(20)
    same(sum(len(p) - 1 for op, p in frames if op == BINARY and p[0] == 1), 60000000)
    assert max(len(p) for _, p in frames) == 32 * 1024 + 1
    same(frames[-2:], END)


@check
def pings_wait_behind_unread_input(world):
    name = world.io_pod(script="sleep 3; wc -c")
    socket = world.attach(name)
    piece = client_frame(BINARY, b"\0" + bytes(32768 - 1))
    socket.socket.settimeout(5)
    sent = 0
    for _ in range(200):
        socket.socket.sendall(piece)
        sent += 32767
    socket.frame(PING, b"late")
    socket.frame(BINARY, HALF_CLOSE)
    assert (PONG, b"late") not in socket.frames and socket.until_silent(0.4) and \
        (PONG, b"late") not in socket.frames, "answered although stdin is stalled"
    frames = socket.until_close()
    assert (PONG, b"late") in frames
    same(socket.channel(1), b"%d\n" % sent)


@check
def throughput_is_enough(world):
    size = 200 << 20
    name = world.io_pod(script=f"read -r l; head -c {size} /dev/zero")
    socket = world.attach(name)
    socket.send(0, b"go\n")
    begin, got = time.monotonic(), 0
    while True:
        data = socket.socket.recv(262144)
        got += len(data)
        if not data:
            break
    down = got / (time.monotonic() - begin) / 1e6
    name = world.io_pod(script="wc -c")
    socket = world.attach(name)
    piece = client_frame(BINARY, bytes(32768)) * 32
    begin = time.monotonic()
    for _ in range(size // len(piece)):
        socket.socket.sendall(piece)
    socket.frame(BINARY, HALF_CLOSE)
    socket.until_close(30)
    up = size / (time.monotonic() - begin) / 1e6
    print(f"\tdown {down:.0f} MB/s, up {up:.0f} MB/s")
    assert got > size and min(down, up) > 25, (down, up)


@check
def logs_are_as_researched(world):
    name = world.pod("printf 'a\\r\\nb\\n'; echo e >&2; printf part; sleep 0.4; echo; printf '\\000\\377'", wait=None)
    world.admin.wait(f"{POD_PATH}/{name}", lambda pod: pod["status"]["phase"] == "Running")
    time.sleep(0.1)
    same(sorted(log_of(world, name).split(b"\n")), sorted(b"a\nb\ne\n".split(b"\n")))
    same(sorted(log_of(world, name, "?follow=true").split(b"\n")), sorted(b"a\nb\ne\npart\n\0\xff".split(b"\n")))
    same(log_of(world, name, "?tailLines=2"), b"part\n\0\xff")
    same(log_of(world, name, "?limitBytes=3"), b"a\nb"[:3])
    line = log_of(world, name, "?timestamps=true").split(b"\n")[0]
    assert line[10:11] == b"T" and line[29:] == b"Z a" and len(line) == 32, line
    code, body = world.admin.call("GET", f"{POD_PATH}/{name}/log?stream=Stdout")
    wanted = json.loads(json.dumps(recording("status-422-log-stream.json")).replace("exit3", name))
    same((code, body), (422, wanted))
    world.faults({"pod": "^unsched", "reason": "Unschedulable"}, {"pod": "^pull", "reason": "ErrImagePull"})
    world.pod("true", "unsched2", wait=None)
    world.pod("true", "pull", wait=None)
    same(world.admin.raw("GET", f"{POD_PATH}/unsched2/log?follow=true")[::2], (204, b""))
    world.admin.wait(f"{POD_PATH}/pull", lambda pod: "BackOff" in json.dumps(pod["status"]))
    same(world.admin.call("GET", f"{POD_PATH}/pull/log"), (400, recording("status-400-log-waiting.json")))
    world.faults()
    for name in ("unsched2", "pull"):
        world.admin.call("DELETE", f"{POD_PATH}/{name}?gracePeriodSeconds=0")
    web = world.admin.get(POD_PATH + "?labelSelector=app%3Dweb")["items"][0]["metadata"]["name"]
    code, body = world.admin.call("GET", f"{POD_PATH}/{web}/log")
    wanted = json.loads(json.dumps(recording("status-400-log-two-containers.json")).replace(
        "web-76666db457-26c2j", web))
    same((code, body), (400, wanted))


@check
def exec_tells_the_exit_code(world):
    path = f"{POD_PATH}/bare/exec?container=bare&stdout=true&stderr=true&command=sh&command=-c&command="
    socket = world.admin.attach(path + "echo+o%3Becho+e+%3E%262%3Bexit+7")
    like_recording("exec-v5-exit7.ndjson", socket.until_close())
