/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/kube/pages.h"

#include <stdio.h>
#include <string.h>
#include "pkg/kube/kube.h"

/* As many as kubectl takes at a time; a page that is larger than a reply may be is asked for in smaller ones. */
#define PAGE_SIZE     500
#define SMALL_PAGE    50
#define MAX_RESTARTS  5
#define MAX_REST      ((size_t)64 << 10)
#define MAX_KEY_BYTES 600

/* ---- one page ---- */

static size_t skip_blanks(const char *text, size_t length, size_t at)
{
	while (at < length && strchr(" \t\r\n", text[at]) && text[at])
		at++;
	return at;
}

/* Behind the string that begins at `at`. */
static size_t skip_string(const char *text, size_t length, size_t at)
{
	for (at++; at < length && text[at] != '"'; at++)
		if (text[at] == '\\')
			at++;
	return at < length ? at + 1 : length;
}

/* Behind the object or array that begins at `at`; `length` when it does not end. */
static size_t skip_nested(const char *text, size_t length, size_t at)
{
	size_t depth = 0;

	while (at < length) {
		char byte = text[at];

		if (byte == '"') {
			at = skip_string(text, length, at);
			continue;
		}
		at++;
		if (byte == '{' || byte == '[')
			depth++;
		else if ((byte == '}' || byte == ']') && --depth == 0)
			return at;
	}
	return length;
}

/* Where the array "items" of the outermost object begins (its bracket); `length` when there is none. */
static size_t find_items(const char *text, size_t length)
{
	static const char key[] = "\"items\"";
	size_t at = skip_blanks(text, length, 0);

	if (at == length || text[at] != '{')
		return length;
	for (at++; at < length;) {
		size_t begin = at, behind;

		if (text[at] == '{' || text[at] == '[') {
			at = skip_nested(text, length, at);
			continue;
		}
		if (text[at] != '"') {
			at++;
			continue;
		}
		at = skip_string(text, length, at);
		behind = skip_blanks(text, length, at);
		if (at - begin != sizeof(key) - 1 || memcmp(text + begin, key, sizeof(key) - 1) ||
		    behind == length || text[behind] != ':')
			continue;
		behind = skip_blanks(text, length, behind + 1);
		return behind < length && text[behind] == '[' ? behind : length;
	}
	return length;
}

/* The document with an empty array in the place of the items: it has the token. */
static int read_rest(const char *text, size_t length, size_t begin, size_t end, cJSON **ret,
                     struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf rest = STRBUF_INIT_CAP(MAX_REST);

	strbuf_add(&rest, text, begin);
	strbuf_add(&rest, text + end, length - end);
	if (rest.failed)
		return err_set(err, ERR_PROTOCOL,
		               "the server's list has too much beside its items");
	return json_parse(strbuf_str(&rest), rest.length, MAX_REST, ret, err);
}

int kube_page_next(const char *text, size_t length, size_t *offset, const char **ret_piece,
                   size_t *ret_length, cJSON **ret_rest, struct err *err)
{
	size_t begin = *offset, end;

	if (!begin) {
		begin = find_items(text, length);
		if (begin == length) /* "items": null, and what is no list at all */
			return read_rest(text, length, length, length, ret_rest, err);
		begin++;
	}
	while (begin < length && (strchr(" \t\r\n,", text[begin]) && text[begin]))
		begin++;
	if (begin < length && text[begin] == ']') {
		size_t first = find_items(text, length) + 1;

		return read_rest(text, length, first, begin, ret_rest, err);
	}
	if (begin == length || text[begin] != '{')
		return err_set(err, ERR_PROTOCOL, "the server's list cannot be read");
	end = skip_nested(text, length, begin);
	if (end == length)
		return err_set(err, ERR_PROTOCOL, "the server's list is cut short");
	*ret_piece = text + begin;
	*ret_length = end - begin;
	*offset = end;
	return 1;
}

/* ---- the pages ---- */

struct reading {
	struct kube *kube;
	const char *path;
	const struct kube_pages *pages;
	int size;                 /* objects a page */
	char *token;              /* owned; NULL: from the beginning */
	char last[MAX_KEY_BYTES]; /* "NAMESPACE/NAME" of the last that was told */
	bool again;               /* begun anew: what is not behind `last` was told */
	int restarts;
};

