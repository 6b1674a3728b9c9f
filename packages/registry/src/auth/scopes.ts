/**
 * What a token allows: `repository:library/debian:pull,push`, `registry:catalog:*`.
 * @see distribution's token authentication scope documentation
 */
export type Scope = string;

export function repositoryScope(repository: string, access: "pull" | "push" | "delete"): Scope {
  const actions = { pull: "pull", push: "pull,push", delete: "delete" };
  return `repository:${repository}:${actions[access]}`;
}

export const catalogScope: Scope = "registry:catalog:*";

/** One scope a resource, with all actions that any of the given ones names; in a fixed order. */
export function mergeScopes(scopes: readonly Scope[]): Scope[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of scopes.filter((text) => text !== "")) {
    const colon = scope.lastIndexOf(":");
    const resource = scope.slice(0, colon);
    const of = actions.get(resource) ?? new Set();
    for (const action of scope.slice(colon + 1).split(",")) of.add(action);
    actions.set(resource, of);
  }
  return [...actions].map(([resource, of]) => `${resource}:${[...of].sort().join(",")}`).sort();
}
