# SPDX-License-Identifier: Apache-2.0
"""What follows from labels and readiness: EndpointSlices of Services, and the numbers of PodDisruptionBudgets."""
import asyncio
import itertools
import math

import errors
import selection
from kinds import PODS, by_plural
from store import now, random_suffix

SERVICES, SLICES, BUDGETS = by_plural("services"), by_plural("endpointslices"), by_plural("poddisruptionbudgets")
SCALABLE = {"ReplicaSet": by_plural("replicasets"), "Deployment": by_plural("deployments"),
            "StatefulSet": by_plural("statefulsets")}


class ScaleError(Exception):
    pass


def is_ready(pod):
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", []))


def controller_of(obj):
    return next((o for o in obj["metadata"].get("ownerReferences", []) if o.get("controller")), None)


class Services:
    def __init__(self, server):
        self.store = server.store
        self.addresses = itertools.count(10)
        self.scheduled = set()
        self.store.listeners.append(self.listener)

    def listener(self, change):
        if change.kind in (PODS, SERVICES, BUDGETS):
            namespace = change.obj["metadata"]["namespace"]
            if namespace not in self.scheduled:
                self.scheduled.add(namespace)
                asyncio.get_running_loop().call_later(0.01, self.sync, namespace)

    def sync(self, namespace):
        self.scheduled.discard(namespace)
        for service in self.store.all(SERVICES, namespace):
            if service["spec"].get("selector"):
                self.sync_slice(service)
        for budget in self.store.all(BUDGETS, namespace):
            self.sync_budget(budget)

    def default_service(self, obj):
        spec = obj.setdefault("spec", {})
        for port in spec.get("ports") or []:
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port["port"])
        if not spec.get("clusterIP"):
            spec["clusterIP"] = f"10.96.0.{next(self.addresses)}"
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
        spec.setdefault("type", "ClusterIP")
        spec.setdefault("sessionAffinity", "None")
        obj["status"] = {"loadBalancer": {}}

    # endpoint slices

    def sync_slice(self, service):
        meta, spec = service["metadata"], service["spec"]
        matches = selection.from_object({"matchLabels": spec["selector"]})
        pods = [pod for pod in self.store.all(PODS, meta["namespace"])
                if matches(selection.labels_of(pod)) and pod.get("status", {}).get("podIP")]
        content = {"addressType": "IPv4", "endpoints": [self.endpoint(pod, spec) for pod in pods],
                   "ports": self.ports(spec, pods)}
        old = next((s for s in self.store.all(SLICES, meta["namespace"])
                    if selection.labels_of(s).get("kubernetes.io/service-name") == meta["name"]), None)
        if old:
            self.store.change(SLICES, meta["namespace"], old["metadata"]["name"], lambda copy: copy.update(content))
            return
        labels = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                  "kubernetes.io/service-name": meta["name"]}
        if spec.get("clusterIP") == "None":
            labels["service.kubernetes.io/headless"] = ""
        self.store.add(SLICES, {
            "kind": "EndpointSlice", "apiVersion": "discovery.k8s.io/v1",
            "metadata": {"name": f"{meta['name']}-{random_suffix()}", "generateName": meta["name"] + "-",
                         "namespace": meta["namespace"], "labels": labels,
                         "ownerReferences": [{"apiVersion": "v1", "kind": "Service", "name": meta["name"],
                                              "uid": meta["uid"], "controller": True, "blockOwnerDeletion": True}]},
            **content})

    @staticmethod
    def endpoint(pod, spec):
        meta = pod["metadata"]
        leaving = bool(meta.get("deletionTimestamp"))
        always = bool(spec.get("publishNotReadyAddresses"))
        ready = is_ready(pod)
        return {"addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": always or ready and not leaving, "serving": always or ready,
                               "terminating": leaving},
                "targetRef": {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"],
                              "uid": meta["uid"]},
                "nodeName": pod["spec"].get("nodeName")}

    @staticmethod
    def ports(spec, pods):
        result = []
        for port in spec.get("ports") or []:
            target = port["targetPort"]
            if isinstance(target, str):
                target = next((p["containerPort"] for pod in pods for c in pod["spec"]["containers"]
                               for p in c.get("ports") or [] if p.get("name") == target), None)
            if target is not None:
                result.append({"name": port.get("name", ""), "protocol": port["protocol"], "port": target})
        return result

    # disruption budgets

    def sync_budget(self, budget):
        meta, spec = budget["metadata"], budget["spec"]
        matches = selection.from_object(spec.get("selector") or {})
        pods = [pod for pod in self.store.all(PODS, meta["namespace"]) if matches(selection.labels_of(pod))]
        status = {"observedGeneration": meta.get("generation", 1), "disruptionsAllowed": 0,
                  **{key: (budget.get("status") or {}).get(key, 0)
                     for key in ("currentHealthy", "desiredHealthy", "expectedPods")}}
        try:
            expected, desired = self.expected(spec, pods)
            healthy = sum(1 for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp"))
            allowed = max(0, healthy - desired) if expected else 0
            status.update(disruptionsAllowed=allowed, currentHealthy=healthy, desiredHealthy=desired,
                          expectedPods=expected)
            outcome = ("True", "SufficientPods", "") if allowed else ("False", "InsufficientPods", "")
        except ScaleError as error:
            outcome = ("False", "SyncFailed", str(error))
        old = ((budget.get("status") or {}).get("conditions") or [{}])[0]
        status["conditions"] = [{
            "type": "DisruptionAllowed", "status": outcome[0], "observedGeneration": meta.get("generation", 1),
            "lastTransitionTime": old.get("lastTransitionTime", now()) if old.get("status") == outcome[0] else now(),
            "reason": outcome[1], "message": outcome[2]}]
        self.store.change(BUDGETS, meta["namespace"], meta["name"], lambda copy: copy.update(status=status))

    def expected(self, spec, pods):
        """(expected pods, how many must stay healthy), as the disruption controller computes them."""
        if "maxUnavailable" in spec:
            expected = self.scale(pods)
            return expected, max(0, expected - amount(spec["maxUnavailable"], expected))
        least = spec.get("minAvailable", 1)
        if isinstance(least, int):
            return len(pods), least
        expected = self.scale(pods)
        return expected, amount(least, expected)

    def scale(self, pods):
        """Sum of the replicas of all controllers; a Job has none, and that spoils the whole budget."""
        found = {}
        for pod in pods:
            owner = controller_of(pod)
            while owner:
                if owner["kind"] not in SCALABLE:
                    kind = by_plural(owner["kind"].lower() + "s")
                    raise ScaleError(f"{kind.qualified} does not implement the scale subresource")
                parent = self.store.find(SCALABLE[owner["kind"]], pod["metadata"]["namespace"], owner["name"])
                if parent is None:
                    break
                above = controller_of(parent)
                if above is None:
                    found[parent["metadata"]["uid"]] = parent["spec"].get("replicas", 1)
                owner = above
        return sum(found.values())

    def check_eviction(self, pod):
        """429 if a budget forbids to evict this pod."""
        if pod["status"].get("phase") != "Running":
            return
        labels = selection.labels_of(pod)
        budgets = [b for b in self.store.all(BUDGETS, pod["metadata"]["namespace"])
                   if selection.from_object(b["spec"].get("selector") or {})(labels)]
        if len(budgets) > 1:
            raise errors.ApiError(500, "InternalError", "This pod has more than one PodDisruptionBudget, which the "
                                  "eviction subresource does not support.", {})
        if budgets and budgets[0]["status"]["disruptionsAllowed"] < 1:
            status = budgets[0]["status"]
            message = (f"The disruption budget {budgets[0]['metadata']['name']} needs {status['desiredHealthy']} "
                       f"healthy pods and has {status['currentHealthy']} currently")
            raise errors.ApiError(429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption "
                                  "budget.", {"causes": [{"reason": "DisruptionBudget", "message": message}]})


def amount(value, total):
    return math.ceil(int(value[:-1]) * total / 100) if isinstance(value, str) else value
