# SPDX-License-Identifier: Apache-2.0
"""What happens to an object between POST and the store: strict decoding, defaults, validation, admission."""
import re

import errors
from kinds import JOBS, PODS, by_plural
from store import random_suffix

TOP = {"kind", "apiVersion", "metadata", "spec", "status"}
POD_FIELDS = set("""volumes initContainers containers ephemeralContainers restartPolicy terminationGracePeriodSeconds
    activeDeadlineSeconds dnsPolicy nodeSelector serviceAccountName serviceAccount automountServiceAccountToken nodeName
    hostNetwork hostPID hostIPC shareProcessNamespace securityContext imagePullSecrets hostname subdomain affinity
    schedulerName tolerations hostAliases priorityClassName priority dnsConfig readinessGates runtimeClassName
    enableServiceLinks preemptionPolicy overhead topologySpreadConstraints setHostnameAsFQDN os hostUsers
    schedulingGates resourceClaims resources hostnameOverride workloadRef""".split())
CONTAINER_FIELDS = set("""name image command args workingDir ports envFrom env resources resizePolicy restartPolicy
    restartPolicyRules volumeMounts volumeDevices livenessProbe readinessProbe startupProbe lifecycle
    terminationMessagePath terminationMessagePolicy imagePullPolicy securityContext stdin stdinOnce tty""".split())
JOB_FIELDS = set("""parallelism completions activeDeadlineSeconds podFailurePolicy successPolicy backoffLimit
    backoffLimitPerIndex maxFailedIndexes selector manualSelector template ttlSecondsAfterFinished completionMode suspend
    podReplacementPolicy managedBy""".split())
CRON_FIELDS = set("""schedule timeZone startingDeadlineSeconds concurrencyPolicy suspend jobTemplate
    successfulJobsHistoryLimit failedJobsHistoryLimit""".split())
META_FIELDS = set("""name generateName namespace selfLink uid resourceVersion generation creationTimestamp
    deletionTimestamp deletionGracePeriodSeconds labels annotations ownerReferences finalizers managedFields""".split())
RESERVED = ("controller-uid", "job-name", "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name")


# unknown fields

def drop_unknown(kind, obj, without=()):
    """Removes fields that the kind does not have; returns their paths. `without`: fields of a Job's spec that an older
    server does not know."""
    unknown = []
    if kind is JOBS and without:
        sift(obj, JOB_FIELDS - set(without), "spec", "spec", unknown)
    sift(obj, META_FIELDS, "metadata", "metadata", unknown)
    if kind is PODS:
        sift(obj, TOP, "", None, unknown)
        sift_pod(obj, "spec", unknown)
    elif kind is JOBS:
        sift(obj, TOP, "", None, unknown)
        sift_job(obj, "spec", unknown)
    elif kind.plural == "cronjobs":
        sift(obj, TOP, "", None, unknown)
        sift(obj, CRON_FIELDS, "spec", "spec", unknown)
        template = (obj.get("spec") or {}).get("jobTemplate") or {}
        sift_job(template, "spec.jobTemplate.spec", unknown)
    return unknown


def sift(holder, allowed, path, key, unknown):
    part = holder if key is None else holder.get(key)
    for name in list(part or {}):
        if name not in allowed:
            del part[name]
            unknown.append(f"{path}.{name}" if path else name)


def sift_job(holder, path, unknown):
    sift(holder, JOB_FIELDS, path, "spec", unknown)
    template = (holder.get("spec") or {}).get("template") or {}
    sift_pod(template, path + ".template.spec", unknown)


def sift_pod(holder, path, unknown):
    sift(holder, POD_FIELDS, path, "spec", unknown)
    for group in ("initContainers", "containers"):
        for index, container in enumerate((holder.get("spec") or {}).get(group) or []):
            sift(container, CONTAINER_FIELDS, f"{path}.{group}[{index}]", None, unknown)


# defaults

def default(obj, **values):
    for key, value in values.items():
        if obj.get(key) is None:
            obj[key] = value


def default_pod_spec(spec):
    for volume in spec.get("volumes") or []:
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if source in volume:
                default(volume[source], defaultMode=420)
    for container in (spec.get("initContainers") or []) + (spec.get("containers") or []):
        default(container, resources={}, terminationMessagePath="/dev/termination-log",
                terminationMessagePolicy="File")
        tag = re.search(r":([^/:@]+)$", container.get("image", ""))
        default(container, imagePullPolicy="IfNotPresent" if "@" in container.get("image", "") or
                (tag and tag[1] != "latest") else "Always")
        for port in container.get("ports") or []:
            default(port, protocol="TCP")
        for variable in container.get("env") or []:
            reference = variable.get("valueFrom", {}).get("fieldRef")
            if reference:
                default(reference, apiVersion="v1")
    default(spec, restartPolicy="Always", terminationGracePeriodSeconds=30, dnsPolicy="ClusterFirst",
            securityContext={}, schedulerName="default-scheduler")
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]


