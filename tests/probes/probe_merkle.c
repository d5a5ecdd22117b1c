/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/encode.h"
#include "merkle.h"
#include "probe.h"

/* A reason, or NULL and the value. */
static const char *read_count(const struct json *doc, const char *key, uint64_t *count_out)
{
	const struct json *number = json_get(doc, key);
	int64_t value = -1;

	if (!number || number->kind != JSON_NUMBER || json_to_i64(number, &value) != OK || value < 0)
		return "bad_number";
	*count_out = (uint64_t)value;
	return NULL;
}

static const char *read_hash(struct probe *probe, const struct json *text, struct hash *hash_out)
{
	struct str bytes = STR_NONE;

	if (text && text->kind == JSON_STRING)
		bytes = base64_decode(probe->arena, text->text);
	if (!bytes.p || bytes.len != HASH_LEN)
		return "bad_hash";
	memcpy(hash_out->b, bytes.p, HASH_LEN);
	return NULL;
}

struct proof {
	struct hash nodes[MERKLE_PROOF_MAX];
	size_t len;
};

/* A proof of nothing may be null, as some writers of JSON have an empty list. */
static const char *read_proof(struct probe *probe, const struct json *doc, struct proof *proof_out)
{
	const struct json *list = json_get(doc, "proof");
	const char *reason = NULL;

	proof_out->len = 0;
	if (!list || (list->kind != JSON_ARRAY && list->kind != JSON_NULL))
		return "bad_proof";
	if (list->count > MERKLE_PROOF_MAX)
		return "proof_too_long";
	for (const struct json *node = list->first; node && !reason; node = node->next)
		reason = read_hash(probe, node, &proof_out->nodes[proof_out->len++]);
	return reason;
}

static const char *judge_inclusion(struct probe *probe, const struct json *doc)
{
	uint64_t index = 0, size = 0;
	struct hash root, leaf;
	struct proof proof;
	const char *reason;

	if ((reason = read_count(doc, "leaf_index", &index)) || (reason = read_count(doc, "tree_size", &size)) ||
		(reason = read_hash(probe, json_get(doc, "root"), &root)) ||
		(reason = read_hash(probe, json_get(doc, "leaf_hash"), &leaf)) ||
		(reason = read_proof(probe, doc, &proof)))
		return reason;
	return merkle_verify_inclusion(&leaf, index, size, &root, proof.nodes, proof.len) ? NULL : "not_included";
}

static const char *judge_consistency(struct probe *probe, const struct json *doc)
{
	uint64_t old_size = 0, size = 0;
	struct hash old_root, root;
	struct proof proof;
	const char *reason;

	if ((reason = read_count(doc, "size1", &old_size)) || (reason = read_count(doc, "size2", &size)) ||
		(reason = read_hash(probe, json_get(doc, "root1"), &old_root)) ||
		(reason = read_hash(probe, json_get(doc, "root2"), &root)) || (reason = read_proof(probe, doc, &proof)))
		return reason;
	return merkle_verify_consistency(old_size, &old_root, size, &root, proof.nodes, proof.len) ? NULL
	                                                                                           : "not_consistent";
}

int probe_merkle(struct probe *probe)
{
	const char *(*judge)(struct probe *, const struct json *) = NULL;
	const struct json *doc = NULL;
	const char *reason = NULL;

	if (strcmp(probe->words[0], "inclusion") == 0)
		judge = judge_inclusion;
	else if (strcmp(probe->words[0], "consistency") == 0)
		judge = judge_consistency;
	if (!judge)
		return probe_fail("say inclusion or consistency", NULL);
	if (json_parse(probe->arena, probe->input, &doc, &reason) == OK)
		reason = judge(probe, doc);
	return probe_verdict(reason == NULL, reason);
}
