/** Permissions are `scope:resource:action`; a part that is `*` covers every part in its place. */
export function permits(granted: readonly string[], needed: string): boolean {
  const parts = needed.split(":");
  return granted.some((grant) => {
    const given = grant.split(":");
    return parts.every((part, index) => given[index] === "*" || given[index] === part);
  });
}
