/** Which person is meant on the command line: `me`, an id, or a name by which the server knows exactly one. */
import { textIn, type ApiClient } from "../client/api-client.ts";
import { ApiRefusal } from "../client/api-refusal.ts";

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The person's id. Throws ApiRefusal when nobody, or more than one, is called so. */
export async function personNamed(client: ApiClient, text: string): Promise<string> {
  if (ID.test(text)) return text;
  if (text === "me") return textIn(await client.call({ method: "GET", path: "/me" }), "person_id") ?? noSuch(text);
  const people = await client.list(`/people?${new URLSearchParams({ q: text, limit: "100" }).toString()}`);
  const names = (person: unknown): boolean =>
    [textIn(person, "assignee"), textIn(person, "email")].some((name) => name?.toLowerCase() === text.toLowerCase());
  const [found, another] = people.filter(names);
  return another === undefined ? (textIn(found, "id") ?? noSuch(text)) : noSuch(text);
}

function noSuch(text: string): never {
  throw new ApiRefusal({
    ...{ status: 404, code: "not_found", detail: `Exactly one person must be called ${text}` },
    ...{ trace: null, faults: [], retryAfter: null },
  });
}
