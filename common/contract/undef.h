/* SPDX-License-Identifier: Apache-2.0 */
/* Ends one expansion of all.def; deliberately without a guard. */
#undef SHAPE
#undef END_SHAPE
#undef BOOL
#undef I64
#undef TEXT
#undef CHOICE
#undef BYTES
#undef UUID
#undef TIME
#undef JSON
#undef OBJECT
#undef LIST
#undef TEXTS
#undef UUIDS
#undef OPERATION
#undef INTERNAL