static int get_page(struct reading *reading, struct strbuf *text, struct err *err)
{
	_cleanup_(strbuf_release) struct strbuf full = STRBUF_INIT;

	strbuf_addf(&full, "%s%climit=%d", reading->path, strchr(reading->path, '?') ? '&' : '?',
	            reading->size);
	if (reading->token) {
		strbuf_adds(&full, "&continue=");
		strbuf_add_url(&full, reading->token);
	}
	if (full.failed)
		return err_no_memory(err);
	return kube_get_text(reading->kube, strbuf_str(&full), text, err);
}

/* The keys are those of etcd, whose order is that of their bytes. */
static int tell(struct reading *reading, const cJSON *item, struct err *err)
{
	const char *name = json_string(item, "metadata.name");
	const char *name_space = json_string(item, "metadata.namespace");
	char key[MAX_KEY_BYTES];

	snprintf(key, sizeof(key), "%s/%s", name_space ? name_space : "", name ? name : "");
	if (reading->again && strcmp(key, reading->last) <= 0)
		return 0;
	memcpy(reading->last, key, sizeof(key));
	return reading->pages->item(reading->pages->context, item, err);
}

static int tell_page(struct reading *reading, const struct strbuf *text, struct err *err)
{
	_cleanup_(json_free) cJSON *rest = NULL;
	size_t offset = 0, length = 0;
	const char *piece = NULL, *next;
	int result;

	while ((result = kube_page_next(text->data, text->length, &offset, &piece, &length, &rest,
	                                err)) > 0) {
		_cleanup_(json_free) cJSON *item = NULL;

		if (json_parse(piece, length, JSON_MAX_BYTES, &item, err) < 0 ||
		    tell(reading, item, err) < 0)
			return -1;
	}
	if (result < 0)
		return -1;
	if (!json_member(rest, "items") || !json_is_unset(json_member(rest, "items")))
		return err_set(err, ERR_PROTOCOL, "the server's list has no items");
	if (reading->pages->page && reading->pages->page(reading->pages->context, err) < 0)
		return -1;
	next = json_string(rest, "metadata.continue");
	free(reading->token);
	reading->token = next && *next ? strdup(next) : NULL;
	return next && *next && !reading->token ? err_no_memory(err) : 0;
}

/* 410: our place is forgotten. The refusal may hold a token for what is there now. */
static int begin_again(struct reading *reading, const struct strbuf *text, struct err *err)
{
	_cleanup_(json_free) cJSON *refusal = NULL;
	struct err ignored = ERR_INIT;
	const char *next = NULL;

	if (reading->restarts++ == MAX_RESTARTS)
		return err_wrap(err, "the server forgets its lists faster than they can be read");
	if (text->length && json_parse(text->data, text->length, MAX_REST, &refusal, &ignored) == 0)
		next = json_string(refusal, "metadata.continue");
	report(&reading->kube->reporter, REPORT_DETAIL, "a list is too old; %s",
	       next && *next ? "going on with what is there now" : "beginning anew");
	free(reading->token);
	reading->token = next && *next ? strdup(next) : NULL;
	if (!reading->token)
		reading->again = *reading->last != '\0';
	return next && *next && !reading->token ? err_no_memory(err) : 0;
}

/* What can be done about a page that did not come. */
static int mend(struct reading *reading, const struct strbuf *text, struct err *err)
{
	if (err->http_status == 410)
		return begin_again(reading, text, err);
	if (err->kind != ERR_NO_MEMORY || reading->size == SMALL_PAGE)
		return -1;
	reading->size = SMALL_PAGE;
	return 0;
}

int kube_each(struct kube *kube, const char *path, const struct kube_pages *pages, struct err *err)
{
	struct reading reading = {.kube = kube, .path = path, .pages = pages, .size = PAGE_SIZE};
	bool more = true;
	int result = 0;

	while (more && result == 0) {
		_cleanup_(strbuf_release) struct strbuf text = STRBUF_INIT_CAP(JSON_MAX_BYTES);

		if (get_page(&reading, &text, err) < 0) {
			result = mend(&reading, &text, err);
			continue;
		}
		result = tell_page(&reading, &text, err);
		more = reading.token != NULL;
	}
	free(reading.token);
	if (result == 0)
		*err = (struct err)ERR_INIT;
	return result;
}
