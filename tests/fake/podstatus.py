# SPDX-License-Identifier: Apache-2.0
"""The status of a pod, computed from the states of its containers, in the order and words of the recordings."""
from store import now

HOST = "10.98.0.2"


def is_sidecar(container):
    return container.get("restartPolicy") == "Always"


def build(pod, unit):
    """unit: the Unit of pods.py. Returns the new status; the old one supplies the times of transitions."""
    spec, old = pod["spec"], pod.get("status") or {}
    main = [unit.state(c["name"]) for c in spec["containers"]]
    init = [(c, unit.state(c["name"])) for c in spec.get("initContainers") or []]
    phase = phase_of(spec, unit, main, init)
    status = {"observedGeneration": pod["metadata"].get("generation", 1), "phase": phase,
              "conditions": conditions(pod, old, unit, phase, main, init)}
    if unit.message:
        status["message"] = unit.message
    if unit.reason:
        status["reason"] = unit.reason
    status["hostIP"] = HOST
    status["hostIPs"] = [{"ip": HOST}]
    if unit.address:
        status["podIP"] = unit.address
        status["podIPs"] = [{"ip": unit.address}]
    status["startTime"] = unit.start_time
    if init:
        status["initContainerStatuses"] = [container_status(c, state) for c, state in init]
    status["containerStatuses"] = [container_status(c, state) for c, state in sorted(
        zip(spec["containers"], main), key=lambda pair: pair[0]["name"])]
    status["qosClass"] = old.get("qosClass", "BestEffort")
    status["resources"] = {}
    return status


def ended(state):
    return "terminated" in state["state"]


def all_ended(unit, main, init):
    return unit.failed_init or (all(ended(s) for s in main) and
                                all(ended(s) for c, s in init if is_sidecar(c)))


def phase_of(spec, unit, main, init):
    if unit.final_phase:
        return unit.final_phase
    if any("running" in s["state"] or ended(s) or s["restartCount"] for s in main):
        return "Running"
    return "Pending"


def conditions(pod, old, unit, phase, main, init):
    spec = pod["spec"]
    generation = pod["metadata"].get("generation", 1)
    over = all_ended(unit, main, init) and spec["restartPolicy"] != "Always"
    failed = unit.failed_init or any(ended(s) and s["state"]["terminated"]["exitCode"] for s in main)
    done = "PodFailed" if failed or unit.reason else "PodCompleted"
    waiting = [c["name"] for c, s in init if not (s["ready"] or (ended(s) and not is_sidecar(c) and
                                                                 s["state"]["terminated"]["exitCode"] == 0))]
    sidecars = [c["name"] for c, s in init if is_sidecar(c) and not s["ready"]]
    unready = sidecars + [c["name"] for c, s in zip(spec["containers"], main) if not s["ready"]]
    found = [("PodReadyToStartContainers", unit.network and phase not in ("Succeeded", "Failed"), None, None)]
    if over and not failed and not unit.reason:
        found.append(("Initialized", True, "PodCompleted", None))
    elif unit.initialized or not waiting:
        unit.initialized = unit.initialized or not waiting
        found.append(("Initialized", True, None, None))
    else:
        found.append(("Initialized", False, "ContainersNotInitialized",
                      f"containers with incomplete status: [{' '.join(waiting)}]"))
    if over:
        not_ready = (done, None)
    else:
        not_ready = ("ContainersNotReady", f"containers with unready status: [{' '.join(unready)}]")
    gates = [gate["conditionType"] for gate in spec.get("readinessGates") or []]
    closed = [name for name in gates if not any(c["type"] == name and c["status"] == "True"
                                                for c in old.get("conditions", []))]
    if over or unready:
        found += [("Ready", False, *not_ready), ("ContainersReady", False, *not_ready)]
    elif closed:
        found.append(("Ready", False, "ReadinessGatesNotReady", "corresponding condition of pod readiness gate "
                      f'"{closed[0]}" does not exist.'))
        found.append(("ContainersReady", True, None, None))
    else:
        found += [("Ready", True, None, None), ("ContainersReady", True, None, None)]
    found.append(("PodScheduled", True, None, None))
    known = {c["type"]: c for c in old.get("conditions", [])}
    mine = [condition(known.get(name), name, value, reason, message, generation)
            for name, value, reason, message in found]
    names = {c["type"] for c in mine}
    return mine + [c for c in old.get("conditions", []) if c["type"] not in names]


def condition(old, name, value, reason, message, generation=None):
    result = {"type": name}
    if generation:
        result["observedGeneration"] = generation
    result.update(status="True" if value else "False", lastProbeTime=None)
    same = old is not None and old["status"] == result["status"]
    result["lastTransitionTime"] = old["lastTransitionTime"] if same else now()
    if reason:
        result["reason"] = reason
    if message:
        result["message"] = message
    return result


def container_status(container, state):
    running = "running" in state["state"]
    result = {"name": container["name"], "state": state["state"], "lastState": state["lastState"],
              "ready": state["ready"], "restartCount": state["restartCount"], "image": container["image"],
              "imageID": state["imageID"]}
    if state.get("containerID"):
        result["containerID"] = state["containerID"]
    result["started"] = running
    if state.get("containerID"):
        result["resources"] = container.get("resources") or {}
    mounts = []
    for mount in container.get("volumeMounts") or []:
        entry = {"name": mount["name"], "mountPath": mount["mountPath"]}
        if mount.get("readOnly"):
            entry.update(readOnly=True, recursiveReadOnly="Disabled")
        mounts.append(entry)
    if mounts:
        result["volumeMounts"] = mounts
    if state.get("user"):
        result["user"] = {"linux": state["user"]}
    return result
