/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a kubeconfig: an error that says something, or a configuration that is whole: a server with a scheme
 * and without a slash at the end, a namespace, one way to authenticate, header lines in one line. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "pkg/kube/kubeconfig.h"
#include "tests/fuzz/fuzz.h"

static const char *get(void *context, const char *name)
{
	(void)context;
	if (strcmp(name, "HTTPS_PROXY") == 0)
		return "proxy:3128";
	return strcmp(name, "NO_PROXY") == 0 ? "10.0.0.0/8, .svc, *.example.com, [::2]:6443" : NULL;
}

static void check_lines(const struct strv *lines)
{
	for (size_t i = 0; i < lines->count; i++) {
		for (const char *at = lines->items[i]; *at; at++)
			CHECK((unsigned char)*at >= 0x20 && *at != 0x7f);
		CHECK(strncmp(lines->items[i], "Impersonate-", 12) == 0);
	}
	CHECK(!lines->count || strncmp(lines->items[0], "Impersonate-User: ", 18) == 0);
}

static void check_config(const struct kubeconfig *config)
{
	bool has_token = config->token || config->token_file;

	CHECK(config->context && config->origin && config->name_space);
	CHECK(strncmp(config->server, "https://", 8) == 0 ||
	      strncmp(config->server, "http://", 7) == 0);
	CHECK(config->server[strlen(config->server) - 1] != '/');
	CHECK(!(config->ca_file && config->ca_data));
	CHECK(!(config->insecure && (config->ca_file || config->ca_data)));
	CHECK(!(has_token && config->username));
	CHECK(!config->password || config->username);
	CHECK(!config->exec.command || (!has_token && !config->username && !config->cert_data));
	CHECK((config->cert_file || config->cert_data) == (config->key_file || config->key_data));
	CHECK(!config->proxy_url || strstr(config->proxy_url, "://"));
	check_lines(&config->impersonation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(kubeconfig_release) struct kubeconfig config = KUBECONFIG_INIT;
	_cleanup_fd_ int fd = memfd_create("kubeconfig", MFD_CLOEXEC);
	struct kubeconfig_settings settings = {.get = get, .as_uid = size % 2 ? "7" : NULL};
	struct err err = ERR_INIT;
	char path[64];

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings.kubeconfig = path;
	if (kubeconfig_load(&settings, &config, &err) < 0) {
		CHECK(!config.server && *err.message);
		CHECK(err.kind == ERR_USAGE || err.kind == ERR_PROTOCOL ||
		      err.kind == ERR_NO_MEMORY || err.kind == ERR_UNREACHABLE ||
		      err.kind == ERR_SYSTEM);
	} else {
		check_config(&config);
	}
	return 0;
}
