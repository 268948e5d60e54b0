/** One's own sessions, and the browsers that stand in for a second factor (docs/spec/identity.md section 4). */
import { z } from "zod";
import { endOtherSessions, endOwnSession, ownSessions } from "../../app/own-sessions.ts";
import { ownDevices, revokeOwnDevice } from "../../app/trusted-device.ts";
import { isId, type PersonId } from "../../core/ids.ts";
import { refuse, type Refusal } from "../../core/refusal.ts";
import { ownDeviceSchema, ownSessionSchema } from "../../contract/auth.ts";
import { wireTime, wireTimeOrNull } from "../../contract/wire-time.ts";
import type { SessionRecord, TrustedDeviceRecord } from "../../ports/identity-records.ts";
import { NO_CONTENT, ok } from "../answers.ts";
import type { Authorized } from "../authorized.ts";
import { endpoint, type Endpoint } from "../endpoint.ts";
import { pathText } from "../path-values.ts";

const tag = "self";

export function ownSessionRoutes(): readonly Endpoint[] {
  return [...sessions(), ...devices()];
}

const NOBODY: Refusal = refuse("not_found", "Only people have sessions of their own");

function personIdOf({ actor }: Authorized): PersonId | null {
  return actor.person?.id ?? null;
}

/** What cannot be an id names nothing. */
function idIn(params: Readonly<Record<string, string>>): string | null {
  const id = pathText(params, "id").toLowerCase();
  return isId(id) ? id : null;
}

function sessions(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/me/sessions",
      summary: "Where you are signed in",
      tag,
      answers: { 200: z.array(ownSessionSchema) },
      async handle({ caller }) {
        const personId = personIdOf(caller);
        if (personId === null) return NOBODY;
        const own = await ownSessions(caller.app, personId);
        return ok(own.map((session) => sessionOut(session, caller.session?.id ?? null)));
      },
    }),
    endpoint({
      method: "DELETE",
      url: "/me/sessions/:id",
      summary: "End one of your sessions",
      tag,
      answers: { 204: z.null() },
      async handle({ caller, params }) {
        const [personId, id] = [personIdOf(caller), idIn(params)];
        if (personId === null || id === null) return refuse("not_found", "You have no such session");
        return (await endOwnSession(caller.app, personId, id)) ?? NO_CONTENT;
      },
    }),
    endpoint({
      method: "POST",
      url: "/me/sessions/end-others",
      summary: "End every session but this one",
      tag,
      answers: { 204: z.null() },
      async handle({ caller }) {
        if (caller.session === null) return NOBODY;
        await endOtherSessions(caller.app, caller.session);
        return NO_CONTENT;
      },
    }),
  ];
}

function devices(): readonly Endpoint[] {
  return [
    endpoint({
      method: "GET",
      url: "/me/devices",
      summary: "The browsers you trust",
      tag,
      answers: { 200: z.array(ownDeviceSchema) },
      async handle({ caller }) {
        const personId = personIdOf(caller);
        if (personId === null) return NOBODY;
        return ok((await ownDevices(caller.app, personId)).map(deviceOut));
      },
    }),
    endpoint({
      method: "DELETE",
      url: "/me/devices/:id",
      summary: "Trust a browser no longer",
      tag,
      answers: { 204: z.null() },
      async handle({ caller, params }) {
        const [personId, id] = [personIdOf(caller), idIn(params)];
        if (personId === null || id === null) return refuse("not_found", "You have no such device");
        return (await revokeOwnDevice(caller.app, personId, id)) ?? NO_CONTENT;
      },
    }),
  ];
}

function sessionOut(session: SessionRecord, currentId: string | null): z.output<typeof ownSessionSchema> {
  const { id, kind, method, client, address, createdAt, lastSeenAt, expiresAt } = session;
  return {
    ...{ id, kind, method, client, address, created_at: wireTime(createdAt) },
    ...{ last_seen_at: wireTimeOrNull(lastSeenAt), expires_at: wireTime(expiresAt), current: id === currentId },
  };
}

function deviceOut({
  id,
  browser,
  createdAt,
  lastUsedAt,
  expiresAt,
}: TrustedDeviceRecord): z.output<typeof ownDeviceSchema> {
  const times = { created_at: wireTime(createdAt), last_used_at: wireTimeOrNull(lastUsedAt) };
  return { id, browser, ...times, expires_at: wireTime(expiresAt) };
}
