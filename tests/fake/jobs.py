# SPDX-License-Identifier: Apache-2.0
"""The Job controller: one pod after the other until the Job is Complete or Failed, in the recorded order of writes."""
import asyncio
import copy
import time

import errors
import events
from garbage import TRACKING, drop_tracking
from kinds import JOBS, PODS
from store import now, random_suffix

BACKOFF = ("BackoffLimitExceeded", "Job has reached the specified backoff limit")
DEADLINE = ("DeadlineExceeded", "Job was active longer than specified deadline")
SUCCESS = ("CompletionsReached", "Reached expected number of succeeded pods")


class Jobs:
    def __init__(self, server):
        self.server, self.store = server, server.store
        self.tasks = {}
        self.store.listeners.append(self.listener)

    def listener(self, change):
        if change.kind is JOBS:
            uid = change.obj["metadata"]["uid"]
            if change.type == "ADDED":
                self.tasks[uid] = Worker(self, change.obj)
            elif uid in self.tasks:
                self.tasks[uid].changed.set()
                if change.type == "DELETED":
                    self.tasks.pop(uid).task.cancel()
        elif change.kind is PODS:
            for owner in change.obj["metadata"].get("ownerReferences", []):
                if owner["uid"] in self.tasks:
                    self.tasks[owner["uid"]].changed.set()


class Gone(Exception):
    """The Job went away in the middle of it."""