def default_job_spec(spec):
    default(spec, parallelism=1, completions=1, backoffLimit=6, completionMode="NonIndexed", suspend=False)
    default(spec, podReplacementPolicy="Failed" if spec.get("podFailurePolicy") else "TerminatingOrFailed")
    spec.setdefault("template", {}).setdefault("metadata", {})
    default_pod_spec(spec["template"].setdefault("spec", {}))


def default_job(obj):
    spec, meta = obj["spec"], obj["metadata"]
    default_job_spec(spec)
    labels = {"batch.kubernetes.io/controller-uid": None, "batch.kubernetes.io/job-name": meta["name"],
              "controller-uid": None, "job-name": meta["name"]}
    template = spec["template"].setdefault("metadata", {})
    template["labels"] = {**(template.get("labels") or {}), **labels}
    default(spec, manualSelector=False)
    spec["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": None}}
    meta["labels"] = {**(meta.get("labels") or {}), **labels} if meta.get("labels") else dict(labels)
    obj["status"] = {}


def fill_job_uid(obj):
    """The uid is known only once the store has stamped the Job."""
    uid = obj["metadata"]["uid"]
    for labels in (obj["metadata"]["labels"], obj["spec"]["template"]["metadata"]["labels"],
                   obj["spec"]["selector"]["matchLabels"]):
        for key, value in labels.items():
            if value is None:
                labels[key] = uid


# validation: lists of (reason, field, message)

def check_pod_spec(spec, path):
    causes = []
    volumes = {volume["name"] for volume in spec.get("volumes") or []}
    if not spec.get("containers"):
        causes.append(("FieldValueRequired", path + ".containers", "Required value"))
    for group in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(group) or []):
            where = f"{path}.{group}[{index}]"
            if not container.get("image"):
                causes.append(("FieldValueRequired", where + ".image", "Required value"))
            for number, mount in enumerate(container.get("volumeMounts") or []):
                if mount["name"] not in volumes:
                    causes.append(("FieldValueNotFound", f"{where}.volumeMounts[{number}].name",
                                   f'Not found: "{mount["name"]}"'))
            if group == "initContainers" and container.get("restartPolicy") != "Always":
                for probe in ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"):
                    if container.get(probe):
                        causes.append(("FieldValueForbidden", f"{where}.{probe}",
                                       "Forbidden: may not be set for init containers without restartPolicy=Always"))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= 2147483647:
        causes.append(("FieldValueInvalid", path + ".activeDeadlineSeconds",
                       f"Invalid value: {deadline}: must be between 1 and 2147483647, inclusive"))
    return causes


def check_micro_times(kind, obj):
    """The times of a Lease have six digits behind the point, or they are none."""
    for key in ("acquireTime", "renewTime"):
        value = (obj.get("spec") or {}).get(key)
        if value is not None and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)", value):
            raise errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                                     f'parsing time "{value}" as "2006-01-02T15:04:05.000000Z07:00": cannot parse')


def check_pod_update(kind, old, new):
    """Of a pod's spec little may change: images, a deadline to an earlier one, gates that are taken off, tolerations
    that are added."""
    name, before, after = new["metadata"]["name"], dict(old["spec"]), dict(new["spec"])
    then, now = before.pop("activeDeadlineSeconds", None), after.pop("activeDeadlineSeconds", None)
    if then is not None and (now is None or now > then):
        raise errors.invalid(kind, name, [("FieldValueInvalid", "spec.activeDeadlineSeconds", f"Invalid value: "
                                           f"{now or 0}: must be less than or equal to previous value")])
    if now is not None and not 1 <= now <= 2147483647:
        raise errors.invalid(kind, name, [("FieldValueInvalid", "spec.activeDeadlineSeconds", f"Invalid value: {now}: "
                                           "must be between 1 and 2147483647, inclusive")])
    for spec in before, after:
        spec.pop("tolerations", None)
        spec.pop("schedulingGates", None)
        for group in ("containers", "initContainers"):
            spec[group] = [{**c, "image": ""} for c in spec.get(group) or []]
    if before != after:
        raise errors.invalid(kind, name, [("FieldValueForbidden", "spec", "Forbidden: pod updates may not change fields "
                                           "other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
                                           "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
                                           "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 "
                                           "if it was previously negative)")])


def check_job(obj, user_labels):
    causes = []
    for key in RESERVED:
        if user_labels.get(key):
            causes.append(("FieldValueInvalid", f"spec.template.metadata.labels[{key}]",
                           f'Invalid value: "{user_labels[key]}": must not be set'))
    if len(obj["metadata"]["name"]) > 63:
        causes.append(("FieldValueInvalid", "metadata.name", "Invalid value: must be no more than 63 characters"))
    return causes + check_job_spec(obj["spec"], "spec")


def check_job_spec(spec, path):
    template = spec["template"]["spec"]
    causes = check_pod_spec(template, path + ".template.spec")
    if template.get("restartPolicy") not in ("OnFailure", "Never"):
        causes.append(("FieldValueRequired", path + ".template.spec.restartPolicy",
                       'Required value: valid values: "OnFailure", "Never"'))
    return causes


