/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>
#include "pkg/base/base64.h"

Test(base64, goes_there_and_back)
{
	static const char *const rows[][2] = {
		{"", ""},        {"f", "Zg=="},        {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"a\xff\xfe:\x01", "Yf/+OgE="},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct strbuf out = STRBUF_INIT, back = STRBUF_INIT;

		base64_encode(rows[i][0], strlen(rows[i][0]), &out);
		cr_expect_str_eq(strbuf_str(&out), rows[i][1]);
		cr_expect_eq(base64_decode(rows[i][1], false, &back), 0);
		cr_expect_str_eq(strbuf_str(&back), rows[i][0]);
		strbuf_release(&out);
		strbuf_release(&back);
	}
}

Test(base64, may_lack_its_padding_but_nothing_else)
{
	static const char *const bad[] = {"Z",    "Zg=",  "Zg===",  "Zm9v=",    "Zm9v====",
	                                  "Zm 9", "Zm9_", "Zg==Zg", "Zm9vYg=b", "="};
	struct strbuf out = STRBUF_INIT;

	cr_expect_eq(base64_decode("Zm9vYg", false, &out), 0);
	cr_expect_str_eq(strbuf_str(&out), "foob");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(base64_decode(bad[i], false, &out), -1, "%s", bad[i]);
	strbuf_release(&out);
}

Test(base64, needs_its_padding_where_that_is_the_rule)
{
	static const char *const bad[] = {
		"UEV", "UEVN=", "UE=N", "U===", "====", "UEVN*", "UEVNUE==UEVN"};
	struct strbuf out = STRBUF_INIT;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(base64_decode(bad[i], true, &out), -1, "%s", bad[i]);
	strbuf_release(&out);
	cr_expect_eq(base64_decode("UE\r\nVN\n", true, &out), 0);
	cr_expect_eq(base64_decode("UA==", true, &out), 0);
	cr_expect_str_eq(strbuf_str(&out), "PEMP");
	strbuf_release(&out);
}
