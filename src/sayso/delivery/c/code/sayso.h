/* Words in a stream of sound, hop by hop. C99, no dependencies but the standard library, no malloc.

   sayso_init();
   while (...) {                        // samples at SAYSO_SAMPLE_RATE, one channel, 16 bits, in pieces of any size
       size_t taken = sayso_push(samples, count);
       struct sayso_result answer;
       if (sayso_result(&answer) && answer.word >= 0) puts(sayso_labels[answer.word]);
       samples += taken, count -= taken;
   }

   There is one stream at a time; none of this may be called from two threads at once. */
#ifndef SAYSO_H
#define SAYSO_H

#include <stddef.h>
#include <stdint.h>

#include "sayso_config.h" /* SAYSO_SAMPLE_RATE, SAYSO_HOP, SAYSO_WINDOW, SAYSO_WORDS, SAYSO_CLASSES */

#ifdef __cplusplus
extern "C" {
#endif

/* The words, UTF-8, and the score from which on each is detected. */
extern const char *const sayso_labels[SAYSO_WORDS];
extern const float sayso_thresholds[SAYSO_WORDS];

struct sayso_result {
    uint32_t hop;         /* Its number, from 0: it heard the SAYSO_WINDOW samples from sample hop * SAYSO_HOP on. */
    int word;             /* The word that is detected at this hop, a place in sayso_labels; -1: none. */
    float score;          /* Its score, in [0, 1]; 0 where there is none. */
    const float *scores;  /* Of each word, smoothed, SAYSO_WORDS of them; until the next push. */
    const float *logits;  /* What the network says, SAYSO_CLASSES of them; until the next push. */
};

/* Begin a new stream. */
void sayso_init(void);

/* Take samples, up to the one that completes a hop; gives how many were taken. */
size_t sayso_push(const int16_t *samples, size_t count);

/* Tell the answer that the last push completed: 1, and 0 where it completed none. */
int sayso_result(struct sayso_result *answer);

#ifdef __cplusplus
}
#endif

#endif
