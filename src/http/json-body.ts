/** Bytes to JSON, or to the fields of a form: strict UTF-8, strict JSON, and a refusal with a sentence for everything else (R-API-7, R-API-8). */
import type { FastifyInstance } from "fastify";
import { faulty } from "./input.ts";
import { Refused } from "./refused.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/** Forms come from OAuth's own clients alone (RFC 8693, OpenID Connect Back-Channel Logout); which routes read one is theirs. */
export function acceptJsonAndForms(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser<Buffer>(
    /^application\/x-www-form-urlencoded(?:$|[;\s])/i,
    { parseAs: "buffer" },
    (_request, body, done) => {
      done(null, new URLSearchParams(body.toString("utf8")));
    },
  );
  server.addContentTypeParser<Buffer>(
    /^application\/(?:[a-z0-9.+-]+\+)?json(?:$|[;\s])/i,
    { parseAs: "buffer" },
    (_request, body, done) => {
      const read = jsonOf(body);
      if (read instanceof Refused) done(read);
      else done(null, read.value);
    },
  );
}

/** No bytes are no body. */
function jsonOf(bytes: Buffer): { readonly value: unknown } | Refused {
  if (bytes.length === 0) return { value: undefined };
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return { value };
  } catch (cause) {
    const msg = cause instanceof SyntaxError ? "is not valid JSON" : "is not UTF-8 text";
    return new Refused(faulty([{ type: "json_invalid", loc: ["body"], msg }]));
  }
}
