/* What the files beside it share: how exact numbers are, and into what blocks columns are cut. */

#ifndef SAYSO_REAL_H
#define SAYSO_REAL_H

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#ifdef IN_DOUBLE
typedef double real;
typedef long long whole;
#else
typedef float real;
typedef int whole;
#endif

enum { BLOCK = 256, TAPS = 3 };

/* As many numbers as a register of this processor holds. */
#if defined __AVX512F__
enum { VECTOR = 64 };
#elif defined __AVX__
enum { VECTOR = 32 };
#else
enum { VECTOR = 16 };
#endif
enum { LANES = VECTOR / (int)sizeof(real) };
typedef real lanes __attribute__((vector_size(VECTOR)));
typedef whole bits __attribute__((vector_size(VECTOR)));

static inline lanes load(const real *x) {
    lanes made;
    memcpy(&made, x, sizeof made);
    return made;
}

static inline void store(real *x, lanes given) { memcpy(x, &given, sizeof given); }

/* The first of a vector's numbers. */
static inline void store_some(long count, lanes given, real *x) {
    if (count == LANES)
        store(x, given);
    else
        for (long i = 0; i < count; i++) x[i] = given[i];
}

static inline double sum_of_lanes(lanes given) {
    double sum = 0;
    for (int i = 0; i < LANES; i++) sum += given[i];
    return sum;
}

/* ReLU; what is no number stays none. */
static inline lanes rectified(lanes z) { return (lanes)((bits)z & ~(bits)(z < 0)); }

/* A gradient where what came out is above zero. */
static inline lanes through(lanes gradient, lanes out) { return (lanes)((bits)gradient & (bits)(out > 0)); }

static inline long least(long a, long b) { return a < b ? a : b; }

static inline long up_to(long count, long step) { return (count + step - 1) / step * step; }

/* What a norm remembers of batches, of which the newest counts for a share; mean is NULL where it remembers nothing. */
typedef struct {
    real *mean, *variance;
    double share;
} Running;

/* Remember mean and variance of so many values of each of some channels, those from `first` on. */
static inline void remember(Running running, long first, long channels, const double *mean, const double *variance,
                            double count) {
    double unbiased = count > 1 ? count / (count - 1) : count;
    for (long c = 0; running.mean && c < channels; c++) {
        real *of_mean = running.mean + first + c, *of_variance = running.variance + first + c;
        *of_mean += (real)(running.share * (mean[c] - *of_mean));
        *of_variance += (real)(running.share * (unbiased * variance[c] - *of_variance));
    }
}

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

#endif
