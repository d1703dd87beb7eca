/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/bundle_calls.h"

/* clang-format off */
#define KEEP(path, when, why) {path, RULE_KEEP, path, NULL, when, why}
#define DROP(path, when, why) {path, RULE_DROP, NULL, NULL, when, why}
#define STATE(path, why) {path, RULE_STATE, NULL, NULL, 0, why}
#define CALL(path, call, when, why) {path, RULE_CALL, path, call, when, why}
#define REFUSE(path, why) {path, RULE_CALL, NULL, bundle_foreign, 0, why}
#define LIMIT(key) \
	DROP("linux.resources." key, BUNDLE_NO_CGROUP, no_cgroup), \
	KEEP("linux.resources." key, 0, same_limit)
#define LIMIT_V1(key) \
	DROP("linux.resources." key, BUNDLE_NO_CGROUP, no_cgroup), \
	DROP("linux.resources." key, BUNDLE_CGROUP2, only_version_1), \
	KEEP("linux.resources." key, 0, same_limit)
#define LIMIT_CALL(key, call) \
	DROP("linux.resources." key, BUNDLE_NO_CGROUP, no_cgroup), \
	CALL("linux.resources." key, call, 0, same_limit)

static const char same_right[] = "same rights";
static const char same_limit[] = "same limit";
static const char same_order[] = "same place in the queue";
static const char same_view[] = "the same files are hidden";
static const char no_cgroup[] = "there is no control group for the task, and so no limit";
static const char only_version_1[] = "version 2 of control groups has no such limit";
static const char shared_name[] = "the name of the machine or container that it shares";
static const char mapped[] = "the user namespace is joined, with its mappings";
static const char source_hooks[] = "it acts on the source, not on the task";
static const char elsewhere[] = "no container for Linux has it";

/* One row for every element of config.json in runtime-spec 1.0 to 1.3 (research/docker-oci.md 5.3). */
const struct rule bundle_rules[] = {
	CALL("linux.namespaces", bundle_namespaces, 0, "a new one, as the source has"),

	CALL("root.path", bundle_root_path, 0, "a throwaway layer above the source's files"),
	KEEP("root.readonly", 0, same_right),
	CALL("process.terminal", bundle_terminal, 0, "a terminal if you have one"),
	CALL("process.consoleSize", bundle_console_size, 0, "the size of your terminal"),
	CALL("process.args", bundle_args, 0, "the command that was asked for"),
	REFUSE("process.commandLine", elsewhere),
	CALL("process.user", bundle_user, 0, "same user"),
	CALL("process.cwd", bundle_cwd, 0, "same working folder"),
	CALL("process.env", bundle_env, 0, "same environment"),
	KEEP("process.capabilities", 0, same_right),
	KEEP("process.noNewPrivileges", 0, same_right),
	KEEP("process.apparmorProfile", 0, same_right),
	KEEP("process.selinuxLabel", 0, same_right),
	CALL("process.rlimits", bundle_rlimits, 0, same_limit),
	CALL("process.oomScoreAdj", bundle_oom_score, 0, same_order),
	KEEP("process.scheduler", 0, same_order),
	KEEP("process.ioPriority", 0, same_order),
	KEEP("process.execCPUAffinity", 0, "same processors"),

	DROP("hostname", BUNDLE_SHARED_UTS, shared_name),
	CALL("hostname", bundle_hostname, 0, "a replica's own name; the one-off has its own"),
	DROP("domainname", BUNDLE_SHARED_UTS, shared_name),
	KEEP("domainname", 0, "same domain name"),
	CALL("mounts", bundle_mounts, 0, "same mount"),
	CALL("hooks.prestart", bundle_hooks, 0, source_hooks),
	CALL("hooks.createRuntime", bundle_hooks, 0, source_hooks),
	CALL("hooks.createContainer", bundle_hooks, 0, source_hooks),
	CALL("hooks.startContainer", bundle_hooks, 0, source_hooks),
	DROP("hooks.poststart", 0, source_hooks),
	DROP("hooks.poststop", 0, source_hooks),
	CALL("annotations", bundle_annotations, 0, "describes the source's container"),

	DROP("linux.uidMappings", BUNDLE_MAPPED, mapped),
	KEEP("linux.uidMappings", 0, same_right),
	DROP("linux.gidMappings", BUNDLE_MAPPED, mapped),
	KEEP("linux.gidMappings", 0, same_right),
	DROP("linux.devices", BUNDLE_ROOTLESS, "only root can make devices"),
	KEEP("linux.devices", 0, "same devices"),
	DROP("linux.netDevices", 0, "the source has the interface"),
	KEEP("linux.maskedPaths", 0, same_view),
	KEEP("linux.readonlyPaths", 0, same_right),
	KEEP("linux.rootfsPropagation", 0, "same mounts"),
	KEEP("linux.mountLabel", 0, same_right),
	CALL("linux.seccomp", bundle_seccomp, 0, same_right),
	KEEP("linux.personality", 0, "same view of the processor"),
	KEEP("linux.timeOffsets", 0, "same clocks"),
	KEEP("linux.memoryPolicy", 0, "same memory nodes"),
	DROP("linux.intelRdt", 0, "its class of service goes with the source's container"),
	CALL("linux.sysctl", bundle_sysctl, 0, "same kernel setting"),

	CALL("linux.cgroupsPath", bundle_cgroup, 0, "a control group of its own beside the source's"),
	DROP("linux.resources.devices", BUNDLE_ROOTLESS, "only root can set rules for devices"),
	KEEP("linux.resources.devices", 0, "same devices"),
	LIMIT_CALL("memory", bundle_memory),
	LIMIT_CALL("cpu", bundle_cpu),
	LIMIT_CALL("unified", bundle_unified),
	LIMIT("pids"),
	LIMIT("blockIO"),
	LIMIT("hugepageLimits"),
	LIMIT("rdma"),
	LIMIT_V1("network"),

	CALL("ociVersion", bundle_version, 0, "same version of the specification"),
	REFUSE("solaris", elsewhere),
	REFUSE("windows", elsewhere),
	REFUSE("vm", "a virtual machine cannot be cloned"),
	REFUSE("zos", elsewhere),
	REFUSE("freebsd", elsewhere),
};

