/* Rows mapped to others by the same weights in every group, and ReLU: forward and back, and the moments for their norm.
 *
 * See across.py. What comes in lies by groups and inputs as its strides say, with columns in a row; what comes out
 * (outputs, groups, columns). Sums are of chunks of columns first, whose number hangs on the shape alone, so that none
 * hangs on the number of threads. Columns go in blocks that stay in the nearest cache, two rows by four at a time.
 */

#include "real.h"

enum { WIDTH = 1024, TILE = 4 };

typedef struct {
    long inputs, outputs, groups, columns, chunk, input_stride, group_stride, threads; /* chunk: columns of one sum */
} Map;

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

static void add_row(long count, long inputs, const real *x, long stride, const real *weight, long input_stride,
                    real *restrict made) {
    for (long input = 0; input < inputs; input++) {
        const real *restrict here = x + input * stride;
        real by = weight[input * input_stride];
#pragma omp simd
        for (long i = 0; i < count; i++) made[i] += by * here[i];
    }
}

/* made[r] += sum of weight[r, q] x[q], for `TILE` rows r at once and any number of q. */
static void add_tile(long count, long inputs, const real *x, long stride, const real *weight, long row_stride,
                     long input_stride, real *restrict made) {
    real *restrict to_a = made, *restrict to_b = made + WIDTH, *restrict to_c = made + 2 * WIDTH;
    real *restrict to_d = made + 3 * WIDTH;
    const real *w_a = weight, *w_b = w_a + row_stride, *w_c = w_b + row_stride, *w_d = w_c + row_stride;
    long input = 0;
    for (; input + 2 <= inputs; input += 2) {
        const real *restrict x_a = x + input * stride, *restrict x_b = x_a + stride;
        long at = input * input_stride, next = at + input_stride;
        real aa = w_a[at], ab = w_a[next], ba = w_b[at], bb = w_b[next];
        real ca = w_c[at], cb = w_c[next], da = w_d[at], db = w_d[next];
#pragma omp simd
        for (long i = 0; i < count; i++) {
            to_a[i] += aa * x_a[i] + ab * x_b[i];
            to_b[i] += ba * x_a[i] + bb * x_b[i];
            to_c[i] += ca * x_a[i] + cb * x_b[i];
            to_d[i] += da * x_a[i] + db * x_b[i];
        }
    }
    for (long row = 0; input < inputs && row < TILE; row++)
        add_row(count, 1, x + input * stride, stride, weight + row * row_stride + input * input_stride, input_stride,
                made + row * WIDTH);
}

/* made[r, i] += sum of weight[r, q] x[q, i]; rows of `made` lie WIDTH apart. */
static void multiply(long count, long rows, long inputs, const real *x, long stride, const real *weight,
                     long row_stride, long input_stride, real *made) {
    long row = 0;
    for (; row + TILE <= rows; row += TILE)
        add_tile(count, inputs, x, stride, weight + row * row_stride, row_stride, input_stride, made + row * WIDTH);
    for (; row < rows; row++)
        add_row(count, inputs, x, stride, weight + row * row_stride, input_stride, made + row * WIDTH);
}

/* Two rows with four at once. */
static void add_two_products(long count, const real *x, long x_stride, const real *y, long y_stride, double *sums,
                             long sums_stride) {
    const real *restrict own = x, *restrict other = x + x_stride;
    const real *restrict a = y, *restrict b = a + y_stride, *restrict c = b + y_stride, *restrict d = c + y_stride;
    real own_a = 0, own_b = 0, own_c = 0, own_d = 0, other_a = 0, other_b = 0, other_c = 0, other_d = 0;
    for (long i = 0; i < count; i++) {
        own_a += own[i] * a[i];
        own_b += own[i] * b[i];
        own_c += own[i] * c[i];
        own_d += own[i] * d[i];
        other_a += other[i] * a[i];
        other_b += other[i] * b[i];
        other_c += other[i] * c[i];
        other_d += other[i] * d[i];
    }
    double *next = sums + sums_stride;
    sums[0] += own_a, sums[1] += own_b, sums[2] += own_c, sums[3] += own_d;
    next[0] += other_a, next[1] += other_b, next[2] += other_c, next[3] += other_d;
}

/* sums[r, q] += sum over columns of x[r] y[q]; with `lower` only those of q up to the last tile that r is in. */
static void add_all_products(long count, long rows, const real *x, long x_stride, long others, const real *y,
                             long y_stride, int lower, double *sums) {
    long row = 0;
    for (; row + 2 <= rows; row += 2) {
        long last = lower ? least(others, row + 2) : others, other = 0;
        for (; other < last && other + TILE <= others; other += TILE)
            add_two_products(count, x + row * x_stride, x_stride, y + other * y_stride, y_stride,
                             sums + row * others + other, others);
        for (; other < last; other++) {
            sums[row * others + other] += product(count, x + row * x_stride, y + other * y_stride);
            sums[(row + 1) * others + other] += product(count, x + (row + 1) * x_stride, y + other * y_stride);
        }
    }
    for (; row < rows; row++)
        for (long other = 0; other < others; other++)
            sums[row * others + other] += product(count, x + row * x_stride, y + other * y_stride);
}

