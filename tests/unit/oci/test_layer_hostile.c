/* SPDX-License-Identifier: Apache-2.0 */
/* Archives made to reach outside the root. After each one the folder beside the root is as it was, to
 * the byte, and nothing new lies beside it (layer_apply_bytes looks). Names as in containerd's
 * TestBreakouts and umoci's tests where the case is theirs. */
#include "tests/unit/oci/layer_helper.h"

#include <fcntl.h>

#define MEMBERS 6

/* "%O" in a name or a link stands for the folder outside. */
struct breakout {
	const char *name;
	struct tar_member lower[MEMBERS], upper[MEMBERS];
	const char *refused;     /* what the error says; NULL: it is harmless */
	const char *file, *text; /* what is there then */
	const char *same[2];     /* two names of one file */
};

static const struct breakout breakouts[] = {
	{"SymlinkAbsolute",
         .upper = {{.name = "localetc", .type = '2', .link = "%O/etc"},
                   {.name = "localetc/passwd", .type = '0', .content = "x"}},
         .refused = NULL},
	{"SymlinkUpAndOut",
         .upper = {{.name = "oneoff-etc", .type = '5'},
                   {.name = "up", .type = '2', .link = "../outside"},
                   {.name = "up/secret", .type = '0', .content = "in"}},
         .file = "outside/secret", .text = "in"},
	{"SymlinkMultipleAbsolute",
         .upper = {{.name = "oneoff-etc", .type = '5'},
                   {.name = "one", .type = '2', .link = "/oneoff-etc"},
                   {.name = "two", .type = '2', .link = "/one"},
                   {.name = "two/f", .type = '0', .content = "in"}},
         .file = "oneoff-etc/f", .text = "in"},
	{"SymlinkMultipleRelative",
         .upper = {{.name = "oneoff-etc", .type = '5'},
                   {.name = "a/b/one", .type = '2', .link = "../../../../oneoff-etc"},
                   {.name = "two", .type = '2', .link = "a/b/one/../../x"},
                   {.name = "two/f", .type = '0', .content = "in"}},
         .file = "x/f", .text = "in"},
	{"SymlinkEmptyFile",
         .upper = {{.name = "oneoff-etc/emptied", .type = '0', .content = "full"},
                   {.name = "localetc", .type = '2', .link = "/oneoff-etc"},
                   {.name = "localetc/emptied", .type = '0'}},
         .file = "oneoff-etc/emptied", .text = ""},
	{"SymlinkParentDirectory", .upper = {{.name = "..", .type = '2', .link = "/oneoff-etc/"}},
         .refused = "the root can only be a folder"},
	{"SymlinkEmptyFilename", .upper = {{.name = "", .type = '2', .link = "/oneoff-etc/"}},
         .refused = "the root can only be a folder"},
	{"SymlinkEmptyTarget", .upper = {{.name = "l", .type = '2', .link = ""}},
         .refused = "'l': a link without a target"},
	{"SymlinkParentRelative",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc/sub/..", .type = '2', .link = "/oneoff-etc/"},
                   {.name = "/localetc/localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"oneoff-etc/localpasswd", "oneoff-etc/passwd"}},
	{"SymlinkSlashEnded",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc/", .type = '5'},
                   {.name = "/localetc/localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"localetc/localpasswd", "oneoff-etc/passwd"}},
	{"SymlinkOverrideDirectory",
         .lower = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '5'}},
         .upper = {{.name = "localetc", .type = '2', .link = "/oneoff-etc"},
                   {.name = "localetc/localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"oneoff-etc/localpasswd", "oneoff-etc/passwd"}},
	{"SymlinkOverrideDirectoryRelative",
         .lower = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '5'}},
         .upper = {{.name = "localetc", .type = '2', .link = "../../oneoff-etc"},
                   {.name = "localetc/localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"oneoff-etc/localpasswd", "oneoff-etc/passwd"}},
	{"SymlinkOverridePath", .lower = {{.name = "a/b/c/f", .type = '0', .content = "inside"}},
         .upper = {{.name = "a/b/c/g", .type = '0'},
                   {.name = "a/b", .type = '2', .link = "%O"},
                   {.name = "a/b/c/g", .type = '0', .content = "x"},
                   {.name = "a/b/secret", .type = '0', .content = "x"}},
         .refused = NULL},
	{"HardlinkRelative",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "breakouts/d1", .type = '2', .link = "../../oneoff-etc"},
                   {.name = "breakouts/mypasswd", .type = '1', .link = "/breakouts/d1/passwd"}},
         .same = {"breakouts/mypasswd", "oneoff-etc/passwd"}},
	{"HardlinkDownAndOut",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "downandout", .type = '5'},
                   {.name = "breakouts/d1", .type = '2', .link = "../downandout/../../oneoff-etc"},
                   {.name = "breakouts/mypasswd", .type = '1', .link = "/breakouts/d1/passwd"}},
         .same = {"breakouts/mypasswd", "oneoff-etc/passwd"}},
	{"HardlinkAbsolute",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '2', .link = "/oneoff-etc"},
                   {.name = "localpasswd", .type = '1', .link = "/localetc/passwd"}},
         .same = {"localpasswd", "oneoff-etc/passwd"}},
	{"HardlinkRelativeLong",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '2', .link = "../../../../../../../oneoff-etc"},
                   {.name = "localpasswd", .type = '1', .link = "/localetc/passwd"}},
         .same = {"localpasswd", "oneoff-etc/passwd"}},
	{"HardlinkRelativeUpAndOut",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "upandout", .type = '5'},
                   {.name = "localetc", .type = '2', .link = "upandout/../../../oneoff-etc"},
                   {.name = "localpasswd", .type = '1', .link = "/localetc/passwd"}},
         .same = {"localpasswd", "oneoff-etc/passwd"}},
	{"HardlinkDirectRelative",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localpasswd",
                    .type = '1',
                    .link = "../../../../../oneoff-etc/passwd"}},
         .same = {"localpasswd", "oneoff-etc/passwd"}},
	{"HardlinkDirectAbsolute",
         .upper = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"localpasswd", "oneoff-etc/passwd"}},
	{"HardlinkSymlinkBeforeCreateTarget",
         .upper = {{.name = "oneoff-etc", .type = '5'},
                   {.name = "localpasswd", .type = '2', .link = "/oneoff-etc/passwd"},
                   {.name = "localpasswd-dup", .type = '1', .link = "localpasswd"},
                   {.name = "/oneoff-etc/passwd", .type = '0', .content = "after"}},
         .same = {"localpasswd-dup", "localpasswd"}},
	{"HardlinkSymlinkRelative",
         .upper = {{.name = "passwdlink", .type = '2', .link = "../outside/etc/passwd"},
                   {.name = "localpasswd", .type = '1', .link = "/passwdlink", .mode = 0777}},
         .same = {"localpasswd", "passwdlink"}},
	{"HardlinkSymlinkAbsolute",
         .upper = {{.name = "passwdlink", .type = '2', .link = "%O/etc/passwd"},
                   {.name = "localpasswd", .type = '1', .link = "/passwdlink", .user = 7}},
         .same = {"localpasswd", "passwdlink"}},
	{"HardlinkSymlinkChmod",
         .upper = {{.name = "ep", .type = '2', .link = "%O/secret", .mode = 0666, .user = 99},
                   {.name = "sketchylink", .type = '1', .link = "ep", .mode = 0666}},
         .same = {"sketchylink", "ep"}},
	{"DirectoryOverrideSymlink",
         .lower = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '2', .link = "%O/etc"}},
         .upper = {{.name = "/localetc/", .type = '5', .mode = 0777},
                   {.name = "/localetc/localpasswd", .type = '1', .link = "/oneoff-etc/passwd"}},
         .same = {"localetc/localpasswd", "oneoff-etc/passwd"}},
	{"DirectoryOverrideSymlinkAndHardlink",
         .lower = {{.name = "oneoff-etc/passwd", .type = '0', .content = "inside"},
                   {.name = "localetc", .type = '2', .link = "oneoff-etc"},
                   {.name = "oneoff-etc/localpasswd", .type = '1', .link = "oneoff-etc/passwd"}},
         .upper = {{.name = "/localetc/", .type = '5'},
                   {.name = "/localetc/localpasswd", .type = '0', .content = "different"}},
         .file = "oneoff-etc/passwd", .text = "inside"},
	{"WhiteoutDirectoryName",
         .lower = {{.name = "oneoff-etc/passwd", .type = '0', .content = "all"}},
         .upper = {{.name = ".wh.oneoff-etc/somefile", .type = '0', .content = "non-empty"}},
         .file = ".wh.oneoff-etc/somefile", .text = "non-empty"},
	{"WhiteoutOutside",
         .upper = {{.name = "../outside/.wh.secret", .type = '0'},
                   {.name = "../.wh.outside", .type = '0'},
                   {.name = "%O/.wh..wh..opq", .type = '0'}},
         .refused = NULL},
	{"WhiteoutThroughSymlink",
         .upper = {{.name = "l", .type = '2', .link = "%O"},
                   {.name = "m", .type = '2', .link = "../outside"},
                   {.name = "l/.wh.secret", .type = '0'},
                   {.name = "m/.wh.secret", .type = '0'},
                   {.name = "l/.wh..wh..opq", .type = '0'},
                   {.name = "m/oneoff-etc/.wh..wh..opq", .type = '0'}},
         .refused = NULL},
	{"OpaqueOfALinkOutside",
         .lower = {{.name = "d", .type = '5'}, {.name = "d/out", .type = '2', .link = "%O"}},
         .upper = {{.name = "d/.wh..wh..opq", .type = '0'}}, .refused = NULL},
	{"NameUpAndOut", .upper = {{.name = "../outside/secret", .type = '0', .content = "in"}},
         .file = "outside/secret", .text = "in"},
	{"NameDeepUpAndOut",
         .upper = {{.name = "a/../../../../outside/etc/passwd", .type = '0', .content = "in"}},
         .file = "outside/etc/passwd", .text = "in"},
	{"NameAbsolute", .upper = {{.name = "%O/etc/passwd", .type = '0', .content = "in"}},
         .refused = NULL},
	{"FileOverLinkOutside", .lower = {{.name = "f", .type = '2', .link = "%O/secret"}},
         .upper = {{.name = "f", .type = '0', .content = "in", .mode = 0666}}, .file = "f",
         .text = "in"},
	{"FifoOverLinkOutside", .lower = {{.name = "f", .type = '2', .link = "%O/secret"}},
         .upper = {{.name = "f", .type = '6', .mode = 0666}}, .refused = NULL},
	{"RootAsSymlink", /* CVE-2021-29136 */
         .upper = {{.name = ".", .type = '2', .link = "%O"}},
         .refused = "'.': the root can only be a folder"},
	{"RootAsFile", .upper = {{.name = "/", .type = '2', .link = "x"}}, .refused = "the root"},
	{"RootAsHardlink",
         .upper = {{.name = "f", .type = '0'}, {.name = "./.", .type = '1', .link = "f"}},
         .refused = "the root"},
	{"HardlinkToRoot", .upper = {{.name = "h", .type = '1', .link = "../.."}},
         .refused = "'h': a hard link to the root"},
	{"HardlinkToFolder",
         .upper = {{.name = "d", .type = '5'}, {.name = "h", .type = '1', .link = "d"}},
         .refused = "'h': a hard link to the folder 'd'"},
	{"HardlinkToNothing", .upper = {{.name = "h", .type = '1', .link = "none"}},
         .refused = "'h': a hard link to 'none', which is not there"},
	{"HardlinkToItself",
         .upper = {{.name = "h", .type = '0'}, {.name = "./h", .type = '1', .link = "h"}},
         .refused = "a hard link to itself"},
	{"HardlinkWithoutTarget", .upper = {{.name = "h", .type = '1'}},
         .refused = "'h': a link without a target"},
	{"HardlinkOutsideRelative",
         .upper = {{.name = "h", .type = '1', .link = "../outside/secret"}},
         .refused = "which is not there"},
	{"HardlinkOutsideAbsolute", .upper = {{.name = "h", .type = '1', .link = "%O/secret"}},
         .refused = "which is not there"},
	{"HardlinkThroughLinkOutside",
         .upper = {{.name = "l", .type = '2', .link = "%O"},
                   {.name = "h", .type = '1', .link = "l/secret"}},
         .refused = "which is not there"},
	{"FolderThenLinkThenFile", /* the classic race against a cache of folders */
         .upper = {{.name = "d", .type = '5'},
                   {.name = "d/a", .type = '0'},
                   {.name = "d", .type = '2', .link = "%O"},
                   {.name = "d/secret", .type = '0', .content = "x"},
                   {.name = "d/oneoff-etc/passwd", .type = '0', .content = "x"}},
         .refused = NULL},
	{"FolderModesThroughALink", /* CVE-2021-23177: attributes that are set in the end */
         .upper = {{.name = "d/oneoff-etc", .type = '5', .mode = 0777, .time = 1},
                   {.name = "d", .type = '2', .link = "%O"}},
         .refused = NULL},
	{"LinkLoop",
         .upper = {{.name = "a", .type = '2', .link = "b"},
                   {.name = "b", .type = '2', .link = "a"},
                   {.name = "a/f", .type = '0'}},
         .refused = "'a/f': too many links"},
	{"LinkIntoItself",
         .upper = {{.name = "a", .type = '2', .link = "a/a"}, {.name = "a/f", .type = '0'}},
         .refused = "'a/f': too many links"},
	{"FileAsParent", .upper = {{.name = "f", .type = '0'}, {.name = "f/g", .type = '0'}},
         .refused = "'f/g': 'f' is no folder"},
	{"LinkToFileAsParent",
         .upper = {{.name = "f", .type = '0'},
                   {.name = "l", .type = '2', .link = "f"},
                   {.name = "l/g", .type = '0'}},
         .refused = "is no folder"},
	{"ProcLink",
         .upper = {{.name = "p", .type = '2', .link = "/oneoff-proc/self/root"},
                   {.name = "p/tmp/oneoff-was-here", .type = '0'}},
         .file = "oneoff-proc/self/root/tmp/oneoff-was-here", .text = ""},
};

