# SPDX-License-Identifier: Apache-2.0
"""Reads the protobuf bodies that kubectl sends for typed calls (create job, auth can-i); answers stay JSON.

Only the fields that kubectl sets are in the tables; another one is refused with its number, so that nothing is
lost in silence. Numbers are those of the generated.proto files of Kubernetes.
"""
import errors

MAGIC = b"k8s\x00"

# message: {number: (name, type)}; a type is str, int, bool, a message, [..] for repeated, {..} for a string map,
# None for a field that is not needed
MESSAGES = {
    "Unknown": {1: ("type", "TypeMeta"), 2: ("raw", bytes), 3: None, 4: None},
    "TypeMeta": {1: ("apiVersion", str), 2: ("kind", str)},
    "ObjectMeta": {1: ("name", str), 2: ("generateName", str), 3: ("namespace", str), 4: None, 5: None, 6: None, 7: None,
                   8: None, 9: None, 11: ("labels", {}), 12: ("annotations", {}),
                   13: ("ownerReferences", ["OwnerReference"]), 14: ("finalizers", [str]), 17: None},
    "OwnerReference": {1: ("kind", str), 3: ("name", str), 4: ("uid", str), 5: ("apiVersion", str),
                       6: ("controller", bool), 7: ("blockOwnerDeletion", bool)},
    "Job": {1: ("metadata", "ObjectMeta"), 2: ("spec", "JobSpec"), 3: None},
    "JobSpec": {1: ("parallelism", int), 2: ("completions", int), 3: ("activeDeadlineSeconds", int), 4: None,
                5: ("manualSelector", bool), 6: ("template", "PodTemplateSpec"), 7: ("backoffLimit", int),
                8: ("ttlSecondsAfterFinished", int), 9: ("completionMode", str), 10: ("suspend", bool),
                14: ("podReplacementPolicy", str)},
    "CronJob": {1: ("metadata", "ObjectMeta"), 2: ("spec", "CronJobSpec"), 3: None},
    "CronJobSpec": {1: ("schedule", str), 2: ("startingDeadlineSeconds", int), 3: ("concurrencyPolicy", str),
                    4: ("suspend", bool), 5: ("jobTemplate", "JobTemplateSpec"), 6: ("successfulJobsHistoryLimit", int),
                    7: ("failedJobsHistoryLimit", int), 8: ("timeZone", str)},
    "JobTemplateSpec": {1: ("metadata", "ObjectMeta"), 2: ("spec", "JobSpec")},
    "PodTemplateSpec": {1: ("metadata", "ObjectMeta"), 2: ("spec", "PodSpec")},
    "PodSpec": {2: ("containers", ["Container"]), 3: ("restartPolicy", str),
                4: ("terminationGracePeriodSeconds", int), 5: ("activeDeadlineSeconds", int), 6: ("dnsPolicy", str),
                8: ("serviceAccountName", str), 9: ("serviceAccount", str), 10: ("nodeName", str), 11: None, 12: None,
                13: None, 14: None, 16: ("hostname", str), 17: ("subdomain", str), 19: ("schedulerName", str)},
    "Container": {1: ("name", str), 2: ("image", str), 3: ("command", [str]), 4: ("args", [str]),
                  5: ("workingDir", str), 7: ("env", ["EnvVar"]), 8: None, 9: ("volumeMounts", ["VolumeMount"]),
                  13: ("terminationMessagePath", str), 14: ("imagePullPolicy", str), 16: ("stdin", bool),
                  17: ("stdinOnce", bool), 18: ("tty", bool), 20: ("terminationMessagePolicy", str)},
    "EnvVar": {1: ("name", str), 2: ("value", str)},
    "VolumeMount": {1: ("name", str), 2: ("readOnly", bool), 3: ("mountPath", str), 4: ("subPath", str)},
    "SelfSubjectAccessReview": {1: None, 2: ("spec", "AccessSpec"), 3: None},
    "AccessSpec": {1: ("resourceAttributes", "ResourceAttributes"), 2: ("nonResourceAttributes", "PathAttributes")},
    "ResourceAttributes": {1: ("namespace", str), 2: ("verb", str), 3: ("group", str), 4: ("version", str),
                           5: ("resource", str), 6: ("subresource", str), 7: ("name", str)},
    "PathAttributes": {1: ("path", str), 2: ("verb", str)},
    "SelfSubjectRulesReview": {1: None, 2: ("spec", "RulesSpec"), 3: None},
    "RulesSpec": {1: ("namespace", str)},
    "SelfSubjectReview": {1: None, 2: None},
    "Namespace": {1: ("metadata", "ObjectMeta"), 2: None, 3: None},
    "ConfigMap": {1: ("metadata", "ObjectMeta"), 2: ("data", {}), 4: ("immutable", bool)},
    "ServiceAccount": {1: ("metadata", "ObjectMeta"), 2: None, 3: None, 4: ("automountServiceAccountToken", bool)},
    "Role": {1: ("metadata", "ObjectMeta"), 2: ("rules", ["PolicyRule"])},
    "PolicyRule": {1: ("verbs", [str]), 2: ("apiGroups", [str]), 3: ("resources", [str]), 4: ("resourceNames", [str])},
    "RoleBinding": {1: ("metadata", "ObjectMeta"), 2: ("subjects", ["Subject"]), 3: ("roleRef", "RoleRef")},
    "Subject": {1: ("kind", str), 2: ("apiGroup", str), 3: ("name", str), 4: ("namespace", str)},
    "RoleRef": {1: ("apiGroup", str), 2: ("kind", str), 3: ("name", str)},
    "TokenRequest": {1: ("metadata", "ObjectMeta"), 2: ("spec", "TokenRequestSpec"), 3: None},
    "TokenRequestSpec": {1: ("audiences", [str]), 3: None, 4: ("expirationSeconds", int)},
    "DeleteOptions": {1: ("gracePeriodSeconds", int), 2: ("preconditions", "Preconditions"),
                      3: ("orphanDependents", bool), 4: ("propagationPolicy", str), 5: ("dryRun", [str])},
    "Preconditions": {1: ("uid", str), 2: ("resourceVersion", str)},
    "Eviction": {1: ("metadata", "ObjectMeta"), 2: ("deleteOptions", "DeleteOptions")},
}


