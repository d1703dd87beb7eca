/* SPDX-License-Identifier: Apache-2.0 */
/* A time zone file of any bytes: what is taken has offsets below 26 hours (a rule's: below eight days) at all times,
 * and a schedule in it comes to an end. */

#include "pkg/schedule/schedule.h"
#include "tests/fuzz/fuzz.h"

#define EIGHT_DAYS (INT64_C(8) * 86400)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const texts[] = {"30 2 * * *", "0 0 1 * 1", "59 23 31 12 6"};
	_cleanup_(zone_release) struct zone *zone = NULL;
	struct err err = ERR_INIT;

	if (zone_parse(data, size, &zone, &err) < 0) {
		CHECK(err.message[0]);
		return 0;
	}
	for (int64_t now = 0; now < INT64_C(8000000000); now += INT64_C(97531246)) {
		int64_t offset = zone_offset(zone, now);

		CHECK(offset > -EIGHT_DAYS && offset < EIGHT_DAYS);
	}
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct schedule schedule;
		int64_t next;

		CHECK(schedule_parse(texts[i], &schedule, &err) == 0);
		next = schedule_next(&schedule, zone, INT64_C(1795236843));
		CHECK(next == SCHEDULE_NEVER || next > 0);
	}
	return 0;
}
