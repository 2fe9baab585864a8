/* The layers of small networks, on numbers that lie in a row: channels, then bins, then time. */
#ifndef SAYSO_LAYERS_H
#define SAYSO_LAYERS_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Weights as float, or as int8 with a scale for each output channel, which are expanded as they are used. */
struct sayso_weights {
    const float *wide;
    const int8_t *narrow; /* Where `wide` is none. */
    const float *scales;
};

static inline float sayso_weight(const struct sayso_weights *weights, int32_t place) {
    return weights->wide ? weights->wide[place] : (float)weights->narrow[place];
}

static inline float sayso_scale(const struct sayso_weights *weights, int channel) {
    return weights->wide ? 1 : weights->scales[channel];
}

/* A convolution over rows and columns; of one row, over time. */
struct sayso_convolution {
    struct sayso_weights weights; /* (out, in / groups, kernel rows, kernel columns) */
    const float *bias;            /* (out), or none */
    int32_t in[3], out[3];        /* channels, rows, columns */
    int32_t kernel[2], stride[2], dilation[2], before[2];
    int32_t groups, relu;
};

/* The outputs that a kernel's place reaches within the input: from *first to before *last. */
static inline void sayso_reach(int shift, int stride, int in, int out, int *first, int *last) {
    int end = in - 1 - shift;
    *first = shift < 0 ? (-shift + stride - 1) / stride : 0;
    *last = end < 0 ? 0 : end / stride + 1;
    if (*last > out) *last = out;
}

static inline void sayso_convolve_plane(
    const struct sayso_convolution *layer, const float *in, int32_t place, float scale, float *out) {
    for (int ky = 0; ky < layer->kernel[0]; ky++) {
        int shift_y = ky * layer->dilation[0] - layer->before[0], top, bottom;
        sayso_reach(shift_y, layer->stride[0], layer->in[1], layer->out[1], &top, &bottom);
        for (int kx = 0; kx < layer->kernel[1]; kx++, place++) {
            int shift = kx * layer->dilation[1] - layer->before[1], stride = layer->stride[1], first, last;
            float weight = scale * sayso_weight(&layer->weights, place);
            sayso_reach(shift, stride, layer->in[2], layer->out[2], &first, &last);
            for (int y = top; y < bottom; y++) {
                const float *from = in + (y * layer->stride[0] + shift_y) * layer->in[2] + shift;
                float *to = out + y * layer->out[2];
                for (int x = first; x < last; x++) to[x] += weight * from[x * stride];
            }
        }
    }
}

static inline void sayso_convolve(const struct sayso_convolution *layer, const float *in, float *out) {
    int32_t in_size = layer->in[1] * layer->in[2], out_size = layer->out[1] * layer->out[2];
    int32_t of_group = layer->in[0] / layer->groups, kernel = layer->kernel[0] * layer->kernel[1];
    for (int channel = 0; channel < layer->out[0]; channel++, out += out_size) {
        const float *from = in + channel / (layer->out[0] / layer->groups) * of_group * in_size;
        float scale = sayso_scale(&layer->weights, channel), bias = layer->bias ? layer->bias[channel] : 0;
        for (int i = 0; i < out_size; i++) out[i] = bias;
        for (int i = 0; i < of_group; i++)
            sayso_convolve_plane(layer, from + i * in_size, (channel * of_group + i) * kernel, scale, out);
        for (int i = 0; layer->relu && i < out_size; i++)
            if (out[i] < 0) out[i] = 0;
    }
}

struct sayso_dense {
    struct sayso_weights weights; /* (out, in) */
    const float *bias;            /* (out), or none */
    int32_t rows, in, out, relu;
};

static inline void sayso_multiply(const struct sayso_dense *layer, const float *in, float *out) {
    for (int row = 0; row < layer->rows; row++, in += layer->in)
        for (int channel = 0; channel < layer->out; channel++, out++) {
            float sum = 0;
            for (int i = 0; i < layer->in; i++)
                sum += sayso_weight(&layer->weights, channel * layer->in + i) * in[i];
            sum = sum * sayso_scale(&layer->weights, channel) + (layer->bias ? layer->bias[channel] : 0);
            *out = layer->relu && sum < 0 ? 0 : sum;
        }
}

enum sayso_operation {
    SAYSO_ADD, SAYSO_SUBTRACT, SAYSO_MULTIPLY, SAYSO_DIVIDE, SAYSO_MAXIMUM, SAYSO_MINIMUM, SAYSO_POWER,
    SAYSO_LOG, SAYSO_EXP, SAYSO_SQRT, SAYSO_ABS, SAYSO_NEGATE, SAYSO_SIGMOID, SAYSO_TANH
};

static inline float sayso_of_two(int operation, float a, float b) {
    switch (operation) {
        case SAYSO_ADD: return a + b;
        case SAYSO_SUBTRACT: return a - b;
        case SAYSO_MULTIPLY: return a * b;
        case SAYSO_DIVIDE: return a / b;
        case SAYSO_MAXIMUM: return a > b ? a : b;
        case SAYSO_POWER: return powf(a, b);
        default: return a < b ? a : b;
    }
}

static inline float sayso_of_one(int operation, float a) {
    switch (operation) {
        case SAYSO_LOG: return logf(a);
        case SAYSO_EXP: return expf(a);
        case SAYSO_SQRT: return sqrtf(a);
        case SAYSO_ABS: return fabsf(a);
        case SAYSO_NEGATE: return -a;
        case SAYSO_SIGMOID: return 1 / (1 + expf(-a));
        default: return tanhf(a);
    }
}