def decode(body):
    """The object in a body that begins with the magic."""
    try:
        envelope = message("Unknown", body[len(MAGIC):])
        kind = envelope["type"]["kind"]
        if kind not in MESSAGES:
            raise unsupported(f"kind {kind}")
        return {**envelope["type"], **message(kind, envelope.get("raw", b""))}
    except (IndexError, UnicodeDecodeError, KeyError) as error:
        raise errors.bad_request(f"unable to decode protobuf: {error}") from None


def unsupported(what):
    return errors.ApiError(415, "UnsupportedMediaType", f"this fake does not read protobuf for {what}", {})


def varint(data, position):
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if not byte & 128:
            return value, position


def fields(data):
    """(number, value) pairs; a value is a number or bytes."""
    position = 0
    while position < len(data):
        tag, position = varint(data, position)
        if tag & 7 == 0:
            value, position = varint(data, position)
        elif tag & 7 == 2:
            size, position = varint(data, position)
            value, position = data[position:position + size], position + size
        else:
            raise unsupported(f"wire type {tag & 7}")
        yield tag >> 3, value


def message(name, data):
    result = {}
    for number, value in fields(data):
        if number not in MESSAGES[name]:
            if not value:
                continue  # Go writes empty strings and zeros, too
            raise unsupported(f"field {number} of {name}")
        entry = MESSAGES[name][number]
        if entry is None:
            continue
        key, kind = entry
        if isinstance(kind, list):
            result.setdefault(key, []).append(convert(kind[0], value))
        elif isinstance(kind, dict):
            pair = dict(fields(value))
            result.setdefault(key, {})[pair.get(1, b"").decode()] = pair.get(2, b"").decode()
        else:
            value = convert(kind, value)
            if value != "":
                result[key] = value
    return result


def convert(kind, value):
    if kind is str:
        return value.decode()
    if kind is int:
        return value - (1 << 64) if value >= 1 << 63 else value
    if kind is bool:
        return bool(value)
    return value if kind is bytes else message(kind, value)
