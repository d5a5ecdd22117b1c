/* SPDX-License-Identifier: Apache-2.0 */
#include "contract/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the whole contract may take; more aborts at start. */
#define NODES_MAX 512

enum method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, METHOD_COUNT };

static const char *const method_names[METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

/* One segment of a path. A segment in braces takes any value and comes after its literal siblings. */
struct node {
	struct str segment;
	bool any;
	struct node *first, *next;
	const struct operation *operations[METHOD_COUNT];
	bool has_operation;
	char allow[ALLOW_TEXT_MAX];
};

static struct node nodes[NODES_MAX];
static size_t node_count;
static struct node root;

static enum method method_of(struct str name)
{
	for (size_t i = 0; i < METHOD_COUNT; i++) {
		if (str_eq_c(name, method_names[i]))
			return (enum method)i;
	}
	return METHOD_COUNT;
}

static struct node *child_of(struct node *parent, struct str segment)
{
	bool any = str_starts(segment, "{");
	struct node **link = &parent->first;
	struct node *child;

	for (; *link != NULL; link = &(*link)->next) {
		if ((*link)->any == any && (any || str_eq((*link)->segment, segment)))
			return *link;
		if ((*link)->any)
			break;
	}
	if (node_count == NODES_MAX)
		abort();
	child = &nodes[node_count++];
	child->segment = segment;
	child->any = any;
	child->next = *link;
	*link = child;
	return child;
}

/* In place, so that a start for which there is no memory ends with a word. */
static void allow_build(struct node *node)
{
	size_t len = 0;

	for (size_t i = 0; i < METHOD_COUNT; i++) {
		const char *name = i == METHOD_GET ? "GET, HEAD" : method_names[i];

		if (node->operations[i] == NULL)
			continue;
		len += (size_t)snprintf(
			node->allow + len, sizeof(node->allow) - len, "%s%s", len > 0 ? ", " : "", name);
		if (len >= sizeof(node->allow))
			abort();
	}
	if (sizeof(node->allow) - len < sizeof(", OPTIONS"))
		abort();
	memcpy(node->allow + len, ", OPTIONS", sizeof(", OPTIONS"));
}

static void operation_add(const struct operation *operation)
{
	struct str rest = str_from(operation->path + 1);
	enum method method = method_of(str_from(operation->method));
	struct node *node = &root;
	struct str segment;
	bool more;

	do {
		more = str_cut(&rest, '/', &segment);
		node = child_of(node, segment);
	} while (more);
	if (method == METHOD_COUNT || node->operations[method] != NULL)
		abort(); /* a method that we do not route, or two operations of one method and path */
	node->operations[method] = operation;
	node->has_operation = true;
	allow_build(node);
}

void router_init(void)
{
	memset(nodes, 0, sizeof(nodes));
	memset(&root, 0, sizeof(root));
	node_count = 0;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		if (operation_table[i].method != NULL)
			operation_add(&operation_table[i]);
	}
}

/* The node of a path, and the values of its open segments. Goes no deeper than the longest declared path. */
static const struct node *node_find(const struct node *parent, struct str rest, struct route *route)
{
	size_t params = route->param_count;
	struct str segment;
	bool more = str_cut(&rest, '/', &segment);

	if (segment.len == 0)
		return NULL;
	for (const struct node *child = parent->first; child != NULL; child = child->next) {
		const struct node *found = child;

		if (child->any && params < ROUTE_PARAMS_MAX)
			route->params[route->param_count++].value = segment;
		else if (child->any || !str_eq(child->segment, segment))
			continue;
		if (more)
			found = node_find(child, rest, route);
		if (found != NULL && found->has_operation)
			return found;
		route->param_count = params;
	}
	return NULL;
}

/* The names of the open segments as this operation's path has them. */
static void name_params(struct route *route)
{
	const char *p = route->operation->path;

	for (size_t i = 0; i < route->param_count; i++) {
		const char *open = strchr(p, '{');
		const char *close = open == NULL ? NULL : strchr(open, '}');

		if (close == NULL)
			abort(); /* the tree was built from this very path */
		route->params[i].name = (struct str){open + 1, (size_t)(close - open - 1)};
		p = close;
	}
}

enum err router_find(struct str method, struct str path, struct route *route_out, char allow_out[ALLOW_TEXT_MAX])
{
	const struct node *node;
	enum method found = method_of(str_eq_c(method, "HEAD") ? STR("GET") : method);

	allow_out[0] = '\0';
	route_out->operation = NULL;
	route_out->param_count = 0;
	if (path.len == 0 || path.p[0] != '/')
		return ERR_NOT_FOUND;
	node = node_find(&root, (struct str){path.p + 1, path.len - 1}, route_out);
	if (node == NULL)
		return ERR_NOT_FOUND;
	if (found == METHOD_COUNT || node->operations[found] == NULL) {
		memcpy(allow_out, node->allow, ALLOW_TEXT_MAX);
		route_out->param_count = 0;
		return ERR_METHOD_NOT_ALLOWED;
	}
	route_out->operation = node->operations[found];
	name_params(route_out);
	return OK;
}
