/* SPDX-License-Identifier: Apache-2.0 */
#include "base/test.h"

#include <string.h>

#include "base/encode.h"
#include "merkle.h"

/*
 * The published vectors are those of the Certificate Transparency reference implementation (RFC 6962), as kept in
 * transparency-dev/merkle, proof/verify_test.go: leaves, roots of the first n of them, and proofs. Their indices start
 * at 1 there.
 */
static const struct str vector_leaves[] = {
	STR(""),
	STR("\x00"),
	STR("\x10"),
	STR("\x20\x21"),
	STR("\x30\x31"),
	STR("\x40\x41\x42\x43"),
	STR("\x50\x51\x52\x53\x54\x55\x56\x57"),
	STR("\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f"),
};

static const char *const vector_roots[] = {
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

#define ELEMENTS_MAX 3

static const struct {
	const char *name;
	uint64_t index, size;
	const char *proof[ELEMENTS_MAX];
} inclusion_vectors[] = {
	{"leaf 0 of 1 needs no proof", 0, 1, {NULL}},
	{"leaf 0 of 8", 0, 8,
		{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
	{"leaf 5 of 8", 5, 8,
		{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
			"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
	{"leaf 2 of 3", 2, 3, {"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}},
	{"leaf 1 of 5", 1, 5,
		{"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
};

static const struct {
	const char *name;
	uint64_t old_size, size;
	const char *proof[ELEMENTS_MAX];
} consistency_vectors[] = {
	{"1 to 1 needs no proof", 1, 1, {NULL}},
	{"1 to 8", 1, 8,
		{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
			"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}},
	{"6 to 8", 6, 8,
		{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
			"ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
			"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
	{"2 to 5", 2, 5,
		{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
			"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}},
	{"6 to 7", 6, 7,
		{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
			"b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
			"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}},
};

static struct hash unhex(const char *text)
{
	struct arena *arena = arena_new(4096);
	struct str bytes = hex_decode(arena, str_from(text));
	struct hash hash;

	assert_int_equal(bytes.len, HASH_LEN);
	memcpy(hash.b, bytes.p, HASH_LEN);
	arena_free(&arena);
	return hash;
}

static size_t unhex_proof(const char *const proof[ELEMENTS_MAX], struct hash *proof_out)
{
	size_t n = 0;

	for (; n < ELEMENTS_MAX && proof[n]; n++)
		proof_out[n] = unhex(proof[n]);
	return n;
}

static bool same(const struct hash *a, const struct hash *b)
{
	return memcmp(a->b, b->b, HASH_LEN) == 0;
}

/* ---- a tree with all that it ever had ---- */

#define LEAVES 130U

static struct hash leaves[LEAVES], roots[LEAVES + 1], nodes[2 * LEAVES];

/* RFC 9162 section 2.1.1 word for word: the other way to the same hash. */
static void tree_hash(const struct hash *from, uint64_t count, struct hash *hash_out)
{
	struct hash left, right;
	uint64_t k = 1;

	if (count == 1) {
		*hash_out = from[0];
		return;
	}
	while (2 * k < count)
		k *= 2;
	tree_hash(from, k, &left);
	tree_hash(from + k, count - k, &right);
	merkle_node(&left, &right, hash_out);
}

static int grow(void **state)
{
	struct merkle_tree tree = {0};
	size_t count = 0;
	(void)state;

	merkle_root(&tree, &roots[0]);
	for (uint64_t i = 0; i < LEAVES; i++) {
		struct hash made[MERKLE_PEAKS_MAX];
		char text[2] = {(char)(i >> 8), (char)i};
		size_t n;

		assert_int_equal(merkle_leaf((struct str){text, 2}, &leaves[i]), OK);
		n = merkle_append(&tree, &leaves[i], made);
		memcpy(&nodes[count], made, n * sizeof(made[0]));
		count += n;
		merkle_root(&tree, &roots[i + 1]);
		assert_int_equal(merkle_node_count(tree.size), count);
	}
	return 0;
}

static size_t prove(const struct merkle_plan *plan, struct hash *proof_out)
{
	struct hash needed[MERKLE_NEEDS_MAX];

	for (size_t i = 0; i < plan->need_count; i++)
		needed[i] = nodes[plan->needs[i].place];
	merkle_prove(plan, needed, proof_out);
	return plan->proof_len;
}

static void test_published_roots(void **state)
{
	struct merkle_tree tree = {0};
	struct hash root, leaf, made[MERKLE_PEAKS_MAX], want;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(vector_roots); i++) {
		merkle_root(&tree, &root);
		want = unhex(vector_roots[i]);
		assert_memory_equal(root.b, want.b, HASH_LEN);
		if (i == COUNT_OF(vector_leaves))
			break;
		assert_int_equal(merkle_leaf(vector_leaves[i], &leaf), OK);
		(void)merkle_append(&tree, &leaf, made);
	}
}

static void test_published_inclusion(void **state)
{
	struct hash proof[ELEMENTS_MAX], leaf, root;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(inclusion_vectors); i++) {
		size_t n = unhex_proof(inclusion_vectors[i].proof, proof);

		assert_int_equal(merkle_leaf(vector_leaves[inclusion_vectors[i].index], &leaf), OK);
		root = unhex(vector_roots[inclusion_vectors[i].size]);
		CHECK(inclusion_vectors[i].name, merkle_verify_inclusion(&leaf, inclusion_vectors[i].index,
							 inclusion_vectors[i].size, &root, proof, n));
	}
}

static void test_published_consistency(void **state)
{
	struct hash proof[ELEMENTS_MAX], old_root, root;
	(void)state;

	for (size_t i = 0; i < COUNT_OF(consistency_vectors); i++) {
		size_t n = unhex_proof(consistency_vectors[i].proof, proof);

		old_root = unhex(vector_roots[consistency_vectors[i].old_size]);
		root = unhex(vector_roots[consistency_vectors[i].size]);
		CHECK(consistency_vectors[i].name, merkle_verify_consistency(consistency_vectors[i].old_size, &old_root,
							   consistency_vectors[i].size, &root, proof, n));
	}
}

static void test_growing_is_the_recursive_definition(void **state)
{
	struct hash want;
	(void)state;

	for (uint64_t size = 1; size <= LEAVES; size++) {
		tree_hash(leaves, size, &want);
		assert_memory_equal(roots[size].b, want.b, HASH_LEN);
	}
}

static void test_places(void **state)
{
	struct hash want;
	(void)state;

	for (unsigned level = 0; (1U << level) <= LEAVES; level++) {
		for (uint64_t index = 0; (index + 1) << level <= LEAVES; index++) {
			tree_hash(leaves + (index << level), UINT64_C(1) << level, &want);
			assert_memory_equal(nodes[merkle_place(level, index)].b, want.b, HASH_LEN);
		}
	}
}

/* What must not verify, made from what does. */
static void refuse_inclusion(uint64_t index, uint64_t size, const struct hash *proof, size_t n)
{
	struct hash bent[MERKLE_PROOF_MAX + 1];
	const struct hash *leaf = &leaves[index], *root = &roots[size];

	memcpy(bent, proof, n * sizeof(*proof));
	bent[n] = *root;
	assert_false(merkle_verify_inclusion(leaf, index, size, root, bent, n + 1));
	if (n > 0)
		assert_false(merkle_verify_inclusion(leaf, index, size, root, proof, n - 1));
	if (n > 1)
		assert_false(merkle_verify_inclusion(leaf, index, size, root, proof + 1, n - 1));
	for (size_t i = 0; i < n; i++) {
		bent[i].b[i % HASH_LEN] ^= 8;
		assert_false(merkle_verify_inclusion(leaf, index, size, root, bent, n));
		bent[i] = proof[i];
	}
	memmove(bent + 1, proof, n * sizeof(*proof));
	bent[0] = *root;
	assert_false(merkle_verify_inclusion(leaf, index, size, root, bent, n + 1));
	assert_false(merkle_verify_inclusion(leaf, index + 1, size, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index - 1, size, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index ^ 2, size, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index, size * 2, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index, size / 2, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index, 0, root, proof, n));
	assert_false(merkle_verify_inclusion(leaf, index, size, &roots[0], proof, n));
}

static void test_inclusion_of_every_leaf(void **state)
{
	struct merkle_plan plan;
	struct hash proof[MERKLE_PROOF_MAX];
	(void)state;

	for (uint64_t size = 1; size <= LEAVES; size++) {
		for (uint64_t index = 0; index < size; index++) {
			size_t n;

			assert_int_equal(merkle_plan_inclusion(index, size, &plan), OK);
			n = prove(&plan, proof);
			assert_true(merkle_verify_inclusion(&leaves[index], index, size, &roots[size], proof, n));
			/* The one complete subtree at the right end is what a bent size may share. */
			if (size % 13 == 0 && size > 1)
				refuse_inclusion(index, size, proof, n);
		}
	}
}

static void refuse_consistency(uint64_t old_size, uint64_t size, const struct hash *proof, size_t n)
{
	struct hash bent[MERKLE_PROOF_MAX + 1];
	const struct hash *old_root = &roots[old_size], *root = &roots[size];

	memcpy(bent, proof, n * sizeof(*proof));
	bent[n] = *root;
	assert_false(merkle_verify_consistency(old_size, old_root, size, root, bent, n + 1));
	assert_false(merkle_verify_consistency(old_size, old_root, size, root, proof, n - 1));
	assert_false(merkle_verify_consistency(old_size, old_root, size, root, proof, 0));
	for (size_t i = 0; i < n; i++) {
		bent[i].b[i % HASH_LEN] ^= 16;
		assert_false(merkle_verify_consistency(old_size, old_root, size, root, bent, n));
		bent[i] = proof[i];
	}
	memmove(bent + 1, proof, n * sizeof(*proof));
	bent[0] = *old_root;
	assert_false(merkle_verify_consistency(old_size, old_root, size, root, bent, n + 1));
	assert_false(merkle_verify_consistency(old_size + 1, old_root, size, root, proof, n));
	assert_false(merkle_verify_consistency(old_size - 1, old_root, size, root, proof, n));
	assert_false(merkle_verify_consistency(old_size, old_root, size * 2, root, proof, n));
	assert_false(merkle_verify_consistency(old_size, old_root, size / 2, root, proof, n));
	assert_false(merkle_verify_consistency(old_size, root, size, old_root, proof, n));
	assert_false(merkle_verify_consistency(size, root, old_size, old_root, proof, n));
}

static void test_consistency_of_every_pair(void **state)
{
	struct merkle_plan plan;
	struct hash proof[MERKLE_PROOF_MAX];
	(void)state;

	for (uint64_t size = 2; size <= LEAVES; size++) {
		for (uint64_t old_size = 1; old_size < size; old_size++) {
			size_t n;

			assert_int_equal(merkle_plan_consistency(old_size, size, &plan), OK);
			n = prove(&plan, proof);
			assert_true(
				merkle_verify_consistency(old_size, &roots[old_size], size, &roots[size], proof, n));
			if (size % 13 == 0)
				refuse_consistency(old_size, size, proof, n);
		}
	}
}

static void test_edges(void **state)
{
	struct merkle_plan plan;
	struct hash proof[1] = {{{0}}};
	(void)state;

	assert_int_equal(merkle_plan_inclusion(0, 0, &plan), ERR_BAD_FIELD);
	assert_int_equal(merkle_plan_inclusion(5, 5, &plan), ERR_BAD_FIELD);
	assert_int_equal(merkle_plan_inclusion(0, MERKLE_SIZE_MAX + 1, &plan), ERR_BAD_FIELD);
	assert_int_equal(merkle_plan_consistency(0, 5, &plan), ERR_BAD_FIELD);
	assert_int_equal(merkle_plan_consistency(5, 5, &plan), ERR_BAD_FIELD);
	assert_int_equal(merkle_plan_consistency(6, 5, &plan), ERR_BAD_FIELD);
	/* The largest tree stays within the caps. */
	assert_int_equal(merkle_plan_inclusion(0, MERKLE_SIZE_MAX - 1, &plan), OK);
	assert_true(plan.proof_len <= MERKLE_PROOF_MAX && plan.need_count <= MERKLE_NEEDS_MAX);
	assert_int_equal(merkle_plan_consistency(1, MERKLE_SIZE_MAX - 1, &plan), OK);
	assert_true(plan.proof_len <= MERKLE_PROOF_MAX && plan.need_count <= MERKLE_NEEDS_MAX);
	/* Equal sizes: equal roots and nothing else. */
	assert_true(merkle_verify_consistency(7, &roots[7], 7, &roots[7], NULL, 0));
	assert_false(merkle_verify_consistency(7, &roots[7], 7, &roots[8], NULL, 0));
	assert_false(merkle_verify_consistency(7, &roots[7], 7, &roots[7], proof, 1));
	assert_true(merkle_verify_consistency(0, &roots[0], 0, &roots[0], NULL, 0));
	assert_false(merkle_verify_consistency(0, &roots[0], 5, &roots[5], NULL, 0));
	assert_false(merkle_verify_inclusion(&leaves[0], 0, 0, &roots[0], NULL, 0));
	assert_false(merkle_verify_inclusion(&leaves[0], UINT64_MAX, 0, &roots[0], NULL, 0));
}

static void test_leaf_and_node_do_not_meet(void **state)
{
	struct hash pair, leaf;
	char bytes[2 * HASH_LEN];
	(void)state;

	memcpy(bytes, leaves[0].b, HASH_LEN);
	memcpy(bytes + HASH_LEN, leaves[1].b, HASH_LEN);
	merkle_node(&leaves[0], &leaves[1], &pair);
	assert_int_equal(merkle_leaf((struct str){bytes, sizeof(bytes)}, &leaf), OK);
	assert_false(same(&pair, &leaf));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_roots),
		cmocka_unit_test(test_published_inclusion),
		cmocka_unit_test(test_published_consistency),
		cmocka_unit_test(test_growing_is_the_recursive_definition),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_inclusion_of_every_leaf),
		cmocka_unit_test(test_consistency_of_every_pair),
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_leaf_and_node_do_not_meet),
	};

	return cmocka_run_group_tests(tests, grow, NULL);
}
