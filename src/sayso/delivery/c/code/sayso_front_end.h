/* From samples to energies of frequencies or bands: a window, the fast Fourier transform, sparse bands. */
#ifndef SAYSO_FRONT_END_H
#define SAYSO_FRONT_END_H

#include <stdint.h>
#include <string.h>

#define SAYSO_FULL_SCALE 32768.0f

struct sayso_front_end {
    int32_t frames, hop, length; /* Frames, samples from one to the next, samples of the transform: a power of two. */
    int32_t before, window;      /* Zeros before the window in a frame, and its samples. */
    int32_t samples, begin;      /* Of the sound, and where its first frame's window begins: before it where below 0. */
    const float *taper;          /* (window), divided by full scale */
    const float *cosines;        /* (length / 4 + 1), of a quarter turn in steps of 1 / length */
    int32_t bands;               /* 0: every frequency is one. */
    const int16_t *first, *count; /* (bands), the frequencies under each */
    const float *weights;        /* Of all bands, one after another. */
};

static inline float sayso_cosine(const struct sayso_front_end *layer, int32_t step) {
    int32_t length = layer->length;
    step &= length - 1;
    if (step > length / 2) step = length - step;
    return step <= length / 4 ? layer->cosines[step] : -layer->cosines[length / 2 - step];
}

static inline float sayso_sine(const struct sayso_front_end *layer, int32_t step) {
    return sayso_cosine(layer, step - layer->length / 4);
}

static inline void sayso_sort_bits(float *pairs, int32_t count) {
    for (int32_t i = 1, j = 0; i < count; i++) {
        int32_t bit = count >> 1;
        for (; j & bit; bit >>= 1) j ^= bit;
        j |= bit;
        if (i < j) {
            float real = pairs[2 * i], imaginary = pairs[2 * i + 1];
            pairs[2 * i] = pairs[2 * j], pairs[2 * i + 1] = pairs[2 * j + 1];
            pairs[2 * j] = real, pairs[2 * j + 1] = imaginary;
        }
    }
}

/* The transform of length / 2 complex numbers, which are pairs of real ones, in their place. */
static inline void sayso_transform(const struct sayso_front_end *layer, float *pairs) {
    int32_t count = layer->length / 2;
    sayso_sort_bits(pairs, count);
    for (int32_t half = 1; half < count; half *= 2)
        for (int32_t turn = 0; turn < half; turn++) {
            int32_t step = turn * (count / half);
            float cosine = sayso_cosine(layer, step), sine = -sayso_sine(layer, step);
            for (int32_t i = turn; i < count; i += 2 * half) {
                float *a = pairs + 2 * i, *b = a + 2 * half;
                float real = b[0] * cosine - b[1] * sine, imaginary = b[0] * sine + b[1] * cosine;
                b[0] = a[0] - real, b[1] = a[1] - imaginary;
                a[0] += real, a[1] += imaginary;
            }
        }
}

/* Energies of length / 2 + 1 frequencies, of as many real numbers as the frame has; in their place. */
static inline void sayso_energies(const struct sayso_front_end *layer, float *frame) {
    int32_t half = layer->length / 2;
    sayso_transform(layer, frame);
    float sum = frame[0] + frame[1], difference = frame[0] - frame[1];
    for (int32_t k = 1; k <= half / 2; k++) {
        float *a = frame + 2 * k, *b = frame + 2 * (half - k);
        float even_real = 0.5f * (a[0] + b[0]), even_imaginary = 0.5f * (a[1] - b[1]);
        float odd_real = 0.5f * (a[1] + b[1]), odd_imaginary = 0.5f * (b[0] - a[0]);
        float cosine = sayso_cosine(layer, k), sine = -sayso_sine(layer, k);
        float real = odd_real * cosine - odd_imaginary * sine, imaginary = odd_real * sine + odd_imaginary * cosine;
        float up = even_real + real, up_imaginary = even_imaginary + imaginary;
        float down = even_real - real, down_imaginary = even_imaginary - imaginary;
        a[0] = up * up + up_imaginary * up_imaginary;
        if (b != a) b[0] = down * down + down_imaginary * down_imaginary;
    }
    for (int32_t k = 1; k < half; k++) frame[k] = frame[2 * k];
    frame[0] = sum * sum;
    frame[half] = difference * difference;
}

/* One sample; beyond the ends of the sound it is continued by reflection. */
static inline float sayso_sample(const struct sayso_front_end *layer, const int16_t *sound, int32_t place) {
    if (place < 0) place = -place;
    if (place >= layer->samples) place = 2 * (layer->samples - 1) - place;
    return (float)sound[place];
}

static inline void sayso_bands(const struct sayso_front_end *layer, const float *energies, float *out) {
    const float *weight = layer->weights;
    for (int band = 0; band < layer->bands; band++) {
        const float *from = energies + layer->first[band];
        float sum = 0;
        for (int i = 0; i < layer->count[band]; i++) sum += *weight++ * from[i];
        out[band] = sum;
    }
}

/* Frames one after another, (frames, bands), and `frame` with room for length + 1 numbers. */
static inline void sayso_frames(const struct sayso_front_end *layer, const int16_t *sound, float *frame, float *out) {
    int32_t numbers = layer->bands ? layer->bands : layer->length / 2 + 1;
    for (int32_t i = 0; i < layer->frames; i++, out += numbers) {
        int32_t begin = layer->begin + i * layer->hop;
        memset(frame, 0, (size_t)layer->length * sizeof *frame);
        for (int32_t k = 0; k < layer->window; k++)
            frame[layer->before + k] = layer->taper[k] * sayso_sample(layer, sound, begin + k);
        sayso_energies(layer, frame);
        if (layer->bands) sayso_bands(layer, frame, out);
        else memcpy(out, frame, (size_t)numbers * sizeof *out);
    }
}

static inline void sayso_samples(int32_t count, const int16_t *sound, float *out) {
    for (int32_t i = 0; i < count; i++) out[i] = (float)sound[i] / SAYSO_FULL_SCALE;
}

#endif