static struct layer_bench bench;

static void open_bench(void)
{
	layer_bench_open(&bench);
}

static void close_bench(void)
{
	layer_bench_close(&bench);
}

TestSuite(layer_hostile, .init = open_bench, .fini = close_bench, .timeout = 120);

static const char *substitute(const char *text, char buffer[200])
{
	const char *at = text ? strstr(text, "%O") : NULL;

	if (!at)
		return text;
	(void)snprintf(buffer, 200, "%.*s%s%s", (int)(at - text), text, bench.outside, at + 2);
	return buffer;
}

static void add_members(const struct tar_member *members)
{
	for (size_t i = 0; i < MEMBERS && members[i].name; i++) {
		struct tar_member member = members[i];
		char name[200], link[200];

		member.name = substitute(member.name, name);
		member.link = substitute(member.link, link);
		tar_add(&bench.tar, &member);
	}
}

static void try_breakout(const struct breakout *breakout, bool privileged)
{
	bench.options.privileged = privileged;
	if (breakout->lower[0].name) {
		add_members(breakout->lower);
		layer_expect_applied(&bench);
	}
	add_members(breakout->upper);
	if (breakout->refused) {
		layer_expect_failure(&bench, ERR_REFUSED, breakout->refused);
		return;
	}
	layer_expect_applied(&bench);
	if (breakout->file)
		layer_expect_file(&bench, breakout->file, breakout->text);
	if (breakout->same[0])
		layer_expect_same(&bench, breakout->same[0], breakout->same[1]);
}

