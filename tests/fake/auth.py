# SPDX-License-Identifier: Apache-2.0
"""Who the caller is, and what DIR/rbac.json lets them do.

    {"users": {"system:serviceaccount:shop:runner": {"token": "…", "groups": […], "rules": [
        {"verbs": ["get"], "groups": ["apps"], "resources": ["deployments"], "namespaces": ["shop"],
         "resourceNames": ["web"]}]}}}

"*" stands for everything; groups, namespaces and resourceNames may be left out. The file is read again when it
changes, so that a test can take a right away while the server runs. What Role objects allow (roles.py) is added, and the
tokens that service accounts get in their pods or by `kubectl create token` are as good as those of the file.
"""
import json
import os
import ssl
from dataclasses import dataclass, field

import certificates
import errors
import roles
from kinds import by_plural

ADMINS = "system:masters"


@dataclass
class User:
    name: str
    groups: list
    extra: dict = field(default_factory=dict)


class Auth:
    def __init__(self, path, store):
        self.path, self.store = path, store
        self.tokens = {}  # token → name of a service account
        self.stamp = None
        self.users = {}

    def load(self):
        stat = os.stat(self.path)
        stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if stamp != self.stamp:
            with open(self.path, encoding="utf-8") as file:
                self.users = json.load(file)["users"]
            self.stamp = stamp

    def identify(self, request):
        """The user of a request; 401 for a bad token."""
        self.load()
        user = self.by_header(request) or self.by_certificate(request) or \
            User("system:anonymous", ["system:unauthenticated"])
        wanted = request.header("impersonate-user")
        if wanted:
            for rule_kind, name in [("users", wanted)] + [
                    ("groups", value) for key, value in request.headers if key == "impersonate-group"]:
                if not self.allowed(user, "impersonate", "", rule_kind, "", name):
                    raise errors.ApiError(403, "Forbidden", f'{rule_kind} "{name}" is forbidden: User "{user.name}" '
                                          f'cannot impersonate resource "{rule_kind}" in API group "" at the cluster '
                                          "scope", {"name": name, "kind": rule_kind})
            groups = [value for key, value in request.headers if key == "impersonate-group"] or \
                service_account_groups(wanted)
            user = User(wanted, groups + ["system:authenticated"])
        elif any(key.startswith("impersonate-") for key, _ in request.headers):
            raise errors.ApiError(500, "InternalError", "Internal error occurred: requested [] without impersonating "
                                  "a user", {})
        return user

    def by_header(self, request):
        value = request.header("authorization")
        if not value:
            return None
        scheme, _, token = value.partition(" ")
        if scheme.lower() == "bearer" and token in self.tokens:
            return self.service_account(self.tokens[token])
        for name, user in self.users.items():
            if scheme.lower() == "bearer" and token and token == user.get("token"):
                groups = user.get("groups") or service_account_groups(name)
                return User(name, groups + ["system:authenticated"])
        raise errors.unauthorized()

    def issue(self, namespace, name):
        """A token for a service account."""
        token = certificates.new_token()
        self.tokens[token] = namespace, name
        return token

    def service_account(self, key):
        """Its user, as long as it is there."""
        if self.store.find(by_plural("serviceaccounts"), *key) is None:
            raise errors.unauthorized()
        name = "system:serviceaccount:%s:%s" % key
        return User(name, service_account_groups(name) + ["system:authenticated"])

    def rules(self, user, namespace):
        """All rules of a user that hold in a namespace."""
        self.load()
        found = [rule for rule in self.users.get(user.name, {}).get("rules", [])
                 if "namespaces" not in rule or holds(rule["namespaces"], namespace)]
        return found + list(roles.rules(self.store, user, namespace))

    @staticmethod
    def by_certificate(request):
        tls = request.connection.transport.get_extra_info("ssl_object")
        certificate = tls.getpeercert() if isinstance(tls, ssl.SSLObject) else None
        if not certificate:
            return None
        subject = [pair for part in certificate["subject"] for pair in part]
        name = next((value for key, value in subject if key == "commonName"), "")
        groups = [value for key, value in subject if key == "organizationName"]
        return User(name, groups + ["system:authenticated"])

    def allowed(self, user, verb, group, resource, namespace, name):
        """resource may be `pods/attach`."""
        if ADMINS in user.groups:
            return True
        for rule in self.rules(user, namespace):
            names = rule.get("resourceNames")
            if holds(rule["verbs"], verb) and holds(rule.get("groups", ["*"]), group) and \
                    holds(rule["resources"], resource) and (not names or name in names):
                return True
        return False

    def check(self, user, verb, kind, subresource, namespace, name):
        resource = kind.plural + ("/" + subresource if subresource else "")
        if self.allowed(user, verb, kind.group, resource, namespace, name):
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        raise errors.forbidden(kind, name, f'User "{user.name}" cannot {verb} resource "{resource}" in API group '
                               f'"{kind.group}" {where}')

    def review_access(self, user, body):
        """POST selfsubjectaccessreviews: the body with its status."""
        spec = body.get("spec", {})
        about = spec.get("resourceAttributes")
        if about:
            resource = about.get("resource", "")
            if about.get("subresource"):
                resource += "/" + about["subresource"]
            allowed = self.allowed(user, about.get("verb", ""), about.get("group", ""), resource,
                                   about.get("namespace", ""), about.get("name", ""))
        else:
            allowed = user.name != "system:anonymous"
        return {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {},
                "spec": spec, "status": {"allowed": allowed}}

    def review_rules(self, user, body):
        """POST selfsubjectrulesreviews, which `kubectl auth can-i --list` uses."""
        namespace = body.get("spec", {}).get("namespace", "")
        if ADMINS in user.groups:
            rules = [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]
        else:
            rules = [{"verbs": rule["verbs"], "apiGroups": rule.get("groups", ["*"]), "resources": rule["resources"],
                      **({"resourceNames": rule["resourceNames"]} if rule.get("resourceNames") else {})}
                     for rule in self.rules(user, namespace)]
        return {"kind": "SelfSubjectRulesReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}, "spec": {},
                "status": {"resourceRules": rules, "nonResourceRules": [], "incomplete": False}}


def holds(values, value):
    return "*" in values or value in values


def service_account_groups(name):
    parts = name.split(":")
    if name.startswith("system:serviceaccount:") and len(parts) == 4:
        return ["system:serviceaccounts", "system:serviceaccounts:" + parts[2]]
    return []


# The least role for a whole run (research on RBAC): what the restricted account of a fresh server may do.
LEAST_ROLE = [
    {"verbs": ["get"], "groups": ["apps"], "resources": ["deployments"], "namespaces": ["shop"]},
    {"verbs": ["create", "delete"], "groups": ["batch"], "resources": ["jobs"], "namespaces": ["shop"]},
    {"verbs": ["list", "watch"], "groups": [""], "resources": ["pods"], "namespaces": ["shop"]},
    {"verbs": ["get", "create"], "groups": [""], "resources": ["pods/attach"], "namespaces": ["shop"]},
    {"verbs": ["create"], "groups": [""], "resources": ["configmaps"], "namespaces": ["shop"]},
]
