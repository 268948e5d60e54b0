/**
 * A simulator of Postmark's API (not Postmark): the one call that sends a message, with the refusals of the real service for wrong tokens,
 * unconfirmed senders, inactive recipients and messages that say nothing.
 */
import { randomUUID } from "node:crypto";
import { isJsonObject, type JsonObject } from "../../../src/core/json.ts";
import { jsonBody, SimulatorServer, type SimulatedAnswer, type SimulatedFault } from "../simulator-server.ts";

export interface PostmarkSimulator {
  readonly url: string;
  readonly token: string;
  /** The only confirmed sender. */
  readonly sender: string;
  /** As they came, oldest first. */
  readonly messages: readonly JsonObject[];
  /** Bounced before: nothing is sent to them any more. */
  readonly inactive: Set<string>;
  fail(fault: SimulatedFault): void;
  heal(): void;
  close(): Promise<void>;
}

const KNOWN = new Set([
  ...["From", "To", "Cc", "Bcc", "Subject", "Tag", "HtmlBody", "TextBody", "ReplyTo", "Headers", "TrackOpens"],
  ...["TrackLinks", "Metadata", "Attachments", "MessageStream"],
]);

export async function openPostmarkSimulator(): Promise<PostmarkSimulator> {
  const token = randomUUID();
  const sender = "no-reply@example.com";
  const messages: JsonObject[] = [];
  const inactive = new Set<string>();
  const server = await SimulatorServer.open({
    ...{ name: "postmark", prefix: "" },
    check: ({ headers }) => {
      const [accept = "", type = ""] = [headers["accept"], headers["content-type"]];
      if (!type.startsWith("application/json") || !accept.includes("application/json")) return { status: 415 };
      return headers["x-postmark-server-token"] === token ? null : no(401, 10, "The Server Token is not valid.");
    },
    routes: [
      {
        ...{ method: "POST", path: /^\/email$/ },
        answer: (call) => {
          const body = jsonBody(call);
          if (!isJsonObject(body)) return no(422, 402, "Received invalid JSON input.");
          const unknown = Object.keys(body).filter((name) => !KNOWN.has(name));
          if (unknown.length > 0) server.violations.push(`unknown members: ${unknown.join()}`);
          const [from, to] = [textOf(body, "From"), textOf(body, "To")];
          if (!from.includes(sender)) return no(422, 400, `The 'From' address ${from} is not a Sender Signature.`);
          if (!/^[^\s@,]+@[^\s@,]+$/.test(to)) return no(422, 300, `Error parsing 'To': ${to}`);
          if (textOf(body, "TextBody") === "" && textOf(body, "HtmlBody") === "") return no(422, 300, "No body.");
          if (textOf(body, "MessageStream") !== "outbound") return no(422, 1_235, "The stream does not exist.");
          if (inactive.has(to)) return no(422, 406, `You tried to send to a recipient that is inactive: ${to}`);
          messages.push(body);
          const sent = { To: to, SubmittedAt: new Date().toISOString(), MessageID: randomUUID() };
          return { status: 200, body: { ...sent, ErrorCode: 0, Message: "OK" } };
        },
      },
    ],
  });
  return {
    ...{ url: server.url, token, sender, messages, inactive },
    fail: (fault) => {
      server.fail(fault);
    },
    heal: () => {
      server.faults.length = 0;
    },
    close: () => server.close(),
  };
}

function no(status: number, code: number, message: string): SimulatedAnswer {
  return { status, body: { ErrorCode: code, Message: message } };
}

function textOf(body: JsonObject, name: string): string {
  const value = body[name];
  return typeof value === "string" ? value : "";
}
