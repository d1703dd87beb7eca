/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include "pkg/base/number.h"
#include "pkg/kube/diagnose.h"
#include "pkg/kube/kube.h"

/* Keys of a quota that one more pod counts against. */
static const struct counted {
	const char *key;  /* of hard and used */
	const char *part; /* "requests", "limits"; NULL: one object */
	const char *resource;
} counted[] = {
	{"pods", NULL, NULL},
	{"count/pods", NULL, NULL},
	{"count/jobs.batch", NULL, NULL},
	{"count/configmaps", NULL, NULL},
	{"configmaps", NULL, NULL},
	{"cpu", "requests", "cpu"},
	{"memory", "requests", "memory"},
	{"requests.cpu", "requests", "cpu"},
	{"requests.memory", "requests", "memory"},
	{"requests.ephemeral-storage", "requests", "ephemeral-storage"},
	{"limits.cpu", "limits", "cpu"},
	{"limits.memory", "limits", "memory"},
	{"limits.ephemeral-storage", "limits", "ephemeral-storage"},
};

int kube_quantity(const char *text, int64_t *ret_milli)
{
	static const struct {
		const char *suffix;
		int64_t factor; /* in thousandths */
	} units[] = {
		{"m", 1},
		{"", 1000},
		{"k", 1000000},
		{"M", INT64_C(1000000000)},
		{"G", INT64_C(1000000000000)},
		{"T", INT64_C(1000000000000000)},
		{"Ki", INT64_C(1024) * 1000},
		{"Mi", (INT64_C(1) << 20) * 1000},
		{"Gi", (INT64_C(1) << 30) * 1000},
		{"Ti", (INT64_C(1) << 40) * 1000},
	};
	size_t whole = strspn(text, "0123456789"), digits = 0;
	char number[20];
	int64_t value, scale = 1;

	if (text[whole] == '.')
		digits = strspn(text + whole + 1, "0123456789");
	if (whole + digits == 0 || whole + digits > 15 || digits > 6)
		return -1;
	/* 1.5 is 15 tenths. */
	snprintf(number, sizeof(number), "%.*s%.*s", (int)whole, text, (int)digits,
	         digits ? text + whole + 1 : "");
	for (size_t i = 0; i < digits; i++)
		scale *= 10;
	text += whole + (text[whole] == '.' ? 1 + digits : 0);
	if (parse_int64(number, 0, INT64_MAX, &value) < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (strcmp(text, units[i].suffix) != 0)
			continue;
		if (value > INT64_MAX / units[i].factor)
			return -1;
		*ret_milli = value * units[i].factor / scale;
		return 0;
	}
	return -1;
}

/* What one more pod of this spec asks for: the sum of its containers. A limit without a request is one. */
static int64_t asked(const cJSON *spec, const struct counted *row)
{
	const cJSON *container;
	int64_t sum = 0;

	if (!row->part)
		return 1000;
	cJSON_ArrayForEach (container, json_member(spec, "containers")) {
		const cJSON *resources = json_member(container, "resources");
		const char *text = cJSON_GetStringValue(
			json_member(json_member(resources, row->part), row->resource));
		int64_t value = 0;

		if (!text)
			text = cJSON_GetStringValue(
				json_member(json_member(resources, "limits"), row->resource));
		if (text && kube_quantity(text, &value) == 0 && value < INT64_MAX / 64)
			sum += value;
	}
	return sum;
}

static int check(const struct diagnosis *diagnosis, const cJSON *quota, const cJSON *spec,
                 const struct counted *row, struct err *err)
{
	const char *hard =
		cJSON_GetStringValue(json_member(json_at(quota, "status.hard"), row->key));
	const char *used =
		cJSON_GetStringValue(json_member(json_at(quota, "status.used"), row->key));
	const char *name = json_string(quota, "metadata.name");
	int64_t limit, now = 0, more = asked(spec, row);

	if (!hard || kube_quantity(hard, &limit) < 0)
		return 0;
	if (used && kube_quantity(used, &now) < 0)
		return 0;
	if (row->part && more == 0)
		return kube_finding(
			diagnosis, FINDING_NOTE, "quota", NULL, err,
			"'%s' limits %s, and the source says none: unless a LimitRange gives one, pods "
			"are refused",
			name ? name : "?", row->key);
	if (now <= limit && more <= limit - now)
		return 0;
	return kube_finding(
		diagnosis, FINDING_BAD, "quota",
		row->part ? "ask for less with --cpu and --memory, or have the quota raised"
			  : "have the quota raised, or remove what is no longer needed",
		err, "'%s' leaves no room for one more pod: %s is %s of %s", name ? name : "?",
		row->key, used ? used : "0", hard);
}

int kube_diagnose_quota(const struct diagnosis *diagnosis, struct err *err)
{
	struct kube *kube = diagnosis->kube;
	_cleanup_free_ char *path =
		kube_path("", kube->config.name_space, "resourcequotas", NULL, NULL);
	_cleanup_(json_free) cJSON *quotas = NULL;
	const cJSON *quota, *spec = NULL;
	struct err own = ERR_INIT;

	if (!path)
		return err_no_memory(err);
	if (kube_list(kube, path, &quotas, &own) < 0)
		return 0; /* who may not read quotas hears of them from the dry run */
	if (diagnosis->release) {
		spec = json_at(diagnosis->release->document, "podTemplate.spec");
		if (!spec)
			spec = json_at(diagnosis->release->document, "pod.spec");
	}
	cJSON_ArrayForEach (quota, quotas)
		for (size_t i = 0; i < ARRAY_SIZE(counted); i++)
			if ((spec || !counted[i].part) &&
			    check(diagnosis, quota, spec, &counted[i], err) < 0)
				return -1;
	return 0;
}