const size_t bundle_rules_count = ARRAY_SIZE(bundle_rules);

#define TO(path, to, call, why) {path, RULE_CALL, to, call, 0, why}
#define DEFAULT(path, when, why) {path, RULE_CALL, path, bundle_default, when, why}

static const char image_record[] = "describes how the image was made";
static const char while_building[] = "only matters when an image is built";
static const char no_such_default[] = "engines do not read it from an image";
static const char as_engines[] = "as Docker and Podman have it";

/* The image's config (image-spec config.md, and what Docker adds), and the engines' defaults. */
const struct rule bundle_image_rules[] = {
	DEFAULT("ociVersion", 0, "the specification that it is written for"),
	CALL("linux.namespaces", bundle_image_namespaces, 0, as_engines),
	CALL("root.path", bundle_root_path, 0, "a throwaway layer above the image's files"),
	CALL("process.terminal", bundle_terminal, 0, "a terminal if you have one"),
	CALL("process.consoleSize", bundle_console_size, 0, "the size of your terminal"),

	TO("config.Entrypoint", "process.args", bundle_image_entrypoint, "the image's entrypoint"),
	TO("config.Cmd", "process.args", bundle_image_command, "the command that was asked for"),
	TO("config.User", "process.user", bundle_image_user, "the image's user"),
	TO("config.WorkingDir", "process.cwd", bundle_image_cwd, "the image's working folder"),
	TO("config.Env", "process.env", bundle_env, "the image's environment"),
	DEFAULT("process.capabilities", 0, as_engines),
	DEFAULT("process.noNewPrivileges", 0, as_engines),
	CALL("hostname", bundle_hostname, 0, "the one-off's own name"),
	CALL("mounts", bundle_image_mounts, 0, as_engines),
	CALL("annotations", bundle_annotations, 0, "describes the source's container"),
	DEFAULT("linux.maskedPaths", 0, as_engines),
	DEFAULT("linux.readonlyPaths", 0, as_engines),
	CALL("linux.cgroupsPath", bundle_cgroup, 0, "a control group of its own"),
	DEFAULT("linux.resources.devices", 0, as_engines),
	CALL("linux.resources.memory", bundle_memory, BUNDLE_MEMORY_ASKED, "asked with --memory"),
	CALL("linux.resources.cpu", bundle_cpu, BUNDLE_CPU_ASKED, "asked with --cpu"),

	STATE("config.StopSignal", "read with annotations"),
	DROP("config.Volumes", 0, "what is written there is thrown away with the rest"),
	DROP("config.ExposedPorts", 0, "a one-off takes no traffic"),
	DROP("config.Labels", 0, "no runtime may take an image's word for its own settings"),
	DROP("config.Healthcheck", 0, "a task is not probed"),
	DROP("config.OnBuild", 0, while_building),
	DROP("config.Shell", 0, while_building),
	DROP("config.Image", 0, while_building),
	DROP("config.ArgsEscaped", 0, "only matters on Windows"),
	DROP("config.Hostname", 0, no_such_default),
	DROP("config.Domainname", 0, no_such_default),
	DROP("config.AttachStdin", 0, no_such_default),
	DROP("config.AttachStdout", 0, no_such_default),
	DROP("config.AttachStderr", 0, no_such_default),
	DROP("config.Tty", 0, no_such_default),
	DROP("config.OpenStdin", 0, no_such_default),
	DROP("config.StdinOnce", 0, no_such_default),
	DROP("config.StopTimeout", 0, no_such_default),
	DROP("config.NetworkDisabled", 0, no_such_default),
	DROP("config.MacAddress", 0, no_such_default),
	DROP("config.PortSpecs", 0, no_such_default),
	DROP("config.Memory", 0, no_such_default),
	DROP("config.MemorySwap", 0, no_such_default),
	DROP("config.CpuShares", 0, no_such_default),
	DROP("config.Cpuset", 0, no_such_default),
	DROP("config.VolumesFrom", 0, no_such_default),

	{"os", RULE_CALL, NULL, bundle_image_os, 0, "the image's system"},
	STATE("architecture", "the layers' business"),
	STATE("variant", "the layers' business"),
	STATE("rootfs", "the layers' business"),
	STATE("created", image_record),
	STATE("author", image_record),
	STATE("history", image_record),
	STATE("comment", image_record),
	STATE("id", image_record),
	STATE("parent", image_record),
	STATE("container", image_record),
	STATE("container_config", image_record),
	STATE("docker_version", image_record),
};
/* clang-format on */

const size_t bundle_image_rules_count = ARRAY_SIZE(bundle_image_rules);
