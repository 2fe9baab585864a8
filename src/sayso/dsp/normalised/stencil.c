/* A depthwise convolution over bins with its batch norm in bands, what is added to every bin, and ReLU: forward and back.
 *
 * See stencil.py. Arrays are real, channels outermost, then bins or rows, then columns (clips and frames);
 * what is summed over many columns is double. A channel is one thread's work, so that no sum hangs on their number.
 * Columns go in blocks whose rows all stay in the nearest cache; what was normalised is computed anew, never written.
 */

#include "real.h"

typedef struct {
    long channels, bins, rows, stride, bands, columns, skip, threads;
    double epsilon;
    Running running;
} Shape;

/* Of each channel: sums of bins, sums of products of a bin with itself and the next two, mean and variance of bands. */
static size_t kept_size(const Shape *s) { return (size_t)(4 * s->bins + 2 * s->bands); }

typedef struct {
    double *sums, *products, *mean, *variance;
} Kept;

static Kept kept_of(const Shape *s, double *kept, long channel) {
    double *here = kept + (size_t)channel * kept_size(s);
    double *mean = here + 4 * s->bins;
    return (Kept){here, here + s->bins, mean, mean + s->bands};
}

/* What is a channel's own of all that is given. */
typedef struct {
    const real *x, *taps, *gain, *offset;
    Kept kept;
} Channel;

static Channel channel_of(const Shape *s, const real *x, const real *weight, const real *gain, const real *offset,
                          double *kept, long c) {
    return (Channel){x + c * s->bins * s->columns, weight + TAPS * c, gain + c * s->bands, offset + c * s->bands,
                     kept_of(s, kept, c)};
}

static const real nothing[BLOCK];

static long middle(const Shape *s, long row) { return s->stride * row; }

/* A bin's columns from `at` on; zeros above the first and below the last. */
static const real *bin_at(const Shape *s, const real *x, long bin, long at) {
    return bin < 0 || bin >= s->bins ? nothing : x + (size_t)bin * (size_t)s->columns + at;
}

/* The three bins under a row's kernel; what the next block has of those that no row before has read is asked for. */
typedef struct {
    const real *below, *here, *above;
} Bins;

static Bins bins_at(const Shape *s, const real *x, long row, long at) {
    long bin = middle(s, row);
    Bins bins = {bin_at(s, x, bin - 1, at), bin_at(s, x, bin, at), bin_at(s, x, bin + 1, at)};
    if (s->stride > 1 && bin) fetch_next(bins.below, BLOCK);
    fetch_next(bins.here, BLOCK);
    return bins;
}

static long block_at(const Shape *s, long at) { return least(s->columns - at, BLOCK); }

/* How many values a band has. */
static double count_of(const Shape *s) { return (double)(s->rows / s->bands) * (double)s->columns; }

static long band_of(const Shape *s, long row) { return row / (s->rows / s->bands); }

/* The row whose kernel has a bin at a tap; -1 where there is none. */
static long row_over(const Shape *s, long bin, long tap) {
    long centre = bin + 1 - tap;
    return centre < 0 || centre % s->stride || centre / s->stride >= s->rows ? -1 : centre / s->stride;
}

/* The sum over columns of the product of two bins, from their kept ones; 0 where one is outside. */
static double product_of(const Shape *s, const Kept *kept, long a, long b) {
    long low = a < b ? a : b, high = a < b ? b : a;
    return low < 0 || high >= s->bins ? 0 : kept->products[3 * low + high - low];
}

static double sum_of(const Shape *s, const double *sums, long bin) {
    return bin < 0 || bin >= s->bins ? 0 : sums[bin];
}

static void add_moments(long count, const real *restrict x, const real *restrict next, const real *restrict over,
                        double *sum, double *products) {
    real of_x = 0, square = 0, with_next = 0, with_over = 0;
    for (long i = 0; i < count; i++) {
        of_x += x[i];
        square += x[i] * x[i];
        with_next += x[i] * next[i];
        with_over += x[i] * over[i];
    }
    *sum += of_x;
    products[0] += square;
    products[1] += with_next;
    products[2] += with_over;
}

static void find_moments(const Shape *s, const Channel *own) {
    const Kept *kept = &own->kept;
    memset(kept->sums, 0, kept_size(s) * sizeof(double));
    for (long at = 0; at < s->columns; at += BLOCK)
        for (long bin = 0; bin < s->bins; bin++) {
            const real *here = bin_at(s, own->x, bin, at);
            fetch_next(here, BLOCK);
            add_moments(block_at(s, at), here, bin_at(s, own->x, bin + 1, at), bin_at(s, own->x, bin + 2, at),
                        &kept->sums[bin], &kept->products[3 * bin]);
        }
    double count = count_of(s);
    for (long row = 0; row < s->rows; row++)
        for (long k = 0; k < TAPS; k++) {
            long bin = middle(s, row) + k - 1, band = band_of(s, row);
            kept->mean[band] += own->taps[k] * sum_of(s, kept->sums, bin) / count;
            for (long l = 0; l < TAPS; l++)
                kept->variance[band] +=
                    (double)own->taps[k] * own->taps[l] * product_of(s, kept, bin, middle(s, row) + l - 1) / count;
        }
    for (long band = 0; band < s->bands; band++) {
        double variance = kept->variance[band] - kept->mean[band] * kept->mean[band];
        kept->variance[band] = variance < 0 ? 0 : variance;
    }
}

