/* A depthwise convolution over the frames of each clip, zeros around it, its batch norm, SiLU, and a map across channels,
 * forward and back.
 *
 * See over_time.py. Arrays are (channels, clips, frames). A channel is one thread's work, or some columns of all where
 * these are mixed; no sum hangs on the number of threads.
 */

#include "clips.h"
#include "matrices.h"

typedef struct {
    long channels, clips, frames, taps[TAPS], threads;
    double epsilon;
    Running running;
} Beat;

static long columns_of(const Beat *b) { return b->clips * b->frames; }

/* 1 / (1 + exp(-x)), which is (1 + tanh(x / 2)) / 2: of floats by a quotient of polynomials (Eigen has it for tanh, up
 * to 9 either way), within 2e-7, as C libraries' own functions take one number at a time. */
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

static Clips surrounded(const Beat *b) {
    long reach = 0;
    for (long k = 0; k < TAPS; k++) reach = labs(b->taps[k]) > reach ? labs(b->taps[k]) : reach;
    return clips_of(b->clips, b->frames, reach);
}

/* Of each clip weighted sums of frames, those `taps[k] * sign` after the one that comes out. */
static void convolve(const Beat *b, const real *x, const real *weight, long sign, real *y) {
    Clips by = surrounded(b);
    real row[size_of(by)];
    for (long first = 0; first < b->clips; first += by.clips) {
        Clips here = rest_of(by, b->clips, first);
        surround(here, x + first * b->frames, row);
        for (long clip = 0; clip < here.clips; clip++) {
            const real *heard = row + clip * by.stride + by.reach;
            real *to = y + (first + clip) * b->frames;
            for (long i = 0; i < b->frames; i += LANES) {
                lanes sum = {0};
                for (long k = 0; k < TAPS; k++) sum += weight[k] * load(heard + i + sign * b->taps[k]);
                store_some(least(LANES, b->frames - i), sum, to + i);
            }
        }
    }
}

/* The gradient of each tap's weight: of all clips the sum of what it hears times the gradient of what comes of that. */
static void derive_taps(const Beat *b, const real *dy, const real *x, real *d_weight) {
    Clips by = surrounded(b);
    real given[size_of(by)], heard[size_of(by)];
    double sums[TAPS] = {0};
    for (long first = 0; first < b->clips; first += by.clips) {
        Clips here = rest_of(by, b->clips, first);
        surround(here, dy + first * b->frames, given);
        surround(here, x + first * b->frames, heard);
        lanes held[TAPS] = {{0}};
        for (long clip = 0; clip < here.clips; clip++) {
            long start = clip * by.stride + by.reach;
            for (long i = start; i < start + by.width; i += LANES)
                for (long k = 0; k < TAPS; k++) held[k] += load(given + i) * load(heard + i + b->taps[k]);
        }
        for (long k = 0; k < TAPS; k++) sums[k] += sum_of_lanes(held[k]);
    }
    for (long k = 0; k < TAPS; k++) d_weight[k] = (real)sums[k];
}

/* What batch norm multiplies by and then adds. */
typedef struct {
    real by, plus;
} Norm;

static Norm norm_of(const Beat *b, double gain, double offset, double mean, double variance) {
    double scale = gain / sqrt(variance + b->epsilon);
    return (Norm){(real)scale, (real)(offset - scale * mean)};
}

/* What was convolved, normalised and activated; `moments` are mean and variance of what was convolved. */
static void activate(const Beat *b, const real *x, const real *weight, const real *gain, const real *offset,
                     double *moments, real *y) {
    long columns = columns_of(b);
    double *mean = moments, *variance = moments + b->channels;
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        real *restrict made = y + c * columns;
        convolve(b, x + c * columns, weight + TAPS * c, 1, made);
        mean[c] = total(columns, made) / (double)columns;
        double spread = product(columns, made, made) / (double)columns - mean[c] * mean[c];
        variance[c] = spread < 0 ? 0 : spread;
        remember(b->running, c, 1, &mean[c], &variance[c], (double)columns);
        Norm norm = norm_of(b, gain[c], offset[c], mean[c], variance[c]);
#pragma omp simd
        for (long i = 0; i < columns; i++) {
            real z = norm.by * made[i] + norm.plus;
            made[i] = z * sigmoid(z);
        }
    }
}

