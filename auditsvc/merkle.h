/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BERTH_AUDITSVC_MERKLE_H
#define BERTH_AUDITSVC_MERKLE_H

#include "types.h"

/*
 * Merkle trees of RFC 9162 section 2.1 (those of RFC 6962) over SHA-256. Pure: no I/O, no memory of its own. A
 * growing tree needs only its peaks, the roots of the complete subtrees that its size is made of; all complete
 * subtrees, in the order in which appending completes them, make a row of nodes that only grows (n leaves give
 * 2n - popcount(n) nodes), and each has its fixed place there. Proofs are made of such nodes, at most
 * MERKLE_NEEDS_MAX of them.
 */
#define MERKLE_SIZE_MAX (UINT64_C(1) << 62)
#define MERKLE_PEAKS_MAX 63U
#define MERKLE_PROOF_MAX 64U
#define MERKLE_NEEDS_MAX 128U

struct merkle_tree {
	uint64_t size;
	struct hash peaks[MERKLE_PEAKS_MAX]; /* popcount(size) of them, largest subtree first */
};

/* SHA-256(0x00 || leaf). ERR_OVERLOADED without memory. */
MUST_USE enum err merkle_leaf(struct str leaf, struct hash *hash_out);
/* SHA-256(0x01 || left || right). */
void merkle_node(const struct hash *left, const struct hash *right, struct hash *hash_out);

size_t merkle_peak_count(uint64_t size);
/* Appends a leaf hash. The nodes that it completes, itself first, go to nodes_out; gives how many (1 to 63). */
size_t merkle_append(struct merkle_tree *tree, const struct hash *leaf, struct hash nodes_out[MERKLE_PEAKS_MAX]);
/* The tree hash; of no leaves: SHA-256 of nothing. */
void merkle_root(const struct merkle_tree *tree, struct hash *root_out);

/* Nodes in a tree of `size` leaves, and the place of the `index`th complete subtree of 2^level leaves among them. */
uint64_t merkle_node_count(uint64_t size);
uint64_t merkle_place(unsigned level, uint64_t index);

/* Which nodes a proof is made of: fetch nodes[i] from needs[i].place, then merkle_prove. */
struct merkle_plan {
	size_t proof_len;
	size_t need_count;
	struct {
		uint64_t place;
		size_t element; /* of the proof; the nodes of one element fold together */
	} needs[MERKLE_NEEDS_MAX];
};

/* ERR_BAD_FIELD: index not below size, old_size not 1 to size - 1, size over the cap. */
MUST_USE enum err merkle_plan_inclusion(uint64_t index, uint64_t size, struct merkle_plan *plan_out);
MUST_USE enum err merkle_plan_consistency(uint64_t old_size, uint64_t size, struct merkle_plan *plan_out);
void merkle_prove(const struct merkle_plan *plan, const struct hash *nodes, struct hash proof_out[MERKLE_PROOF_MAX]);

/*
 * RFC 9162 sections 2.1.3.2 and 2.1.4.2. False for a proof that is longer or shorter than the one that belongs there.
 * Of equal sizes the proof is empty and the roots are equal; from no leaves there is nothing to prove, so it is false.
 */
MUST_USE bool merkle_verify_inclusion(const struct hash *leaf, uint64_t index, uint64_t size, const struct hash *root,
	const struct hash *proof, size_t proof_len);
MUST_USE bool merkle_verify_consistency(uint64_t old_size, const struct hash *old_root, uint64_t size,
	const struct hash *root, const struct hash *proof, size_t proof_len);

#endif
