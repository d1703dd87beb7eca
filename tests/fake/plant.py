# SPDX-License-Identifier: Apache-2.0
"""Many one-offs at once, for lists: Jobs and their pods as they stand after their end, put into the store without anybody
who would act on them. And what really ran, for tests about locks."""
import hashlib
import time
import uuid

from kinds import JOBS, NAMESPACES, PODS

MARK = "fake/planted"
WHEN = ("2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z", "2026-01-02T03:05:06Z")


def plant(store, namespace, count):
    """Puts `count` ended one-offs into a namespace, after taking out those of the last time."""
    for kind in JOBS, PODS:
        for obj in [o for o in store.objects[kind].values() if MARK in o["metadata"].get("annotations", {})]:
            store.objects[kind].pop((obj["metadata"]["namespace"], obj["metadata"]["name"]))
            store.by_uid.pop(obj["metadata"]["uid"])
    store.get(NAMESPACES, "", namespace)
    for number in range(count):
        for kind, obj in zip((JOBS, PODS), documents(namespace, number)):
            store.version += 1
            meta = obj["metadata"]
            meta.update(resourceVersion=str(store.version), creationTimestamp=WHEN[0])
            store.objects[kind][namespace, meta["name"]] = obj
            store.by_uid[meta["uid"]] = (kind, obj)


def documents(namespace, number):
    ident = hashlib.sha256(b"%d" % number).hexdigest()[:8]
    name = f"planted-oneoff-{ident}"
    uid = str(uuid.uuid5(uuid.NAMESPACE_OID, name))
    labels = {"oneoff.dev/id": ident, "app.kubernetes.io/managed-by": "oneoff", "job-name": name, "controller-uid": uid}
    template = {"restartPolicy": "Never", "containers": [{
        "name": "web", "image": "suite/app:1", "command": ["sh", "-c", "exit 3"],
        "env": [{"name": f"VARIABLE_{n}", "value": "some value of the usual length"} for n in range(20)]}]}
    failed = number % 2 == 1
    status = {"startTime": WHEN[0], "failed" if failed else "succeeded": 1, "conditions": [
        {"type": "Failed" if failed else "Complete", "status": "True", "lastTransitionTime": WHEN[2],
         "reason": "BackoffLimitExceeded" if failed else "CompletionsReached"}]}
    job = {"kind": "Job", "apiVersion": "batch/v1", "metadata": {
        "name": name, "namespace": namespace, "uid": uid, "labels": labels, "annotations": {
            MARK: "", "oneoff.dev/source": "deploy/web", "oneoff.dev/user": "jane", "oneoff.dev/keep": "failed",
            "oneoff.dev/command": '["sh","-c","exit 3"]', "oneoff.dev/started": WHEN[0]}},
        "spec": {"suspend": False, "backoffLimit": 0, "template": {"spec": template}}, "status": status}
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {
        "name": name + "-abcde", "namespace": namespace, "uid": str(uuid.uuid5(uuid.NAMESPACE_OID, name + "-pod")),
        "labels": labels, "annotations": {MARK: "", "kubectl.kubernetes.io/default-container": "web"},
        "ownerReferences": [{"apiVersion": "batch/v1", "kind": "Job", "name": name, "uid": uid, "controller": True}]},
        "spec": {**template, "nodeName": "lab"}, "status": {
            "phase": "Failed" if failed else "Succeeded", "startTime": WHEN[0], "containerStatuses": [{
                "name": "web", "state": {"terminated": {
                    "exitCode": 3 if failed else 0, "reason": "Error" if failed else "Completed",
                    "startedAt": WHEN[1], "finishedAt": WHEN[2]}}}]}}
    return job, pod


class Runs:
    """From when until when each container of a labelled pod had a process; seconds of a monotonic clock."""

    def __init__(self):
        self.entries = []

    def begin(self, meta, container, process):
        entry = {"pod": meta["name"], "container": container, "labels": meta.get("labels") or {},
                 "began": time.monotonic(), "ended": None}
        self.entries.append(entry)
        process.exited.add_done_callback(lambda _: entry.update(ended=time.monotonic()))

    def of_lock(self, name):
        return [entry for entry in self.entries if entry["labels"].get("oneoff.dev/lock") == name]

    def report(self, name):
        """{"runs", "open": still running, "overlaps": pairs of pods of one lock that ran at the same time}"""
        found = sorted(self.of_lock(name), key=lambda entry: entry["began"])
        overlaps, last = [], None
        for entry in found:
            if last and (last["ended"] is None or entry["began"] < last["ended"]):
                overlaps.append([last["pod"], entry["pod"]])
            if last is None or last["ended"] is not None and (entry["ended"] is None or entry["ended"] > last["ended"]):
                last = entry
        return {"runs": len(found), "open": sum(entry["ended"] is None for entry in found), "overlaps": overlaps}
