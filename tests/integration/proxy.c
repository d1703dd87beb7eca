/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/integration/proxy.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "tests/integration/engine.h"

#define MAX_LINKS 32

struct link {
	int client, engine; /* -1 when that side is closed */
	bool marked;        /* the one to break */
	bool client_ended;
	uint64_t answered;
};

struct relay {
	struct link links[MAX_LINKS];
	int listener;
	const char *path;
	uint64_t after;
	bool used; /* one connection was marked */
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static void drop(struct link *link)
{
	close(link->client);
	close(link->engine);
	*link = (struct link){.client = -1, .engine = -1};
}

static void take_client(struct relay *relay)
{
	struct sockaddr_un address = address_of(getenv("ONEOFF_TEST_SOCKET"));
	struct link *link = relay->links;

	while (link < relay->links + MAX_LINKS && link->client >= 0)
		link++;
	if (link == relay->links + MAX_LINKS)
		_exit(3);
	*link = (struct link){.client = accept(relay->listener, NULL, NULL),
	                      .engine = socket(AF_UNIX, SOCK_STREAM, 0)};
	if (link->client < 0 ||
	    connect(link->engine, (struct sockaddr *)&address, sizeof(address)) < 0)
		_exit(4);
}

static bool send_all(int fd, const char *bytes, size_t length)
{
	while (length) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

static void from_client(struct relay *relay, struct link *link)
{
	char bytes[65536];
	ssize_t got = recv(link->client, bytes, sizeof(bytes) - 1, 0);

	if (got <= 0) {
		link->client_ended = true;
		shutdown(link->engine, SHUT_WR);
		return;
	}
	bytes[got] = '\0';
	if (!relay->used && !link->answered && strstr(bytes, relay->path))
		link->marked = relay->used = true;
	if (!send_all(link->engine, bytes, (size_t)got))
		drop(link);
}

static void from_engine(struct relay *relay, struct link *link)
{
	char bytes[65536];
	ssize_t got = recv(link->engine, bytes, sizeof(bytes), 0);

	if (got <= 0) {
		drop(link);
		return;
	}
	if (link->marked && link->answered + (uint64_t)got > relay->after)
		got = (ssize_t)(relay->after - link->answered);
	link->answered += (uint64_t)got;
	if (!send_all(link->client, bytes, (size_t)got) ||
	    (link->marked && link->answered >= relay->after))
		drop(link);
}

static void serve(struct relay *relay)
{
	for (;;) {
		struct pollfd polled[1 + 2 * MAX_LINKS] = {
			{.fd = relay->listener, .events = POLLIN}};

		for (size_t i = 0; i < MAX_LINKS; i++) {
			struct link *link = &relay->links[i];

			polled[1 + 2 * i] = (struct pollfd){
				.fd = link->client_ended ? -1 : link->client, .events = POLLIN};
			polled[2 + 2 * i] = (struct pollfd){.fd = link->engine, .events = POLLIN};
		}
		if (poll(polled, 1 + 2 * MAX_LINKS, -1) < 0)
			_exit(5);
		if (polled[0].revents)
			take_client(relay);
		for (size_t i = 0; i < MAX_LINKS; i++) {
			if (polled[1 + 2 * i].revents && relay->links[i].client >= 0)
				from_client(relay, &relay->links[i]);
			if (polled[2 + 2 * i].revents && relay->links[i].engine >= 0)
				from_engine(relay, &relay->links[i]);
		}
	}
}

void proxy_open(struct proxy *proxy, const char *path, uint64_t after)
{
	struct relay relay = {.path = path, .after = after};
	struct sockaddr_un address;
	char socket_path[80];

	snprintf(proxy->folder, sizeof(proxy->folder), "/tmp/oneoff-proxy-XXXXXX");
	cr_assert(mkdtemp(proxy->folder));
	snprintf(socket_path, sizeof(socket_path), "%s/s", proxy->folder);
	snprintf(proxy->url, sizeof(proxy->url), "%s=unix://%s",
	         engine_is_podman() ? "CONTAINER_HOST" : "DOCKER_HOST", socket_path);
	address = address_of(socket_path);
	relay.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(relay.listener, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(relay.listener, 16), 0);
	for (size_t i = 0; i < MAX_LINKS; i++)
		relay.links[i] = (struct link){.client = -1, .engine = -1};
	proxy->pid = fork();
	cr_assert_geq(proxy->pid, 0);
	if (proxy->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		serve(&relay);
	}
	close(relay.listener);
}

void proxy_close(struct proxy *proxy)
{
	char socket_path[80];

	kill(proxy->pid, SIGKILL);
	waitpid(proxy->pid, NULL, 0);
	snprintf(socket_path, sizeof(socket_path), "%s/s", proxy->folder);
	unlink(socket_path);
	rmdir(proxy->folder);
}
