import type { Json } from "../../api/read.ts";

export interface DeploySettingWords {
  readonly key: string;
  readonly name: string;
  /** What it does, in one sentence. */
  readonly effect: string;
  readonly kind: "switch" | "number" | "text" | "choice" | "list" | "map";
  readonly unit?: string;
  readonly options?: readonly string[];
  /** The address that changes it: of its group, or its own, whose body is the bare value. */
  readonly endpoint: string;
  readonly own?: boolean;
}

export const sourceWords: Readonly<Record<string, string>> = {
  db: "set here",
  env: "from the environment",
  default: "default",
  global_default: "from the rack",
};

export function settingText(value: Json, { kind, unit }: DeploySettingWords): string {
  if (value === null || value === "") return "not set";
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return `${value.toLocaleString("en")} ${unitOf(value, unit ?? "")}`.trim();
  if (typeof value === "string") return value;
  const lines = typedText(value, kind);
  return lines === "" ? "none" : lines.replaceAll("\n", ", ");
}

function unitOf(value: number, unit: string): string {
  return value === 1 ? unit.replace(/s$/, "") : unit;
}

/** As it stands in the field: one line for each of several. */
export function typedText(value: Json, kind: DeploySettingWords["kind"]): string {
  if (value === null) return "";
  if (typeof value !== "object") return String(value);
  if (kind === "map") {
    return Object.entries(value)
      .map(([name, one]: [string, Json]) => `${name} = ${typeof one === "string" ? one : JSON.stringify(one)}`)
      .join("\n");
  }
  return Object.values(value)
    .map((one: Json) => (typeof one === "string" ? one : JSON.stringify(one)))
    .join("\n");
}

/** What the field says, in the setting’s own kind; null where a line cannot be read. What is wrong with it, the server says. */
export function typedValue(typed: string, kind: DeploySettingWords["kind"]): Json | undefined {
  const lines = typed
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
  switch (kind) {
    case "list":
      return lines;
    case "map": {
      const pairs = lines.map((line) => /^([^=\s]+)\s*=\s*(.+)$/.exec(line));
      return pairs.some((pair) => pair === null)
        ? undefined
        : Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? "", pair?.[2] ?? ""]));
    }
    case "number":
      return /^\s*\d+\s*$/.test(typed) ? Number(typed) : typed.trim();
    case "switch":
      return typed === "true";
    case "text":
    case "choice":
      return typed.trim();
  }
}
