/* Rows mapped to others by the same weights in every group, and ReLU: forward and back, and the moments for their norm.
 *
 * See across.py. What comes in lies by groups and inputs as its strides say, with columns in a row; what comes out
 * (outputs, groups, columns). Sums are of chunks of columns first, whose number hangs on the shape alone, so that none
 * hangs on the number of threads. Columns go in blocks of whole vectors; of the last one what is there is copied, with
 * zeros after it.
 */

#include "matrices.h"

typedef struct {
    long inputs, outputs, groups, columns, chunk, input_stride, group_stride, threads; /* chunk: columns of one sum */
    double epsilon;
    Running running;
} Map;

/* Of inputs the means and those of their products, of outputs mean and variance before their norm. */
typedef struct {
    double *products, *means, *mean, *variance;
} Moments;

static Moments moments_of(const Map *m, double *kept) {
    double *means = kept + m->inputs * m->inputs, *mean = means + m->inputs;
    return (Moments){kept, means, mean, mean + m->outputs};
}

typedef struct {
    long group, start, end;
} Task;

static long chunks_of(const Map *m) { return (m->columns + m->chunk - 1) / m->chunk; }

static Task task_of(const Map *m, long task) {
    long chunks = chunks_of(m), start = task % chunks * m->chunk;
    return (Task){task / chunks, start, least(start + m->chunk, m->columns)};
}

static long output_at(const Map *m, long output, long group, long at) {
    return (output * m->groups + group) * m->columns + at;
}

static void add_sums(long width, long rows, Rows x, double *sums) {
    for (long row = 0; row < rows; row++) sums[row] += total(width, x.x + row * x.stride);
}

static void gather(long chunks, long width, const double *room, double *sums) {
    memset(sums, 0, (size_t)width * sizeof(double));
    for (long chunk = 0; chunk < chunks; chunk++)
        for (long i = 0; i < width; i++) sums[i] += room[chunk * width + i];
}

/* Sums over groups and columns of the products of inputs, and of inputs: (inputs * inputs + inputs). `room` is as much
 * for each chunk. */
static void sum_inputs(const Map *m, const real *x, double *room, double *sums) {
    long tasks = m->groups * chunks_of(m), inputs = m->inputs, width = inputs * inputs + inputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        double *of = room + task * width;
        real block[inputs * BLOCK];
        lanes held[room_of(inputs, inputs)];
        memset(held, 0, sizeof held);
        memset(of, 0, (size_t)width * sizeof(double));
        for (long at = here.start; at < here.end; at += BLOCK) {
            long count = least(BLOCK, here.end - at), span = up_to(count, LANES);
            Rows own = rows_at(count, span, inputs, x + here.group * m->group_stride + at, m->input_stride, block);
            add_products(span, inputs, own, inputs, own, 1, held);
            add_sums(span, inputs, own, of + inputs * inputs);
        }
        sum_products(inputs, inputs, held, of);
    }
    gather(tasks, width, room, sums);
    for (long row = 0; row < inputs; row++)
        for (long other = row + 1; other < inputs; other++) sums[row * inputs + other] = sums[other * inputs + row];
}

/* What an input varies with the sum of all by `weight`. */
static double covariance(const Map *m, Moments of, const real *weight, long input) {
    double sum = 0;
    for (long other = 0; other < m->inputs; other++)
        sum += weight[other] * (of.products[input * m->inputs + other] - of.means[input] * of.means[other]);
    return sum;
}

static void find_moments(const Map *m, const real *weight, Moments of) {
    long inputs = m->inputs;
    double count = (double)m->groups * (double)m->columns;
    for (long i = 0; i < inputs * inputs; i++) of.products[i] /= count;
    for (long i = 0; i < inputs; i++) of.means[i] /= count;
    for (long output = 0; output < m->outputs; output++) {
        const real *own = weight + output * inputs;
        double mean = 0, variance = 0;
        for (long input = 0; input < inputs; input++) {
            mean += own[input] * of.means[input];
            variance += own[input] * covariance(m, of, own, input);
        }
        of.mean[output] = mean;
        of.variance[output] = variance < 0 ? 0 : variance;
    }
    remember(m->running, 0, m->outputs, of.mean, of.variance, count);
}

