/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "merkle.h"

/*
 * Proofs from outside: nothing crashes, and what verifies is the proof that we would give. Input: two numbers, two
 * hashes, and the proof. A second reading grows a small tree by the input and bends one true proof by it.
 */
#define LEAVES 64U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct hash take(struct reader *reader)
{
	struct str bytes = reader_bytes(reader, HASH_LEN);
	struct hash hash = {{0}};

	if (bytes.p)
		memcpy(hash.b, bytes.p, HASH_LEN);
	return hash;
}

static void strange(struct reader reader)
{
	struct hash proof[MERKLE_PROOF_MAX];
	const uint64_t a = reader_u64(&reader), b = reader_u64(&reader);
	const struct hash x = take(&reader), y = take(&reader);
	struct merkle_plan plan;
	size_t n = 0;

	while (n < MERKLE_PROOF_MAX && reader.len >= HASH_LEN && !reader.failed)
		proof[n++] = take(&reader);
	if (merkle_verify_inclusion(&x, a, b, &y, proof, n) &&
		(merkle_plan_inclusion(a, b, &plan) != OK || plan.proof_len != n) && b <= MERKLE_SIZE_MAX)
		abort();
	if (merkle_verify_consistency(a, &x, b, &y, proof, n) && a != b &&
		(merkle_plan_consistency(a, b, &plan) != OK || plan.proof_len != n) && b <= MERKLE_SIZE_MAX)
		abort();
}

static void bent(struct reader reader)
{
	static struct hash nodes[2 * LEAVES], leaves[LEAVES];
	const uint64_t size = reader_u8(&reader) % LEAVES + 1, index = reader_u8(&reader) % size;
	const uint8_t at = reader_u8(&reader), flip = reader_u8(&reader);
	struct hash needed[MERKLE_NEEDS_MAX], proof[MERKLE_PROOF_MAX], root;
	struct merkle_tree tree = {0};
	struct merkle_plan plan;
	size_t count = 0;

	for (uint64_t i = 0; i < size; i++) {
		struct hash made[MERKLE_PEAKS_MAX];
		size_t n;

		leaves[i] = take(&reader);
		leaves[i].b[0] = (uint8_t)i;
		n = merkle_append(&tree, &leaves[i], made);
		memcpy(&nodes[count], made, n * sizeof(made[0]));
		count += n;
	}
	merkle_root(&tree, &root);
	if (merkle_plan_inclusion(index, size, &plan) != OK)
		abort();
	for (size_t i = 0; i < plan.need_count; i++)
		needed[i] = nodes[plan.needs[i].place];
	merkle_prove(&plan, needed, proof);
	if (plan.proof_len > 0)
		proof[at % plan.proof_len].b[at % HASH_LEN] ^= flip;
	if (merkle_verify_inclusion(&leaves[index], index, size, &root, proof, plan.proof_len) !=
		(flip == 0 || plan.proof_len == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct str input = {(const char *)data, len};

	strange(reader_over(input));
	bent(reader_over(input));
	return 0;
}
