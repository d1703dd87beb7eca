/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Long lists in little memory: pages of 500 (API concepts, "Retrieving large results sets in chunks"), of which one is
 * held as text and one object as a tree. kube_list (kube.h) is for short ones.
 *
 *	struct kube_pages pages = {.item = take, .page = hand_on, .context = &state};
 *	if (kube_each(kube, "/apis/batch/v1/jobs?labelSelector=oneoff.dev%2Fid", &pages, err) < 0)
 *		return -1;
 *
 * A server forgets where we were when a list takes longer than some minutes (410). It then offers to go on with what is
 * there now; where it does not, the list begins anew and passes over what was told: objects come in the order of their
 * keys. Either way none is told twice, and one that was there all the time is told.
 */
#ifndef ONEOFF_KUBE_PAGES_H
#define ONEOFF_KUBE_PAGES_H

#include "pkg/json/json.h"

struct kube;

struct kube_pages {
	/* One object, without kind and apiVersion. Below 0 ends the list with that error. */
	int (*item)(void *context, const cJSON *item, struct err *err);
	/* After the objects of a page; NULL: nothing to do. */
	int (*page)(void *context, struct err *err);
	void *context; /* borrowed */
};

/* `path` may have a query. ERR_DENIED when we may not list, ERR_PROTOCOL for what is no list. */
int kube_each(struct kube *kube, const char *path, const struct kube_pages *pages,
              struct err *err) _must_check_;

/* One page's text, item by item: *offset begins at 0. 1 with the piece of the next object in the array "items", 0 at its
 * end; then *ret_rest (owned by the caller) is the document without its items. -1: ERR_PROTOCOL. Pure. */
int kube_page_next(const char *text, size_t length, size_t *offset, const char **ret_piece,
                   size_t *ret_length, cJSON **ret_rest, struct err *err) _must_check_;

#endif
