/**
 * Turns an answer of the server into a typed value, or refuses it. Small on purpose: the contract's schemas stay on the
 * server; the console reads only the members it shows and says which one it could not read.
 */
export type Read<T> = (value: unknown, path: string) => T;
export type Answer<R> = R extends Read<infer T> ? T : never;

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = Readonly<Record<string, Json>>;

export class UnreadableAnswer extends Error {
  constructor(path: string, expected: string) {
    super(`The server's answer could not be read: ${path} is not ${expected}.`);
    this.name = "UnreadableAnswer";
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isJson(value: unknown): value is Json {
  if (value === null) return true;
  if (typeof value === "object") return Object.values(value).every(isJson);
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

export function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value) && isJson(value);
}

export const text: Read<string> = (value, path) => {
  if (typeof value !== "string") throw new UnreadableAnswer(path, "text");
  return value;
};

export const number: Read<number> = (value, path) => {
  if (typeof value !== "number") throw new UnreadableAnswer(path, "a number");
  return value;
};

export const flag: Read<boolean> = (value, path) => {
  if (typeof value !== "boolean") throw new UnreadableAnswer(path, "true or false");
  return value;
};

export const json: Read<Json> = (value, path) => {
  if (!isJson(value)) throw new UnreadableAnswer(path, "JSON");
  return value;
};

export const jsonObject: Read<JsonObject> = (value, path) => {
  if (!isJsonObject(value)) throw new UnreadableAnswer(path, "an object");
  return value;
};

export const nothing: Read<null> = () => null;

/** Absent and null read the same: the member is not there. */
export function nullable<T>(read: Read<T>): Read<T | null> {
  return (value, path) => (value === undefined || value === null ? null : read(value, path));
}

/** For members that say nothing when absent: an absent list is empty, an absent flag is false. */
export function orElse<T>(read: Read<T>, fallback: T): Read<T> {
  return (value, path) => (value === undefined || value === null ? fallback : read(value, path));
}

export function list<T>(read: Read<T>): Read<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new UnreadableAnswer(path, "a list");
    return value.map((item: unknown, index) => read(item, `${path}[${String(index)}]`));
  };
}

export function oneOf<const T extends string>(...allowed: readonly T[]): Read<T> {
  return (value, path) => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw new UnreadableAnswer(path, `one of ${allowed.join(", ")}`);
    return found;
  };
}

type Shape = Readonly<Record<string, Read<unknown>>>;
type Shaped<S extends Shape> = { readonly [K in keyof S]: Answer<S[K]> };

export function object<S extends Shape>(shape: S): Read<Shaped<S>>;
export function object(shape: Shape): Read<unknown> {
  return (value, path) => {
    if (!isObject(value)) throw new UnreadableAnswer(path, "an object");
    return Object.fromEntries(
      Object.entries(shape).map(([key, read]) => [key, read(value[key], path === "" ? key : `${path}.${key}`)]),
    );
  };
}
