/**
 * Who may read a request. Implements docs/spec/api.md R-AUTH-30 and R-AUTH-31, and docs/spec/identity.md R-ROLE-4; the read
 * side asks the same in SQL. The people behind a machine are those of the moment when it asked.
 */
import { isCreator, isRequester } from "../core/cancel-request.ts";
import type { Actor } from "../core/person.ts";
import type { Request } from "../core/request.ts";
import type { ApplicationSettings } from "./application.ts";

export function readable(request: Request, actor: Actor, settings: ApplicationSettings): boolean {
  if (readsAll(actor, settings) || isRequester(request, actor) || isCreator(request, actor)) return true;
  const { person } = actor;
  if (person === null) return false;
  if (request.creator.standsFor.includes(person.id)) return true;
  return request.stages.some((run) =>
    run.tasks.some((task) => task.personId === person.id || task.delegatorId === person.id),
  );
}

function readsAll(actor: Pick<Actor, "admin" | "viewer">, settings: ApplicationSettings): boolean {
  return actor.admin || actor.viewer || settings.readScope === "authenticated";
}
