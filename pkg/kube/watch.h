/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One watch: a GET that goes on for as long as we want to know, and the objects that come by it (API concepts,
 * "Efficient detection of changes"). It begins with the objects that are there, goes on where it broke, and begins
 * anew when the server forgot where that was (410).
 *
 *	if (watch_open(kube, "/api/v1/namespaces/shop/pods", "labelSelector=…", &watch, err) < 0)
 *		return -1;
 *	while ((result = watch_next(watch, &event, err)) > 0)
 *		…event.object…
 *
 * watch_next never blocks; wait with the loop in between. One thread.
 */
#ifndef ONEOFF_KUBE_WATCH_H
#define ONEOFF_KUBE_WATCH_H

#include "pkg/json/json.h"

struct kube;
struct watch;

struct watch_event {
	bool deleted;  /* the object is gone; `object` is its last state */
	cJSON *object; /* owned */
};

void watch_event_release(struct watch_event *event);

/* Prepares a watch on the objects of a list; nothing is sent before watch_next. `selector` is an encoded query
 * ("labelSelector=a%3Db"). */
int watch_open(struct kube *kube, const char *path, const char *selector, struct watch **ret,
               struct err *err) _must_check_;
/* 1 with *ret (its old content is released), 0 when there is nothing now, -1 when the server refuses for good
 * (ERR_DENIED, ERR_PROTOCOL) or was not heard of for a minute (ERR_LOST; calling again tries again). A watch that
 * breaks is taken up again by itself, later and later; objects may then be told a second time. */
int watch_next(struct watch *watch, struct watch_event *ret, struct err *err) _must_check_;
/* True, once, when the history in between is lost (410): objects may be gone of which no event tells. NULL is fine. */
bool watch_lost_place(struct watch *watch);
/* Begins anew at the next watch_next: for one whose silence is suspicious. NULL is fine. */
void watch_restart(struct watch *watch);
/* One line of a watch's body. Pure. 1 with *ret, 0 for a bookmark; `version` is set to the object's
 * resourceVersion. -1: ERR_LOST with err->http_status for an ERROR event, ERR_PROTOCOL for what is no event. */
int watch_read_line(const char *line, size_t length, struct watch_event *ret, char version[64],
                    struct err *err) _must_check_;

/* NULL is fine. */
void watch_close(struct watch *watch);

#endif
