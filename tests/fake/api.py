# SPDX-License-Identifier: Apache-2.0
"""From a request to its answer: faults, authentication, discovery, and the verbs on resources."""
import asyncio
import copy
import json
import time

import admission
import applied
import errors
import events
import kinds
import kubectl_support
import patch
import plant
import roles
import selection
import streams
from errors import ApiError, TextError
from kinds import EVENTS, JOBS, NAMESPACES, PODS
from store import EXPIRED_CONTINUE, random_suffix, stamp
from watch import Watch


ACCOUNTS = kinds.by_plural("serviceaccounts")


class Api:
    """Mixed into the server (apiserver), whose attributes it uses: store, auth, faults, garbage, kubelet, …"""

    async def serve(self, request):
        connection = request.connection
        request.faults = self.faults.for_request(request.method, request.target)
        self.count(request)
        try:
            for rule in request.faults:
                await self.suffer(rule, connection)
            if connection.mute_after == 0 and connection.cut_after is None:
                return
            await self.dispatch(request)
        except ApiError as error:
            connection.respond_json(error.code, error.body(), error.headers)
        except TextError as error:
            connection.respond(error.code, [("Content-Type", "text/plain; charset=utf-8")], error.text.encode())
        except (ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
            self.report(f"{request.method} {request.target}: {type(error).__name__}: {error}", True)
            connection.respond_json(500, ApiError(500, "InternalError", f"Internal error occurred: {error}", {}).body())

    async def suffer(self, rule, connection):
        action = rule["action"]
        if action == "delay":
            await asyncio.sleep(rule.get("ms", 1000) / 1000)
        elif action == "cut":
            connection.cut_after = rule.get("bytes", 0)
        elif action == "half-open":
            connection.mute_after = rule.get("bytes", 0)
        elif action == "drop-reply":
            connection.cut_after = 0
        elif action == "status":
            self.refuse(rule)

    @staticmethod
    def refuse(rule):
        code = rule.get("code", 500)
        if code == 429:
            raise errors.too_many(seconds=rule.get("retryAfter", 1))
        if "text" in rule:
            raise TextError(code, rule["text"])
        reason, message = {500: ("InternalError", "Internal error occurred: scripted"),
                           503: ("ServiceUnavailable", "the server is currently unable to handle the request"),
                           504: ("Timeout", "Timeout: request did not complete within the allotted timeout"),
                           }.get(code, ("Unknown", "scripted"))
        raise ApiError(code, reason, message, {})

    # paths

    async def dispatch(self, request):
        path = request.path.rstrip("/")
        if path.startswith("/fake/"):
            return await self.own(request, path)
        request.user = self.auth.identify(request)
        if not path.startswith(("/api/v1/", "/apis/")) or len(path.split("/")) < 5 and path.startswith("/apis/"):
            return self.discover(request, path)
        steps = path.split("/")[2:]
        group, version = ("", steps[0]) if path.startswith("/api/") else (steps[0], steps[1])
        rest = steps[1:] if path.startswith("/api/") else steps[2:]
        namespace = ""
        if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
            namespace, rest = rest[1], rest[2:]
        kind = kinds.KINDS.get((group, version, rest[0]))
        if kind is None:
            raise TextError(404, "404 page not found\n")
        name, subresource = (rest + ["", ""])[1:3]
        return await self.resource(request, kind, namespace, name, subresource)

    def discover(self, request, path):
        steps = path.split("/")[1:]
        answer = None
        if path in ("/readyz", "/livez", "/healthz"):
            return request.connection.respond(200, [("Content-Type", "text/plain; charset=utf-8")], b"ok")
        if path == "/version":
            answer = self.version_info
        elif path == "/api":
            answer = {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [
                {"clientCIDR": "0.0.0.0/0", "serverAddress": self.address}]}
        elif path == "/apis":
            answer = kinds.group_list()
        elif path == "/api/v1":
            answer = kinds.resource_list("", "v1")
        elif steps[0] == "apis" and len(steps) == 3:
            answer = kinds.resource_list(steps[1], steps[2])
        elif steps[0] == "apis" and len(steps) == 2:
            answer = next((dict(kind="APIGroup", apiVersion="v1", **entry) for entry in kinds.group_list()["groups"]
                           if entry["name"] == steps[1]), None)
        elif steps[0] == "openapi":
            return kubectl_support.openapi(request, steps)
        if answer is None:
            raise TextError(404, "404 page not found\n")
        request.connection.respond_json(200, answer)

    async def own(self, request, path):
        """What tests ask of the fake itself; no credentials needed."""
        if path == "/fake/stats":
            return request.connection.respond_json(200, self.stats())
        if path == "/fake/compact":
            self.store.compact()
        elif path == "/fake/faults" and request.method == "POST":
            self.faults.set(json.loads(request.body))
        elif path == "/fake/set" and request.method == "POST":
            self.settings.update(json.loads(request.body))
            self.cronjobs.sync()
        elif path.startswith("/fake/runs/"):
            return request.connection.respond_json(200, self.runs.report(path[len("/fake/runs/"):]))
        elif path == "/fake/objects" and request.method == "POST":
            wanted = json.loads(request.body)
            plant.plant(self.store, wanted["namespace"], wanted["count"])
            return request.connection.respond_json(200, wanted)
        elif path == "/fake/restart" and request.method == "POST":
            asyncio.get_running_loop().create_task(self.restart(json.loads(request.body or "{}").get("ms", 1000)))
            return request.connection.respond_json(200, {})
        elif path not in ("/fake/faults", "/fake/set"):
            raise TextError(404, "404 page not found\n")
        request.connection.respond_json(200, self.settings if path == "/fake/set" else self.faults.rules)

    # verbs

    async def resource(self, request, kind, namespace, name, subresource):
        verb = {"GET": "get" if name else "list", "POST": "create", "PUT": "update", "PATCH": "patch",
                "DELETE": "delete" if name else "deletecollection"}.get(request.method)
        if verb is None:
            raise errors.method_not_allowed()
        if request.method == "GET" and request.query.get("watch") in ("true", "1") and not subresource:
            verb = "watch"
            only = request.query.get("fieldSelector", "")
            name = name or (only[len("metadata.name="):] if only.startswith("metadata.name=") else "")
        if kind.review and verb == "create" and request.user.name != "system:anonymous":
            return self.review(request, kind)  # needs no right
        self.auth.check(request.user, verb, kind, subresource, namespace, name)
        if subresource:
            return await self.subresource(request, kind, namespace, name, subresource, verb)
        storage = EVENTS if kind.plural == "events" else kind
        if kind.namespaced and not namespace and verb not in ("list", "watch"):
            raise errors.bad_request("the server could not find the requested resource")
        if verb in ("list", "watch"):
            return await self.list_or_watch(request, storage, kind, namespace)
        if verb == "get":
            return self.answer(request, kind, self.store.get(storage, namespace, name))
        if verb == "create":
            return self.create(request, kind, storage, namespace)
        if verb in ("update", "patch"):
            return self.update(request, kind, storage, namespace, name, verb, "")
        return self.delete(request, kind, storage, namespace, name)

    def present(self, request, kind, obj):
        """The object as this request wants to see it."""
        if request.in_new_group:
            return events.to_new(obj)
        return kubectl_support.table_row(request, kind, obj)

    def answer(self, request, kind, obj, code=200):
        request.in_new_group = kind.group == "events.k8s.io"
        headers = [("Warning", f'299 - "{text}"') for text in request.warnings]
        request.connection.respond_json(code, self.present(request, kind, obj), headers)

    async def list_or_watch(self, request, storage, kind, namespace):
        request.in_new_group = kind.group == "events.k8s.io"
        query = request.query
        matches = selection.both(query.get("labelSelector"), query.get("fieldSelector"))
        if query.get("watch") in ("true", "1"):
            return await Watch(self, request, storage, namespace, matches).serve()
        wanted = query.get("resourceVersion", "")
        if wanted.isdigit() and int(wanted) > self.store.version:
            raise errors.future_version(wanted, self.store.version)
        for rule in request.faults:
            if rule["action"] == "410":
                token = self.store.fresh_token(query.get("continue")) if rule.get("token") else ""
                raise errors.expired(EXPIRED_CONTINUE, {"continue": token})
        items, token, rest = self.store.page(storage, namespace, matches, int(query.get("limit") or 0),
                                             query.get("continue"))
        meta = {"resourceVersion": str(self.store.version)}
        if token:
            meta.update({"continue": token, "remainingItemCount": rest})
        table = kubectl_support.table(request, kind, items, meta)
        if table:
            return request.connection.respond_json(200, table)
        if request.in_new_group:
            items = [events.to_new(item) for item in items]
        items = [{key: value for key, value in item.items() if key not in ("kind", "apiVersion")} for item in items]
        request.connection.respond_json(200, {"kind": kind.kind + "List", "apiVersion": kind.api_version,
                                              "metadata": meta, "items": items})

    def read_body(self, request, kind):
        """The object in a body, checked to be what the path says."""
        obj = kubectl_support.decode(request)
        if obj.get("kind") and (obj["kind"], obj.get("apiVersion")) != (kind.kind, kind.api_version):
            raise errors.bad_request(f'the object provided is unrecognized (must be of type {kind.kind})')
        obj.update(kind=kind.kind, apiVersion=kind.api_version)
        obj = {"kind": kind.kind, "apiVersion": kind.api_version, "metadata": obj.pop("metadata", None) or {}, **obj}
        self.strict(request, kind, obj)
        if kind.plural == "leases":
            admission.check_micro_times(kind, obj)
        return events.from_new(obj) if kind.group == "events.k8s.io" else obj

    def strict(self, request, kind, obj):
        unknown = [f'unknown field "{path}"'
                   for path in admission.drop_unknown(kind, obj, self.settings["unknown_fields"])]
        if unknown and request.query.get("fieldValidation") == "Strict":
            raise errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: '
                                     "strict decoding error: " + ", ".join(unknown))
        if request.query.get("fieldValidation") != "Ignore":
            request.warnings += [text.replace('"', '\\"') for text in unknown]

    def create(self, request, kind, storage, namespace):
        obj = self.read_body(request, kind)
        if kind.namespaced:
            given = obj["metadata"].setdefault("namespace", namespace)
            if given != namespace:
                raise errors.bad_request("the namespace of the provided object does not match the namespace sent on "
                                         "the request")
        created = self.create_object(kind, storage, obj, request.query.get("dryRun") == "All", request)
        self.answer(request, kind, created, 201)

    def create_object(self, kind, storage, obj, dry_run=False, request=None):
        """Also the way in for controllers and seeds."""
        meta = obj["metadata"]
        namespace = meta.get("namespace", "")
        if not meta.get("name"):
            if not meta.get("generateName"):
                raise errors.invalid(kind, "", [("FieldValueRequired", "metadata.name", "Required value: name or "
                                                 "generateName is required")])
            meta["name"] = meta["generateName"][:58] + random_suffix()
        if kind.namespaced:
            home = self.store.find(NAMESPACES, "", namespace)
            if home is None:
                raise errors.not_found(NAMESPACES, namespace)
            if home["metadata"].get("deletionTimestamp"):
                raise errors.forbidden(kind, meta["name"], f"unable to create new content in namespace {namespace} "
                                       "because it is being terminated")
        if self.store.find(storage, namespace, meta["name"]):
            raise errors.already_exists(kind, meta["name"])
        self.fill(kind, storage, obj, request)
        if dry_run:
            return self.rehearse(kind, obj)
        added = self.store.add(storage, obj, admission.fill_job_uid if kind is JOBS else None)
        if kind is NAMESPACES:
            self.store.add(ACCOUNTS, {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": {
                "name": "default", "namespace": meta["name"]}})
        return added

    def fill(self, kind, storage, obj, request):
        causes = []
        if kind is PODS:
            admission.admit_pod(self, obj)
        elif kind is JOBS:
            given = (obj.get("spec", {}).get("template", {}).get("metadata") or {}).get("labels") or {}
            given = dict(given)
            admission.default_job(obj)
            causes = admission.check_job(obj, given)
        elif kind.plural == "cronjobs":
            admission.default(obj["spec"], concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3,
                              failedJobsHistoryLimit=1)
            template = obj["spec"].setdefault("jobTemplate", {}).setdefault("spec", {}).setdefault("template", {})
            admission.default_pod_spec(template.setdefault("spec", {}))
            causes = admission.check_cron_job(obj)
            obj.setdefault("status", {})
        elif kind.group == "apps" and isinstance(obj.get("spec", {}).get("template"), dict):
            admission.default_pod_spec(obj["spec"]["template"]["spec"])
        elif storage is EVENTS and request is not None:
            causes = events.causes(obj, kind.group == "events.k8s.io")
        elif kind.plural == "leases" and (obj.get("spec") or {}).get("leaseDurationSeconds", 1) <= 0:
            causes = [("FieldValueInvalid", "spec.leaseDurationSeconds", "Invalid value: 0: must be greater than 0")]
        elif kind is NAMESPACES:
            obj["status"] = {"phase": "Active"}
        elif kind.plural == "rolebindings":
            causes = roles.check_binding(obj)
        if kind.plural == "services":
            self.services.default_service(obj)
        if causes:
            raise errors.invalid(kind, obj["metadata"]["name"], causes)

    @staticmethod
    def rehearse(kind, obj):
        """What a dry run answers: the object as it would be stored."""
        obj = copy.deepcopy(obj)
        stamp(kind, obj)
        obj["metadata"].pop("resourceVersion")
        if kind is JOBS:
            admission.fill_job_uid(obj)
        return obj

    def update(self, request, kind, storage, namespace, name, verb, subresource):
        if verb == "patch" and applied.is_apply(request):
            return applied.handle(self, request, kind, storage, namespace, name)
        old = self.store.get(storage, namespace, name)
        if verb == "patch":
            base = events.to_new(old) if kind.group == "events.k8s.io" else old
            obj = patch.apply(request.header("content-type"), base, kubectl_support.decode(request))
            self.strict(request, kind, obj)
            obj = events.from_new(obj) if kind.group == "events.k8s.io" else obj
        else:
            obj = self.read_body(request, kind)
            if not obj["metadata"].get("resourceVersion") and kind.plural in ("leases", "endpoints", "jobs", "cronjobs"):
                raise errors.invalid(kind, name, [("FieldValueInvalid", "metadata.resourceVersion",
                                                   'Invalid value: 0x0: must be specified for an update')])
        obj = copy.deepcopy(obj)
        meta = obj["metadata"]
        if meta.get("resourceVersion") and meta["resourceVersion"] != old["metadata"]["resourceVersion"] or \
                meta.get("uid") and meta["uid"] != old["metadata"]["uid"]:
            raise errors.modified(kind, name)
        for key in ("uid", "creationTimestamp", "generation", "namespace", "name", "deletionTimestamp",
                    "deletionGracePeriodSeconds"):
            if key in old["metadata"]:
                meta[key] = old["metadata"][key]
        meta.pop("managedFields", None)
        obj = {**old, "status": obj.get("status", {})} if subresource == "status" else \
            {**obj, **({"status": old["status"]} if "status" in old else {})}
        self.check_update(kind, old, obj)
        if request.query.get("dryRun") != "All":
            obj = self.store.put(storage, obj)
        self.answer(request, kind, obj)

    @staticmethod
    def check_update(kind, old, obj):
        if kind is JOBS and obj["spec"]["template"]["spec"].get("containers") != \
                old["spec"]["template"]["spec"].get("containers"):
            raise errors.invalid(kind, obj["metadata"]["name"], [("FieldValueInvalid", "spec.template",
                                                                 "Invalid value: field is immutable")])
        if kind is PODS and old["spec"] != obj["spec"]:
            admission.check_pod_update(kind, old, obj)
        if kind.plural == "cronjobs":
            causes = admission.check_cron_job(obj)
            if causes:
                raise errors.invalid(kind, obj["metadata"]["name"], causes)

    def delete(self, request, kind, storage, namespace, name):
        options = kubectl_support.decode(request) if request.body else {}
        for key in ("propagationPolicy", "gracePeriodSeconds"):
            if key in request.query:
                options[key] = int(request.query[key]) if key == "gracePeriodSeconds" else request.query[key]
        dry_run = request.query.get("dryRun") == "All" or options.get("dryRun") == ["All"]
        if not name:
            matches = selection.both(request.query.get("labelSelector"), request.query.get("fieldSelector"))
            items = [obj for obj in self.store.all(storage, namespace) if matches(obj)]
            for obj in items:
                if not dry_run:
                    self.garbage.delete(storage, obj, options)
            return request.connection.respond_json(200, {
                "kind": kind.kind + "List", "apiVersion": kind.api_version,
                "metadata": {"resourceVersion": str(self.store.version)}, "items": items})
        obj = self.store.get(storage, namespace, name)
        left = obj if dry_run else self.garbage.delete(storage, obj, options)
        if kind is PODS and left is None:
            left = obj
        self.answer(request, kind, left or errors.success(kind, name, obj["metadata"]["uid"]))

    def review(self, request, kind):
        body = kubectl_support.decode(request)
        if kind.plural == "selfsubjectaccessreviews":
            answer = self.auth.review_access(request.user, body)
        elif kind.plural == "selfsubjectrulesreviews":
            answer = self.auth.review_rules(request.user, body)
        else:
            answer = {"kind": "SelfSubjectReview", "apiVersion": kind.api_version, "metadata": {},
                      "status": {"userInfo": {"username": request.user.name, "groups": request.user.groups}}}
        request.in_new_group = False
        request.connection.respond_json(201, answer)

    async def subresource(self, request, kind, namespace, name, subresource, verb):
        if kind is PODS and subresource == "log" and verb == "get":
            return await streams.log(self, request, namespace, name)
        if kind is PODS and subresource in ("attach", "exec") and verb in ("get", "create"):
            return await streams.stream(self, request, namespace, name, subresource)
        if kind is PODS and subresource == "eviction" and verb == "create":
            return self.evict(request, namespace, name)
        if kind is ACCOUNTS and subresource == "token" and verb == "create":
            return self.give_token(request, namespace, name)
        if subresource == "status" and verb in ("get", "update", "patch"):
            if verb == "get":
                return self.answer(request, kind, self.store.get(kind, namespace, name))
            return self.update(request, kind, kind, namespace, name, verb, "status")
        if subresource == "scale" and "scale" in kind.subresources:
            return kubectl_support.scale(self, request, kind, namespace, name, verb)
        raise errors.ApiError(404, "NotFound", "the server could not find the requested resource", {})

    def give_token(self, request, namespace, name):
        """TokenRequest, which `kubectl create token` uses. The tokens live as long as the server does."""
        self.store.get(ACCOUNTS, namespace, name)
        spec = kubectl_support.decode(request).get("spec") or {}
        later = time.gmtime(time.time() + spec.get("expirationSeconds", 3600))
        request.connection.respond_json(201, {
            "kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "metadata": {"name": name}, "spec": spec,
            "status": {"token": self.auth.issue(namespace, name),
                       "expirationTimestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", later)}})

    def evict(self, request, namespace, name):
        pod = self.store.get(PODS, namespace, name)
        self.services.check_eviction(pod)
        options = (kubectl_support.decode(request) or {}).get("deleteOptions") or {}
        if request.query.get("dryRun") != "All" and options.get("dryRun") != ["All"]:
            self.kubelet.mark_disruption(pod, "EvictionByEvictionAPI", "Eviction API: evicting")
            self.garbage.delete(PODS, self.store.get(PODS, namespace, name), options)
        request.connection.respond_json(201, {"kind": "Status", "apiVersion": "v1", "metadata": {},
                                              "status": "Success", "code": 201})