static void empty_root(void)
{
	TAR(&bench.tar, .name = ".wh..wh..opq", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "", "");
}

Test(layer_hostile, nothing_reaches_outside)
{
	for (size_t i = 0; i < ARRAY_SIZE(breakouts); i++) {
		cr_log_info("%s", breakouts[i].name);
		try_breakout(&breakouts[i], false);
		empty_root();
		try_breakout(&breakouts[i], geteuid() == 0);
		empty_root();
	}
}

Test(layer_hostile, nothing_reaches_outside_without_openat2)
{
	layer_forbid_openat2();
	for (size_t i = 0; i < ARRAY_SIZE(breakouts); i++) {
		try_breakout(&breakouts[i], geteuid() == 0);
		empty_root();
	}
}

/* umoci's SymlinkScoping: whatever the prefix, the link ends inside. */
Test(layer_hostile, links_with_any_prefix_end_inside)
{
	static const char *const prefixes[] = {"", "/", "../", "../../../../../../",
	                                       "./../x/../../"};

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		char link[100];

		(void)snprintf(link, sizeof(link), "%soutside", prefixes[i]);
		TAR(&bench.tar, .name = "x", .type = '5');
		TAR(&bench.tar, .name = "l", .type = '2', .link = link);
		TAR(&bench.tar, .name = "l/secret", .type = '0', .content = "in");
		layer_expect_applied(&bench);
		layer_expect_file(&bench, "outside/secret", "in");
		empty_root();
	}
}

