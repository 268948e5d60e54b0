/** API tokens of machines: made, rotated, revoked, and listed without their secrets (docs/spec/identity.md section 7). */
import { z } from "zod";
import { makeToken, type MadeToken } from "../../app/make-token.ts";
import { revokeToken } from "../../app/revoke-token.ts";
import { rotateToken } from "../../app/rotate-token.ts";
import { tokenNotFound } from "../../app/token-change.ts";
import type { TokenCaller } from "../../app/token-maker.ts";
import { standsForProvider } from "../../app/workload-caller.ts";
import { isId } from "../../core/ids.ts";
import { isRefusal, type Refusal } from "../../core/refusal.ts";
import {
  madeTokenSchema,
  makeTokenSchema,
  rotateTokenSchema,
  tokenOutSchema,
  tokensQuerySchema,
} from "../../contract/tokens.ts";
import { listed, NO_CONTENT } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { definedMembers } from "../defined-members.ts";
import { endpoint, type Endpoint, type Outcome } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { tokenOut } from "../wire/machine-out.ts";
import { ownerFilter } from "./machines.ts";

const tag = "machines";

export function tokenRoutes(): readonly Endpoint[] {
  return [list(), make(), rotate(), revoke()];
}

function list(): Endpoint {
  return endpoint({
    method: "GET",
    url: "/tokens",
    summary: "Tokens: all of them, or those of machines that you own",
    tag,
    query: tokensQuerySchema,
    answers: { 200: z.array(tokenOutSchema) },
    async handle({ query, caller, url }) {
      const owner = ownerFilter(caller, "org:token:read");
      if (isRefusal(owner)) return owner;
      const { machine_id: machineId, q, live, expires, limit, cursor } = query;
      const now = caller.app.clock();
      const filter = { ...owner, now, ...definedMembers({ machineId, q, live, expires, limit, cursor }) };
      const page = await caller.app.reader.tokens(filter);
      return listed(
        page.items.filter(({ record }) => !standsForProvider(record)).map((token) => tokenOut(token, now)),
        page.next,
        { url },
      );
    },
  });
}

function make(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tokens",
    summary: "Make a token for a machine; its secret is shown once",
    tag,
    body: makeTokenSchema,
    answers: { 201: madeTokenSchema },
    async handle({ body, caller }) {
      const made = await makeToken(caller.app, tokenCaller(caller), {
        ...{ machineId: body.machine_id, name: body.name, family: body.family, scopes: body.scopes },
        ...{ limits: { ...body.limits }, expiresInDays: body.expires_in_days },
      });
      return shown(caller, made, 201);
    },
  });
}

function rotate(): Endpoint {
  return endpoint({
    method: "POST",
    url: "/tokens/:id/rotate",
    summary: "Give a token a new secret; the old one works on for the overlap",
    tag,
    body: rotateTokenSchema,
    answers: { 200: madeTokenSchema },
    async handle({ params, body, caller }) {
      const tokenId = tokenIdIn(params);
      if (tokenId === null) return tokenNotFound();
      const rotation = { tokenId, overlapHours: body.overlap_hours };
      return shown(caller, await rotateToken(caller.app, tokenCaller(caller), rotation), 200);
    },
  });
}

function revoke(): Endpoint {
  return endpoint({
    method: "DELETE",
    url: "/tokens/:id",
    summary: "Revoke a token",
    tag,
    answers: { 204: z.null() },
    async handle({ params, caller }) {
      const tokenId = tokenIdIn(params);
      if (tokenId === null) return tokenNotFound();
      const revoked = await revokeToken(caller.app, tokenCaller(caller), tokenId);
      return isRefusal(revoked) ? revoked : NO_CONTENT;
    },
  });
}

function tokenCaller({ actor, session }: Authorized): TokenCaller {
  return { actor, session };
}

function tokenIdIn(params: Readonly<Record<string, string>>): string | null {
  const id = pathText(params, "id").toLowerCase();
  return isId<"token">(id) ? id : null;
}

async function shown(caller: Authorized, made: MadeToken | Refusal, status: number): Promise<Outcome> {
  if (isRefusal(made)) return made;
  const view = await caller.app.reader.token(made.token.id);
  if (view === undefined) return tokenNotFound();
  return { status, body: { token: tokenOut(view, caller.app.clock()), secret: made.secret } };
}
