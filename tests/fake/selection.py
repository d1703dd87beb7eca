# SPDX-License-Identifier: Apache-2.0
"""Label and field selectors: as query strings, and as LabelSelector objects."""
import re

from errors import bad_request


def parse_labels(text):
    """A function over a dictionary of labels for `a=b,c!=d,e in (f,g),!h,i`."""
    tests = []
    for part in re.findall(r"[^,(]+(?:\([^)]*\))?", text or ""):
        part = part.strip()
        match = re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", part)
        if match:
            key, verb, values = match[1], match[2], [v.strip() for v in match[3].split(",")]
            tests.append(expression(key, "In" if verb == "in" else "NotIn", values))
        elif "!=" in part:
            key, value = part.split("!=", 1)
            tests.append(expression(key.strip(), "NotIn", [value.strip()]))
        elif "=" in part:
            key, value = re.split("==?", part, 1)
            tests.append(expression(key.strip(), "In", [value.strip()]))
        elif part.startswith("!"):
            tests.append(expression(part[1:].strip(), "DoesNotExist", []))
        elif part:
            tests.append(expression(part, "Exists", []))
    return lambda labels: all(test(labels) for test in tests)


def expression(key, operator, values):
    if operator == "In":
        return lambda labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda labels: labels.get(key) not in values
    if operator == "Exists":
        return lambda labels: key in labels
    if operator == "DoesNotExist":
        return lambda labels: key not in labels
    raise bad_request(f"unable to parse requirement: invalid operator {operator}")


def from_object(selector):
    """A function for a LabelSelector (matchLabels, matchExpressions); an empty one matches everything."""
    tests = [expression(key, "In", [value]) for key, value in (selector.get("matchLabels") or {}).items()]
    tests += [expression(e["key"], e["operator"], e.get("values") or [])
              for e in selector.get("matchExpressions") or []]
    return lambda labels: all(test(labels) for test in tests)


def parse_fields(text):
    """A function over an object for `metadata.name=a,status.phase!=Running`; a missing field is ''."""
    tests = []
    for part in (text or "").split(","):
        if not part:
            continue
        match = re.fullmatch(r"([^=!]+)(!=|==|=)(.*)", part)
        if not match:
            raise bad_request(f"invalid selector: '{text}'; can't understand '{part}'")
        tests.append((match[1].split("."), match[2] != "!=", match[3]))

    def matches(obj):
        for path, wanted, value in tests:
            found = obj
            for step in path:
                found = found.get(step) if isinstance(found, dict) else None
            text = "" if found is None else str(found).lower() if isinstance(found, bool) else str(found)
            if (text == value) != wanted:
                return False
        return True
    return matches


def labels_of(obj):
    return obj["metadata"].get("labels") or {}


def both(label_text, field_text):
    """One function over an object for the two query parameters."""
    by_label, by_field = parse_labels(label_text), parse_fields(field_text)
    return lambda obj: by_label(labels_of(obj)) and by_field(obj)
