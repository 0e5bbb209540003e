/* A timeline as compact JSON for a page's script. Names and looks are plain; all else is one row of whole numbers, as
 * varints (seven bits a byte, lowest first, the eighth says that more follow), gzip and base64. Signed ones are zigzag:
 * 0, -1, 1, -2 ... as 0, 1, 2, 3 ...
 *
 *   shapes    how many; of each: name, sort, stage + 1, layer + 1, bytes
 *   lanes     of each: how many slices; of each: gap to the end before, 2 * shape + whether joined, length,
 *             2 * signed difference of the micro-batch to the one before + critical,
 *             and if joined: how many slices, idle time between them
 *   arrows    how many; of each: sender (signed difference to the one before), receiver (to the sender)
 *   counters  of each: how many points; of each: time (difference), value (signed difference, in steps of its `scale`)
 */
#ifndef PARPLAN_TIMELINE_PACK_H
#define PARPLAN_TIMELINE_PACK_H

#include <stddef.h>

#include "timeline/view.h"

/* The JSON object, without "<", so that it may stand within a script element. Slices are joined as far as is needed to
 * have at most `most` of them, in about `limit` bytes. */
void pack_timeline(const struct timeline *timeline, int64_t most, size_t limit, struct text *out);

#endif
