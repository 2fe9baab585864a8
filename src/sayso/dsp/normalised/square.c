/* Kernels over bins and frames, zeros around the frames of each clip: a depthwise convolution of five by five, forward and
 * back, and all that a kernel hears.
 *
 * See square.py. Arrays are channels outermost, then bins or rows, then columns (clips and frames); a channel is one
 * thread's work, so that no sum hangs on their number.
 */

#include "clips.h"

enum { SIDE = 5, AREA = SIDE * SIDE };

typedef struct {
    long channels, bins, clips, frames, lag, threads; /* lag: frames before the one that comes out */
} Kernel;

static long rows_of(const Kernel *k) { return k->bins - SIDE + 1; }

static long columns_of(const Kernel *k) { return k->clips * k->frames; }

/* A row of some clips, those from `first` on, surrounded. */
static const real *surround_row(const Kernel *k, Clips by, long first, const real *x, long row, real *made) {
    surround(rest_of(by, k->clips, first), x + row * columns_of(k) + first * k->frames, made + row * size_of(by));
    return made + row * size_of(by) + by.reach;
}

static void convolve_row(const Kernel *k, Clips by, long clips, const real *const *heard, const real *weight, real *y) {
    for (long clip = 0; clip < clips; clip++)
        for (long at = 0; at < k->frames; at += LANES) {
            lanes sum = {0};
            for (long bin = 0; bin < SIDE; bin++)
                for (long tap = 0; tap < SIDE; tap++)
                    sum += weight[bin * SIDE + tap] * load(heard[bin] + clip * by.stride + at + tap - k->lag);
            store_some(least(LANES, k->frames - at), sum, y + clip * k->frames + at);
        }
}

/* Each row of a clip, the sum of five bins at as many taps. */
void convolve_bins(const Kernel *k, const real *x, const real *weight, real *y) {
    long rows = rows_of(k), columns = columns_of(k);
    Clips by = clips_of(k->clips, k->frames, SIDE - 1);
#pragma omp parallel for num_threads((int)k->threads) schedule(static)
    for (long c = 0; c < k->channels; c++)
        for (long first = 0; first < k->clips; first += by.clips) {
            real room[k->bins * size_of(by)];
            const real *heard[k->bins];
            for (long bin = 0; bin < k->bins; bin++)
                heard[bin] = surround_row(k, by, first, x + c * k->bins * columns, bin, room);
            for (long row = 0; row < rows; row++)
                convolve_row(k, by, rest_of(by, k->clips, first).clips, heard + row, weight + c * AREA,
                             y + (c * rows + row) * columns + first * k->frames);
        }
}

/* Of a bin that a row hears by five taps: its gradient, added to what other rows gave it, and those of the taps. */
static void derive_taps(const Kernel *k, Clips by, long clips, const real *given, const real *heard,
                        const real *weight, real *dx, double *sums) {
    lanes held[SIDE] = {{0}};
    for (long clip = 0; clip < clips; clip++)
        for (long at = 0; at < k->frames; at += LANES) {
            const real *of_row = given + clip * by.stride + at, *of_bin = heard + clip * by.stride + at;
            real *made = dx + clip * by.stride + at;
            lanes here = load(of_row), sum = load(made);
            for (long tap = 0; tap < SIDE; tap++) {
                held[tap] += here * load(of_bin + tap - k->lag);
                sum += weight[tap] * load(of_row - tap + k->lag);
            }
            store(made, sum);
        }
    for (long tap = 0; tap < SIDE; tap++) sums[tap] += sum_of_lanes(held[tap]);
}

/* The gradients of x and of weight. */
void derive_bins_convolved(const Kernel *k, const real *dy, const real *x, const real *weight, real *dx,
                           real *d_weight) {
    long rows = rows_of(k), columns = columns_of(k);
    Clips by = clips_of(k->clips, k->frames, SIDE - 1);
#pragma omp parallel for num_threads((int)k->threads) schedule(static)
    for (long c = 0; c < k->channels; c++) {
        double sums[AREA] = {0};
        for (long first = 0; first < k->clips; first += by.clips) {
            long clips = rest_of(by, k->clips, first).clips;
            real of_rows[rows * size_of(by)], heard[size_of(by)], made[size_of(by)];
            for (long row = 0; row < rows; row++) surround_row(k, by, first, dy + c * rows * columns, row, of_rows);
            for (long bin = 0; bin < k->bins; bin++) {
                const real *own = surround_row(k, by, first, x + (c * k->bins + bin) * columns, 0, heard);
                memset(made, 0, sizeof made);
                for (long row = bin < SIDE ? 0 : bin - SIDE + 1; row < least(rows, bin + 1); row++) {
                    long taps = (bin - row) * SIDE;
                    derive_taps(k, by, clips, of_rows + row * size_of(by) + by.reach, own,
                                weight + c * AREA + taps, made, sums + taps);
                }
                for (long clip = 0; clip < clips; clip++)
                    memcpy(dx + (c * k->bins + bin) * columns + (first + clip) * k->frames, made + clip * by.stride,
                           (size_t)k->frames * sizeof(real));
            }
        }
        for (long i = 0; i < AREA; i++) d_weight[c * AREA + i] = (real)sums[i];
    }
}

typedef struct {
    long clips, inputs, bins, frames, kernel, above, lag, threads; /* above, lag: zeros before bins, before frames */
} Unfolding;

/* (bins and zeros around them, inputs, kernel, clips, frames) of (clips, inputs, bins, frames). */
void unfold(const Unfolding *u, const real *x, real *made) {
    long rows = (u->bins + u->kernel - 1) * u->inputs * u->kernel;
#pragma omp parallel for num_threads((int)u->threads) schedule(static)
    for (long row = 0; row < rows; row++) {
        long bin = row / (u->inputs * u->kernel) - u->above, input = row / u->kernel % u->inputs;
        long ahead = row % u->kernel - u->lag, before = ahead < 0 ? least(-ahead, u->frames) : 0;
        long after = ahead > 0 ? least(ahead, u->frames) : 0, there = u->frames - before - after;
        for (long clip = 0; clip < u->clips; clip++) {
            real *to = made + (row * u->clips + clip) * u->frames;
            if (bin < 0 || bin >= u->bins) {
                memset(to, 0, (size_t)u->frames * sizeof(real));
                continue;
            }
            const real *from = x + ((clip * u->inputs + input) * u->bins + bin) * u->frames;
            for (long i = 0; i < before; i++) to[i] = 0;
            memcpy(to + before, from + before + ahead, (size_t)there * sizeof(real));
            for (long i = u->frames - after; i < u->frames; i++) to[i] = 0;
        }
    }
}
