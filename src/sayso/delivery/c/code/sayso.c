#include "sayso.h"

#include <string.h>

#include "sayso_decisions.h"
#include "sayso_model.h"

/* The samples that the next step hears; those not there yet stand at the end. */
static int16_t heard[SAYSO_HEARD];
static uint32_t waiting; /* Samples that the chunk still lacks. */
static uint32_t chunks;  /* Whole chunks. */
static int has_result;
static float logits[SAYSO_CLASSES];
static struct sayso_result newest;
#ifdef SAYSO_GATE_POWER
static uint32_t loud_until; /* Chunks before this one end a window in which something is loud. */
#endif

void sayso_init(void) {
    memset(heard, 0, sizeof heard);
    waiting = SAYSO_HOP - SAYSO_LEAD % SAYSO_HOP;
    chunks = SAYSO_LEAD / SAYSO_HOP;
    has_result = 0;
#ifdef SAYSO_GATE_POWER
    loud_until = 0;
#endif
    sayso_model_begin();
    sayso_decisions_begin();
}

#ifdef SAYSO_GATE_POWER
static int is_wanted(void) {
    const int16_t *chunk = heard + SAYSO_HEARD - SAYSO_HOP;
    double sum = 0, squares = 0;
    for (int i = 0; i < SAYSO_HOP; i++) {
        sum += chunk[i];
        squares += (double)chunk[i] * chunk[i];
    }
    sum /= SAYSO_HOP;
    if (squares / SAYSO_HOP - sum * sum >= SAYSO_GATE_POWER) {
        loud_until = chunks + SAYSO_FIRST + 1;
        return 1;
    }
    return chunks < loud_until;
}
#else
static int is_wanted(void) { return 1; }
#endif

static void answer_chunk(void) {
    int wanted = is_wanted();
    sayso_model_step(heard, logits);
    if (wanted && chunks + 1 > SAYSO_FIRST) {
        newest.hop = chunks - SAYSO_FIRST;
        newest.logits = logits;
        sayso_decide(&newest);
        has_result = 1;
    }
    chunks++;
    memmove(heard, heard + SAYSO_HOP, (SAYSO_HEARD - SAYSO_HOP) * sizeof *heard);
    waiting = SAYSO_HOP;
}

size_t sayso_push(const int16_t *samples, size_t count) {
    size_t taken = count < waiting ? count : waiting;
    memcpy(heard + SAYSO_HEARD - waiting, samples, taken * sizeof *heard);
    waiting -= (uint32_t)taken;
    has_result = 0;
    if (waiting == 0) answer_chunk();
    return taken;
}

int sayso_result(struct sayso_result *answer) {
    if (has_result) *answer = newest;
    return has_result;
}
