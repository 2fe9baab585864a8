/* Rows of clips with zeros around the frames of each, so that taps hear whole vectors: of some clips at once, as many as
 * make a short row. */

#include "real.h"

enum { SOME = 4096 }; /* numbers of a row */

typedef struct {
    long clips, frames, reach, width, stride; /* reach: frames of zeros at either end; stride: from clip to clip */
} Clips;

static inline Clips clips_of(long clips, long frames, long reach) {
    long width = up_to(frames, LANES), stride = width + 2 * reach, most = stride < SOME ? SOME / stride : 1;
    return (Clips){least(clips, most), frames, reach, width, stride};
}

/* The same of those that are left after so many. */
static inline Clips rest_of(Clips by, long clips, long first) {
    by.clips = least(by.clips, clips - first);
    return by;
}

/* Numbers of a row. */
static inline long size_of(Clips by) { return by.clips * by.stride; }

static inline void surround(Clips by, const real *x, real *made) {
    memset(made, 0, (size_t)size_of(by) * sizeof(real));
    for (long clip = 0; clip < by.clips; clip++)
        memcpy(made + clip * by.stride + by.reach, x + clip * by.frames, (size_t)by.frames * sizeof(real));
}
