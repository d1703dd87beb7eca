/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any URL: the first byte chooses docker or podman. What is accepted has to be whole, has to be
 * accepted again when it is written out, and keeps control characters out of every command line.
 */
#include <string.h>
#include "pkg/docker/endpoint.h"
#include "tests/fuzz/fuzz.h"

static void require(bool holds)
{
	if (!holds)
		abort();
}

static void require_clean(const char *text)
{
	for (; *text; text++)
		require((unsigned char)*text >= 0x20 && *text != 0x7f);
}

static void check_command(const struct strv *command)
{
	size_t dashes = 0;

	require(command->count >= 8 && strcmp(command->items[0], "ssh") == 0);
	for (size_t i = 0; i < command->count; i++)
		require_clean(command->items[i]);
	while (strcmp(command->items[dashes], "--") != 0)
		dashes++;
	require(*command->items[dashes + 1] && *command->items[dashes + 1] != '-');
	require(strcmp(command->items[command->count - 1], "dial-stdio") == 0);
}

static void check(const struct endpoint *endpoint)
{
	require(endpoint->origin && endpoint->text);
	require_clean(endpoint->text);
	require((endpoint->kind == ENDPOINT_UNIX) == (endpoint->socket_path != NULL));
	require((endpoint->kind == ENDPOINT_TCP) == (endpoint->host != NULL));
	require((endpoint->kind == ENDPOINT_SPAWN) == (endpoint->command.count > 0));
	if (endpoint->kind == ENDPOINT_UNIX)
		require(endpoint->socket_path[0] == '/' && strlen(endpoint->socket_path) < 108);
	if (endpoint->kind == ENDPOINT_TCP)
		require(*endpoint->host && endpoint->port > 0 && endpoint->port < 65536);
	if (endpoint->kind == ENDPOINT_SPAWN)
		check_command(&endpoint->command);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct endpoint first = {.kind = ENDPOINT_UNIX}, second = {.kind = ENDPOINT_UNIX};
	struct err err = ERR_INIT;
	bool podman = size && (data[0] & 1);
	char *url = size ? strndup((const char *)data + 1, size - 1) : NULL;

	if (!url)
		return 0;
	if (endpoint_parse(url, podman, &first, &err) < 0) {
		require(err.kind == ERR_USAGE && *err.message);
	} else {
		check(&first);
		require(endpoint_parse(first.text, podman, &second, &err) == 0);
		require(first.kind == second.kind && first.port == second.port);
		require(strcmp(first.text, second.text) == 0);
	}
	endpoint_release(&first);
	endpoint_release(&second);
	free(url);
	return 0;
}
