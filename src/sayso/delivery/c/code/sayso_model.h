/* The network of this model; sayso.c calls it. */
#ifndef SAYSO_MODEL_H
#define SAYSO_MODEL_H

#include <stdint.h>

#include "sayso_config.h"

/* Forget what was carried. */
void sayso_model_begin(void);

/* Take the newest SAYSO_HEARD samples, of which the last SAYSO_HOP are new; gives SAYSO_CLASSES numbers. */
void sayso_model_step(const int16_t *heard, float *logits);

#endif
