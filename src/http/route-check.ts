/** Are the mounted routes exactly those of the authorization table? The server does not start otherwise (R-AUTHZ-1). */
import { addressesOf, type Row } from "./authorization.ts";

export interface MountedRoute {
  readonly method: string;
  readonly url: string;
}

/** Sentences, one per difference; empty when table and server agree. */
export function routeDifferences(table: readonly Row[], mounted: readonly MountedRoute[]): readonly string[] {
  const rows = table.flatMap((row) => addressesOf(row).map((url) => addressed(row.method, url)));
  const routes = mounted.map((route) => addressed(route.method, route.url));
  const known = new Set(rows);
  const standing = new Set(routes);
  return [
    ...repeated(rows).map((route) => `${route} has more than one row in the authorization table`),
    ...repeated(routes).map((route) => `${route} is mounted more than once`),
    ...[...standing]
      .filter((route) => !known.has(route))
      .map((route) => `${route} has no row in the authorization table`),
    ...[...known].filter((route) => !standing.has(route)).map((route) => `${route} has a row but no route`),
  ];
}

export class RoutesDiffer extends Error {
  override readonly name = "RoutesDiffer";
  constructor(differences: readonly string[]) {
    super(`The server does not start: ${differences.join("; ")}`);
  }
}

function addressed(method: string, url: string): string {
  return `${method} ${url}`;
}

function repeated(items: readonly string[]): readonly string[] {
  return [...new Set(items.filter((item, index) => items.indexOf(item) !== index))];
}
