/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one-offs of a namespace, or of all: Jobs page by page, to each page its pods, then the pods that stand alone.
 * Nothing is held but one page's records.
 */
#include "pkg/kube/kube.h"

#include <string.h>
#include "pkg/kube/pages.h"
#include "pkg/kube/record.h"

#define LABEL_ID "oneoff.dev/id"
/* Ids in one selector: about 2 KiB of URL, which every proxy lets through. */
#define IDS_PER_QUESTION 200
#define FIRST_CAPACITY   64

struct listing {
	struct kube *kube;
	const struct list_query *query;
	list_visitor *visit;
	void *context;
	struct task_record *records; /* owned: Jobs of this page */
	size_t count, capacity;
	size_t from, to; /* of them, whose pods are being asked for */
};

static void clear(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		task_record_release(&listing->records[i]);
	listing->count = 0;
}

static void listing_release(struct listing *listing)
{
	clear(listing);
	free(listing->records);
}

static bool is_wanted(const struct listing *listing, const struct task_record *record)
{
	return listing->query->all || record->state != TASK_ENDED;
}

static int grow(struct listing *listing, struct err *err)
{
	size_t capacity = listing->capacity ? listing->capacity * 2 : FIRST_CAPACITY;
	struct task_record *grown;

	if (listing->count < listing->capacity)
		return 0;
	grown = reallocarray(listing->records, capacity, sizeof(*grown));
	if (!grown)
		return err_no_memory(err);
	listing->records = grown;
	listing->capacity = capacity;
	return 0;
}

static int take_job(void *context, const cJSON *job, struct err *err)
{
	struct listing *listing = context;
	struct task_record record = TASK_RECORD_INIT;
	int result = kube_record_of_job(job, &record, err);

	if (result <= 0)
		return result;
	if (!is_wanted(listing, &record)) {
		task_record_release(&record);
		return 0;
	}
	if (grow(listing, err) < 0) {
		task_record_release(&record);
		return -1;
	}
	listing->records[listing->count++] = record;
	return 0;
}

/* ---- the pods of a page ---- */

static struct task_record *record_of(struct listing *listing, const cJSON *pod)
{
	const cJSON *labels = json_at(pod, "metadata.labels");
	const char *id = cJSON_GetStringValue(json_member(labels, LABEL_ID));
	const char *job = cJSON_GetStringValue(json_member(labels, "job-name"));
	const char *place = json_string(pod, "metadata.namespace");

	for (size_t i = listing->from; id && job && i < listing->to; i++) {
		struct task_record *record = &listing->records[i];

		if (!strcmp(record->id, id) && !strcmp(record->name, job) && record->place &&
		    place && !strcmp(record->place, place))
			return record;
	}
	return NULL;
}

static int take_job_pod(void *context, const cJSON *pod, struct err *err)
{
	struct task_record *record = record_of(context, pod);

	return record ? kube_record_add_pod(record, pod, err) : 0;
}

static void add_in(const struct listing *listing, struct strbuf *path)
{
	strbuf_adds(path, "?labelSelector=oneoff.dev%2Fid%20in%20(");
	for (size_t i = listing->from; i < listing->to; i++) {
		if (i > listing->from)
			strbuf_addc(path, ',');
		strbuf_add_url(path, listing->records[i].id);
	}
	strbuf_addc(path, ')');
}

static char *path_of(const struct listing *listing, const char *group_version, const char *resource)
{
	bool all = listing->query->all_namespaces;

	return kube_path(group_version, all ? NULL : listing->kube->config.name_space, resource,
	                 NULL, NULL);
}

static int ask_pods(struct listing *listing, struct err *err)
{
	const struct kube_pages pages = {.item = take_job_pod, .context = listing};
	_cleanup_free_ char *base = path_of(listing, "", "pods");
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_adds(&path, base ? base : "");
	add_in(listing, &path);
	if (!base || path.failed)
		return err_no_memory(err);
	return kube_each(listing->kube, strbuf_str(&path), &pages, err);
}

static int tell(struct listing *listing, struct task_record *record, struct err *err)
{
	if (!is_wanted(listing, record))
		return 0;
	return listing->visit(listing->context, record, err);
}

static int finish_page(void *context, struct err *err)
{
	struct listing *listing = context;

	for (listing->from = 0; listing->from < listing->count; listing->from = listing->to) {
		listing->to = listing->from + IDS_PER_QUESTION;
		if (listing->to > listing->count)
			listing->to = listing->count;
		if (ask_pods(listing, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < listing->count; i++)
		if (tell(listing, &listing->records[i], err) < 0)
			return -1;
	clear(listing);
	return 0;
}

/* ---- both kinds ---- */

static int take_bare_pod(void *context, const cJSON *pod, struct err *err)
{
	_cleanup_(task_record_release) struct task_record record = TASK_RECORD_INIT;
	int result = kube_record_of_pod(pod, &record, err);

	return result > 0 ? tell(context, &record, err) : result;
}

static int list_one(struct listing *listing, const char *group_version, const char *resource,
                    const char *more, const struct kube_pages *pages, struct err *err)
{
	_cleanup_free_ char *base = path_of(listing, group_version, resource);
	_cleanup_(strbuf_release) struct strbuf path = STRBUF_INIT;

	strbuf_addf(&path, "%s?labelSelector=oneoff.dev%%2Fid", base ? base : "");
	if (listing->query->id) {
		strbuf_adds(&path, "%3D");
		strbuf_add_url(&path, listing->query->id);
	}
	strbuf_adds(&path, more);
	if (!base || path.failed)
		return err_no_memory(err);
	if (kube_each(listing->kube, strbuf_str(&path), pages, err) == 0)
		return 0;
	if (err->http_status == 403)
		err_hint(err, "to list one-offs, your role needs the verb list on jobs and pods: "
		              "k8s-manifests/role.yaml");
	return -1;
}

int kube_list_tasks(struct backend *backend, const struct list_query *query, list_visitor *visit,
                    void *context, struct err *err)
{
	_cleanup_(listing_release) struct listing listing = {
		.kube = (struct kube *)backend, .query = query, .visit = visit, .context = context};
	const struct kube_pages jobs = {take_job, finish_page, &listing};
	const struct kube_pages pods = {.item = take_bare_pod, .context = &listing};

	if (list_one(&listing, "batch/v1", "jobs", "", &jobs, err) < 0)
		return -1;
	return list_one(&listing, "", "pods", "%2C%21job-name", &pods, err);
}