static double scale_of(const Shape *s, const Channel *own, long row) {
    long band = band_of(s, row);
    return own->gain[band] / sqrt(own->kept.variance[band] + s->epsilon);
}

static double shift_of(const Shape *s, const Channel *own, long row) {
    long band = band_of(s, row);
    return own->offset[band] - own->kept.mean[band] * scale_of(s, own, row);
}

/* How much of each bin is in the mean over rows of what was normalised, and what else. */
static double find_shares(const Shape *s, const Channel *own, real *share) {
    for (long bin = 0; bin < s->bins; bin++) {
        double sum = 0;
        for (long k = 0; k < TAPS; k++) {
            long row = row_over(s, bin, k);
            sum += row < 0 ? 0 : own->taps[k] * scale_of(s, own, row);
        }
        share[bin] = (real)(sum / (double)s->rows);
    }
    double constant = 0;
    for (long row = 0; row < s->rows; row++) constant += shift_of(s, own, row) / (double)s->rows;
    return constant;
}

/* Moments of x, into `kept`, and the mean over rows of what was normalised, (channels, columns). */
void average_rows(const Shape *s, const real *x, const real *weight, const real *gain, const real *offset,
                  double *kept, real *average) {
#pragma omp parallel for num_threads((int)s->threads) schedule(static)
    for (long c = 0; c < s->channels; c++) {
        Channel own = channel_of(s, x, weight, gain, offset, kept, c);
        find_moments(s, &own);
        remember(s->running, c * s->bands, s->bands, own.kept.mean, own.kept.variance, count_of(s));
        real share[s->bins], constant = (real)find_shares(s, &own, share);
        for (long at = 0; at < s->columns; at += BLOCK) {
            long count = block_at(s, at);
            real block[BLOCK];
            for (long i = 0; i < count; i++) block[i] = constant;
            for (long bin = 0; bin < s->bins; bin++) {
                const real *here = bin_at(s, own.x, bin, at);
                real by = share[bin];
#pragma omp simd
                for (long i = 0; i < count; i++) block[i] += by * here[i];
            }
            memcpy(average + c * s->columns + at, block, (size_t)count * sizeof(real));
        }
    }
}

/* What a row is before ReLU: three bins times `by`, what is added, and an offset. */
typedef struct {
    real by[TAPS], offset;
} Sum;

static void find_sums(const Shape *s, const Channel *own, Sum *sums) {
    for (long row = 0; row < s->rows; row++) {
        double scale = scale_of(s, own, row);
        sums[row].offset = (real)shift_of(s, own, row);
        for (long k = 0; k < TAPS; k++) sums[row].by[k] = (real)(scale * own->taps[k] + (s->skip && k == 1));
    }
}

static inline real summed(const Sum *sum, real below, real here, real above, real added) {
    return sum->by[0] * below + sum->by[1] * here + sum->by[2] * above + sum->offset + added;
}

static void write_row(long count, Sum sum, Bins under, const real *restrict added, real *restrict y) {
    const real *restrict below = under.below, *restrict here = under.here, *restrict above = under.above;
#pragma omp simd
    for (long i = 0; i < count; i++) {
        real made = summed(&sum, below[i], here[i], above[i], added[i]);
        y[i] = made < 0 ? 0 : made; /* what is no number stays none */
    }
}

/* ReLU of what was normalised, with what is added to every row, (channels, columns), and x where the block skips. */
void write_outputs(const Shape *s, const real *x, const real *weight, const real *gain, const real *offset,
                   double *kept, const real *added, real *y) {
#pragma omp parallel for num_threads((int)s->threads) schedule(static)
    for (long c = 0; c < s->channels; c++) {
        Channel own = channel_of(s, x, weight, gain, offset, kept, c);
        Sum by[s->rows];
        find_sums(s, &own, by);
        for (long at = 0; at < s->columns; at += BLOCK)
            for (long row = 0; row < s->rows; row++)
                write_row(block_at(s, at), by[row], bins_at(s, own.x, row, at), added + c * s->columns + at,
                          y + (c * s->rows + row) * s->columns + at);
    }
}

