/* What the files beside it share: how exact numbers are, and into what blocks columns are cut. */

#include <math.h>
#include <stddef.h>
#include <string.h>

#ifdef IN_DOUBLE
typedef double real;
#else
typedef float real;
#endif

enum { BLOCK = 256, TAPS = 3 };

static inline long least(long a, long b) { return a < b ? a : b; }

/* The sum of numbers: of a block as they are, of blocks in double. */
static inline double total(long count, const real *x) {
    double sum = 0;
    for (long at = 0; at < count; at += BLOCK) {
        real part = 0;
        for (long i = at; i < least(at + BLOCK, count); i++) part += x[i];
        sum += part;
    }
    return sum;
}

/* The same of the products of two rows. */
static inline double product(long count, const real *a, const real *b) {
    double sum = 0;
    for (long at = 0; at < count; at += BLOCK) {
        real part = 0;
        for (long i = at; i < least(at + BLOCK, count); i++) part += a[i] * b[i];
        sum += part;
    }
    return sum;
}

/* Ask for the numbers of a row that the next block has: its rows lie too far apart for the processor to see them coming. */
static inline void fetch_next(const real *x, long block) {
#ifdef __GNUC__
    for (long i = 0; i < block; i += 64 / (long)sizeof(real)) __builtin_prefetch(x + block + i, 0, 2);
#else
    (void)x, (void)block;
#endif
}
