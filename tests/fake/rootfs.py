# SPDX-License-Identifier: Apache-2.0
"""What a container sees: its root folder made from an image, its volumes, its environment."""
import base64
import os
import re
import shutil
import subprocess

from kinds import by_plural

BUSYBOX = "/bin/busybox"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
FOLDERS = ("app", "bin", "dev/shm", "dev/pts", "etc", "home", "proc", "root", "run", "sys", "usr/bin", "usr/sbin",
           "var/log", "var/run", "var/tmp")


class ConfigError(Exception):
    """CreateContainerConfigError: the container cannot be made yet."""


class MountError(Exception):
    """FailedMount: a volume is not there yet."""


class ImageError(Exception):
    def __init__(self, reason, message):
        super().__init__(message)
        self.reason = reason


class Images:
    """The images a node can run: name to {entrypoint, cmd, env, workdir, user, digest, busybox, files, programs}."""

    def __init__(self, folder, table):
        self.table = table
        self.busybox = os.path.join(folder, "busybox")
        shutil.copy(BUSYBOX, self.busybox)
        os.chmod(self.busybox, 0o755)
        applets = subprocess.run([BUSYBOX, "--list"], check=True, stdout=subprocess.PIPE).stdout.decode().split()
        self.applets = [name for name in applets if name != "busybox"]

    def find(self, reference, policy):
        """(name, image) of a reference by tag or by digest."""
        if re.search(r"[A-Z\s]", reference.split("@")[0].split(":")[0]):
            raise ImageError("InvalidImageName", f'Failed to apply default image tag "{reference}": couldn\'t parse '
                             f'image name "{reference}": invalid reference format: repository name (library/'
                             f"{reference}) must be lowercase")
        name, _, digest = reference.partition("@")
        name = re.sub(r"^docker\.io/(library/)?", "", name)
        if not digest:
            for known in (name, name + ":latest"):
                if known in self.table:
                    return known, self.table[known]
        for known, image in self.table.items():
            if digest and image["digest"] == digest and known.rsplit(":", 1)[0] == re.sub(r":[^/]*$", "", name):
                return known, image
            if policy == "Never" and reference == image.get("image_id"):
                return known, image
        if policy == "Never":
            raise ImageError("ErrImageNeverPull",
                             f'Container image "{reference}" is not present with pull policy of Never')
        raise ImageError("ErrImagePull", f'failed to pull and unpack image "{reference}": failed to resolve '
                         f"image: {reference}: not found")

    @staticmethod
    def image_id(name, image):
        return image.get("image_id") or f"{name.rsplit(':', 1)[0]}@{image['digest']}"

    def make_root(self, root, image):
        for folder in FOLDERS:
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        os.makedirs(os.path.join(root, "tmp"))
        os.chmod(os.path.join(root, "tmp"), 0o1777)
        if image.get("busybox"):
            os.link(self.busybox, os.path.join(root, "bin/busybox"))
            for applet in self.applets:
                os.symlink("busybox", os.path.join(root, "bin", applet))
        if image.get("program"):
            os.link(self.busybox, root + image["program"])
        for path, source in image.get("programs", {}).items():
            copy_program(source, root, path)
        for path, text in {"/etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home:/bin/sh\n",
                           "/etc/group": "root:x:0:\napp:x:1000:\n", "/etc/hosts": "127.0.0.1\tlocalhost\n",
                           "/etc/hostname": "", "/etc/resolv.conf": "", **image.get("files", {})}.items():
            write(root + path, text.encode(), 0o755 if text.startswith("#!") else 0o644)
        for device in ("null", "zero", "full", "random", "urandom", "tty", "termination-log"):
            write(f"{root}/dev/{device}", b"", 0o666)


def copy_program(source, root, path):
    """A program of this machine with the libraries that it needs, each at its own place."""
    lines = subprocess.run(["ldd", source], check=True, stdout=subprocess.PIPE).stdout.decode().splitlines()
    libraries = [match[1] for match in (re.search(r"(/\S+) \(0x", line) for line in lines) if match]
    for origin, target in [(source, path)] + [(library, library) for library in libraries]:
        os.makedirs(os.path.dirname(root + target), exist_ok=True)
        shutil.copy(origin, root + target)


