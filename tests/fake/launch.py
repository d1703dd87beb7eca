# SPDX-License-Identifier: Apache-2.0
"""How a container of a pod is to be started: from its spec and its image to what container_init.py reads."""
import os

import rootfs


def make_spec(unit, container, image, restart):
    """What container_init.py has to know."""
    pod, name = unit.pod(), container["name"]
    context = {**(unit.spec.get("securityContext") or {}), **(container.get("securityContext") or {})}
    uid, _, gid = str(image.get("user", "0")).partition(":")
    uid, gid = context.get("runAsUser", int(uid)), context.get("runAsGroup", int(gid or 0))
    if context.get("runAsNonRoot") and uid == 0:
        raise rootfs.ConfigError("container has runAsNonRoot and image will run as root (pod: "
                                 f'"{unit.name}_{unit.namespace}({unit.uid})", container: {name})')
    variables = rootfs.environment(unit.store, pod, container, image, unit.server.address)
    argv = [rootfs.expand(word, variables) for word in (
        (container.get("command") or image.get("entrypoint") or []) +
        (container.get("args") or ([] if container.get("command") else image.get("cmd") or [])))]
    if not argv:
        raise rootfs.ConfigError("no command specified")
    root = os.path.join(unit.folder, f"root-{name}-{restart}")
    unit.server.images.make_root(root, image)
    with open(root + "/etc/hosts", "a", encoding="utf-8") as hosts:
        for alias in unit.spec.get("hostAliases") or []:
            hosts.write(alias["ip"] + "\t" + "\t".join(alias["hostnames"]) + "\n")
    mounts = unit.volumes.mounts(container, root)
    message = os.path.join(unit.folder, f"termination-{name}")
    rootfs.write(message, b"", 0o666)
    target = rootfs.inside(root, container.get("terminationMessagePath", "/dev/termination-log"))
    if not os.path.exists(root + target):
        rootfs.write(root + target, b"", 0o666)
    mounts.append({"source": message, "target": target})
    cwd = container.get("workingDir") or image.get("workdir") or "/"
    if not any(cwd.startswith(mount["target"]) for mount in mounts):
        os.makedirs(root + rootfs.inside(root, cwd), exist_ok=True)
    groups = list(context.get("supplementalGroups") or [])
    if context.get("fsGroup") is not None:
        groups.append(context["fsGroup"])
    return {"argv": argv, "env": variables, "cwd": cwd, "root": root, "mounts": mounts, "uid": uid, "gid": gid,
            "groups": groups, "tty": bool(container.get("tty")), "hostname": unit.spec.get("hostname") or unit.name,
            "readonly": bool(context.get("readOnlyRootFilesystem")),
            "no_new_privileges": context.get("allowPrivilegeEscalation") is False}
