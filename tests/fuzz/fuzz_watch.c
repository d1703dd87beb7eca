/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a watch's body, and the pod in it. */
#include <string.h>
#include "pkg/kube/pod_status.h"
#include "pkg/kube/watch.h"
#include "tests/fuzz/fuzz.h"

static void check_pod(const cJSON *pod)
{
	_cleanup_(strbuf_release) struct strbuf words = STRBUF_INIT;
	struct pod_status status;

	pod_status_read(pod, "c", &status);
	CHECK(memchr(status.reason, '\0', sizeof(status.reason)));
	CHECK(memchr(status.message, '\0', sizeof(status.message)));
	CHECK(memchr(status.image_id, '\0', sizeof(status.image_id)));
	CHECK(!status.exit.known || status.stage == POD_ENDED);
	CHECK(status.exit.code >= 0 && status.exit.code <= 255);
	pod_status_say(&status, &words);
	CHECK(words.length && !words.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct watch_event event = {.object = NULL};
	struct err err = ERR_INIT;
	char version[64] = "7";
	int result = watch_read_line((const char *)data, size, &event, version, &err);

	CHECK(*version && strspn(version, "0123456789") == strlen(version));
	if (result > 0) {
		CHECK(cJSON_IsObject(event.object));
		check_pod(event.object);
	} else if (result < 0) {
		CHECK(err.kind != ERR_NONE && err.kind != ERR_INTERNAL);
	}
	watch_event_release(&event);
	return 0;
}
