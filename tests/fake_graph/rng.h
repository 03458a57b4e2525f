/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FAKE_GRAPH_RNG_H
#define FAKE_GRAPH_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * rng: chance that can be repeated (SplitMix64, public domain by S. Vigna).
 *
 * Every alert, every evidence item and the story draw from their own stream,
 * so that the same seed tells the same story whatever the clients do.
 */
struct rng {
	uint64_t state;
};

static inline uint64_t
rng_mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

static inline uint64_t
rng_next(struct rng *r)
{
	r->state += UINT64_C(0x9e3779b97f4a7c15);
	return rng_mix(r->state);
}

/* 0 to n - 1; n must not be 0. */
static inline uint32_t
rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)(((rng_next(r) >> 32) * n) >> 32);
}

static inline bool
rng_percent(struct rng *r, unsigned percent)
{
	return rng_below(r, 100) < percent;
}

/* A stream of its own for the i-th part of the thing that has this seed. */
static inline uint64_t
rng_child(uint64_t seed, uint64_t i)
{
	return rng_mix(seed + (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
}

#endif
