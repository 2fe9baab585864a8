/* A depthwise convolution over the frames of each clip, zeros around it, its batch norm, SiLU, and a map across channels:
 * forward and back.
 *
 * See over_time.py. Arrays are (channels, clips, frames); a channel is one thread's work, and fits the nearest caches.
 */

#include "real.h"

typedef struct {
    long channels, clips, frames, taps[TAPS], threads;
    double epsilon;
} Beat;

static long columns_of(const Beat *b) { return b->clips * b->frames; }

/* 1 / (1 + exp(-x)), which is (1 + tanh(x / 2)) / 2: of floats by a quotient of polynomials (Eigen has it for tanh, up to 9
 * either way), within 1e-7, as C libraries' own functions take one number at a time. */
static inline real sigmoid(real x) {
#ifdef IN_DOUBLE
    return 1 / (1 + exp(-x));
#else
    float y = x / 2 < -9 ? -9 : x / 2 > 9 ? 9 : x / 2, square = y * y;
    float above = -2.76076847742355e-16f;
    above = above * square + 2.00018790482477e-13f;
    above = above * square - 8.60467152213735e-11f;
    above = above * square + 5.12229709037114e-08f;
    above = above * square + 1.48572235717979e-05f;
    above = above * square + 6.37261928875436e-04f;
    above = above * square + 4.89352455891786e-03f;
    float below = 1.19825839466702e-06f;
    below = below * square + 1.18534705686654e-04f;
    below = below * square + 2.26843463243900e-03f;
    below = below * square + 4.89352518554385e-03f;
    return 0.5f + 0.5f * y * above / below;
#endif
}

/* Of each clip weighted sums of frames, those `taps[k] * sign` after the one that comes out. */
static void convolve(const Beat *b, const real *x, const real *weight, long sign, real *made) {
    long frames = b->frames;
    for (long clip = 0; clip < b->clips; clip++) {
        const real *restrict heard = x + clip * frames;
        real *restrict to = made + clip * frames;
        memset(to, 0, (size_t)frames * sizeof(real));
        for (long k = 0; k < TAPS; k++) {
            long tap = sign * b->taps[k], first = tap < 0 ? -tap : 0, last = tap > 0 ? frames - tap : frames;
            real by = weight[k];
#pragma omp simd
            for (long i = first; i < last; i++) to[i] += by * heard[i + tap];
        }
    }
}

/* What batch norm multiplies by and then adds. */
typedef struct {
    real by, plus;
} Norm;

static Norm norm_of(const Beat *b, double gain, double offset, double mean, double variance) {
    double scale = gain / sqrt(variance + b->epsilon);
    return (Norm){(real)scale, (real)(offset - scale * mean)};
}

/* What was convolved, normalised and activated, and mean and variance of what was convolved. */
void activate_over_time(const Beat *b, const real *x, const real *weight, const real *gain, const real *offset,
                        double *mean, double *variance, real *y) {
    long columns = columns_of(b);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        real *restrict made = y + c * columns;
        convolve(b, x + c * columns, weight + TAPS * c, 1, made);
        mean[c] = total(columns, made) / (double)columns;
        double spread = product(columns, made, made) / (double)columns - mean[c] * mean[c];
        variance[c] = spread < 0 ? 0 : spread;
        Norm norm = norm_of(b, gain[c], offset[c], mean[c], variance[c]);
#pragma omp simd
        for (long i = 0; i < columns; i++) {
            real z = norm.by * made[i] + norm.plus;
            made[i] = z * sigmoid(z);
        }
    }
}

/* What is kept of each clip, of a channel. */
static void keep(const Beat *b, const real *x, const real *kept, real *made) {
    for (long clip = 0; clip < b->clips; clip++) {
        const real *from = x + clip * b->frames; /* or the same array */
        real *to = made + clip * b->frames, share = kept[clip];
#pragma omp simd
        for (long i = 0; i < b->frames; i++) to[i] = share * from[i];
    }
}

