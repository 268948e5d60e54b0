/** Calls the server as a browser does: keeps its cookie, sends the token against forged calls, proves a passkey where asked. */
import { z } from "zod";
import type { JsonObject, JsonValue } from "../src/core/json.ts";
import { SoftwareAuthenticator } from "../test/support/software-authenticator.ts";

const answerSchema = z.record(z.string(), z.json());

export class DemoClient {
  readonly #origin: string;
  readonly #passkey: SoftwareAuthenticator;
  #cookie = "";
  #csrf = "";

  constructor(origin: string) {
    this.#origin = origin;
    this.#passkey = new SoftwareAuthenticator({ origin });
  }

  /** Below the server's address; throws when the answer is a refusal. */
  async post(path: string, body: JsonValue, headers: Readonly<Record<string, string>> = {}): Promise<JsonObject> {
    const answer = await fetch(`${this.#origin}${path}`, {
      method: "POST",
      headers: {
        ...{ "Content-Type": "application/json", Origin: this.#origin, "Sec-Fetch-Site": "same-origin" },
        ...(this.#cookie === "" ? {} : { Cookie: this.#cookie }),
        ...(this.#csrf === "" ? {} : { "X-CSRF-Token": this.#csrf }),
        ...headers,
      },
      body: JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`POST ${path} was answered ${String(answer.status)}: ${text.slice(0, 300)}`);
    for (const line of answer.headers.getSetCookie()) this.#cookie = line.split(";")[0] ?? "";
    const found = answerSchema.parse(JSON.parse(text));
    const me = answerSchema.safeParse(found["me"]).data ?? found;
    if (typeof me["csrf_token"] === "string") this.#csrf = me["csrf_token"];
    return found;
  }

  /** A passkey that this process holds, and loses when it ends. */
  async enrolPasskey(): Promise<void> {
    const { ceremony, options } = await this.post("/v1/me/factors/passkey/options", {});
    const response = this.#passkey.register(options ?? null);
    await this.post("/v1/me/factors/passkey", { ceremony: ceremony ?? null, response, name: "Demonstration" });
  }

  /** With the passkey proven in the call itself; `act` is the method and path as a challenge names it. */
  async prove(path: string, body: JsonValue, act: string): Promise<JsonObject> {
    const challenge = await this.post("/v1/me/challenges", { act });
    const response = this.#passkey.assert(challenge["options"] ?? null);
    const proof = JSON.stringify({ challenge: challenge["id"], response });
    return await this.post(path, body, { "X-MFA-WebAuthn": Buffer.from(proof).toString("base64") });
  }
}
