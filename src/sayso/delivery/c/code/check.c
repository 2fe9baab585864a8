/* Compares this program with the model that it was made of, on sound that nobody made: `make check`. */
#include <math.h>
#include <stdio.h>

#include "sayso.h"
#include "sayso_check.h" /* SAYSO_CHECK_SAMPLES, SAYSO_CHECK_HOPS, SAYSO_CHECK_LIMIT, expected */

/* Noise and a tone that rises and falls, by whole numbers alone, so that everybody computes the same. */
static int16_t make_sample(uint32_t place) {
    static uint32_t noise = 1, phase = 0;
    noise = noise * 1664525u + 1013904223u;
    phase += 0x02000000u + ((place >> 10) * 2654435761u >> 4);
    int32_t hiss = (int32_t)(noise >> 16) - 32768, tone = (int32_t)(phase >> 16) - 32768;
    int32_t level = (int32_t)(place >> 3 & 1023);
    return (int16_t)((hiss * (1023 - level) + tone * level) / 8192);
}

int main(void) {
    float worst = 0;
    uint32_t hops = 0;
    sayso_init();
    for (uint32_t place = 0; place < SAYSO_CHECK_SAMPLES; place++) {
        int16_t sample = make_sample(place);
        struct sayso_result answer;
        sayso_push(&sample, 1);
        if (!sayso_result(&answer)) continue;
        for (int i = 0; i < SAYSO_CLASSES && hops < SAYSO_CHECK_HOPS; i++) {
            float difference = fabsf(answer.logits[i] - expected[hops][i]);
            if (!(difference <= worst)) worst = difference;
        }
        hops++;
    }
    int holds = hops == SAYSO_CHECK_HOPS && worst <= SAYSO_CHECK_LIMIT;
    printf("%s: %u of %u hops, logits differ by %.2g, at most %.2g is allowed\n", holds ? "same answers" : "OTHER ANSWERS",
           (unsigned)hops, (unsigned)SAYSO_CHECK_HOPS, (double)worst, (double)SAYSO_CHECK_LIMIT);
    return !holds;
}
