# SPDX-License-Identifier: Apache-2.0
"""Small controllers for Deployments, ReplicaSets and StatefulSets: enough to keep a seeded application alive."""
import asyncio
import copy
import hashlib
import json

import errors
import selection
from kinds import PODS, by_plural
from services import controller_of, is_ready
from store import now, random_suffix

DEPLOYMENTS, REPLICASETS, STATEFULSETS, REVISIONS, CLAIMS = (
    by_plural(name) for name in ("deployments", "replicasets", "statefulsets", "controllerrevisions",
                                 "persistentvolumeclaims"))
SAFE = "bcdfghjklmnpqrstvwxz2456789"
HASH = "pod-template-hash"


def template_hash(template):
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(SAFE[byte % len(SAFE)] for byte in digest[:10])


def owner_reference(kind, obj):
    return {"apiVersion": kind.api_version, "kind": kind.kind, "name": obj["metadata"]["name"],
            "uid": obj["metadata"]["uid"], "controller": True, "blockOwnerDeletion": True}


class Workloads:
    def __init__(self, server):
        self.server, self.store = server, server.store
        self.scheduled = set()
        self.store.listeners.append(self.listener)

    def listener(self, change):
        if change.kind in (PODS, DEPLOYMENTS, REPLICASETS, STATEFULSETS):
            namespace = change.obj["metadata"]["namespace"]
            if namespace not in self.scheduled:
                self.scheduled.add(namespace)
                asyncio.get_running_loop().call_later(0.01, self.sync, namespace)

    def sync(self, namespace):
        self.scheduled.discard(namespace)
        try:
            for deployment in self.store.all(DEPLOYMENTS, namespace):
                self.sync_deployment(deployment)
            for replica_set in self.store.all(REPLICASETS, namespace):
                self.sync_replicas(replica_set)
            for stateful_set in self.store.all(STATEFULSETS, namespace):
                self.sync_stateful(stateful_set)
        except errors.ApiError:
            asyncio.get_running_loop().call_later(0.5, self.sync, namespace)

    def children(self, kind, parent):
        return [obj for obj in self.store.all(kind, parent["metadata"]["namespace"])
                if (controller_of(obj) or {}).get("uid") == parent["metadata"]["uid"]]

    def settle(self, kind, obj, **status):
        """Writes the status; the store drops it if nothing has changed."""
        meta = obj["metadata"]
        status["observedGeneration"] = meta.get("generation", 1)
        self.store.change(kind, meta["namespace"], meta["name"],
                          lambda c: c.update(status={**(c.get("status") or {}), **status}))

    def sync_deployment(self, deployment):
        meta, spec = deployment["metadata"], deployment["spec"]
        if meta.get("deletionTimestamp") or spec.get("paused"):
            return
        mark = template_hash(spec["template"])
        sets = self.children(REPLICASETS, deployment)
        current = next((s for s in sets if selection.labels_of(s).get(HASH) == mark), None)
        if current is None:
            revision = 1 + max([int(s["metadata"]["annotations"].get("deployment.kubernetes.io/revision", 0))
                                for s in sets], default=0)
            current = self.make_replica_set(deployment, mark, revision)
            self.store.change(DEPLOYMENTS, meta["namespace"], meta["name"], lambda c: c["metadata"].setdefault(
                "annotations", {}).update({"deployment.kubernetes.io/revision": str(revision)}))
            sets.append(current)
        wanted = spec.get("replicas", 1)
        ready = current.get("status", {}).get("readyReplicas", 0)
        for replica_set in sets:
            count = wanted if replica_set is current else 0
            if replica_set is not current and ready < wanted:
                continue  # the old revision serves until the new one is there
            if replica_set["spec"]["replicas"] != count:
                self.store.change(REPLICASETS, meta["namespace"], replica_set["metadata"]["name"],
                                  lambda c, count=count: c["spec"].update(replicas=count))
        total = sum(s.get("status", {}).get("readyReplicas", 0) for s in sets)
        done = ready >= wanted
        old = {c["type"]: c for c in (deployment.get("status") or {}).get("conditions", [])}
        conditions = [
            deployment_condition(old.get("Available"), "Available", total >= wanted,
                                 "MinimumReplicasAvailable" if total >= wanted else "MinimumReplicasUnavailable",
                                 f"Deployment {'has' if total >= wanted else 'does not have'} minimum availability."),
            deployment_condition(old.get("Progressing"), "Progressing", True,
                                 "NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
                                 f'ReplicaSet "{current["metadata"]["name"]}" '
                                 + ("has successfully progressed." if done else "is progressing."))]
        self.settle(DEPLOYMENTS, self.store.find(DEPLOYMENTS, meta["namespace"], meta["name"]),
                    replicas=sum(s.get("status", {}).get("replicas", 0) for s in sets),
                    updatedReplicas=current.get("status", {}).get("replicas", 0), readyReplicas=total,
                    availableReplicas=total, unavailableReplicas=max(0, wanted - total), conditions=conditions)

    def make_replica_set(self, deployment, mark, revision):
        meta, spec = deployment["metadata"], deployment["spec"]
        template = copy.deepcopy(spec["template"])
        labels = {**(template["metadata"].get("labels") or {}), HASH: mark}
        template["metadata"]["labels"] = labels
        selector = copy.deepcopy(spec["selector"])
        selector.setdefault("matchLabels", {})[HASH] = mark
        return self.server.create_object(REPLICASETS, REPLICASETS, {
            "kind": "ReplicaSet", "apiVersion": "apps/v1",
            "metadata": {"name": f"{meta['name']}-{mark}", "namespace": meta["namespace"], "labels": labels,
                         "annotations": {"deployment.kubernetes.io/desired-replicas": str(spec.get("replicas", 1)),
                                         "deployment.kubernetes.io/revision": str(revision)},
                         "ownerReferences": [owner_reference(DEPLOYMENTS, deployment)]},
            "spec": {"replicas": spec.get("replicas", 1), "selector": selector, "template": template}, "status": {}})

    def adopt(self, kind, parent):
        """Pods without a controller that the selector matches become this parent's, as the real ones do."""
        matches = selection.from_object(parent["spec"]["selector"])
        for pod in self.store.all(PODS, parent["metadata"]["namespace"]):
            if not controller_of(pod) and matches(selection.labels_of(pod)) and \
                    not pod["metadata"].get("deletionTimestamp") and \
                    pod["status"].get("phase") not in ("Succeeded", "Failed"):
                self.store.change(PODS, pod["metadata"]["namespace"], pod["metadata"]["name"],
                                  lambda c: c["metadata"].setdefault("ownerReferences", []).append(
                                      owner_reference(kind, parent)))

    def active(self, kind, parent):
        self.adopt(kind, parent)
        return [pod for pod in self.children(PODS, parent) if not pod["metadata"].get("deletionTimestamp") and
                pod["status"].get("phase") not in ("Succeeded", "Failed")]

    def sync_replicas(self, replica_set):
        if replica_set["metadata"].get("deletionTimestamp"):
            return
        pods = self.active(REPLICASETS, replica_set)
        wanted = replica_set["spec"].get("replicas", 1)
        for _ in range(wanted - len(pods)):
            pods.append(self.create_pod(REPLICASETS, replica_set, replica_set["spec"]["template"]))
        surplus = sorted(pods, key=lambda p: (is_ready(p), p["metadata"]["creationTimestamp"],
                                              -int(p["metadata"]["resourceVersion"])))[:max(0, len(pods) - wanted)]
        for pod in surplus:
            self.server.garbage.delete(PODS, pod)
        ready = sum(1 for pod in pods if is_ready(pod))
        self.settle(REPLICASETS, replica_set, replicas=len(pods), fullyLabeledReplicas=len(pods),
                    readyReplicas=ready, availableReplicas=ready)

    def create_pod(self, kind, parent, template, name=None):
        meta = {"name": name or f"{parent['metadata']['name']}-{random_suffix()}",
                "generateName": parent["metadata"]["name"] + "-", "namespace": parent["metadata"]["namespace"],
                **copy.deepcopy({k: v for k, v in template["metadata"].items() if v}),
                "ownerReferences": [owner_reference(kind, parent)]}
        return self.server.create_object(PODS, PODS, {"kind": "Pod", "apiVersion": "v1", "metadata": meta,
                                                      "spec": copy.deepcopy(template["spec"])})

    def sync_stateful(self, stateful):
        meta, spec = stateful["metadata"], stateful["spec"]
        if meta.get("deletionTimestamp"):
            return
        revision = f"{meta['name']}-{template_hash(spec['template'])}"
        if self.store.find(REVISIONS, meta["namespace"], revision) is None:
            self.store.add(REVISIONS, {
                "kind": "ControllerRevision", "apiVersion": "apps/v1",
                "metadata": {"name": revision, "namespace": meta["namespace"],
                             "labels": selection.labels_of({"metadata": spec["template"]["metadata"]}),
                             "ownerReferences": [owner_reference(STATEFULSETS, stateful)]},
                "data": {"spec": {"template": {"$patch": "replace", **copy.deepcopy(spec["template"])}}},
                "revision": 1})
        present = {pod["metadata"]["name"]: pod for pod in self.children(PODS, stateful)}
        for index in range(spec.get("replicas", 1)):
            name = f"{meta['name']}-{index}"
            if name not in present:
                present[name] = self.create_stateful_pod(stateful, name, index, revision)
            if not is_ready(present[name]):
                break
        ready = sum(1 for pod in present.values() if is_ready(pod))
        self.settle(STATEFULSETS, stateful, replicas=len(present), readyReplicas=ready, currentReplicas=len(present),
                    updatedReplicas=len(present), currentRevision=revision, updateRevision=revision,
                    collisionCount=0, availableReplicas=ready)

    def create_stateful_pod(self, stateful, name, index, revision):
        meta, spec = stateful["metadata"], stateful["spec"]
        template = copy.deepcopy(spec["template"])
        template["metadata"].setdefault("labels", {}).update({
            "apps.kubernetes.io/pod-index": str(index), "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": name})
        template["spec"].update(hostname=name, subdomain=spec.get("serviceName", ""))
        for claim in spec.get("volumeClaimTemplates") or []:
            claim_name = f"{claim['metadata']['name']}-{name}"
            template["spec"].setdefault("volumes", []).append({
                "name": claim["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim_name}})
            if self.store.find(CLAIMS, meta["namespace"], claim_name) is None:
                self.store.add(CLAIMS, {
                    "kind": "PersistentVolumeClaim", "apiVersion": "v1",
                    "metadata": {"name": claim_name, "namespace": meta["namespace"]},
                    "spec": {**copy.deepcopy(claim["spec"]), "volumeName": "pv-" + claim_name,
                             "volumeMode": "Filesystem"},
                    "status": {"phase": "Bound", "accessModes": claim["spec"]["accessModes"]}})
        return self.create_pod(STATEFULSETS, stateful, template, name)


def deployment_condition(old, name, value, reason, message):
    status = "True" if value else "False"
    same = old is not None and (old["status"], old["reason"], old["message"]) == (status, reason, message)
    return old if same else {"type": name, "status": status, "lastUpdateTime": now(),
                             "lastTransitionTime": old["lastTransitionTime"] if old and old["status"] == status
                             else now(), "reason": reason, "message": message}