static double scale_of(const Map *m, Moments of, const real *gain, long output) {
    return gain[output] / sqrt(of.variance[output] + m->epsilon);
}

/* The moments of x, into `kept`, and ReLU of what weights and their norm make of it. `room` is inputs * inputs
 * + inputs for each chunk. */
void write_mapped(const Map *m, const real *x, const real *weight, const real *gain, const real *offset, double *room,
                  double *kept, real *y) {
    long tasks = m->groups * chunks_of(m), inputs = m->inputs;
    Moments of = moments_of(m, kept);
    sum_inputs(m, x, room, kept);
    find_moments(m, weight, of);
    real matrix[m->outputs * inputs], shift[m->outputs];
    for (long output = 0; output < m->outputs; output++) {
        double scale = scale_of(m, of, gain, output);
        shift[output] = (real)(offset[output] - of.mean[output] * scale);
        for (long i = output * inputs; i < (output + 1) * inputs; i++) matrix[i] = (real)(scale * weight[i]);
    }
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        for (long at = here.start; at < here.end; at += SPAN) {
            long count = least(SPAN, here.end - at);
            real strip[inputs * SPAN];
            Rows under = rows_at(count, SPAN, inputs, own + at, m->input_stride, strip);
            for (long output = 0; output < m->outputs; output += DOWN) {
                lanes z[DOWN][2];
                begin(output, m->outputs, shift, z);
                multiply(output, m->outputs, inputs, under, matrix, inputs, z);
                for (long r = 0; r < least(DOWN, m->outputs - output); r++) {
                    z[r][0] = rectified(z[r][0]), z[r][1] = rectified(z[r][1]);
                    write_columns(count, z[r], y + output_at(m, output + r, here.group, at));
                }
            }
        }
    }
}

/* What comes through ReLU, as blocks of `width`, with zeros after `count`. */
static inline void read_gradients(const Map *m, long count, long width, const real *dy, const real *y, long group,
                                  long at, real *d) {
    for (long output = 0; output < m->outputs; output++) {
        const real *restrict from = dy + output_at(m, output, group, at);
        const real *restrict out = y + output_at(m, output, group, at);
        real *restrict to = d + output * width;
        if (count == width)
            for (long i = 0; i < width; i += LANES) store(to + i, through(load(from + i), load(out + i)));
        else
            for (long i = 0; i < width; i++) to[i] = i < count && out[i] > 0 ? from[i] : 0;
    }
}

/* Sums of the products of outputs' gradients and inputs, and of gradients: (outputs * inputs + outputs). */
static void sum_mapped(const Map *m, const real *dy, const real *y, const real *x, double *room, double *sums) {
    long tasks = m->groups * chunks_of(m), products = m->outputs * m->inputs, width = products + m->outputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        double *of = room + task * width;
        real d[m->outputs * BLOCK], block[m->inputs * BLOCK];
        lanes held[room_of(m->outputs, m->inputs)];
        memset(held, 0, sizeof held);
        memset(of, 0, (size_t)width * sizeof(double));
        for (long at = here.start; at < here.end; at += BLOCK) {
            long count = least(BLOCK, here.end - at), span = up_to(count, LANES);
            read_gradients(m, count, span, dy, y, here.group, at, d);
            Rows given = {d, span};
            Rows own = rows_at(count, span, m->inputs, x + here.group * m->group_stride + at, m->input_stride, block);
            add_products(span, m->outputs, given, m->inputs, own, 0, held);
            add_sums(span, m->outputs, given, of + products);
        }
        sum_products(m->outputs, m->inputs, held, of);
    }
    gather(tasks, width, room, sums);
}

/* What the gradient of x is: a weight for each output and each input, (inputs, outputs + inputs), and a shift. */
typedef struct {
    real *matrix, *shift;
} Gradient;