static void add_sums(long count, long rows, const real *x, long stride, double *sums) {
    for (long row = 0; row < rows; row++) sums[row] += total(count, x + row * stride);
}

static void gather(long chunks, long width, const double *room, double *sums) {
    memset(sums, 0, (size_t)width * sizeof(double));
    for (long chunk = 0; chunk < chunks; chunk++)
        for (long i = 0; i < width; i++) sums[i] += room[chunk * width + i];
}

/* Sums over groups and columns of the products of inputs, and of inputs: (inputs * inputs + inputs). `room` is as much
 * for each chunk. */
void sum_inputs(const Map *m, const real *x, double *room, double *sums) {
    long tasks = m->groups * chunks_of(m), inputs = m->inputs, width = inputs * inputs + inputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        double *of = room + task * width;
        memset(of, 0, (size_t)width * sizeof(double));
        for (long at = here.start; at < here.end; at += WIDTH) {
            long count = least(WIDTH, here.end - at), stride = m->input_stride;
            add_all_products(count, inputs, own + at, stride, inputs, own + at, stride, 1, of);
            add_sums(count, inputs, own + at, stride, of + inputs * inputs);
        }
    }
    gather(tasks, width, room, sums);
    for (long row = 0; row < inputs; row++)
        for (long other = row + 1; other < inputs; other++) sums[row * inputs + other] = sums[other * inputs + row];
}

/* ReLU of what weights and shifts make of it. */
void write_mapped(const Map *m, const real *x, const real *weight, const real *shift, real *y) {
    long tasks = m->groups * chunks_of(m);
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        real z[m->outputs * WIDTH];
        for (long at = here.start; at < here.end; at += WIDTH) {
            long count = least(WIDTH, here.end - at);
            for (long output = 0; output < m->outputs; output++)
                for (long i = 0; i < count; i++) z[output * WIDTH + i] = shift[output];
            multiply(count, m->outputs, m->inputs, own + at, m->input_stride, weight, m->inputs, 1, z);
            for (long output = 0; output < m->outputs; output++) {
                const real *restrict from = z + output * WIDTH;
                real *restrict to = y + output_at(m, output, here.group, at);
                for (long i = 0; i < count; i++) to[i] = from[i] < 0 ? 0 : from[i]; /* what is no number stays none */
            }
        }
    }
}

/* What comes through ReLU, as blocks. */
static void read_gradients(const Map *m, long count, const real *dy, const real *y, long group, long at, real *d) {
    for (long output = 0; output < m->outputs; output++) {
        const real *restrict from = dy + output_at(m, output, group, at);
        const real *restrict out = y + output_at(m, output, group, at);
        real *restrict to = d + output * WIDTH;
        for (long i = 0; i < count; i++) to[i] = out[i] > 0 ? from[i] : 0;
    }
}

/* Sums of the products of outputs' gradients and inputs, and of gradients: (outputs * inputs + outputs). */
void sum_mapped(const Map *m, const real *dy, const real *y, const real *x, double *room, double *sums) {
    long tasks = m->groups * chunks_of(m), products = m->outputs * m->inputs, width = products + m->outputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        double *of = room + task * width;
        real d[m->outputs * WIDTH];
        memset(of, 0, (size_t)width * sizeof(double));
        for (long at = here.start; at < here.end; at += WIDTH) {
            long count = least(WIDTH, here.end - at);
            read_gradients(m, count, dy, y, here.group, at, d);
            add_all_products(count, m->outputs, d, WIDTH, m->inputs, own + at, m->input_stride, 0, of);
            add_sums(count, m->outputs, d, WIDTH, of + products);
        }
    }
    gather(tasks, width, room, sums);
}

/* The gradient of x, (inputs, groups, columns): of outputs by `weight`, of the moments by `of_products` and `of_sums`. */
void write_inputs(const Map *m, const real *dy, const real *y, const real *x, const real *weight,
                  const real *of_products, const real *of_sums, real *dx) {
    long tasks = m->groups * chunks_of(m), inputs = m->inputs;
#pragma omp parallel for num_threads((int)m->threads) schedule(static)
    for (long task = 0; task < tasks; task++) {
        Task here = task_of(m, task);
        const real *own = x + here.group * m->group_stride;
        real d[m->outputs * WIDTH], made[inputs * WIDTH];
        for (long at = here.start; at < here.end; at += WIDTH) {
            long count = least(WIDTH, here.end - at);
            read_gradients(m, count, dy, y, here.group, at, d);
            for (long input = 0; input < inputs; input++)
                for (long i = 0; i < count; i++) made[input * WIDTH + i] = of_sums[input];
            multiply(count, inputs, m->outputs, d, WIDTH, weight, 1, inputs, made);
            multiply(count, inputs, inputs, own + at, m->input_stride, of_products, inputs, 1, made);
            for (long input = 0; input < inputs; input++)
                memcpy(dx + (input * m->groups + here.group) * m->columns + at, made + input * WIDTH,
                       (size_t)count * sizeof(real));
        }
    }
}
