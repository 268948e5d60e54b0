/** A person's sessions in the deploy gate's words: seen and ended by themselves or by an administrator (docs/spec/deploy.md 11.3). */
import { z } from "zod";
import { endSessionsOf } from "../../app/change-person.ts";
import { endSessionOf } from "../../app/deploy/end-session-of.ts";
import { ownSessions } from "../../app/own-sessions.ts";
import {
  deploySessionSchema,
  revokedDeploySessionSchema,
  revokedDeploySessionsSchema,
} from "../../contract/deploy-users.ts";
import { wireTime } from "../../contract/wire-time.ts";
import type { Permission } from "../../core/permission.ts";
import { isRefusal, refuse, type Refusal } from "../../core/refusal.ts";
import type { SessionRecord } from "../../ports/identity-records.ts";
import type { MemberSummary } from "../../ports/member-reader.ts";
import { ok } from "../answers.ts";
import { endpoint, type Endpoint, type RawExchange } from "../endpoint.ts";
import { pathText } from "../path-values.ts";
import { numericId, withNumber } from "../../app/deploy/numeric-id.ts";
import { othersFault, userIn } from "./users-routes.ts";

const tag = "deploy";
const READ: Permission = "gateway:user:read";
const UPDATE: Permission = "gateway:user:update";

export function deployUserSessionRoutes(): readonly Endpoint[] {
  return [list(), revoke(), revokeAll()];
}

interface Found {
  readonly member: MemberSummary;
  readonly sessions: readonly SessionRecord[];
}

async function sessionsIn(
  exchange: Pick<RawExchange, "caller" | "params">,
  permission: Permission,
): Promise<Found | Refusal> {
  const { caller } = exchange;
  const member = await userIn(exchange);
  const fault = othersFault(caller, member, permission);
  if (fault !== null) return fault;
  if (isRefusal(member)) return member;
  const sessions = await ownSessions(caller.app, member.record.id);
  return { member, sessions: sessions.filter(({ orgId }) => orgId === caller.app.orgId) };
}

function list(): Endpoint {
  return endpoint({
    ...{ method: "GET", url: "/users/:email/sessions", summary: "Where a person is signed in", tag },
    answers: { 200: z.array(deploySessionSchema) },
    async handle(exchange) {
      const found = await sessionsIn(exchange, READ);
      return "sessions" in found ? ok(found.sessions.map(sessionOut)) : found;
    },
  });
}

function sessionOut(session: SessionRecord): z.output<typeof deploySessionSchema> {
  const { id, kind, client, address, createdAt, lastSeenAt, expiresAt } = session;
  return {
    ...{ id: numericId(id), created_at: wireTime(createdAt), last_seen_at: wireTime(lastSeenAt ?? createdAt) },
    ...{ expires_at: wireTime(expiresAt), channel: kind === "cli" ? "cli" : "web" },
    ...(address === null ? {} : { ip_address: address }),
    ...(client === null ? {} : { user_agent: client }),
  };
}

function revoke(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/users/:email/sessions/:id/revoke", summary: "End one session of a person", tag },
    answers: { 200: revokedDeploySessionSchema },
    async handle({ caller, params }) {
      const found = await sessionsIn({ caller, params }, UPDATE);
      if (!("sessions" in found)) return found;
      const session = withNumber(found.sessions, pathText(params, "id"));
      if (session === undefined) return refuse("not_found", "session not found");
      const about = { personId: found.member.record.id, sessionId: session.id };
      return (await endSessionOf(caller.app, caller.actor, about)) ?? ok({ revoked: true });
    },
  });
}

function revokeAll(): Endpoint {
  return endpoint({
    ...{ method: "POST", url: "/users/:email/sessions/revoke_all", summary: "Sign a person out everywhere", tag },
    answers: { 200: revokedDeploySessionsSchema },
    async handle(exchange) {
      const found = await sessionsIn(exchange, UPDATE);
      if (!("sessions" in found)) return found;
      const { app, actor } = exchange.caller;
      const refused = await endSessionsOf(app, actor, found.member.record.id);
      return refused ?? ok({ revoked_count: found.sessions.length });
    },
  });
}