/* Of a row's gradient what came through ReLU. */
static void read_gradient(long count, Sum sum, const real *restrict dy, Bins under, const real *restrict added,
                          real *restrict d) {
    const real *restrict below = under.below, *restrict here = under.here, *restrict above = under.above;
    fetch_next(dy, BLOCK);
#pragma omp simd
    for (long i = 0; i < count; i++) d[i] = summed(&sum, below[i], here[i], above[i], added[i]) > 0 ? dy[i] : 0;
}

static void add_products(long count, const real *restrict d, Bins under, real *restrict d_added, double *sums) {
    const real *restrict below = under.below, *restrict here = under.here, *restrict above = under.above;
    real sum = 0, with_below = 0, with_here = 0, with_above = 0;
    for (long i = 0; i < count; i++) {
        d_added[i] += d[i];
        sum += d[i];
        with_below += d[i] * below[i];
        with_here += d[i] * here[i];
        with_above += d[i] * above[i];
    }
    sums[0] += sum;
    sums[1] += with_below;
    sums[2] += with_here;
    sums[3] += with_above;
}

/* The gradient of what was added, (channels, columns), and of each row the sums of its gradient and of the gradient's
 * products with the three bins under the kernel, (channels, rows, 4). Whether a number came through ReLU is computed
 * anew: that takes less time than reading what came out. */
void sum_gradients(const Shape *s, const real *dy, const real *x, const real *weight, const real *gain,
                   const real *offset, double *kept, const real *added, real *d_added, double *sums) {
#pragma omp parallel for num_threads((int)s->threads) schedule(static)
    for (long c = 0; c < s->channels; c++) {
        Channel own = channel_of(s, x, weight, gain, offset, kept, c);
        double *rows = sums + 4 * s->rows * c;
        Sum by[s->rows];
        find_sums(s, &own, by);
        memset(rows, 0, (size_t)(4 * s->rows) * sizeof(double));
        for (long at = 0; at < s->columns; at += BLOCK) {
            real block[BLOCK] = {0};
            long count = block_at(s, at), here = c * s->columns + at;
            for (long row = 0; row < s->rows; row++) {
                Bins under = bins_at(s, own.x, row, at);
                real d[BLOCK];
                read_gradient(count, by[row], dy + (c * s->rows + row) * s->columns + at, under, added + here, d);
                add_products(count, d, under, block, rows + 4 * row);
            }
            memcpy(d_added + here, block, (size_t)count * sizeof(real));
        }
    }
}

/* What the gradients of a channel's parts hang on: of rows what `sum_gradients` gave; the sum of the average's gradient,
 * and of its products with each bin; of bands what the norm takes away from a row's gradient, a constant and so much of
 * what is normalised. */
typedef struct {
    const double *rows;
    double average, *with, *constant, *slope;
} Known;

/* A row's gradient times a bin under its kernel, that of the average in it. */
static double with_bin(const Shape *s, const Known *known, long row, long k) {
    return known->rows[4 * row + 1 + k] + sum_of(s, known->with, middle(s, row) + k - 1) / (double)s->rows;
}

static void know_average(const Shape *s, const Channel *own, const real *d_average, Known *known) {
    known->average = total(s->columns, d_average);
    memset(known->with, 0, (size_t)s->bins * sizeof(double));
    for (long at = 0; at < s->columns; at += BLOCK)
        for (long bin = 0; bin < s->bins; bin++)
            known->with[bin] += product(block_at(s, at), d_average + at, bin_at(s, own->x, bin, at));
}

static void derive_norm(const Shape *s, const Channel *own, Known *known, real *d_gain, real *d_offset) {
    double count = count_of(s), of_norm[s->bands], with_norm[s->bands];
    memset(of_norm, 0, sizeof of_norm);
    memset(with_norm, 0, sizeof with_norm);
    for (long row = 0; row < s->rows; row++) {
        long band = band_of(s, row);
        of_norm[band] += known->rows[4 * row] + known->average / (double)s->rows;
        for (long k = 0; k < TAPS; k++) with_norm[band] += own->taps[k] * with_bin(s, known, row, k);
    }
    for (long band = 0; band < s->bands; band++) {
        double deviation = sqrt(own->kept.variance[band] + s->epsilon), mean = own->kept.mean[band];
        double normalised = (with_norm[band] - mean * of_norm[band]) / deviation;
        d_gain[band] = (real)normalised;
        d_offset[band] = (real)of_norm[band];
        known->slope[band] = normalised / count / deviation;
        known->constant[band] = of_norm[band] / count - known->slope[band] * mean;
    }
}

