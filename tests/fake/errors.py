# SPDX-License-Identifier: Apache-2.0
"""Status bodies: what the API server answers when it refuses.

The texts are those of tests/fixtures/kube/fake/status-*.json, which were recorded from a real server.
"""
import json


class ApiError(Exception):
    """Ends a request with an HTTP code and a Status body."""

    def __init__(self, code, reason, message, details=None, metadata=None, headers=()):
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.headers = list(headers)

    def body(self):
        status = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure",
                  "message": self.message, "reason": self.reason}
        if self.details is not None:
            status["details"] = self.details
        status["code"] = self.code
        return status


class TextError(Exception):
    """Ends a request the way the kubelet does: with plain text."""

    def __init__(self, code, text):
        super().__init__(text)
        self.code = code
        self.text = text


def encode(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def details(kind, name=None):
    """details of a Status that speaks of a resource (group and plural name)."""
    result = {}
    if name:
        result["name"] = name
    if kind.group:
        result["group"] = kind.group
    result["kind"] = kind.plural
    return result


def success(kind, name, uid):
    """The answer to a DELETE that has removed the object at once."""
    about = details(kind, name)
    about["uid"] = uid
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": about}


def bad_request(message):
    return ApiError(400, "BadRequest", message)


def unauthorized():
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(kind, name, why):
    subject = f'{kind.qualified} "{name}"' if name else kind.qualified
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", details(kind, name))


def not_found(kind, name):
    return ApiError(404, "NotFound", f'{kind.qualified} "{name}" not found', details(kind, name))


def method_not_allowed():
    return ApiError(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})


def already_exists(kind, name):
    return ApiError(409, "AlreadyExists", f'{kind.qualified} "{name}" already exists', details(kind, name))


def modified(kind, name):
    message = (f'Operation cannot be fulfilled on {kind.qualified} "{name}": the object has been modified; '
               "please apply your changes to the latest version and try again")
    return ApiError(409, "Conflict", message, details(kind, name))


def precondition(kind, name, what, wanted, found):
    """DELETE with preconditions.uid or .resourceVersion that does not hold; here the kind, not the plural."""
    qualified = kind.kind + ("." + kind.group if kind.group else "")
    message = (f'Operation cannot be fulfilled on {qualified} "{name}": the {what} in the precondition ({wanted}) '
               f"does not match the {what} in record ({found}). The object might have been "
               + ("deleted and then recreated" if what == "UID" else "modified"))
    about = details(kind, name)
    about["kind"] = kind.kind
    return ApiError(409, "Conflict", message, about)


def expired(message, metadata=None):
    return ApiError(410, "Expired", message, metadata=metadata)


def invalid(kind, name, causes):
    """422; causes are (reason, field, message), as FieldValueInvalid, spec.x, 'Invalid value: …'."""
    texts = [f"{field}: {message}" for _, field, message in causes]
    text = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    qualified = kind.kind + ("." + kind.group if kind.group else "")
    about = {"name": name}
    if kind.group:
        about["group"] = kind.group
    about["kind"] = kind.kind
    about["causes"] = [{"reason": reason, "message": message, "field": field} for reason, field, message in causes]
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', about)


def too_many(message="Too many requests, please try again later.", seconds=1):
    return ApiError(429, "TooManyRequests", message, {"retryAfterSeconds": seconds},
                    headers=[("Retry-After", str(seconds))])


def future_version(wanted, current):
    return ApiError(504, "Timeout", f"Timeout: Too large resource version: {wanted}, current: {current}",
                    {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}],
                     "retryAfterSeconds": 1})
