/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/podman_service.h"

#include "pkg/base/strv.h"
#include "pkg/io/bridge.h"

struct podman_service {
	struct bridge *bridge; /* owned */
};

int podman_service_start(struct podman_service **ret, struct err *err)
{
	static const char *const arguments[] = {"system", "service", "--time=30"};
	_cleanup_(strv_release) struct strv command = STRV_INIT;
	_cleanup_free_ struct podman_service *service = calloc(1, sizeof(*service));
	const char *program = getenv("ONEOFF_PODMAN");

	if (!service || strv_add(&command, program && *program ? program : "podman") < 0)
		return err_no_memory(err);
	for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
		if (strv_add(&command, arguments[i]) < 0)
			return err_no_memory(err);
	}
	if (bridge_open_service(&command, &service->bridge, err) < 0) {
		if (err->kind == ERR_UNREACHABLE)
			err_hint(err, "is podman installed? ONEOFF_PODMAN can name the program");
		return -1;
	}
	*ret = TAKE_PTR(service);
	return 0;
}

const char *podman_service_path(const struct podman_service *service)
{
	return bridge_path(service->bridge);
}

void podman_service_stderr(const struct podman_service *service, struct strbuf *text)
{
	bridge_stderr(service->bridge, text);
}

void podman_service_stop(struct podman_service *service)
{
	if (!service)
		return;
	bridge_close(service->bridge);
	free(service);
}
