/** For every kind of field, JSON texts that are not of that kind; written raw, because JSON can say more than JavaScript. */
export type Kind =
  | { readonly kind: "text"; readonly min: number; readonly max: number; readonly nullable?: true }
  | { readonly kind: "word"; readonly words: readonly string[]; readonly anyCase?: true; readonly nullable?: true }
  | { readonly kind: "whole"; readonly min: number; readonly max: number; readonly nullable?: true }
  | { readonly kind: "flag" }
  | { readonly kind: "members"; readonly nullable?: true }
  | { readonly kind: "list"; readonly max: number }
  | { readonly kind: "time" };

const TEXTS = ['"x"', '""'];
const NUMBERS = ["0", "-1", "1.5"];
const OTHERS = ["true", "[]", "{}", "[[]]"];
const NULL = ["null"];
const BROKEN_TEXT = ['"a\\u0000b"', '"\\ud800"', '"\\udc00x"'];
const BROKEN_NUMBERS = ["1e999", "-1e999", "9007199254740994"];
const BROKEN_MEMBERS = [
  '{"__proto__":{"a":1}}',
  '{"a\\u0000":1}',
  `{"a":${deep(40)}}`,
  '{"n":1e400}',
  '{"t":"\\udfff"}',
];

export function badValues(field: Kind): readonly string[] {
  return [...wrongTypes(field), ...BROKEN_NUMBERS, ...outOfBounds(field)];
}

function wrongTypes(field: Kind): readonly string[] {
  const nil = "nullable" in field ? [] : NULL;
  switch (field.kind) {
    case "text":
      return [...NUMBERS, ...OTHERS, ...nil, ...BROKEN_TEXT];
    case "word":
    case "time":
      return [...NUMBERS, ...OTHERS, ...TEXTS, ...nil, ...BROKEN_TEXT];
    case "whole":
      return ["1.5", '"5"', '" 5"', ...OTHERS, ...TEXTS, ...nil];
    case "flag":
      return [...NUMBERS, ...TEXTS, '"true"', "[]", "{}", ...NULL];
    case "members":
      return [...NUMBERS, ...TEXTS, "true", "[]", "[[]]", ...nil, ...BROKEN_MEMBERS];
    case "list":
      return [...NUMBERS, ...TEXTS, "true", "{}", ...NULL, `[${deep(40)}]`];
  }
}

function outOfBounds(field: Kind): readonly string[] {
  switch (field.kind) {
    case "text":
      return [
        JSON.stringify("é".repeat(field.max + 1)),
        JSON.stringify("🦉".repeat(field.max + 1)),
        ...(field.min > 0 ? ['""'] : []),
      ];
    case "word":
      return [
        '"approve "',
        '"no such word"',
        ...(field.anyCase === true ? [] : field.words.map((word) => JSON.stringify(word.toUpperCase()))),
      ];
    case "whole":
      return [String(field.min - 1), String(field.max + 1), "9007199254740991", "-9007199254740991", "1e300"];
    case "time":
      return [
        '"2026-13-01T00:00:00Z"',
        '"2026-02-30T00:00:00Z"',
        '"yesterday"',
        '"2026-11-20"',
        '"99999-01-01T00:00:00Z"',
      ];
    case "list":
      return [`[${Array.from({ length: field.max + 1 }, () => '"x"').join(",")}]`];
    case "flag":
    case "members":
      return [];
  }
}

/** `levels` arrays inside each other. */
export function deep(levels: number): string {
  return "[".repeat(levels) + "]".repeat(levels);
}