Test(layer_hostile, extended_attributes_do_not_follow_a_link)
{
	char outside[200];

	(void)snprintf(outside, sizeof(outside), "%s/secret", bench.outside);
	tar_pax(&bench.tar, "SCHILY.xattr.user.evil", "1", 1);
	TAR(&bench.tar, .name = "l", .type = '2', .link = outside);
	layer_expect_applied(&bench);
	cr_assert_not_null(strstr(strbuf_str(&bench.reports), "1 extended attributes"));
}

Test(layer_hostile, a_link_that_comes_with_content_is_only_a_link)
{
	TAR(&bench.tar, .name = "f", .type = '0', .content = "first");
	TAR(&bench.tar, .name = "l", .type = '2', .link = "f", .size = "00000000000");
	TAR(&bench.tar, .name = "d", .type = '5', .size = "00000000000");
	layer_expect_applied(&bench);
	layer_expect_file(&bench, "f", "first");
}

/* CVE-2016-5418. A ustar header has no content for a link: what follows is taken for a header. With
 * PAX headers it has (test_layer.c: takes_no_content_from_a_hard_link). */
Test(layer_hostile, content_of_a_hard_link_goes_nowhere)
{
	TAR(&bench.tar, .name = "l", .type = '2', .link = "../outside/secret");
	TAR(&bench.tar, .name = "h", .type = '1', .link = "l", .content = "overwrite");
	layer_expect_failure(&bench, ERR_PROTOCOL, "Damaged tar archive");
}