/* The gradients of what is learned, and what that of x is made of, from what `sum_mapped` gave. */
static void derive_map(const Map *m, Moments of, const real *weight, const real *gain, const double *sums,
                       Gradient made, real *d_weight, real *d_gain, real *d_offset) {
    long inputs = m->inputs, count = m->groups * m->columns, width = m->outputs + inputs;
    const double *of_outputs = sums + m->outputs * inputs;
    double of_products[inputs * inputs], of_means[inputs];
    memset(of_products, 0, sizeof of_products);
    memset(of_means, 0, sizeof of_means);
    for (long output = 0; output < m->outputs; output++) {
        const real *own = weight + output * inputs;
        const double *with = sums + output * inputs;
        double scale = scale_of(m, of, gain, output), variance = of.variance[output];
        double deviation = sqrt(variance + m->epsilon), of_scale = -of_outputs[output] * of.mean[output];
        for (long input = 0; input < inputs; input++) of_scale += with[input] * own[input];
        double of_mean = -of_outputs[output] * scale;
        double of_variance = variance > 0 ? -of_scale * scale / (deviation * deviation) : 0; /* twice */
        d_gain[output] = (real)(of_scale / deviation);
        d_offset[output] = (real)of_outputs[output];
        for (long input = 0; input < inputs; input++) {
            d_weight[output * inputs + input] = (real)(scale * with[input] + of_mean * of.means[input] +
                                                       of_variance * covariance(m, of, own, input));
            made.matrix[input * width + output] = (real)(scale * own[input]);
            of_means[input] += (of_mean - of_variance * of.mean[output]) * own[input];
            for (long other = 0; other < inputs; other++)
                of_products[input * inputs + other] += of_variance * own[input] * own[other];
        }
    }
    for (long input = 0; input < inputs; input++) {
        real *others = made.matrix + input * width + m->outputs;
        for (long i = 0; i < inputs; i++) others[i] = (real)(of_products[input * inputs + i] / (double)count);
        made.shift[input] = (real)(of_means[input] / (double)count);
    }
}

/* The gradient of x, (inputs, groups, columns). */
static void write_inputs(const Map *m, const real *dy, const real *y, const real *x, Gradient of, real *dx) {
    long tasks = m->groups * chunks_of(m), inputs = m->inputs, width = m->outputs + inputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        real d[m->outputs * BLOCK], strip[inputs * SPAN];
        for (long at = here.start; at < here.end; at += SPAN) {
            long count = least(SPAN, here.end - at), within = (at - here.start) % BLOCK;
            if (!within) read_gradients(m, least(BLOCK, here.end - at), BLOCK, dy, y, here.group, at, d);
            Rows given = {d + within, BLOCK}, under = rows_at(count, SPAN, inputs, own + at, m->input_stride, strip);
            for (long input = 0; input < inputs; input += DOWN) {
                lanes made[DOWN][2];
                begin(input, inputs, of.shift, made);
                multiply(input, inputs, m->outputs, given, of.matrix, width, made);
                multiply(input, inputs, inputs, under, of.matrix + m->outputs, width, made);
                for (long r = 0; r < least(DOWN, inputs - input); r++)
                    write_columns(count, made[r], dx + ((input + r) * m->groups + here.group) * m->columns + at);
            }
        }
    }
}

/* The gradients of weight, gain and offset, and of x, (inputs, groups, columns), where there is room for it. `room` is
 * outputs * inputs + outputs for each chunk. */
void derive_mapped(const Map *m, const real *dy, const real *y, const real *x, const real *weight, const real *gain,
                   double *room, double *kept, real *d_weight, real *d_gain, real *d_offset, real *dx) {
    long inputs = m->inputs;
    real matrix[inputs * (m->outputs + inputs)], shift[inputs];
    double sums[m->outputs * (inputs + 1)];
    Gradient of = {matrix, shift};
    sum_mapped(m, dy, y, x, room, sums);
    derive_map(m, moments_of(m, kept), weight, gain, sums, of, d_weight, d_gain, d_offset);
    if (dx) write_inputs(m, dy, y, x, of, dx);
}