def write(path, data, mode):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, mode)


def inside(root, path):
    """root + path for a mount point, with no way out of root by way of '..'."""
    return os.path.normpath("/" + path)


class Volumes:
    """The volumes of one pod, as folders below `folder`."""

    def __init__(self, server, pod, folder):
        self.store, self.server, self.pod, self.folder = server.store, server, pod, folder

    def path(self, name):
        return os.path.join(self.folder, "volumes", name)

    def make(self):
        """Makes those that do not exist yet; raises MountError for one that cannot be made."""
        group = (self.pod["spec"].get("securityContext") or {}).get("fsGroup")
        for volume in self.pod["spec"].get("volumes") or []:
            if os.path.exists(self.path(volume["name"])):
                continue
            files = self.files(volume)  # raises before anything is made
            path = self.path(volume["name"])
            if "persistentVolumeClaim" in volume:
                claim = f"{self.pod['metadata']['namespace']}_{volume['persistentVolumeClaim']['claimName']}"
                target = os.path.join(self.server.folder, "claims", claim)
                os.makedirs(target, exist_ok=True)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.symlink(target, path)
                continue
            os.makedirs(path)
            if "image" in volume:
                _, image = self.server.images.find(volume["image"]["reference"], "IfNotPresent")
                self.server.images.make_root(path, image)
            os.chmod(path, 0o777 if "emptyDir" in volume else 0o755)
            for name, (data, mode) in files.items():
                write(os.path.join(path, name), data, mode)
            if group is not None:
                for parent, _, names in os.walk(path):
                    for entry in [parent] + [os.path.join(parent, name) for name in names]:
                        os.chown(entry, -1, group, follow_symlinks=False)

    def files(self, volume):
        """{path: (bytes, mode)} of a volume that is made of files."""
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if source in volume:
                part = volume[source]
                mode = part.get("defaultMode", 0o644)
                if source == "projected":
                    result = {}
                    for piece in part.get("sources") or []:
                        kind = next(iter(piece))
                        result.update(self.source(kind, piece[kind], mode, volume["name"]))
                    return result
                return self.source(source, part, mode, volume["name"])
        return {}

    def source(self, kind, part, mode, volume):
        namespace = self.pod["metadata"]["namespace"]
        if kind == "serviceAccountToken":
            token = self.server.auth.issue(namespace, self.pod["spec"].get("serviceAccountName", "default"))
            return {part["path"]: (token.encode(), mode)}
        if kind == "downwardAPI":
            return {item["path"]: (field_value(self.pod, item["fieldRef"]["fieldPath"]).encode(),
                                   item.get("mode", mode)) for item in part.get("items") or [] if "fieldRef" in item}
        plural = "configmaps" if kind == "configMap" else "secrets"
        name = part.get("name") or part.get("secretName")
        if name == "kube-root-ca.crt" and not self.store.find(by_plural(plural), namespace, name):
            data = {"ca.crt": self.server.authority}
        else:
            data = read_data(self.store, plural, namespace, name)
        if data is None:
            if part.get("optional"):
                return {}
            raise MountError(f'MountVolume.SetUp failed for volume "{volume}" : {plural[:-1]} "{name}" not found')
        if not part.get("items"):
            return {key: (value, mode) for key, value in data.items()}
        missing = [item["key"] for item in part["items"] if item["key"] not in data]
        if missing and not part.get("optional"):
            raise MountError(f'MountVolume.SetUp failed for volume "{volume}" : references non-existent config key: '
                             f"{missing[0]}")
        return {item["path"]: (data[item["key"]], item.get("mode", mode)) for item in part["items"]
                if item["key"] in data}

    def mounts(self, container, root):
        """The bind mounts of a container; makes their mount points in its root."""
        kinds = {volume["name"]: volume for volume in self.pod["spec"].get("volumes") or []}
        result = []
        for mount in sorted(container.get("volumeMounts") or [], key=lambda m: m["mountPath"]):
            source = self.path(mount["name"])
            if mount.get("subPath"):
                source = os.path.join(source, inside("", mount["subPath"])[1:])
                if not os.path.exists(source):
                    os.makedirs(source)
            target = inside(root, mount["mountPath"])
            parent = next((r for r in result if target.startswith(r["target"] + "/")), None)
            place = parent["source"] + target[len(parent["target"]):] if parent else root + target
            if os.path.isdir(source):
                os.makedirs(place, exist_ok=True)
            elif not os.path.exists(place):
                write(place, b"", 0o644)
            fixed = any(key in kinds[mount["name"]] for key in ("configMap", "secret", "projected", "image"))
            result.append({"source": os.path.realpath(source), "target": target,
                           "readonly": bool(mount.get("readOnly")) or fixed})
        return result


