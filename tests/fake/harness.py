# SPDX-License-Identifier: Apache-2.0
"""What the checks of the self-test share: the server under test, the recordings, and shapes to compare."""
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time

from client import Client

HERE = os.path.dirname(os.path.abspath(__file__))
RECORDINGS = os.path.join(HERE, "../fixtures/kube/fake")
POD_PATH = "/api/v1/namespaces/shop/pods"
JOB_PATH = "/apis/batch/v1/namespaces/shop/jobs"
IO = "while read -r l; do echo got:$l; echo err:$l >&2; done; echo EOF"
numbers = itertools.count(1)
CHECKS = []


def check(function):
    """Marks a check; its name is what must hold."""
    CHECKS.append(function)
    return function


class World:
    """A running server and ways to reach it."""

    def __init__(self, *arguments):
        self.folder = tempfile.mkdtemp(prefix="oneoff-fake-")
        self.process = subprocess.Popen([sys.executable, os.path.join(HERE, "apiserver"), "--dir", self.folder,
                                         *arguments], stdout=subprocess.PIPE)
        line = self.process.stdout.readline().decode().split()
        assert line[:1] == ["ready"], line
        self.url = line[1]
        self.admin = Client(self.folder, self.url)
        with open(os.path.join(self.folder, "rbac.json"), encoding="utf-8") as file:
            self.rbac = json.load(file)
        self.least = next(iter(self.rbac["users"].values()))["rules"]
        self.home = tempfile.mkdtemp(prefix="oneoff-home-")
        self.runner = Client(self.folder, line[1], next(iter(self.rbac["users"].values()))["token"])
        self.environment = {**os.environ, "KUBECONFIG": os.path.join(self.folder, "kubeconfig"),
                            "HOME": self.home}

    def kubectl(self, *arguments, stdin=b"", code=0, timeout=30):
        """Runs the real kubectl; returns its stdout."""
        done = subprocess.run(["kubectl", *arguments], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env=self.environment, timeout=timeout, check=False)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout.decode()

    def faults(self, *rules):
        self.admin.post("/fake/faults", list(rules), 200)

    def set(self, **settings):
        self.admin.post("/fake/set", settings, 200)

    def stats(self):
        return self.admin.get("/fake/stats")

    def allow(self, *rules):
        """Replaces the rights of the restricted user."""
        for user in self.rbac["users"].values():
            user["rules"] = list(rules)
        path = os.path.join(self.folder, "rbac.json")
        with open(path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.rbac, file)
        os.rename(path + ".new", path)

    def pod(self, script, name=None, container=None, wait="Running", **spec):
        """Creates a pod that runs a shell script; returns its name once it runs."""
        name = name or f"p{next(numbers)}"
        first = {"name": "c", "image": "shop/web:1", "command": ["sh", "-c", script], **(container or {})}
        self.admin.post(POD_PATH, {"metadata": {"name": name}, "spec": {
            "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [first], **spec}})
        if wait:
            self.admin.wait(f"{POD_PATH}/{name}", lambda pod: pod["status"]["phase"] == wait)
        return name

    def io_pod(self, name=None, once=True, tty=False, script=IO):
        return self.pod(script, name, {"stdin": True, "stdinOnce": once, "tty": tty})

    def job(self, script, name=None, container=None, pod=None, **spec):
        name = name or f"j{next(numbers)}"
        first = {"name": "c", "image": "shop/web:1", "command": ["sh", "-c", script], **(container or {})}
        self.admin.post(JOB_PATH, {"metadata": {"name": name}, "spec": {
            "backoffLimit": 0, **spec, "template": {"spec": {
                "restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [first],
                **(pod or {})}}}})
        return name

    def attach(self, name, query="stdin=true&stdout=true&stderr=true", **more):
        return self.admin.attach(f"{POD_PATH}/{name}/attach?container=c&{query}", **more)

    def stop(self):
        """SIGTERM; returns what is left behind."""
        pids = descendants(self.process.pid)
        self.process.terminate()
        self.process.wait(10)
        self.process.stdout.close()
        time.sleep(0.05)
        left = [pid for pid in pids if alive(pid)]
        return pids, left, os.listdir(self.folder)


def alive(pid):
    """A process that is there and no zombie (nobody reaps orphans in some build containers)."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def descendants(pid):
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as file:
                    parent = int(file.read().rpartition(")")[2].split()[1])
            except OSError:
                continue
            found.append((int(entry), parent))
    result, wave = [], {pid}
    while wave:
        wave = {child for child, parent in found if parent in wave}
        result += wave
    return result


def recording(name):
    with open(os.path.join(RECORDINGS, name), encoding="utf-8") as file:
        if name.endswith(".ndjson"):
            return [json.loads(line) for line in file]
        return json.load(file)


def same(found, wanted, what=""):
    assert found == wanted, f"{what}\n\tfound  {found}\n\twanted {wanted}"


def shape_of_pod(event):
    """What a watch tells of a pod, without names, times and numbers."""
    pod = event["object"]
    meta, status = pod["metadata"], pod["status"]
    conditions = {c["type"]: (c["status"], c.get("reason")) for c in status.get("conditions", [])}
    states = []
    for group in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(group, []):
            state, detail = next(iter(container["state"].items()))
            states.append((container["name"], state, detail.get("reason"), detail.get("exitCode"),
                           container["ready"], container["started"], bool(container["imageID"]),
                           "containerID" in container))
    return (event["type"], status.get("phase"), status.get("reason"), tuple(sorted(conditions.items(), key=str)),
            tuple(states), bool(pod["spec"].get("nodeName")), "podIP" in status,
            tuple(meta.get("finalizers", [])), "deletionTimestamp" in meta, meta.get("deletionGracePeriodSeconds"),
            meta.get("generation"), status.get("observedGeneration"))


def shape_of_job(event):
    status, meta = event["object"]["status"], event["object"]["metadata"]
    return (event["type"], tuple((c["type"], c["status"], c["reason"], c["message"])
                                 for c in status.get("conditions", [])),
            tuple((key, status.get(key)) for key in ("active", "ready", "terminating", "failed", "succeeded")),
            tuple((status.get("uncountedTerminatedPods") or {}).keys()), "startTime" in status,
            "completionTime" in status, tuple(meta.get("finalizers", [])), "deletionTimestamp" in meta)


def shapes(events, shape):
    """The shapes in order, equal neighbours joined (the real kubelet also writes things that we leave out)."""
    return [key for key, _ in itertools.groupby(shape(event) for event in events if event["type"] != "BOOKMARK")]
