/** Who acts, in the words of a rack: a person's address or `token:<name>`, and the address of the person behind it (docs/spec/deploy.md R-PROXY-5). */
import { createCredentialCache, type CredentialCache } from "../../app/credential-cache.ts";
import { tokenOf } from "../../app/grant-act.ts";
import type { RackActor } from "../../ports/rack.ts";
import type { Caller } from "../authorized.ts";

export class RackActors {
  readonly #known: CredentialCache<RackActor>;

  constructor(clock: () => number) {
    this.#known = createCredentialCache<RackActor>(clock);
  }

  async of({ actor, app }: Pick<Caller, "actor" | "app">): Promise<RackActor> {
    const { person } = actor;
    if (person !== null) {
      const email = actor.email ?? actor.assignee;
      return { name: email, email };
    }
    const unnamed = { name: `token:${actor.displayName}`, email: "" };
    const id = tokenOf(actor);
    if (id === null) return unnamed;
    return (await this.#known.get(id, () => tokenActor(app, id))) ?? unnamed;
  }
}

async function tokenActor(app: Caller["app"], id: string): Promise<RackActor | undefined> {
  const token = await app.reader.token(id);
  if (token === undefined) return undefined;
  const [ownerId] = token.machine.owners;
  const owner = ownerId === undefined ? undefined : await app.reader.person(ownerId);
  return { name: `token:${token.record.name}`, email: owner?.record.email ?? "" };
}
