/* SPDX-License-Identifier: Apache-2.0 */
#include "merkle.h"

#include <stdlib.h>
#include <string.h>

#include "base/encode.h"
#include "base/log.h"

#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01
#define LEAF_ON_STACK 1024U

static bool same(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, HASH_LEN) == 0;
}

enum err merkle_leaf(struct str leaf, struct hash *hash_out)
{
	char small[1 + LEAF_ON_STACK];
	char *bytes = leaf.len <= LEAF_ON_STACK ? small : malloc(1 + leaf.len);

	if (!bytes)
		return ERR_OVERLOADED;
	bytes[0] = LEAF_PREFIX;
	if (leaf.len > 0)
		memcpy(bytes + 1, leaf.p, leaf.len);
	sha256((struct str){bytes, 1 + leaf.len}, hash_out->b);
	if (bytes != small)
		free(bytes);
	return OK;
}

void merkle_node(const struct hash *left, const struct hash *right, struct hash *hash_out)
{
	char bytes[1 + 2 * HASH_LEN];

	bytes[0] = NODE_PREFIX;
	memcpy(bytes + 1, left->b, HASH_LEN);
	memcpy(bytes + 1 + HASH_LEN, right->b, HASH_LEN);
	sha256((struct str){bytes, sizeof(bytes)}, hash_out->b);
}

size_t merkle_peak_count(uint64_t size)
{
	return (size_t)__builtin_popcountll(size);
}

size_t merkle_append(struct merkle_tree *tree, const struct hash *leaf, struct hash nodes_out[MERKLE_PEAKS_MAX])
{
	size_t peak = merkle_peak_count(tree->size);
	size_t count = 0;

	INVARIANT(tree->size < MERKLE_SIZE_MAX);
	nodes_out[count++] = *leaf;
	for (uint64_t rest = tree->size; rest & 1; rest >>= 1) {
		merkle_node(&tree->peaks[--peak], &nodes_out[count - 1], &nodes_out[count]);
		count++;
	}
	tree->peaks[peak] = nodes_out[count - 1];
	tree->size++;
	return count;
}

/* Complete subtrees side by side, largest first, to the hash of all their leaves. */
static void fold(const struct hash *peaks, size_t count, struct hash *hash_out)
{
	struct hash sum = peaks[count - 1];

	for (size_t i = count - 1; i-- > 0;)
		merkle_node(&peaks[i], &sum, &sum);
	*hash_out = sum;
}

void merkle_root(const struct merkle_tree *tree, struct hash *root_out)
{
	if (tree->size == 0)
		sha256(STR(""), root_out->b);
	else
		fold(tree->peaks, merkle_peak_count(tree->size), root_out);
}

uint64_t merkle_node_count(uint64_t size)
{
	return 2 * size - (uint64_t)__builtin_popcountll(size);
}

uint64_t merkle_place(unsigned level, uint64_t index)
{
	/* A subtree is complete `level` nodes after its last leaf, which comes after all nodes of the leaves before. */
	uint64_t last = ((index + 1) << level) - 1;

	return merkle_node_count(last) + level;
}

/* ---- proofs ---- */

/* A run of leaves whose hash is an element of a proof. */
struct range {
	uint64_t from, to;
};

/* The largest power of two below `width`, which is 2 or more. */
static uint64_t split_of(uint64_t width)
{
	return UINT64_C(1) << (63 - __builtin_clzll(width - 1));
}

/* The ranges were found from the root down, proofs run the other way. */
static void plan_ranges(const struct range *ranges, size_t count, struct merkle_plan *plan_out)
{
	*plan_out = (struct merkle_plan){.proof_len = count};
	for (size_t element = 0; element < count; element++) {
		uint64_t from = ranges[count - 1 - element].from;
		uint64_t left = ranges[count - 1 - element].to - from;

		while (left > 0) {
			unsigned level = 63U - (unsigned)__builtin_clzll(left);

			INVARIANT(plan_out->need_count < MERKLE_NEEDS_MAX);
			plan_out->needs[plan_out->need_count].place = merkle_place(level, from >> level);
			plan_out->needs[plan_out->need_count++].element = element;
			from += UINT64_C(1) << level;
			left -= UINT64_C(1) << level;
		}
	}
}

