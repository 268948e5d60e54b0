/**
 * Reads the body of a call whose form the gate judges: one content type, known keys, each once. Implements the part of
 * docs/spec/deploy.md R-BIND-7 and R-BIND-10 that both forms share.
 */
import { parseForm } from "./url-encoded-form.ts";

/** Per key: `flag` for `true` and `false`, `count` for a decimal number, or what is wrong with the value, if anything. */
export type FormRules = Readonly<Record<string, "flag" | "count" | ((value: string) => string | null)>>;

export interface RackForm {
  /** Null where the key is absent. */
  text(key: string): string | null;
  flag(key: string): boolean | null;
}

export interface FormFault {
  readonly fault: string;
}

const rackFormBytesMax = 65_536;
const CONTENT_TYPE = "application/x-www-form-urlencoded";

/** `body` is the text of the bytes, of which a form has only ASCII ones; an empty body needs no content type. */
export function readForm(contentType: string | null, body: string, rules: FormRules): RackForm | FormFault {
  if (body.length > rackFormBytesMax) return { fault: "it is larger than 64 KiB" };
  if (body !== "" && contentType?.toLowerCase() !== CONTENT_TYPE) return { fault: `it is not ${CONTENT_TYPE}` };
  const pairs = parseForm(body);
  if (pairs === null) return { fault: "it is not in the encoding of forms" };
  const values = new Map<string, string>();
  for (const [key, value] of pairs) {
    const fault = values.has(key) ? `'${key}' is sent more than once` : faultOf(key, value, rules);
    if (fault !== null) return { fault };
    values.set(key, value);
  }
  return {
    text: (key) => values.get(key) ?? null,
    flag: (key) => (values.has(key) ? values.get(key) === "true" : null),
  };
}

function faultOf(key: string, value: string, rules: FormRules): string | null {
  const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
  if (rule === undefined) return `'${key}' is not known`;
  if (rule === "flag") return value === "true" || value === "false" ? null : `'${key}' is neither true nor false`;
  if (rule === "count") return COUNT.test(value) ? null : `'${key}' is not a number`;
  return rule(value);
}

const COUNT = /^[0-9]{1,6}$/;
