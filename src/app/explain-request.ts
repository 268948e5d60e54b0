/** Why a request stands where it stands, for one asker. */
import { tryCompilePolicy } from "../core/compile-policy.ts";
import { explain, type Explanation } from "../core/explain.ts";
import type { NewId, PersonId, RequestId } from "../core/ids.ts";
import type { Actor } from "./admitted-actor.ts";
import { Bug } from "../core/refusal.ts";
import { isOpenTask, type Request } from "../core/request.ts";
import type { Viewer } from "../ports/reader.ts";
import { recordsBy } from "../ports/records.ts";
import type { Application } from "./application.ts";

export async function explainRequest(
  app: Application,
  id: RequestId,
  viewer: Viewer,
  actor: Actor,
): Promise<{ readonly request: Request; readonly explanation: Explanation } | undefined> {
  const request = await app.reader.request(id, viewer);
  if (request === undefined) return undefined;
  const version = await app.reader.policyById(request.policy.id);
  const compiled = version === undefined ? undefined : tryCompilePolicy(version.document);
  if (compiled?.ok !== true) throw new Bug("the policy of a request cannot be read");
  const facts = { people: new Map(), lookups: new Map(), delegations: new Map(), newId: noIds };
  const locked = await lockedHolders(app, request);
  const setting = { policy: compiled.policy, facts, now: app.clock(), settings: app.settings, locked };
  return { request, explanation: explain(request, actor, setting) };
}

async function lockedHolders(app: Application, request: Request): Promise<ReadonlySet<PersonId>> {
  const holders = request.stages.flatMap((run) => run.tasks.filter(isOpenTask).map((task) => task.personId));
  const people = await app.reader.records(recordsBy("person", "id", holders));
  return new Set(people.filter(({ status }) => status === "locked").map(({ id }) => id));
}

/** Explaining decides nothing, so it never needs an id. */
const noIds: NewId = () => {
  throw new Bug("explain asked for a new id");
};