/* PATH of section 2.1.3.1. */
enum err merkle_plan_inclusion(uint64_t index, uint64_t size, struct merkle_plan *plan_out)
{
	struct range ranges[MERKLE_PROOF_MAX];
	struct range at = {0, size};
	size_t count = 0;

	*plan_out = (struct merkle_plan){0};
	if (index >= size || size > MERKLE_SIZE_MAX)
		return ERR_BAD_FIELD;
	while (at.to - at.from > 1) {
		uint64_t middle = at.from + split_of(at.to - at.from);

		if (index < middle) {
			ranges[count++] = (struct range){middle, at.to};
			at.to = middle;
		} else {
			ranges[count++] = (struct range){at.from, middle};
			at.from = middle;
		}
	}
	plan_ranges(ranges, count, plan_out);
	return OK;
}

/* SUBPROOF of section 2.1.4.1. */
enum err merkle_plan_consistency(uint64_t old_size, uint64_t size, struct merkle_plan *plan_out)
{
	struct range ranges[MERKLE_PROOF_MAX];
	struct range at = {0, size};
	size_t count = 0;

	*plan_out = (struct merkle_plan){0};
	if (old_size == 0 || old_size >= size || size > MERKLE_SIZE_MAX)
		return ERR_BAD_FIELD;
	while (at.to != old_size) {
		uint64_t middle = at.from + split_of(at.to - at.from);

		if (old_size <= middle) {
			ranges[count++] = (struct range){middle, at.to};
			at.to = middle;
		} else {
			ranges[count++] = (struct range){at.from, middle};
			at.from = middle;
		}
	}
	if (at.from > 0)
		ranges[count++] = at;
	plan_ranges(ranges, count, plan_out);
	return OK;
}

void merkle_prove(const struct merkle_plan *plan, const struct hash *nodes, struct hash proof_out[MERKLE_PROOF_MAX])
{
	size_t from = 0;

	while (from < plan->need_count) {
		size_t to = from + 1;

		while (to < plan->need_count && plan->needs[to].element == plan->needs[from].element)
			to++;
		fold(nodes + from, to - from, &proof_out[plan->needs[from].element]);
		from = to;
	}
}

/* ---- verification: the algorithms of the RFC, step by step ---- */

bool merkle_verify_inclusion(const struct hash *leaf, uint64_t index, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t proof_len)
{
	uint64_t fn = index, sn = size - 1;
	struct hash r = *leaf;

	if (index >= size)
		return false;
	for (size_t i = 0; i < proof_len; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(&proof[i], &r, &r);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(&r, &proof[i], &r);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&r, root);
}

static bool verify_growth(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
	const struct hash *first, const struct hash *proof, size_t proof_len)
{
	uint64_t fn = old_size - 1, sn = size - 1;
	struct hash fr = *first, sr = *first;

	for (; fn & 1; fn >>= 1)
		sn >>= 1;
	for (size_t i = 0; i < proof_len; i++) {
		if (sn == 0)
			return false;
		if ((fn & 1) || fn == sn) {
			merkle_node(&proof[i], &fr, &fr);
			merkle_node(&proof[i], &sr, &sr);
			for (; !(fn & 1) && fn != 0; fn >>= 1)
				sn >>= 1;
		} else {
			merkle_node(&sr, &proof[i], &sr);
		}
		fn >>= 1;
		sn >>= 1;
	}
	return sn == 0 && same(&fr, old_root) && same(&sr, root);
}

bool merkle_verify_consistency(uint64_t old_size, const struct hash *old_root, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t proof_len)
{
	if (old_size == size)
		return proof_len == 0 && same(old_root, root);
	if (old_size == 0 || old_size > size || proof_len == 0)
		return false;
	if ((old_size & (old_size - 1)) == 0)
		return verify_growth(old_size, old_root, size, root, old_root, proof, proof_len);
	return verify_growth(old_size, old_root, size, root, &proof[0], proof + 1, proof_len - 1);
}
