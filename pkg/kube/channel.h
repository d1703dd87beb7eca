/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attached streams of a container over one WebSocket: Kubernetes' channel protocol v4 and v5
 * (research/kubernetes.md section 1). Each message begins with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the
 * verdict of the connection (not of the task), 4 the terminal's size, 255 the end of a channel (v5).
 *
 *	if (kube_channel_open(socket, true, &channel, err) < 0)
 *		return -1;
 *	kube_channel_post(channel, "\0\n", 2);
 *
 * One thread; never blocks.
 */
#ifndef ONEOFF_KUBE_CHANNEL_H
#define ONEOFF_KUBE_CHANNEL_H

#include <stdint.h>
#include "pkg/net/websocket.h"

/* What the server answers to an attach, best first. */
#define KUBE_CHANNEL_V5 "v5.channel.k8s.io"
#define KUBE_CHANNEL_V4 "v4.channel.k8s.io"

/* Makes the channel; `socket` is taken, on failure too. `half_close`: v5, which can tell the end of stdin. Before
 * v5 the task never learns of it, and the channel says IO_EOF to no one. */
int kube_channel_open(struct websocket *socket, bool half_close, struct channel **ret,
                      struct err *err) _must_check_;

/* Asked once, when the streams ended in good order: whether something is missing all the same. Returns words for an
 * error, or NULL when all is there. May block for a short while. */
struct kube_channel_check {
	/* With *ret_rest (taken) there is more to read, from the log. */
	const char *(*missing)(void *context, uint64_t received, struct channel **ret_rest);
	void *context;
};
void kube_channel_set_check(struct channel *channel, struct kube_channel_check check);

/* A terminal's log (taken), shown before what comes by the connection. Its lines end as a raw terminal needs it. */
void kube_channel_set_front(struct channel *channel, struct channel *front);

/* Sends a small message of its own: the byte that opens the gate. False when the connection takes nothing. */
bool kube_channel_post(struct channel *channel, const void *message, size_t length);
/* The terminal's size. */
bool kube_channel_resize(struct channel *channel, int rows, int columns);
/* Now and then: pings, keeps an idle connection alive, and breaks off one that is dead for sure. */
void kube_channel_tick(struct channel *channel, int64_t now_ms);

/* The body of a log's GET (its status is 200) as a channel without input, behind its first `skip` bytes; all of it
 * comes as stdout. `request` is taken, on failure too; NULL: an empty log. */
int kube_log_channel_open(struct http_request *request, uint64_t skip, struct channel **ret,
                          struct err *err) _must_check_;

/* The same with text that is there already; its content is taken when that succeeds. At its end stands an error: what is
 * not all of the log must not look like it. */
int kube_text_channel_open(struct strbuf *text, const char *words, struct channel **ret,
                           struct err *err) _must_check_;

#endif
