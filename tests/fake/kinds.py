# SPDX-License-Identifier: Apache-2.0
"""The kinds that this server knows, and the discovery documents made from them."""
from dataclasses import dataclass

ALL_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]

# group/version | plural | kind | N(amespaced) or C(luster) | short names | subresources
TABLE = """
v1 | namespaces | Namespace | C | ns | status
v1 | nodes | Node | C | no | status
v1 | persistentvolumes | PersistentVolume | C | pv | status
v1 | pods | Pod | N | po | status log attach exec eviction
v1 | services | Service | N | svc | status
v1 | configmaps | ConfigMap | N | cm |
v1 | secrets | Secret | N | |
v1 | events | Event | N | ev |
v1 | serviceaccounts | ServiceAccount | N | sa | token
v1 | persistentvolumeclaims | PersistentVolumeClaim | N | pvc | status
v1 | endpoints | Endpoints | N | ep |
v1 | replicationcontrollers | ReplicationController | N | rc | status
v1 | resourcequotas | ResourceQuota | N | quota | status
v1 | limitranges | LimitRange | N | limits |
v1 | podtemplates | PodTemplate | N | |
apps/v1 | deployments | Deployment | N | deploy | status scale
apps/v1 | replicasets | ReplicaSet | N | rs | status scale
apps/v1 | statefulsets | StatefulSet | N | sts | status scale
apps/v1 | daemonsets | DaemonSet | N | ds | status
apps/v1 | controllerrevisions | ControllerRevision | N | |
batch/v1 | jobs | Job | N | | status
batch/v1 | cronjobs | CronJob | N | cj | status
policy/v1 | poddisruptionbudgets | PodDisruptionBudget | N | pdb | status
networking.k8s.io/v1 | networkpolicies | NetworkPolicy | N | netpol |
discovery.k8s.io/v1 | endpointslices | EndpointSlice | N | |
coordination.k8s.io/v1 | leases | Lease | N | |
events.k8s.io/v1 | events | Event | N | ev |
autoscaling/v2 | horizontalpodautoscalers | HorizontalPodAutoscaler | N | hpa | status
scheduling.k8s.io/v1 | priorityclasses | PriorityClass | C | pc |
rbac.authorization.k8s.io/v1 | roles | Role | N | |
rbac.authorization.k8s.io/v1 | rolebindings | RoleBinding | N | |
argoproj.io/v1alpha1 | rollouts | Rollout | N | ro | status
authorization.k8s.io/v1 | selfsubjectaccessreviews | SelfSubjectAccessReview | C | |
authorization.k8s.io/v1 | selfsubjectrulesreviews | SelfSubjectRulesReview | C | |
authentication.k8s.io/v1 | selfsubjectreviews | SelfSubjectReview | C | |
"""


# Subresources whose body is of another kind; kubectl drain evicts only where it finds this.
SUBRESOURCE_KINDS = {
    "eviction": {"group": "policy", "version": "v1", "kind": "Eviction"},
    "scale": {"group": "autoscaling", "version": "v1", "kind": "Scale"},
    "token": {"group": "authentication.k8s.io", "version": "v1", "kind": "TokenRequest"},
    "attach": {"kind": "PodAttachOptions"},
    "exec": {"kind": "PodExecOptions"},
}


@dataclass(frozen=True)
class Kind:
    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short: tuple
    subresources: tuple

    @property
    def api_version(self):
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self):
        """The name that messages use: pods, jobs.batch."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def review(self):
        return self.plural.startswith("selfsubject")


def parse_table():
    kinds = {}
    for line in TABLE.strip().splitlines():
        api, plural, kind, scope, short, subresources = [cell.strip() for cell in line.split("|")]
        group, _, version = api.rpartition("/")
        kinds[group, version, plural] = Kind(group, version, plural, kind, scope == "N", tuple(short.split()),
                                             tuple(subresources.split()))
    return kinds


KINDS = parse_table()


def by_plural(plural, group=None):
    for kind in KINDS.values():
        if kind.plural == plural and group in (None, kind.group):
            return kind
    raise KeyError(plural)


def by_kind(api_version, name):
    for kind in KINDS.values():
        if kind.kind == name and kind.api_version == api_version:
            return kind
    return None


PODS = by_plural("pods")
JOBS = by_plural("jobs")
EVENTS = by_plural("events", "")
NODES = by_plural("nodes")
NAMESPACES = by_plural("namespaces")


def resource_list(group, version):
    """GET /api/v1 or /apis/GROUP/VERSION; None if there is no such version."""
    resources = []
    for kind in KINDS.values():
        if (kind.group, kind.version) != (group, version):
            continue
        entry = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced,
                 "kind": kind.kind, "verbs": ["create"] if kind.review else ALL_VERBS}
        if kind.short:
            entry["shortNames"] = list(kind.short)
        if kind.plural in ("pods", "jobs", "cronjobs", "deployments", "replicasets", "statefulsets", "services"):
            entry["categories"] = ["all"]
        resources.append(entry)
        for name in kind.subresources:
            verbs = {"status": ["get", "patch", "update"], "scale": ["get", "patch", "update"], "log": ["get"],
                     "attach": ["create", "get"], "exec": ["create", "get"]}.get(name, ["create"])
            entry = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced,
                     **SUBRESOURCE_KINDS.get(name, {"kind": kind.kind}), "verbs": verbs}
            resources.append(entry)
    if not resources:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": f"{group}/{version}" if group else version, "resources": resources}


def group_versions():
    """Pairs (group, version) in the order of the table, the core group first."""
    return list(dict.fromkeys((kind.group, kind.version) for kind in KINDS.values()))


def group_list():
    """GET /apis"""
    groups = []
    for group, version in group_versions():
        if group:
            entry = {"groupVersion": f"{group}/{version}", "version": version}
            groups.append({"name": group, "versions": [entry], "preferredVersion": entry})
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