def read_data(store, plural, namespace, name):
    """Bytes by key of a ConfigMap or Secret; None if there is none."""
    obj = store.find(by_plural(plural), namespace, name)
    if obj is None:
        return None
    data = {key: value.encode() for key, value in (obj.get("data") or {}).items()}
    if plural == "secrets":
        data = {key: base64.b64decode(value) for key, value in data.items()}
        data.update({key: value.encode() for key, value in (obj.get("stringData") or {}).items()})
    data.update({key: base64.b64decode(value) for key, value in (obj.get("binaryData") or {}).items()})
    return data


def field_value(pod, path):
    match = re.fullmatch(r"metadata\.(labels|annotations)\['(.*)'\]", path)
    if match:
        return (pod["metadata"].get(match[1]) or {}).get(match[2], "")
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{key}="{value}"' for key, value in (pod["metadata"].get(path[9:]) or {}).items())
    found = pod
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return "" if found is None else str(found)


def environment(store, pod, container, image, address):
    """The variables of a container, in the order image, node, envFrom, env; $(NAME) is expanded."""
    namespace = pod["metadata"]["namespace"]
    result = {"PATH": PATH, "HOSTNAME": pod["metadata"]["name"], **(image.get("env") or {})}
    host, _, port = address.rpartition(":")
    result.update(KUBERNETES_SERVICE_HOST=host, KUBERNETES_SERVICE_PORT=port, HOME="/root")
    if container.get("tty"):
        result.setdefault("TERM", "xterm")
    for source in container.get("envFrom") or []:
        plural, part = ("configmaps", source["configMapRef"]) if "configMapRef" in source else \
            ("secrets", source["secretRef"])
        data = read_data(store, plural, namespace, part["name"])
        if data is None and not part.get("optional"):
            raise ConfigError(f'{plural[:-1]} "{part["name"]}" not found')
        result.update({source.get("prefix", "") + key: value.decode(errors="replace")
                       for key, value in (data or {}).items()})
    for variable in container.get("env") or []:
        if "valueFrom" in variable:
            value = value_from(store, pod, variable["valueFrom"], namespace)
            if value is not None:
                result[variable["name"]] = value
        else:
            result[variable["name"]] = expand(variable.get("value", ""), result)
    return result


def value_from(store, pod, source, namespace):
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"])
    if "resourceFieldRef" in source:
        return "0"
    plural, part = ("configmaps", source["configMapKeyRef"]) if "configMapKeyRef" in source else \
        ("secrets", source["secretKeyRef"])
    data = read_data(store, plural, namespace, part["name"])
    if data is not None and part["key"] in data:
        return data[part["key"]].decode(errors="replace")
    if part.get("optional"):
        return None
    if data is None:
        raise ConfigError(f'{plural[:-1]} "{part["name"]}" not found')
    raise ConfigError(f"couldn't find key {part['key']} in {plural[:-1].capitalize()} {namespace}/{part['name']}")


def expand(text, variables):
    """$(NAME) as the kubelet expands it; $$ stands for one $, unknown names stay."""
    def one(match):
        if match[0] == "$$":
            return "$"
        return variables.get(match[1], match[0])
    return re.sub(r"\$\$|\$\(([A-Za-z_.-][\w.-]*)\)", one, text)
