# SPDX-License-Identifier: Apache-2.0
"""The scheduler: binds a pod to the only node, or says why it cannot."""
import asyncio

import podstatus
from kinds import NODES, PODS

UNSCHEDULABLE = ("0/1 nodes are available: {}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 "
                 "Preemption is not helpful for scheduling.")


def cpu_of(text):
    return float(text[:-1]) / 1000 if text.endswith("m") else float(text)


async def schedule(unit):
    await unit.pause("schedule")
    told = None
    while True:
        pod = unit.pod()
        if pod["spec"].get("nodeName"):
            break
        reason, message, lasts = obstacle(unit, pod)
        if not reason:
            break
        if (reason, message) != told:
            told = (reason, message)
            mark = podstatus.condition(None, "PodScheduled", False, reason, message, None)
            unit.store.change(PODS, unit.namespace, unit.name,
                              lambda copy, mark=mark: copy["status"].update(conditions=[mark]))
            if reason == "Unschedulable":
                unit.event("Warning", "FailedScheduling", message, component="default-scheduler")
        if lasts:
            await asyncio.sleep(lasts / 1000)
            break
        await asyncio.sleep(0.1)
    mark = podstatus.condition(None, "PodScheduled", True, None, None)

    def bind(copy):
        copy["spec"].setdefault("nodeName", unit.store.all(NODES)[0]["metadata"]["name"])
        copy["status"]["conditions"] = [mark]
    unit.spec = unit.store.change(PODS, unit.namespace, unit.name, bind)["spec"]
    unit.event("Normal", "Scheduled", f"Successfully assigned {unit.namespace}/{unit.name} to "
               f"{unit.spec['nodeName']}", component="default-scheduler")


def obstacle(unit, pod):
    """(reason, message, how long in ms) of what keeps the scheduler from placing the pod."""
    rule = unit.server.faults.for_pod(unit.name, "Unschedulable")
    if rule:
        return "Unschedulable", rule.get("message") or UNSCHEDULABLE.format("1 Insufficient cpu"), rule.get("ms")
    spec = pod["spec"]
    if spec.get("schedulingGates"):
        return "SchedulingGated", "Scheduling is blocked due to non-empty scheduling gates", None
    node = unit.store.all(NODES)[0]
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return "Unschedulable", UNSCHEDULABLE.format("1 node(s) didn't match Pod's node affinity/selector"), None
    wanted = sum(cpu_of(str(((c.get("resources") or {}).get("requests") or {}).get("cpu", "0")))
                 for c in spec["containers"])
    if wanted > cpu_of(str(node["status"]["allocatable"]["cpu"])):
        return "Unschedulable", UNSCHEDULABLE.format("1 Insufficient cpu"), None
    return None, None, None