/* made += sums of channels, by a weight for each. */
static void add_channels(const Beat *b, const real *x, const real *weight, long weight_stride, real *made) {
    long columns = columns_of(b);
    for (long at = 0; at < columns; at += 4 * BLOCK) {
        long end = least(at + 4 * BLOCK, columns), c = 0;
        for (; c + 2 <= b->channels; c += 2) {
            const real *restrict one = x + c * columns, *restrict other = one + columns;
            real *restrict to = made, by = weight[c * weight_stride], by_other = weight[(c + 1) * weight_stride];
#pragma omp simd
            for (long i = at; i < end; i++) to[i] += by * one[i] + by_other * other[i];
        }
        for (; c < b->channels; c++) {
            const real *restrict one = x + c * columns;
            real *restrict to = made, by = weight[c * weight_stride];
#pragma omp simd
            for (long i = at; i < end; i++) to[i] += by * one[i];
        }
    }
}

/* Each channel a sum of all, by `weight` (channels that come out, channels), and of each clip what is kept. */
void mix(const Beat *b, const real *x, const real *weight, const real *kept, real *y) {
    long columns = columns_of(b);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        real *made = y + c * columns;
        memset(made, 0, (size_t)columns * sizeof(real));
        add_channels(b, x, weight + c * b->channels, 1, made);
        keep(b, made, kept + c * b->clips, made);
    }
}

/* The gradients of x, both weights, gain and offset, that of `mixing` as (channels, channels that come out). `y` is what
 * `activate_over_time` gave; `room` is twice as large. */
void derive_over_time(const Beat *b, const real *dy, const real *x, const real *weight, const real *gain,
                      const real *offset, const real *mixing, const real *kept, const double *mean,
                      const double *variance, const real *y, real *room, real *dx, real *d_weight, real *d_gain,
                      real *d_offset, real *d_mixing) {
    long columns = columns_of(b);
    real *given = room + b->channels * columns;
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) keep(b, dy + c * columns, kept + c * b->clips, given + c * columns);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        const real *own = x + c * columns;
        real *restrict z = room + c * columns, *d = dx + c * columns; /* d: before the last convolution */
        memset(d, 0, (size_t)columns * sizeof(real));
        add_channels(b, given, mixing + c, b->channels, d);
        for (long to = 0; to < b->channels; to++)
            d_mixing[c * b->channels + to] = (real)product(columns, given + to * columns, y + c * columns);

        convolve(b, own, weight + TAPS * c, 1, z);
        Norm norm = norm_of(b, gain[c], offset[c], mean[c], variance[c]);
#pragma omp simd
        for (long i = 0; i < columns; i++) {
            real normalised = norm.by * z[i] + norm.plus, open = sigmoid(normalised);
            d[i] *= open * (1 + normalised * (1 - open));
        }
        double sum = total(columns, d), with_z = product(columns, d, z);
        double deviation = sqrt(variance[c] + b->epsilon);
        double normalised = (with_z - mean[c] * sum) / deviation, slope = normalised / (double)columns / deviation;
        d_gain[c] = (real)normalised;
        d_offset[c] = (real)sum;
        real of_z = (real)(norm.by * slope), less = (real)(norm.by * (sum / (double)columns - slope * mean[c]));
#pragma omp simd
        for (long i = 0; i < columns; i++) z[i] = norm.by * d[i] - of_z * z[i] - less;

        convolve(b, z, weight + TAPS * c, -1, d);
        for (long k = 0; k < TAPS; k++) {
            long tap = b->taps[k], first = tap < 0 ? -tap : 0, last = tap > 0 ? b->frames - tap : b->frames;
            double of_weight = 0;
            for (long clip = 0; clip < b->clips && first < last; clip++) {
                long start = clip * b->frames + first;
                of_weight += product(last - first, z + start, own + start + tap);
            }
            d_weight[TAPS * c + k] = (real)of_weight;
        }
    }
}
