/* Products of small matrices with long rows, by as many sums at once as registers have room for. */

#include "real.h"

/* Rows at once, all that registers have room for: sums of two vectors of columns each for `DOWN` rows that come out, and
 * products of `HIGH` rows with `DOWN` others. */
enum { SPAN = 2 * LANES, DOWN = 4, HIGH = VECTOR == 64 ? 4 : 2 };

/* Rows of `width` columns and how far they lie apart; where fewer than that are left they are copied, zeros after them. */
typedef struct {
    const real *x;
    long stride;
} Rows;

static inline Rows rows_at(long count, long width, long rows, const real *x, long stride, real *copied) {
    if (count == width) return (Rows){x, stride};
    for (long row = 0; row < rows; row++)
        for (long i = 0; i < width; i++) copied[row * width + i] = i < count ? x[row * stride + i] : 0;
    return (Rows){copied, width};
}

/* made[r] += sum of weight[r, q] x[q], for `DOWN` rows r from `first` on and any number of q, of `SPAN` columns; rows after
 * the last are that one again. */
static inline void multiply(long first, long rows, long inputs, Rows of, const real *weight, long weight_stride,
                            lanes made[DOWN][2]) {
    const real *by[DOWN];
    lanes sums[DOWN][2];
    for (long r = 0; r < DOWN; r++) {
        by[r] = weight + least(first + r, rows - 1) * weight_stride;
        sums[r][0] = made[r][0], sums[r][1] = made[r][1];
    }
    for (long q = 0; q < inputs; q++) {
        lanes low = load(of.x + q * of.stride), high = load(of.x + q * of.stride + LANES);
        for (long r = 0; r < DOWN; r++) {
            sums[r][0] += by[r][q] * low;
            sums[r][1] += by[r][q] * high;
        }
    }
    for (long r = 0; r < DOWN; r++) made[r][0] = sums[r][0], made[r][1] = sums[r][1];
}

static inline void begin(long first, long rows, const real *shift, lanes made[DOWN][2]) {
    for (long r = 0; r < DOWN; r++) made[r][0] = made[r][1] = shift[least(first + r, rows - 1)] + (lanes){0};
}

/* Write the columns of a strip that are there. */
static inline void write_columns(long count, const lanes made[2], real *y) {
    if (count == SPAN)
        memcpy(y, made, SPAN * sizeof(real));
    else
        memcpy(y, made, (size_t)count * sizeof(real));
}

/* Where the sums of products of some rows with others stay, vectors of each pair, until a chunk is done. */
static inline long room_of(long rows, long others) { return up_to(rows, HIGH) * up_to(others, DOWN); }

/* The products of `HIGH` rows with `DOWN` others; rows after the last are that one again. */
static inline void add_tile(long width, long row, long rows, Rows x, long other, long others, Rows y, lanes *held) {
    const real *of_rows[HIGH], *of_others[DOWN];
    lanes sums[HIGH][DOWN];
    for (long r = 0; r < HIGH; r++) of_rows[r] = x.x + least(row + r, rows - 1) * x.stride;
    for (long q = 0; q < DOWN; q++) of_others[q] = y.x + least(other + q, others - 1) * y.stride;
    for (long i = 0; i < HIGH * DOWN; i++) sums[i / DOWN][i % DOWN] = held[i];
    for (long i = 0; i < width; i += LANES)
        for (long r = 0; r < HIGH; r++)
            for (long q = 0; q < DOWN; q++) sums[r][q] += load(of_rows[r] + i) * load(of_others[q] + i);
    for (long i = 0; i < HIGH * DOWN; i++) held[i] = sums[i / DOWN][i % DOWN];
}

/* held[r, q] += x[r] y[q], of `width` columns; with `lower` no tile of q that begins after the last r of a tile. */
static inline void add_products(long width, long rows, Rows x, long others, Rows y, int lower, lanes *held) {
    for (long row = 0; row < rows; row += HIGH)
        for (long other = 0; other < (lower ? least(others, row + HIGH) : others); other += DOWN)
            add_tile(width, row, rows, x, other, others, y, held + row * up_to(others, DOWN) + HIGH * other);
}

/* sums[r, q] of the vectors of each pair. */
static inline void sum_products(long rows, long others, const lanes *held, double *sums) {
    for (long row = 0; row < rows; row++)
        for (long other = 0; other < others; other++) {
            const lanes *tile = held + row / HIGH * HIGH * up_to(others, DOWN) + HIGH * (other / DOWN * DOWN);
            sums[row * others + other] = sum_of_lanes(tile[row % HIGH * DOWN + other % DOWN]);
        }
}
