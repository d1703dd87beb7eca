# SPDX-License-Identifier: Apache-2.0
"""Scheduler and kubelet: takes a pod from Pending to its end, with real processes, telling each step in its status."""
import asyncio
import itertools
import os
import shutil
import signal
import time

import events
import launch
import podstatus
import rootfs
import scheduler
from containers import Log, Process
from kinds import PODS
from podstatus import is_sidecar
from store import now

RUNTIME_REFUSAL = ("failed to create containerd task: failed to create shim task: OCI runtime create failed: runc "
                   "create failed: unable to start container process: ")
MESSAGE_SIZE = 4096


class Kubelet:
    def __init__(self, server):
        self.server, self.store = server, server.store
        self.units = {}
        self.addresses = itertools.count(20)
        self.store.listeners.append(self.listener)

    def listener(self, change):
        if change.kind is not PODS:
            return
        meta = change.obj["metadata"]
        unit = self.units.get(meta["uid"])
        if change.type == "ADDED":
            self.units[meta["uid"]] = Unit(self, change.obj)
        elif change.type == "DELETED" and unit:
            unit.forget()
        elif unit and not meta.get("deletionTimestamp") and \
                change.obj["spec"].get("activeDeadlineSeconds") != change.old["spec"].get("activeDeadlineSeconds"):
            unit.set_deadline(change.obj["spec"]["activeDeadlineSeconds"])
        elif unit and meta.get("deletionTimestamp") and not unit.lost:
            grace = meta.get("deletionGracePeriodSeconds", 0)
            if unit.deleting is None or grace < unit.deleting:  # a second DELETE may shorten it
                unit.deleting = grace
                unit.terminate(grace, delete=True)

    def find(self, pod):
        return self.units.get(pod["metadata"]["uid"])

    def mark_disruption(self, pod, reason, message):
        meta = pod["metadata"]
        mark = podstatus.condition(None, "DisruptionTarget", True, reason, message)
        self.store.change(PODS, meta["namespace"], meta["name"], lambda copy: copy["status"].setdefault(
            "conditions", []).append(mark))

    def live_processes(self):
        return sum(1 for unit in self.units.values() for p in unit.processes.values() if not p.exited.done())

    async def close(self):
        units = list(self.units.values())
        for unit in units:
            unit.forget()
        processes = [p for unit in units for p in unit.every]
        pending = [p.exited for p in processes if not p.exited.done()]
        if pending:
            await asyncio.wait(pending, timeout=5)


