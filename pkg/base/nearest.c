/* SPDX-License-Identifier: Apache-2.0 */
#include "pkg/base/options.h"

#include <string.h>

/* Longer words are no typing errors of anything; the bound keeps the three rows on the stack. */
#define WORD_MAX 128

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* How many insertions, deletions, replacements and swaps of neighbours turn one word into the
 * other: the usual table, of which only the last two rows are needed. */
static size_t edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][WORD_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b_length; j++)
		before[j] = last[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *oldest = before;

		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			bool same = a[i - 1] == b[j - 1];

			row[j] = least(least(last[j] + 1, row[j - 1] + 1), last[j - 1] + !same);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_length];
}

const char *nearest_name(const char *word, const char *const *candidates, size_t count)
{
	size_t length = strlen(word);
	size_t limit = least(1 + length / 4, length ? length - 1 : 0);
	const char *nearest = NULL;

	if (!length || length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		size_t other = candidates[i] ? strlen(candidates[i]) : 0;
		size_t distance;

		if (!other || other > WORD_MAX)
			continue;
		distance = edit_distance(word, length, candidates[i], other);
		if (distance <= limit && (!nearest || distance < limit)) {
			nearest = candidates[i];
			limit = distance;
		}
	}
	return nearest;
}
