/**
 * Acts on the grant of an approval. Callers of the generic API are judged by the engine; a gate passes `gate` once its own
 * rules have let the caller through, and may take the command to write something of its own beside it.
 * Implements docs/spec/engine.md section 11.
 */
import type { ExtendGrantCommand, GrantAuthority } from "../core/grant-command.ts";
import type { RevokedReason } from "../core/grant.ts";
import { isId, type RequestId } from "../core/ids.ts";
import type { Actor } from "../core/person.ts";
import { refuse, type Refusal } from "../core/refusal.ts";
import type { Request } from "../core/request.ts";
import type { Needs, StoreCommand, World } from "../ports/command-store.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";
import { unsupportedGrant } from "./grant-support.ts";
import { once, type Once, type Replay } from "./idempotency.ts";
import { MACHINE_ISSUER } from "./ledger-names.ts";
import { requestCommand } from "./request-command.ts";
import { spendingOnce, type SpentOnce } from "./workload-single-use.ts";

export interface UseGrantInput {
  readonly requestId: RequestId;
  readonly by: GrantAuthority;
  /** Of what is about to be done. */
  readonly digest: string;
  /** `convox:release:promote`; null where nothing but "it" is done. */
  readonly action: string | null;
}

/** R-GRANT-1. The credential is read again inside the transaction (identity R-TOK-9), and the grant derived again (R-VER-4). */
export function useGrantCommand(app: Application, actor: Actor, input: UseGrantInput): StoreCommand<Request | Refusal> {
  const { requestId, by, digest, action } = input;
  return requestCommand<Request>(app, {
    name: "use_grant",
    target: { requestId },
    actor,
    judged: by === "gate",
    needs: joined({ recordedOf: [requestId] }, credentialNeeds(actor)),
    command: () => ({ type: "use_grant", actor, by, digest, action }),
    confirm: (before, world) => credentialRefusal(actor, world) ?? supportIn(app, before, world),
    answer: ({ request }) => request,
  });
}

/** A workload's token counts one use and no second, whatever grant it names (identity R-WID-3); of requests it makes one besides. */
export function useGrant(
  app: Application,
  actor: Actor,
  input: UseGrantInput,
  call: Once<Request> | SpentOnce<Request> | null,
): Promise<Request | Refusal | Replay> {
  const command = useGrantCommand(app, actor, input);
  if (call === null || !("singleUse" in call)) return app.store.submit(once(command, call, ({ id }) => id));
  const singleUse = { ...call.singleUse, scope: `${call.singleUse.scope} grant` };
  return app.store.submit(spendingOnce(command, { ...call, singleUse }));
}

export interface RevokeGrantInput {
  readonly requestId: RequestId;
  readonly by: GrantAuthority;
  readonly reason: RevokedReason;
  readonly comment: string | null;
}

export function revokeGrantCommand(
  app: Application,
  actor: Actor,
  { requestId, by, reason, comment }: RevokeGrantInput,
): StoreCommand<Request | Refusal> {
  return requestCommand<Request>(app, {
    name: "revoke_grant",
    target: { requestId },
    actor,
    judged: by === "gate",
    needs: credentialNeeds(actor),
    command: () => ({ type: "revoke_grant", actor, by, reason, comment }),
    confirm: (_, world) => credentialRefusal(actor, world),
    answer: ({ request }) => request,
  });
}

export function revokeGrant(
  app: Application,
  actor: Actor,
  input: RevokeGrantInput,
  call: Once<Request> | null,
): Promise<Request | Refusal | Replay> {
  return app.store.submit(once(revokeGrantCommand(app, actor, input), call, ({ id }) => id));
}

export interface ExtendGrantInput {
  readonly requestId: RequestId;
  readonly needs?: Needs;
  /** The new end and its bounds, from what the transaction finds; only gates extend. */
  readonly bounds: (request: Request, world: World) => Omit<ExtendGrantCommand, "type" | "actor">;
}

export function extendGrantCommand(
  app: Application,
  actor: Actor,
  { requestId, needs = {}, bounds }: ExtendGrantInput,
): StoreCommand<Request | Refusal> {
  return requestCommand<Request>(app, {
    name: "extend_grant",
    target: { requestId },
    actor,
    judged: true,
    needs: joined({ recordedOf: [requestId] }, needs),
    command: (world, before) => ({ type: "extend_grant", actor, ...bounds(before, world) }),
    confirm: (before, world) => supportIn(app, before, world),
    answer: ({ request }) => request,
  });
}

function supportIn({ sha256 }: Application, request: Request, world: World): Refusal | null {
  return unsupportedGrant({
    request,
    policy: world.pinnedPolicy(request),
    recorded: world.recordedOf(request.id),
    sha256,
  });
}

/** What `credentialRefusal` looks at. */
export function credentialNeeds(actor: Actor): Needs {
  const tokenId = tokenOf(actor);
  if (actor.issuer !== MACHINE_ISSUER) return {};
  const machine = recordsBy("machine", "id", [actor.subject]);
  return { records: tokenId === null ? [machine] : [machine, recordsBy("apiToken", "id", [tokenId])] };
}

/** A machine of this installation, and the token it came with, as they are now. */
export function credentialRefusal(actor: Actor, world: World): Refusal | null {
  if (actor.issuer !== MACHINE_ISSUER) return null;
  const [machine] = world.records("machine", "id", actor.subject);
  if (machine?.disabledAt !== null) return refuse("token_revoked", "The machine of this token was retired");
  const tokenId = tokenOf(actor);
  if (tokenId === null) return null;
  const [token] = world.records("apiToken", "id", tokenId);
  if (token?.revokedAt !== null) return refuse("token_revoked", "This token was revoked");
  const isOver = token.expiresAt !== null && token.expiresAt <= world.now;
  return isOver ? refuse("token_expired", "This token has expired") : null;
}

/** The id behind `tok_…`; null for every other credential. */
export function tokenOf({ credential }: Actor): string | null {
  const hex = credential?.startsWith("tok_") === true ? credential.slice("tok_".length) : "";
  const text = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
  return isId<"token">(text) ? text : null;
}

function joined(left: Needs, right: Needs): Needs {
  return {
    ...left,
    ...right,
    records: [...(left.records ?? []), ...(right.records ?? [])],
    recordedOf: [...(left.recordedOf ?? []), ...(right.recordedOf ?? [])],
  };
}
