/* From the answers of each hop to detections, as sayso.Stream decides. */
#ifndef SAYSO_DECISIONS_H
#define SAYSO_DECISIONS_H

#include <math.h>
#include <string.h>

#include "sayso.h"

static float recent[SAYSO_SMOOTHING][SAYSO_WORDS]; /* Probabilities of the newest hops. */
static float scores[SAYSO_WORDS];
static uint32_t held[SAYSO_WORDS];  /* Hops in a row at which a word was above its threshold. */
static uint8_t is_fired[SAYSO_WORDS]; /* Whether it has to fall below that first. */
static uint32_t next_hop, since_fired, oldest;

static void sayso_forget(void) {
    memset(recent, 0, sizeof recent);
    memset(held, 0, sizeof held);
    memset(is_fired, 0, sizeof is_fired);
    oldest = 0;
}

static void sayso_decisions_begin(void) {
    sayso_forget();
    memset(scores, 0, sizeof scores);
    next_hop = 0;
    since_fired = SAYSO_REFRACTORY_HOPS + 1;
}

static void sayso_softmax(const float *logits, float *words) {
    float most = logits[0], sum = 0;
    for (int i = 1; i < SAYSO_CLASSES; i++)
        if (logits[i] > most) most = logits[i];
    for (int i = 0; i < SAYSO_CLASSES; i++) {
        float part = expf(logits[i] - most);
        sum += part;
        if (i < SAYSO_WORDS) words[i] = part;
    }
    for (int i = 0; i < SAYSO_WORDS; i++) words[i] /= sum;
}

static void sayso_smooth(void) {
    for (int word = 0; word < SAYSO_WORDS; word++) {
        float sum = 0;
        for (int i = 0; i < SAYSO_SMOOTHING; i++) sum += recent[(oldest + i) % SAYSO_SMOOTHING][word];
        scores[word] = sum / SAYSO_SMOOTHING;
    }
}

static void sayso_decide(struct sayso_result *result) {
    if (result->hop != next_hop) {
        uint32_t skipped = result->hop - next_hop;
        since_fired = skipped > UINT32_MAX - since_fired ? UINT32_MAX : since_fired + skipped;
        sayso_forget();
    }
    next_hop = result->hop + 1;
    sayso_softmax(result->logits, recent[oldest]);
    oldest = (oldest + 1) % SAYSO_SMOOTHING;
    sayso_smooth();
    int best = 0;
    float second = -1;
    for (int word = 1; word < SAYSO_WORDS; word++) {
        float other = scores[word];
        if (other > scores[best]) other = scores[best], best = word;
        if (other > second) second = other;
    }
    for (int word = 0; word < SAYSO_WORDS; word++) {
        int is_high = scores[word] >= sayso_thresholds[word];
        held[word] = is_high ? held[word] + 1 : 0;
        if (!is_high) is_fired[word] = 0;
    }
    float margin = SAYSO_WORDS > 1 ? scores[best] - second : scores[best];
    int fires = held[best] >= SAYSO_LEAST_HOPS && !is_fired[best] && margin >= SAYSO_MARGIN &&
                since_fired > SAYSO_REFRACTORY_HOPS;
    result->word = fires ? best : -1;
    result->score = fires ? scores[best] : 0;
    result->scores = scores;
    if (fires) is_fired[best] = 1;
    if (fires) since_fired = 0;
    if (since_fired < UINT32_MAX) since_fired++;
}

#endif