Test(layer_hostile, a_refused_layer_names_its_entry)
{
	TAR(&bench.tar, .name = "fine", .type = '0');
	TAR(&bench.tar, .name = "d/.wh.", .type = '0');
	layer_expect_failure(&bench, ERR_REFUSED, "entry 'd/.wh.': a whiteout that names no file");
}

/* A link through a folder that was replaced leads elsewhere from then on. */
Test(layer_hostile, a_remembered_folder_is_forgotten_when_its_path_changes)
{
	TAR(&bench.tar, .name = "d/sub", .type = '5');
	TAR(&bench.tar, .name = "other/x", .type = '5');
	TAR(&bench.tar, .name = "l", .type = '2', .link = "d/sub/..");
	TAR(&bench.tar, .name = "l/a", .type = '0');
	TAR(&bench.tar, .name = "l/sub", .type = '2', .link = "../other/x");
	TAR(&bench.tar, .name = "l/b", .type = '0');
	layer_expect_applied(&bench);
	layer_expect_names(&bench, "d", "a sub");
	layer_expect_names(&bench, "other", "b x");
}

Test(layer_hostile, content_beyond_the_size_is_refused)
{
	uint8_t map[109] = "";

	(void)snprintf((char *)map, 12, "%011o", 100000);
	(void)snprintf((char *)map + 12, 12, "%011o", 4);
	(void)snprintf((char *)map + 97, 12, "%011o", 100);
	TAR(&bench.tar, .name = "s", .type = 'S', .content = "data", .gnu_sparse = map);
	layer_expect_failure(&bench, ERR_REFUSED, "'s': its content goes beyond its size");
}

/* Another layer's link must not lead a later layer out either (CVE-2014-9356). */
Test(layer_hostile, links_of_lower_layers_lead_nowhere_outside)
{
	TAR(&bench.tar, .name = "a", .type = '2', .link = bench.outside);
	layer_expect_applied(&bench);
	TAR(&bench.tar, .name = "a/oneoff-etc/passwd", .type = '0', .content = "in");
	TAR(&bench.tar, .name = "a/oneoff-etc", .type = '5', .mode = 0777);
	layer_expect_applied(&bench);
	layer_expect_link(&bench, "a", bench.outside);
}
