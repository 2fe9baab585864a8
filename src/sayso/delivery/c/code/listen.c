/* Hears raw sound from a pipe, one channel of 16 bits in the order of this machine, and tells the words in it:

   arecord -q -f S16_LE -c 1 -r RATE -t raw | ./listen
   ./listen --hops < sound.raw        tells the logits of every hop, too */
#include <stdio.h>
#include <string.h>

#include "sayso.h"

static void tell(const struct sayso_result *answer, int tells_hops) {
    if (tells_hops) {
        printf("%u", (unsigned)answer->hop);
        for (int i = 0; i < SAYSO_CLASSES; i++) printf(" %.9g", (double)answer->logits[i]);
        printf("\n");
    }
    if (answer->word < 0) return;
    double end = ((double)answer->hop * SAYSO_HOP + SAYSO_WINDOW) / SAYSO_SAMPLE_RATE;
    printf("%.3f %s %.4f\n", end, sayso_labels[answer->word], (double)answer->score);
}

int main(int count, char **words) {
    int tells_hops = count > 1 && strcmp(words[1], "--hops") == 0;
    static int16_t samples[1024];
    size_t left;
    sayso_init();
    while ((left = fread(samples, sizeof *samples, 1024, stdin)) > 0) {
        for (const int16_t *next = samples; left > 0;) {
            size_t taken = sayso_push(next, left);
            struct sayso_result answer;
            if (sayso_result(&answer)) tell(&answer, tells_hops);
            next += taken, left -= taken;
        }
        if (!tells_hops) fflush(stdout);
    }
    return 0;
}
