# SPDX-License-Identifier: Apache-2.0
"""What Role and RoleBinding objects allow, in the form of the rules in rbac.json."""
from kinds import by_plural

ROLES, BINDINGS = by_plural("roles"), by_plural("rolebindings")


def rules(store, user, namespace):
    """All rules that bindings of a namespace give the user there."""
    for binding in store.all(BINDINGS, namespace) if namespace else []:
        reference = binding["roleRef"]
        if reference["kind"] != "Role" or not any(names(subject, user) for subject in binding.get("subjects") or []):
            continue
        role = store.find(ROLES, namespace, reference["name"])
        for rule in (role or {}).get("rules") or []:
            yield {"verbs": rule["verbs"], "groups": rule.get("apiGroups") or [], "resources": rule.get("resources") or [],
                   "resourceNames": rule.get("resourceNames"), "namespaces": [namespace]}


def names(subject, user):
    if subject["kind"] == "ServiceAccount":
        return user.name == f"system:serviceaccount:{subject['namespace']}:{subject['name']}"
    if subject["kind"] == "Group":
        return subject["name"] in user.groups
    return subject["kind"] == "User" and subject["name"] == user.name


def check_binding(obj):
    """Causes why a RoleBinding is refused; kubectl fills the namespace of an account only for what it makes itself."""
    return [("FieldValueRequired", f"subjects[{i}].namespace", "Required value")
            for i, subject in enumerate(obj.get("subjects") or [])
            if subject["kind"] == "ServiceAccount" and not subject.get("namespace")]
