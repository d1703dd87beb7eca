/* SPDX-License-Identifier: Apache-2.0 */
/* What counts besides options: variables that are no option's, and files. */
#include "cmd/oneoff/manual.h"

/* clang-format off */
const struct manual_row manual_variables[] = {
	{"ONEOFF_OPTION", "the default of an option: for --start-timeout it is ONEOFF_START_TIMEOUT; flags take 1, "
	 "true, yes, on and 0, false, no, off; an empty value counts as none"},
	{"ONEOFF_CONFIG", "one config file instead of those below, or none for no file at all"},
	{"ONEOFF_OCI_RUN", "the folder for what belongs to a running task without a daemon; default /run/oneoff, or below "
	 "XDG_RUNTIME_DIR"},
	{"ONEOFF_PODMAN", "the program that serves Podman's API where no socket does; default podman"},
	{"DOCKER_HOST, DOCKER_CONTEXT, DOCKER_CONFIG, DOCKER_CERT_PATH, DOCKER_TLS_VERIFY, DOCKER_API_VERSION",
	 "as docker has them"},
	{"CONTAINER_HOST", "as podman has it"},
	{"KUBECONFIG, HTTPS_PROXY, NO_PROXY", "as kubectl has them"},
	{"COMPOSE_PROJECT_NAME", "the project in which a compose service is looked for first"},
	{"XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_RUNTIME_DIR, HOME", "where one's own files are"},
	{"ONEOFF, ONEOFF_ID", "set for the task: 1, and the id of this run"},
};
const size_t manual_variable_count = ARRAY_SIZE(manual_variables);

const struct manual_row manual_files[] = {
	{"~/.config/oneoff/config.yaml", "one's own defaults; any option that has a variable"},
	{".oneoff.yaml", "the defaults of a project: the nearest one in the working folder or above it, on the same file "
	 "system; it must be ours or root's and not writable by everybody"},
	{"~/.local/share/oneoff", "unpacked images (--store); oneoff gc deletes those that nothing uses"},
	{"~/.docker/config.json, ~/.docker/contexts", "as docker has them"},
	{"~/.kube/config", "as kubectl has it"},
};
const size_t manual_file_count = ARRAY_SIZE(manual_files);
/* clang-format on */