class Unit:
    """One pod on the node."""

    def __init__(self, kubelet, pod):
        self.kubelet, self.server, self.store = kubelet, kubelet.server, kubelet.store
        self.meta, self.spec = pod["metadata"], pod["spec"]
        self.name, self.namespace, self.uid = self.meta["name"], self.meta["namespace"], self.meta["uid"]
        self.folder = os.path.join(self.server.folder, "pods", self.uid)
        self.states, self.processes, self.logs, self.ends = {}, {}, {}, {}
        self.every = []
        self.message = self.reason = self.address = self.final_phase = None
        self.network = self.initialized = self.failed_init = self.stopping = self.lost = False
        self.began = None  # monotonic, when the node took it
        self.deleting = None  # seconds of grace, once it is deleted
        self.start_time = now()
        self.timers = []
        self.life = asyncio.get_running_loop().create_task(self.live())

    def later(self, ms, call, *arguments):
        self.timers.append(asyncio.get_running_loop().call_later(ms / 1000, call, *arguments))

    async def pause(self, setting):
        await asyncio.sleep(self.server.settings[setting] / 1000)

    # the API's view

    def pod(self):
        pod = self.store.find(PODS, self.namespace, self.name)
        return pod if pod and pod["metadata"]["uid"] == self.uid else None

    def state(self, name):
        return self.states.setdefault(name, {
            "state": {"waiting": {"reason": "PodInitializing" if self.spec.get("initContainers") else
                                  "ContainerCreating"}}, "lastState": {}, "ready": False, "restartCount": 0,
            "imageID": ""})

    def publish(self):
        pod = self.pod()
        if pod and not self.lost:
            self.store.change(PODS, self.namespace, self.name,
                              lambda copy: copy.update(status=podstatus.build(copy, self)))

    def event(self, event_type, reason, message, container=None, component="kubelet"):
        pod = self.pod()
        if pod:
            events.record(self.store, PODS, pod, event_type, reason, message, component,
                          f"spec.containers{{{container}}}" if container else None)

    # the life of a pod

    async def live(self):
        await scheduler.schedule(self)
        self.start_time, self.began = now(), time.monotonic()
        self.publish()
        os.makedirs(self.folder, mode=0o700)
        self.volumes = rootfs.Volumes(self.server, self.pod(), self.folder)
        await self.until_ready(self.volumes.make, rootfs.MountError)
        await self.pause("start")
        self.network = True
        self.publish()
        self.address = f"10.97.1.{next(self.kubelet.addresses)}"
        slow = self.server.faults.for_pod(self.name, "SlowStart")
        if slow:
            await asyncio.sleep(slow.get("ms", 1000) / 1000)
        if self.spec.get("activeDeadlineSeconds"):
            self.set_deadline(self.spec["activeDeadlineSeconds"])
        for container in self.spec.get("initContainers") or []:
            await self.start(container)
            if not is_sidecar(container) and not await self.init_ended(container):
                return
        for container in self.spec["containers"]:
            state = self.state(container["name"])
            if "waiting" in state["state"]:
                state["state"] = {"waiting": {"reason": "PodInitializing" if self.spec.get("initContainers") else
                                              "ContainerCreating"}}
        await asyncio.gather(*(self.start(container) for container in self.spec["containers"]))
        self.script_trouble()
        for container in self.spec["containers"]:
            await self.ends[container["name"]].wait()
        await self.stop_sidecars()
        await self.pause("phase_lag")
        self.conclude()

    async def until_ready(self, attempt, error_type):
        """Tries again until it works, as the kubelet does; tells why not by an event."""
        while True:
            try:
                return attempt()
            except error_type as error:
                self.event("Warning", "FailedMount", str(error))
            await asyncio.sleep(0.2)

    # containers

    async def start(self, container):
        """Starts one; returns when it runs, or has failed to start."""
        name = container["name"]
        self.ends[name] = asyncio.Event()
        state = self.state(name)
        image_name, image = await self.pull(container, state)
        while True:
            try:
                spec = launch.make_spec(self, container, image, state["restartCount"])
                break
            except rootfs.ConfigError as error:
                self.wait(state, "CreateContainerConfigError", str(error))
                self.event("Warning", "Failed", f"Error: {error}", name)
                await asyncio.sleep(0.3)
        state["imageID"] = self.server.images.image_id(image_name, image)
        state["containerID"] = "containerd://" + os.urandom(32).hex()
        state["user"] = {"uid": spec["uid"], "gid": spec["gid"], "supplementalGroups": spec["groups"] or [spec["gid"]]}
        self.event("Normal", "Created", "Container created", name)
        log = self.logs[name] = Log(os.path.join(self.folder, f"{name}.{state['restartCount']}.log"))
        process = Process(os.path.join(self.folder, name + ".json"), spec, bool(container.get("stdin")), log)
        self.processes[name] = process
        self.every.append(process)
        process.start()
        await asyncio.wait([process.started])
        if process.started.exception():
            text = RUNTIME_REFUSAL + str(process.started.exception())
            self.event("Warning", "Failed", "Error: " + text, name)
            self.end(container, {"exitCode": 128, "reason": "StartError", "message": text,
                                 "startedAt": "1970-01-01T00:00:00Z", "finishedAt": now(),
                                 "containerID": state["containerID"]})
            return
        state["state"] = {"running": {"startedAt": now()}}
        state["ready"] = True
        self.server.runs.begin(self.meta, name, process)
        self.event("Normal", "Started", "Container started", name)
        self.publish()
        asyncio.get_running_loop().create_task(self.follow(container, process))

    def wait(self, state, reason, message=None):
        state["state"] = {"waiting": {"reason": reason, **({"message": message} if message else {})}}
        self.publish()

    async def pull(self, container, state):
        """The image of a container; stays here for as long as it cannot be had."""
        name, reference = container["name"], container["image"]
        rule = self.server.faults.for_pod(self.name, "ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError")
        if rule and rule["reason"] == "CreateContainerConfigError":
            self.wait(state, rule["reason"], rule.get("message") or 'secret "missing" not found')
        while True:
            try:
                if rule and rule["reason"] != "CreateContainerConfigError":
                    raise rootfs.ImageError("ErrImagePull", rule.get("message") or f'failed to pull and unpack image '
                                            f'"{reference}": {reference}: not found')
                if not rule:
                    self.event("Normal", "Pulled", f'Container image "{reference}" already present on machine', name)
                    return self.server.images.find(reference, container.get("imagePullPolicy"))
            except rootfs.ImageError as error:
                self.event("Warning", "Failed", f"Error: {error.reason}", name)
                self.wait(state, error.reason, str(error))
                if error.reason == "ErrImagePull":
                    await asyncio.sleep(0.1)
                    self.event("Normal", "BackOff", f'Back-off pulling image "{reference}"', name)
                    self.wait(state, "ImagePullBackOff",
                              f'Back-off pulling image "{reference}": ErrImagePull: {error}')
            await asyncio.sleep(rule["ms"] / 1000 if rule and "ms" in rule else 3600)
            rule = None

    async def follow(self, container, process):
        """Waits for the end of a process and turns it into a terminated state; restarts it if the pod says so."""
        await asyncio.wait([process.exited])
        await asyncio.wait([process.drained], timeout=0.5)
        name, code = container["name"], process.exited.result()
        state = self.state(name)
        result = {"exitCode": code, "reason": "Completed" if code == 0 else "Error"}
        if getattr(process, "oom", False):
            result["reason"] = "OOMKilled"
        message = self.last_words(container, code)
        if message:
            result["message"] = message
        result.update(startedAt=state["state"].get("running", {}).get("startedAt") or now(), finishedAt=now(),
                      containerID=state.get("containerID", ""))
        await self.pause("status_lag")
        self.end(container, result)

    def last_words(self, container, code):
        try:
            with open(os.path.join(self.folder, f"termination-{container['name']}"), "rb") as file:
                text = file.read(MESSAGE_SIZE)
        except OSError:
            return ""
        if not text and code and container.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            log = self.logs[container["name"]]
            text = b"".join(log.tail(2048).splitlines(True)[-80:]) if log.file is not None else b""
        return text.decode(errors="replace")

    def end(self, container, result):
        name = container["name"]
        state = self.state(name)
        state["state"], state["ready"] = {"terminated": result}, False
        policy = "Always" if is_sidecar(container) else self.spec["restartPolicy"]
        regular_init = any(c is container for c in self.spec.get("initContainers") or []) and not is_sidecar(container)
        again = policy == "Always" and not regular_init or policy == "OnFailure" and result["exitCode"]
        if again and not self.stopping:
            self.publish()
            self.later(self.server.settings["restart"] * min(2 ** state["restartCount"], 64), self.restart, container)
            return
        if not self.stopping:
            self.publish()
        self.ends[name].set()

    def restart(self, container):
        state = self.state(container["name"])
        if not self.stopping and "terminated" in state["state"]:
            state["lastState"], state["restartCount"] = state["state"], state["restartCount"] + 1
            asyncio.get_running_loop().create_task(self.start(container))

    async def init_ended(self, container):
        await self.ends[container["name"]].wait()
        state = self.state(container["name"])
        if state["state"]["terminated"]["exitCode"] == 0:
            state["ready"] = True
            self.publish()
            return True
        self.failed_init = True
        await self.pause("phase_lag")
        self.conclude()
        return False

    # the end

    async def stop_sidecars(self):
        self.stopping = True
        sidecars = [c["name"] for c in self.spec.get("initContainers") or [] if is_sidecar(c)]
        for name in reversed(sidecars):
            await self.stop(name, self.spec.get("terminationGracePeriodSeconds", 30))
        if sidecars:
            self.network = False
            self.publish()

    async def stop(self, name, grace):
        process = self.processes.get(name)
        if process is None or process.exited.done():
            return
        self.event("Normal", "Killing", f"Stopping container {name}", name)
        process.signal(signal.SIGTERM)
        await asyncio.wait([process.exited], timeout=grace)
        process.kill()
        # Whoever was starting it may have been cancelled in the middle, and then nobody tells of its end.
        await asyncio.wait([asyncio.ensure_future(self.ends[name].wait())], timeout=1)

    def conclude(self):
        """The last word on the phase."""
        codes = [self.state(c["name"])["state"].get("terminated", {}).get("exitCode", 137)
                 for c in self.spec["containers"]]
        self.final_phase = "Failed" if any(codes) or self.failed_init or self.reason else "Succeeded"
        self.stopping = True
        self.publish()

    def terminate(self, grace, delete):
        """Ends the pod from outside: DELETE, deadline, eviction. A DELETE also meets one that is ending by itself."""
        self.stopping = True
        self.life.cancel()
        self.life = asyncio.get_running_loop().create_task(self.end_by_force(grace, delete))

    async def end_by_force(self, grace, delete):
        await self.pause("kubelet")
        self.publish()
        names = [c["name"] for c in self.spec["containers"]]
        sidecars = [c["name"] for c in self.spec.get("initContainers") or []]
        running = [name for name, process in self.processes.items() if not process.exited.done()]
        await asyncio.gather(*(self.stop(name, grace) for name in names if name in running))
        await asyncio.gather(*(self.stop(name, min(grace, 2)) for name in sidecars if name in running))
        for process in self.every:
            process.kill()
        await self.pause("schedule")
        if self.processes or self.reason:
            self.conclude()
        if delete and self.pod():
            self.server.garbage.finish_pod(self.pod())

    def set_deadline(self, seconds):
        """It counts from status.startTime, and may be moved up while the pod runs."""
        self.spec = {**self.spec, "activeDeadlineSeconds": seconds}
        if self.began is not None and not self.lost:
            self.later(max(0, self.began + seconds - time.monotonic()) * 1000, self.exceed_deadline)

    def exceed_deadline(self):
        if not self.stopping:
            self.reason = "DeadlineExceeded"
            self.message = "Pod was active on the node longer than the specified deadline"
            self.event("Normal", "DeadlineExceeded", self.message)
            self.terminate(self.spec.get("terminationGracePeriodSeconds", 30), delete=False)

    def script_trouble(self):
        rule = self.server.faults.for_pod(self.name, "OOMKilled", "Evicted", "DeadlineExceeded", "NodeLost")
        if rule:
            self.later(rule.get("ms", 0), self.trouble, rule["reason"])

    def trouble(self, reason):
        if self.stopping or not self.pod():
            return
        if reason == "OOMKilled":
            process = self.processes[self.spec["containers"][0]["name"]]
            process.oom = True
            process.kill()
        elif reason == "DeadlineExceeded":
            self.exceed_deadline()
        elif reason == "Evicted":
            self.reason, self.message = "Evicted", "The node was low on resource: memory."
            self.kubelet.mark_disruption(self.pod(), "TerminationByKubelet", self.message)
            self.event("Warning", "Evicted", self.message)
            self.terminate(0, delete=False)
        elif reason == "NodeLost":
            self.lost = True  # the process runs on, but nobody hears of it
            self.kubelet.mark_disruption(self.pod(), "DeletionByTaintManager",
                                         "Taint manager: deleting due to NoExecute taint")
            self.server.garbage.delete(PODS, self.pod())

    def forget(self):
        """The pod is gone, or the server ends: nothing of it may stay."""
        self.stopping = True
        self.life.cancel()
        for timer in self.timers:
            timer.cancel()
        for process in self.every:
            process.kill()
        asyncio.get_running_loop().create_task(self.clean())

    async def clean(self):
        pending = [p.exited for p in self.every if not p.exited.done()]
        if pending:
            await asyncio.wait(pending, timeout=5)
        pending = [p.drained for p in self.every if not p.drained.done()]
        if pending:
            await asyncio.wait(pending, timeout=5)
        for log in self.logs.values():
            log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.kubelet.units.pop(self.uid, None)