static void derive_weight(const Shape *s, const Channel *own, const Known *known, real *d_weight) {
    double of_weight[TAPS] = {0};
    for (long row = 0; row < s->rows; row++)
        for (long k = 0; k < TAPS; k++) {
            long bin = middle(s, row) + k - 1, band = band_of(s, row);
            double sum = with_bin(s, known, row, k) - known->constant[band] * sum_of(s, own->kept.sums, bin);
            for (long l = 0; l < TAPS; l++)
                sum -= known->slope[band] * own->taps[l] * product_of(s, &own->kept, middle(s, row) + l - 1, bin);
            of_weight[k] += scale_of(s, own, row) * sum;
        }
    for (long k = 0; k < TAPS; k++) d_weight[k] = (real)of_weight[k];
}

/* What a row's gradient before its norm is made of: what came through ReLU, the average's, three bins, an offset. */
typedef struct {
    real scale, of_average, by[TAPS], offset;
} Gradient;

static void unnormalise_row(long count, Gradient gradient, const real *restrict d, const real *restrict d_average,
                            Bins under, real *restrict dz) {
    const real *restrict below = under.below, *restrict here = under.here, *restrict above = under.above;
    real scale = gradient.scale, of_average = gradient.of_average, offset = gradient.offset;
    real a = gradient.by[0], b = gradient.by[1], c = gradient.by[2];
#pragma omp simd
    for (long i = 0; i < count; i++)
        dz[i] = scale * d[i] + of_average * d_average[i] - (a * below[i] + b * here[i] + c * above[i]) - offset;
}

/* A bin's gradient, of the rows whose kernels have it, and of the one it was added to. */
static void write_bin(long count, const real *const *over, const real *weight, const real *restrict skipped,
                      real *restrict dx) {
    const real *restrict after = over[0], *restrict here = over[1], *restrict before = over[2];
    real a = weight[0], b = weight[1], c = weight[2];
#pragma omp simd
    for (long i = 0; i < count; i++) dx[i] = a * after[i] + b * here[i] + c * before[i] + skipped[i];
}

static void find_gradients(const Shape *s, const Channel *own, const Known *known, Gradient *gradients) {
    for (long row = 0; row < s->rows; row++) {
        long band = band_of(s, row);
        double scale = scale_of(s, own, row);
        Gradient *made = &gradients[row];
        made->scale = (real)scale;
        made->of_average = (real)(scale / (double)s->rows);
        made->offset = (real)(scale * known->constant[band]);
        for (long k = 0; k < TAPS; k++) made->by[k] = (real)(scale * known->slope[band] * own->taps[k]);
    }
}

/* A channel's gradient of x; `dy`, `added`, `d_average` and `dx` are its own. */
static void derive_bins(const Shape *s, const Channel *own, const Known *known, const real *dy, const real *added,
                        const real *d_average, real *dx) {
    Sum by[s->rows];
    Gradient gradients[s->rows];
    real dz[s->rows * BLOCK], d[s->rows * BLOCK];
    find_sums(s, own, by);
    find_gradients(s, own, known, gradients);
    for (long at = 0; at < s->columns; at += BLOCK) {
        long count = block_at(s, at);
        for (long row = 0; row < s->rows; row++) {
            Bins under = bins_at(s, own->x, row, at);
            real *through = d + row * BLOCK;
            read_gradient(count, by[row], dy + row * s->columns + at, under, added + at, through);
            unnormalise_row(count, gradients[row], through, d_average + at, under, dz + row * BLOCK);
        }
        for (long bin = 0; bin < s->bins; bin++) {
            const real *over[TAPS];
            for (long k = 0; k < TAPS; k++) {
                long row = row_over(s, bin, k);
                over[k] = row < 0 ? nothing : dz + row * BLOCK;
            }
            write_bin(count, over, own->taps, s->skip ? d + bin * BLOCK : nothing, dx + bin * s->columns + at);
        }
    }
}

/* The gradients of x, and of weight, gain and offset, from that of the average and from what `sum_gradients` gave. */
void write_gradients(const Shape *s, const real *dy, const real *x, const real *weight, const real *gain,
                     const real *offset, double *kept, const real *added, const double *sums, const real *d_average,
                     real *dx, real *d_weight, real *d_gain, real *d_offset) {
#pragma omp parallel for num_threads((int)s->threads) schedule(static)
    for (long c = 0; c < s->channels; c++) {
        long columns = c * s->columns;
        double with[s->bins], constant[s->bands], slope[s->bands];
        Channel own = channel_of(s, x, weight, gain, offset, kept, c);
        Known known = {sums + 4 * s->rows * c, 0, with, constant, slope};
        know_average(s, &own, d_average + columns, &known);
        derive_norm(s, &own, &known, d_gain + c * s->bands, d_offset + c * s->bands);
        derive_weight(s, &own, &known, d_weight + TAPS * c);
        derive_bins(s, &own, &known, dy + s->rows * columns, added + columns, d_average + columns,
                    dx + s->bins * columns);
    }
}
