/* SPDX-License-Identifier: Apache-2.0 */
/* What every fuzz target has: its entry, and a check that no build leaves out. */
#ifndef ONEOFF_TESTS_FUZZ_H
#define ONEOFF_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Must hold whatever the input was; abort is what the fuzzer reports. */
#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			abort();                                                                   \
	} while (0)

/* One input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
