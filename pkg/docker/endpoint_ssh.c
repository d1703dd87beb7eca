/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/docker/endpoint_internal.h"

#include <string.h>
#include "pkg/base/escape.h"
#include "pkg/base/strbuf.h"

/* Adds one argument; ssh joins those after the host by blanks and has a shell read them. */
static int add_remote_word(struct strv *command, const char *word)
{
	_cleanup_(strbuf_release) struct strbuf quoted = STRBUF_INIT;

	escape_add_shell(&quoted, word);
	return quoted.failed ? -1 : strv_add(command, strbuf_str(&quoted));
}

/* `docker --host=unix://PATH system dial-stdio`, `podman --url unix://PATH system dial-stdio`. */
static int add_remote_command(struct strv *command, const char *path, bool podman)
{
	_cleanup_free_ char *url = NULL;

	if (strv_add(command, podman ? "podman" : "docker") < 0)
		return -1;
	if (*path && strcmp(path, "/") != 0) {
		url = endpoint_format("%sunix://%s", podman ? "" : "--host=", path);
		if (!url || (podman && strv_add(command, "--url") < 0) ||
		    add_remote_word(command, url) < 0)
			return -1;
	}
	return strv_add(command, "system") < 0 ? -1 : strv_add(command, "dial-stdio");
}

static int add_ssh(struct strv *command, const struct authority *authority)
{
	static const char *const options[] = {"-o", "ConnectTimeout=30", "-T", "--"};

	if (strv_add(command, "ssh") < 0)
		return -1;
	if (authority->user &&
	    (strv_add(command, "-l") < 0 || strv_add(command, authority->user) < 0))
		return -1;
	if (authority->port &&
	    (strv_add(command, "-p") < 0 || strv_addf(command, "%d", authority->port) < 0))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (strv_add(command, options[i]) < 0)
			return -1;
	}
	return strv_add(command, authority->host);
}

int endpoint_parse_ssh(const char *rest, bool podman, struct endpoint *endpoint, struct err *err)
{
	_cleanup_(authority_release) struct authority authority = AUTHORITY_INIT;
	_cleanup_free_ char *path = NULL;
	const char *encoded;

	if (authority_parse(rest, &authority, &encoded, err) < 0 ||
	    authority_decode(encoded, strlen(encoded), &path, err) < 0)
		return -1;
	if (!*authority.host)
		return err_set(err, ERR_USAGE, "the address names no host");
	endpoint->kind = ENDPOINT_SPAWN;
	endpoint->text = endpoint_format("ssh://%s", rest);
	if (!endpoint->text || add_ssh(&endpoint->command, &authority) < 0 ||
	    add_remote_command(&endpoint->command, path, podman) < 0)
		return err_no_memory(err);
	return 0;
}