/* What is kept of each clip, of all channels; `made` may be x. */
static void keep(const Beat *b, const real *x, const real *kept, real *made) {
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long row = 0; row < b->channels * b->clips; row++) {
        const real *from = x + row * b->frames;
        real *to = made + row * b->frames, share = kept[row];
#pragma omp simd
        for (long i = 0; i < b->frames; i++) to[i] = share * from[i];
    }
}

/* Each channel a sum of all, by `weight` (channels that come out, channels). */
static void mix(const Beat *b, const real *x, const real *weight, real *y) {
    long channels = b->channels, columns = columns_of(b);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long at = 0; at < columns; at += SPAN) {
        long count = least(SPAN, columns - at);
        real strip[channels * SPAN];
        Rows own = rows_at(count, SPAN, channels, x + at, columns, strip);
        for (long c = 0; c < channels; c += DOWN) {
            lanes made[DOWN][2] = {0};
            multiply(c, channels, channels, own, weight, channels, made);
            for (long r = c; r < least(c + DOWN, channels); r++) write_columns(count, made[r - c], y + r * columns + at);
        }
    }
}

/* Each channel a sum of all that were activated, by `mixing`, and of each clip what is kept; what was activated, and its
 * moments, too. */
void mix_over_time(const Beat *b, const real *x, const real *weight, const real *gain, const real *offset,
                   const real *mixing, const real *kept, double *moments, real *activated, real *y) {
    activate(b, x, weight, gain, offset, moments, activated);
    mix(b, activated, mixing, y);
    keep(b, y, kept, y);
}

/* The gradient of `mixing`: a sum over columns for each two channels, some rows of it one thread's work. */
static void derive_mixing(const Beat *b, const real *given, const real *y, real *d_mixing) {
    long channels = b->channels, columns = columns_of(b);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long row = 0; row < channels; row += HIGH) {
        long rows = least(HIGH, channels - row);
        double sums[HIGH * channels], chunk[HIGH * channels];
        memset(sums, 0, sizeof sums);
        for (long start = 0; start < columns; start += 8 * BLOCK) {
            lanes held[room_of(HIGH, channels)];
            memset(held, 0, sizeof held);
            for (long at = start; at < least(start + 8 * BLOCK, columns); at += BLOCK) {
                long count = least(BLOCK, columns - at), width = up_to(count, LANES);
                real copied[rows * BLOCK], others[channels * BLOCK];
                add_products(width, rows, rows_at(count, width, rows, given + row * columns + at, columns, copied),
                             channels, rows_at(count, width, channels, y + at, columns, others), 0, held);
            }
            sum_products(rows, channels, held, chunk);
            for (long i = 0; i < rows * channels; i++) sums[i] += chunk[i];
        }
        for (long i = 0; i < rows * channels; i++) d_mixing[row * channels + i] = (real)sums[i];
    }
}

/* The gradients of x, both weights, gain and offset, and mixing. `y` is what was activated; `room` has
 * twice as many numbers as x. */
void derive_over_time(const Beat *b, const real *dy, const real *x, const real *weight, const real *gain,
                      const real *offset, const real *mixing, const real *kept, const double *moments, const real *y,
                      real *room, real *dx, real *d_weight, real *d_gain, real *d_offset, real *d_mixing) {
    long columns = columns_of(b);
    const double *mean = moments, *variance = moments + b->channels;
    real *given = room + b->channels * columns;
    real back[b->channels * b->channels];
    for (long i = 0; i < b->channels * b->channels; i++) back[i] = mixing[i % b->channels * b->channels + i / b->channels];
    keep(b, dy, kept, given);
    mix(b, given, back, dx);
    derive_mixing(b, given, y, d_mixing);
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        const real *own = x + c * columns;
        real *restrict z = room + c * columns, *d = dx + c * columns; /* d: before the last convolution */
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
        derive_taps(b, z, own, d_weight + TAPS * c);
    }
}
