/* A depthwise convolution over the frames of each clip, zeros around it, and its batch norm: forward and back.
 *
 * See over_time.py. Arrays are (channels, clips, frames); a channel is one thread's work and fits the nearest caches.
 */

#include "real.h"

typedef struct {
    long channels, clips, frames, taps[TAPS], threads;
    double epsilon;
} Beat;

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

/* What was convolved and normalised, and mean and variance before. */
void normalise_over_time(const Beat *b, const real *x, const real *weight, const real *gain, const real *offset,
                         double *mean, double *variance, real *y) {
    long columns = b->clips * b->frames;
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        real *restrict made = y + c * columns;
        convolve(b, x + c * columns, weight + TAPS * c, 1, made);
        double sum = 0, square = 0;
        for (long at = 0; at < columns; at += BLOCK) {
            real part = 0, part_square = 0;
            long end = least(at + BLOCK, columns);
            for (long i = at; i < end; i++) {
                part += made[i];
                part_square += made[i] * made[i];
            }
            sum += part;
            square += part_square;
        }
        mean[c] = sum / (double)columns;
        double spread = square / (double)columns - mean[c] * mean[c];
        variance[c] = spread < 0 ? 0 : spread;
        double scale = gain[c] / sqrt(variance[c] + b->epsilon);
        real by = (real)scale, plus = (real)(offset[c] - scale * mean[c]);
#pragma omp simd
        for (long i = 0; i < columns; i++) made[i] = by * made[i] + plus;
    }
}

/* The gradients of x, weight, gain and offset; `room` is as large as x. */
void derive_over_time(const Beat *b, const real *dy, const real *x, const real *weight, const real *gain,
                      const double *mean, const double *variance, real *room, real *dx, real *d_weight, real *d_gain,
                      real *d_offset) {
    long columns = b->clips * b->frames;
#pragma omp parallel for num_threads((int)b->threads) schedule(static)
    for (long c = 0; c < b->channels; c++) {
        const real *own = x + c * columns, *restrict given = dy + c * columns;
        real *restrict z = room + c * columns;
        convolve(b, own, weight + TAPS * c, 1, z);
        double sum = 0, with_z = 0;
        for (long at = 0; at < columns; at += BLOCK) {
            real part = 0, part_z = 0;
            long end = least(at + BLOCK, columns);
            for (long i = at; i < end; i++) {
                part += given[i];
                part_z += given[i] * z[i];
            }
            sum += part;
            with_z += part_z;
        }
        double deviation = sqrt(variance[c] + b->epsilon), scale = gain[c] / deviation;
        double normalised = (with_z - mean[c] * sum) / deviation, slope = normalised / (double)columns / deviation;
        d_gain[c] = (real)normalised;
        d_offset[c] = (real)sum;
        real by = (real)scale, of_z = (real)(scale * slope);
        real less = (real)(scale * (sum / (double)columns - slope * mean[c]));
#pragma omp simd
        for (long i = 0; i < columns; i++) z[i] = by * given[i] - of_z * z[i] - less;

        convolve(b, z, weight + TAPS * c, -1, dx + c * columns);
        double of_weight[TAPS] = {0};
        for (long clip = 0; clip < b->clips; clip++)
            for (long k = 0; k < TAPS; k++) {
                const real *restrict heard = own + clip * b->frames, *restrict dz = z + clip * b->frames;
                long tap = b->taps[k], first = tap < 0 ? -tap : 0, last = tap > 0 ? b->frames - tap : b->frames;
                real part = 0;
                for (long i = first; i < last; i++) part += dz[i] * heard[i + tap];
                of_weight[k] += part;
            }
        for (long k = 0; k < TAPS; k++) d_weight[TAPS * c + k] = (real)of_weight[k];
    }
}
