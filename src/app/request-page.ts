/** Where a person finds a request: the console's page of its gate (docs/spec/console.md section 2). Opening it changes nothing. */
import type { GateName } from "../core/request.ts";

interface Found {
  readonly gate: GateName;
  readonly id: string;
}

export function requestPage(publicUrl: string, { gate, id }: Found): string {
  return gate === "deploy" ? `${publicUrl}/app/deploy/requests/${id}` : `${publicUrl}/app/requests/${id}`;
}