/* Two operands of which either may stand for several: its step over an axis is 0 then. `out` may be one of them. */
struct sayso_pairs {
    int32_t operation, relu, shape[4], a[4], b[4];
};

static inline void sayso_combine(const struct sayso_pairs *layer, const float *a, const float *b, float *out) {
    const int32_t *shape = layer->shape, *by_a = layer->a, *by_b = layer->b;
    for (int i = 0; i < shape[0]; i++)
        for (int j = 0; j < shape[1]; j++)
            for (int k = 0; k < shape[2]; k++) {
                const float *left = a + i * by_a[0] + j * by_a[1] + k * by_a[2];
                const float *right = b + i * by_b[0] + j * by_b[1] + k * by_b[2];
                for (int l = 0; l < shape[3]; l++, out++) {
                    float value = sayso_of_two(layer->operation, left[l * by_a[3]], right[l * by_b[3]]);
                    *out = layer->relu && value < 0 ? 0 : value;
                }
            }
}

static inline void sayso_apply(int operation, int32_t count, const float *in, float *out) {
    for (int i = 0; i < count; i++) out[i] = sayso_of_one(operation, in[i]);
}

static inline void sayso_clip(float least, float most, int32_t count, const float *in, float *out) {
    for (int i = 0; i < count; i++) out[i] = in[i] < least ? least : in[i] > most ? most : in[i];
}

static inline void sayso_leak(float slope, int32_t count, const float *in, float *out) {
    for (int i = 0; i < count; i++) out[i] = in[i] < 0 ? slope * in[i] : in[i];
}

static inline void sayso_fill(int32_t count, float value, float *out) {
    for (int i = 0; i < count; i++) out[i] = value;
}

/* Numbers from one place to another, each by its own steps over the axes. */
struct sayso_move {
    int32_t shape[4], in[4], out[4];
};

static inline void sayso_copy(const struct sayso_move *layer, const float *in, float *out) {
    const int32_t *shape = layer->shape, *from = layer->in, *to = layer->out;
    for (int i = 0; i < shape[0]; i++)
        for (int j = 0; j < shape[1]; j++)
            for (int k = 0; k < shape[2]; k++)
                for (int l = 0; l < shape[3]; l++)
                    out[i * to[0] + j * to[1] + k * to[2] + l * to[3]] =
                        in[i * from[0] + j * from[1] + k * from[2] + l * from[3]];
}

/* Mean, sum or maximum over the middle one of three axes. */
struct sayso_reduction {
    int32_t outer, count, inner, is_maximum;
    float factor;
};

static inline void sayso_reduce(const struct sayso_reduction *layer, const float *in, float *out) {
    for (int i = 0; i < layer->outer; i++, in += layer->count * layer->inner)
        for (int k = 0; k < layer->inner; k++) {
            float value = in[k];
            for (int j = 1; j < layer->count; j++) {
                float next = in[j * layer->inner + k];
                value = !layer->is_maximum ? value + next : next > value ? next : value;
            }
            *out++ = layer->is_maximum ? value : value * layer->factor;
        }
}

struct sayso_pooling {
    int32_t channels, in[2], out[2], kernel[2], stride[2], before[2], is_maximum, counts_padding;
};

static inline float sayso_pool_one(const struct sayso_pooling *layer, const float *in, int y, int x) {
    float value = layer->is_maximum ? -INFINITY : 0;
    int count = 0;
    for (int ky = 0; ky < layer->kernel[0]; ky++)
        for (int kx = 0; kx < layer->kernel[1]; kx++) {
            int row = y * layer->stride[0] + ky - layer->before[0], column = x * layer->stride[1] + kx - layer->before[1];
            if (row < 0 || row >= layer->in[0] || column < 0 || column >= layer->in[1]) continue;
            float next = in[row * layer->in[1] + column];
            value = !layer->is_maximum ? value + next : next > value ? next : value;
            count++;
        }
    if (layer->counts_padding) count = layer->kernel[0] * layer->kernel[1];
    return layer->is_maximum ? value : value / (float)count;
}

static inline void sayso_pool(const struct sayso_pooling *layer, const float *in, float *out) {
    for (int channel = 0; channel < layer->channels; channel++, in += layer->in[0] * layer->in[1])
        for (int y = 0; y < layer->out[0]; y++)
            for (int x = 0; x < layer->out[1]; x++) *out++ = sayso_pool_one(layer, in, y, x);
}

/* What a stream carries: rows that move on by what is new, which comes in at their end. */
struct sayso_ring {
    int32_t rows, length, fresh;
};

static inline void sayso_carry(const struct sayso_ring *layer, const float *in, float *ring) {
    int32_t kept = layer->length - layer->fresh;
    for (int row = 0; row < layer->rows; row++, ring += layer->length, in += layer->fresh) {
        memmove(ring, ring + layer->fresh, (size_t)kept * sizeof *ring);
        memcpy(ring + kept, in, (size_t)layer->fresh * sizeof *ring);
    }
}

/* The same where only what a hop must know of earlier ones is kept, (rows, length - fresh). */
static inline void sayso_join(const struct sayso_ring *layer, const float *in, float *kept, float *rows) {
    int32_t before = layer->length - layer->fresh;
    for (int row = 0; row < layer->rows; row++, rows += layer->length, in += layer->fresh, kept += before) {
        memcpy(rows, kept, (size_t)before * sizeof *rows);
        memcpy(rows + before, in, (size_t)layer->fresh * sizeof *rows);
        memcpy(kept, rows + layer->fresh, (size_t)before * sizeof *rows);
    }
}

#endif
