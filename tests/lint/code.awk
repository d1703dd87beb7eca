# SPDX-License-Identifier: Apache-2.0
#
# C text with comments, string and character literals blanked out; lines stay where they are.
# With -v keep=comment only the comments stay, with -v keep=slashes only those that begin with two slashes.

BEGIN {
	if (keep == "")
		keep = "code"
	quoted["\""] = "^\"([^\"\\\\]|\\\\.)*\""
	quoted["'"] = "^'([^'\\\\]|\\\\.)*'"
}

function emit(text, kind)
{
	if (kind == keep || (kind == "slashes" && keep == "comment"))
		out = out text
}

{
	out = ""
	line = $0
	while (line != "") {
		if (in_comment) {
			end = index(line, "*/")
			if (!end) {
				emit(line, "comment")
				break
			}
			emit(substr(line, 1, end + 1), "comment")
			line = substr(line, end + 2)
			in_comment = 0
		} else if (match(line, /\/\*|\/\/|"|'/)) {
			emit(substr(line, 1, RSTART - 1), "code")
			token = substr(line, RSTART, RLENGTH)
			line = substr(line, RSTART)
			if (token == "/*") {
				emit("/*", "comment")
				line = substr(line, 3)
				in_comment = 1
			} else if (token == "//") {
				emit(line, "slashes")
				break
			} else if (match(line, quoted[token])) {
				emit(token token, "code")
				line = substr(line, RLENGTH + 1)
			} else {
				line = substr(line, 2)
			}
		} else {
			emit(line, "code")
			break
		}
	}
	print out
}