def check_cron_job(obj):
    causes, spec, name = [], obj["spec"], obj["metadata"]["name"]
    if len(name) > 52:
        causes.append(("FieldValueInvalid", "metadata.name",
                       f'Invalid value: "{name}": must be no more than 52 characters'))
    schedule = spec.get("schedule", "")
    wrong = wrong_schedule(schedule)
    if wrong:
        causes.append(("FieldValueInvalid", "spec.schedule", f'Invalid value: "{schedule}": {wrong}'))
    zone = spec.get("timeZone")
    if zone is not None and not known_zone(zone):
        causes.append(("FieldValueInvalid", "spec.timeZone", f'Invalid value: "{zone}": unknown time zone {zone}'))
    return causes + check_job_spec(spec["jobTemplate"]["spec"], "spec.jobTemplate.spec")


def wrong_schedule(schedule):
    if schedule.startswith(("TZ=", "CRON_TZ=")):
        return "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
    if re.fullmatch(r"@(yearly|annually|monthly|weekly|daily|midnight|hourly|every \S+)", schedule):
        return None
    fields = schedule.split()
    if len(fields) != 5:
        return f"expected exactly 5 fields, found {len(fields)}: [{schedule}]"
    names = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC SUN MON TUE WED THU FRI SAT".split()
    for field in fields:
        for word in re.split(r"[,/-]", field):
            if not (word in ("*", "?") or word.isdigit() or word.upper() in names):
                return f'failed to parse int from {word}: strconv.Atoi: parsing "{word}": invalid syntax'
    return None


def known_zone(zone):
    return zone != "Local" and ".." not in zone and bool(
        zone == "UTC" or re.fullmatch(r"(Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific|Etc)/[\w+/-]+",
                                      zone))


# admission of pods

def admit_pod(server, obj):
    """Defaults, the service account's volume, tolerations; the refusals that a create can meet."""
    meta, spec, name = obj["metadata"], obj["spec"], obj["metadata"]["name"]
    default_pod_spec(spec)
    if spec.get("ephemeralContainers"):
        raise errors.invalid(PODS, name, [("FieldValueForbidden", "spec.ephemeralContainers",
                                           "Forbidden: cannot be set on create")])
    if spec.get("priority"):
        raise errors.forbidden(PODS, name, f"the integer value of priority ({spec['priority']}) must not be provided "
                               "in pod spec; priority admission controller computed 0 from the given PriorityClass "
                               "name")
    if spec.get("preemptionPolicy", "PreemptLowerPriority") != "PreemptLowerPriority":
        raise errors.forbidden(PODS, name, f"the string value of PreemptionPolicy ({spec['preemptionPolicy']}) must "
                               "not be provided in pod spec")
    rule = server.faults.for_pod(name, "Quota")
    if rule:
        raise errors.forbidden(PODS, name, rule.get("message") or server.quota_message)
    causes = check_pod_spec(spec, "spec")
    if causes:
        raise errors.invalid(PODS, name, causes)
    default(spec, serviceAccountName="default", enableServiceLinks=True, priority=0,
            preemptionPolicy="PreemptLowerPriority")
    account, namespace = spec["serviceAccountName"], meta["namespace"]
    if server.store.find(by_plural("serviceaccounts"), namespace, account) is None:
        raise errors.forbidden(PODS, name, f"error looking up service account {namespace}/{account}: serviceaccount "
                               f'"{account}" not found')
    spec["serviceAccount"] = spec["serviceAccountName"]
    tolerations = spec.setdefault("tolerations", [])
    for key in ("not-ready", "unreachable"):
        if not any(t.get("key") == "node.kubernetes.io/" + key for t in tolerations):
            tolerations.append({"key": "node.kubernetes.io/" + key, "operator": "Exists", "effect": "NoExecute",
                                "tolerationSeconds": 300})
    add_token_volume(spec)
    obj["status"] = {"phase": "Pending", "qosClass": quality(spec)}
    meta.pop("deletionTimestamp", None)


def add_token_volume(spec):
    mount_path = "/var/run/secrets/kubernetes.io/serviceaccount"
    containers = (spec.get("initContainers") or []) + spec["containers"]
    if spec.get("automountServiceAccountToken") is False or \
            any(mount["mountPath"] == mount_path for c in containers for mount in c.get("volumeMounts") or []):
        return
    name = "kube-api-access-" + random_suffix()
    sources = [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
               {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
               {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {
                   "apiVersion": "v1", "fieldPath": "metadata.namespace"}}]}}]
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": sources, "defaultMode": 420}})
    for container in containers:
        container.setdefault("volumeMounts", []).append({"name": name, "readOnly": True, "mountPath": mount_path})


def quality(spec):
    parts = [c.get("resources") or {} for c in spec["containers"]]
    if not any(part.get("requests") or part.get("limits") for part in parts):
        return "BestEffort"
    full = all(set(part.get("limits") or {}) >= {"cpu", "memory"} and
               (part.get("requests") or part["limits"]) == part["limits"] for part in parts)
    return "Guaranteed" if full else "Burstable"