class Worker:
    """Runs one Job."""

    def __init__(self, jobs, job):
        self.server, self.store = jobs.server, jobs.store
        meta = job["metadata"]
        self.namespace, self.name, self.uid = meta["namespace"], meta["name"], meta["uid"]
        self.changed = asyncio.Event()
        self.counted = set()  # uids of pods that have entered succeeded or failed
        self.task = asyncio.get_running_loop().create_task(self.run())

    def job(self):
        job = self.store.find(JOBS, self.namespace, self.name)
        if job is None or job["metadata"]["uid"] != self.uid:
            raise Gone()
        return job

    def pods(self):
        return [pod for pod in self.store.all(PODS, self.namespace)
                if any(o["uid"] == self.uid for o in pod["metadata"].get("ownerReferences", []))]

    def write(self, **values):
        """Sets fields of the status; None removes one."""
        def edit(job):
            for key, value in values.items():
                if value is None:
                    job["status"].pop(key, None)
                else:
                    job["status"][key] = value
        self.store.change(JOBS, self.namespace, self.name, edit)

    def add_condition(self, kind, reason, message, **values):
        entry = {"type": kind, "status": "True", "lastProbeTime": now(), "lastTransitionTime": now(),
                 "reason": reason, "message": message}
        self.write(conditions=copy.deepcopy(self.job()["status"].get("conditions", [])) + [entry], **values)

    def event(self, event_type, reason, message):
        events.record(self.store, JOBS, self.job(), event_type, reason, message, "job-controller")

    async def lag(self, setting="job_lag"):
        await asyncio.sleep(self.server.settings[setting] / 1000)

    async def wait(self, seconds=None):
        try:
            await asyncio.wait_for(self.changed.wait(), seconds)
        except asyncio.TimeoutError:
            return
        self.changed.clear()
        await asyncio.sleep(0)  # let what happens together be seen together

    async def run(self):
        try:
            await asyncio.sleep(0.002)
            await self.work()
            await self.expire()
        except Gone:
            pass

    async def work(self):
        failures = 0
        while True:
            job = await self.resumed()
            pod = await self.create_pod(job)
            if not job["status"].get("startTime"):
                self.write(startTime=now(), active=1, terminating=0, uncountedTerminatedPods={}, ready=0)
                self.started = time.monotonic()
            else:
                self.write(active=1, ready=0)
            outcome = await self.watch_pod(pod)
            if outcome == "deadline":
                return await self.exceed(pod)
            if outcome == "succeeded":
                return await self.succeed(pod)
            failures += 1
            if failures > job["spec"]["backoffLimit"]:
                return await self.fail(pod)
            await self.count(pod, "failed", failures)
            await asyncio.sleep(self.server.settings["job_backoff"] / 1000 * 2 ** (failures - 1))

    async def resumed(self):
        """While it is suspended it has no pods; conditions tell."""
        job = self.job()
        if not job["spec"].get("suspend"):
            return job
        self.add_condition("Suspended", "JobSuspended", "Job suspended")
        while job["spec"].get("suspend"):
            await self.wait()
            job = self.job()

        def edit(entry):
            return {**entry, "status": "False", "reason": "JobResumed", "message": "Job resumed",
                    "lastTransitionTime": now()} if entry["type"] == "Suspended" else entry
        self.write(conditions=[edit(entry) for entry in job["status"].get("conditions", [])])
        self.event("Normal", "Resumed", "Job resumed")
        return self.job()

    async def create_pod(self, job):
        """Creates the next pod; while admission refuses it, only events tell."""
        template = copy.deepcopy(job["spec"]["template"])
        while True:
            name = f"{self.name[:57]}-{random_suffix()}"
            meta = {"name": name, "generateName": self.name[:57] + "-", "namespace": self.namespace}
            meta.update({key: value for key, value in template.get("metadata", {}).items() if value})
            meta["ownerReferences"] = [{"apiVersion": "batch/v1", "kind": "Job", "name": self.name, "uid": self.uid,
                                        "controller": True, "blockOwnerDeletion": True}]
            meta["finalizers"] = [TRACKING]
            try:
                pod = self.server.create_object(PODS, PODS, {
                    "kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": copy.deepcopy(template["spec"])})
            except errors.ApiError as error:
                self.event("Warning", "FailedCreate", f"Error creating: {error.message}")
                await asyncio.sleep(self.server.settings["create_retry"] / 1000)
                continue
            self.event("Normal", "SuccessfulCreate", f"Created pod: {name}")
            return pod

    async def watch_pod(self, pod):
        """Follows a pod to its end: succeeded, failed, or the Job's own deadline."""
        uid = pod["metadata"]["uid"]
        limit = self.job()["spec"].get("activeDeadlineSeconds")
        while True:
            left = self.started + limit - time.monotonic() if limit else None
            if left is not None and left <= 0:
                return "deadline"
            await self.wait(left)
            current = next((p for p in self.pods() if p["metadata"]["uid"] == uid), None)
            if current is None:
                return "failed"
            ready = any(c["type"] == "Ready" and c["status"] == "True"
                        for c in current["status"].get("conditions", []))
            phase = current["status"].get("phase")
            if phase == "Succeeded":
                return "succeeded"
            if phase == "Failed" or current["metadata"].get("deletionTimestamp"):
                return "failed"
            if ready != bool(self.job()["status"].get("ready")):
                await self.lag("ready_lag")
                self.write(ready=int(ready))

    def release(self, pod):
        """Takes the tracking finalizer off the pod, which lets it be deleted."""
        current = self.store.find(PODS, self.namespace, pod["metadata"]["name"])
        if current and current["metadata"]["uid"] == pod["metadata"]["uid"]:
            self.store.change(PODS, self.namespace, pod["metadata"]["name"],
                              lambda copied: drop_tracking(copied["metadata"]))

    async def succeed(self, pod):
        await self.lag()
        uid = pod["metadata"]["uid"]
        self.add_condition("SuccessCriteriaMet", *SUCCESS, active=None, ready=0,
                           uncountedTerminatedPods={"succeeded": [uid]})
        self.release(pod)
        self.add_condition("Complete", *SUCCESS, completionTime=now(), succeeded=1, uncountedTerminatedPods={})
        self.event("Normal", "Completed", "Job completed")

    async def fail(self, pod):
        await self.lag()
        count = self.job()["status"].get("failed", 0)
        self.add_condition("FailureTarget", *BACKOFF, active=None, ready=0,
                           uncountedTerminatedPods={"failed": [pod["metadata"]["uid"]]})
        self.release(pod)
        await self.pod_gone(pod)
        self.add_condition("Failed", *BACKOFF, failed=count + 1, terminating=0, uncountedTerminatedPods={})
        self.event("Warning", BACKOFF[0], BACKOFF[1])

    async def count(self, pod, field, number):
        self.release(pod)
        self.write(active=None, ready=0, **{field: number})

    async def exceed(self, pod):
        """The Job's own deadline: the pod is deleted, and its log with it."""
        current = self.store.find(PODS, self.namespace, pod["metadata"]["name"])
        if current:
            self.server.garbage.delete(PODS, current)
            self.event("Normal", "SuccessfulDelete", f"Deleted pod: {pod['metadata']['name']}")
        await self.lag("ready_lag")
        self.add_condition("FailureTarget", *DEADLINE, active=None, terminating=1, ready=0,
                           uncountedTerminatedPods={"failed": [pod["metadata"]["uid"]]})
        self.release(pod)
        self.write(failed=self.job()["status"].get("failed", 0) + 1, uncountedTerminatedPods={})
        await self.pod_gone(pod)
        self.write(terminating=0)
        self.add_condition("Failed", *DEADLINE)
        self.event("Warning", DEADLINE[0], DEADLINE[1])

    async def pod_gone(self, pod):
        """Waits for a pod that is being deleted to have ended."""
        while True:
            current = self.store.find(PODS, self.namespace, pod["metadata"]["name"])
            if current is None or current["metadata"]["uid"] != pod["metadata"]["uid"] or \
                    current["status"].get("phase") in ("Succeeded", "Failed"):
                return
            await self.wait(0.2)

    async def expire(self):
        """ttlSecondsAfterFinished: the Job goes, and its pod before it."""
        ttl = self.job()["spec"].get("ttlSecondsAfterFinished")
        if ttl is not None:
            await asyncio.sleep(ttl)
            job = self.job()
            if not job["metadata"].get("deletionTimestamp"):
                self.server.garbage.delete(JOBS, job, {"propagationPolicy": "Foreground"})
