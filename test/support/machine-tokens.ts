/** Machines and their tokens, made through the real routes by somebody who signed in. */
import { isJsonObject, type JsonObject } from "../../src/core/json.ts";
import { textAt } from "./json-answer.ts";
import { must, type TestBrowser } from "./signed-in.ts";

export interface MadeToken {
  readonly id: string;
  readonly machineId: string;
  readonly secret: string;
  /** As the answer showed it. */
  readonly token: JsonObject;
  /** Headers that present it. */
  readonly bearer: { readonly authorization: string };
}

/** The items of every page of a list, from its first on; the Link header leads to the next. */
export async function pagesOf(by: TestBrowser, first: string): Promise<readonly JsonObject[]> {
  const items: JsonObject[] = [];
  let next: string | undefined = first;
  for (let pages = 0; next !== undefined && pages < 20; pages += 1) {
    const answer = await by.get(next);
    const page = answer.json();
    if (!Array.isArray(page)) throw new Error(`no list: ${answer.body.slice(0, 200)}`);
    items.push(...page.filter(isJsonObject));
    const link = answer.headers["link"];
    next = typeof link === "string" ? /<\/v1([^>]+)>/.exec(link)?.[1] : undefined;
  }
  return items;
}

let machines = 0;

/** A machine that the browser's person owns, unless said otherwise. */
export async function machineOf(by: TestBrowser, input: JsonObject = {}): Promise<string> {
  machines += 1;
  const body = { kind: "ci", name: `machine ${String(machines)}`, owners: [by.personId], ...input };
  return textAt(must(await by.post("/machines", body, { fresh: true }), 201), "id");
}

export async function tokenOf(by: TestBrowser, machineId: string, input: JsonObject = {}): Promise<MadeToken> {
  const body = { machine_id: machineId, name: "pipeline", scopes: ["approval:request:create"], ...input };
  return madeToken(must(await by.post("/tokens", body, { fresh: true }), 201));
}

export function madeToken(made: JsonObject): MadeToken {
  const { token } = made;
  if (!isJsonObject(token)) throw new Error("no token in the answer");
  const secret = textAt(made, "secret");
  const bearer = { authorization: `Bearer ${secret}` };
  return { id: textAt(token, "id"), machineId: textAt(token, "machine_id"), secret, token, bearer };
}
