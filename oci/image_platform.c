/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include "oci/image_internal.h"

/* Anything of a machine's own architecture is better than the 32-bit one of its family. */
#define BEST_FIT         100
#define OTHER_FAMILY_FIT 50

/* As uname and people spell it; as Go does. */
static const struct {
	const char *spelling, *architecture, *variant;
} spellings[] = {
	{"x86_64", "amd64", NULL},
	{"x86-64", "amd64", NULL},
	{"i386", "386", NULL},
	{"i486", "386", NULL},
	{"i586", "386", NULL},
	{"i686", "386", NULL},
	{"aarch64", "arm64", "v8"},
	{"armv8l", "arm", "v8"},
	{"armv7l", "arm", "v7"},
	{"armhf", "arm", "v7"},
	{"armv6l", "arm", "v6"},
	{"armel", "arm", "v6"},
	{"armv5tel", "arm", "v5"},
	{"armv5tejl", "arm", "v5"},
	{"loongarch64", "loong64", NULL},
	{"ppc64le", "ppc64le", NULL},
	{"riscv64", "riscv64", NULL},
	{"s390x", "s390x", NULL},
};

void platform_host(struct platform *ret)
{
	struct utsname name;

	*ret = (struct platform){"linux", "unknown", NULL};
	if (uname(&name) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (!strcmp(spellings[i].spelling, name.machine)) {
			ret->architecture = spellings[i].architecture;
			ret->variant = spellings[i].variant;
		}
}

void platform_print(const char *os, const char *architecture, const char *variant,
                    char ret[PLATFORM_TEXT_SIZE])
{
	snprintf(ret, PLATFORM_TEXT_SIZE, "%.30s/%.30s%s%.30s", os ? os : "?",
	         architecture ? architecture : "?", variant && *variant ? "/" : "",
	         variant ? variant : "");
}

/* What a missing variant stands for (containerd's normalizeArch). */
static struct platform normal(const char *architecture, const char *variant)
{
	struct platform result = {.architecture = architecture};

	if (variant && *variant)
		result.variant = variant;
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (!strcmp(spellings[i].spelling, architecture)) {
			result.architecture = spellings[i].architecture;
			if (!result.variant)
				result.variant = spellings[i].variant;
		}
	if (result.variant)
		return result;
	if (!strcmp(result.architecture, "arm"))
		result.variant = "v7";
	else if (!strcmp(result.architecture, "arm64"))
		result.variant = "v8";
	else if (!strcmp(result.architecture, "amd64"))
		result.variant = "v1";
	return result;
}

/* "v7" and "7" are 7; "v8.2" and the like are no numbers: 0. */
static int variant_number(const char *variant)
{
	if (variant && *variant == 'v')
		variant++;
	return variant && variant[0] >= '1' && variant[0] <= '9' && !variant[1] ? variant[0] - '0'
	                                                                        : 0;
}

static int fit_of_variant(const struct platform *wanted, const struct platform *offered)
{
	int most = variant_number(wanted->variant), needed = variant_number(offered->variant);

	/* Newer processors of these two run what was made for older ones. */
	if (most && needed &&
	    (!strcmp(wanted->architecture, "arm") || !strcmp(wanted->architecture, "amd64")))
		return needed <= most ? BEST_FIT - (most - needed) : 0;
	if (most && needed)
		return most == needed ? BEST_FIT : 0;
	if (!offered->variant)
		return BEST_FIT;
	return wanted->variant && !strcmp(wanted->variant, offered->variant) ? BEST_FIT : 0;
}

int platform_fit(const struct platform *wanted, const char *os, const char *architecture,
                 const char *variant)
{
	struct platform one, two;
	int fit;

	if (!os || !architecture || strcmp(os, wanted->os) != 0)
		return 0;
	one = normal(wanted->architecture, wanted->variant);
	two = normal(architecture, variant);
	if (!strcmp(one.architecture, two.architecture))
		return fit_of_variant(&one, &two);
	if (!strcmp(one.architecture, "amd64") && !strcmp(two.architecture, "386"))
		return OTHER_FAMILY_FIT;
	if (!strcmp(one.architecture, "arm64") && !strcmp(two.architecture, "arm")) {
		one = (struct platform){.architecture = "arm", .variant = "v8"};
		fit = fit_of_variant(&one, &two);
		return fit ? fit - OTHER_FAMILY_FIT : 0;
	}
	return 0;
}
