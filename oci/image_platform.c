/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/utsname.h>
#include "oci/image_internal.h"

void platform_host(struct platform *ret)
{
	static const struct {
		const char *machine, *architecture, *variant;
	} machines[] = {
		{"x86_64", "amd64", NULL},    {"aarch64", "arm64", "v8"},
		{"armv7l", "arm", "v7"},      {"armv6l", "arm", "v6"},
		{"i686", "386", NULL},        {"ppc64le", "ppc64le", NULL},
		{"riscv64", "riscv64", NULL}, {"s390x", "s390x", NULL},
	};
	struct utsname name;

	*ret = (struct platform){"linux", "unknown", NULL};
	if (uname(&name) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (!strcmp(machines[i].machine, name.machine)) {
			ret->architecture = machines[i].architecture;
			ret->variant = machines[i].variant;
		}
}

static int variant_number(const char *variant)
{
	return variant && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9'
	               ? variant[1] - '0'
	               : 0;
}

/* An arm machine runs what was made for an older one, as containerd has it. */
int platform_fit(const struct platform *wanted, const char *os, const char *architecture,
                 const char *variant)
{
	int have, want;

	if (!os || !architecture || strcmp(os, wanted->os) != 0 ||
	    strcmp(architecture, wanted->architecture) != 0)
		return 0;
	if (strcmp(architecture, "arm") != 0)
		return 1;
	have = variant ? variant_number(variant) : 7;
	want = wanted->variant ? variant_number(wanted->variant) : 7;
	return have > want ? 0 : 1 + have;
}
