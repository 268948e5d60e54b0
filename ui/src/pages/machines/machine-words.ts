/** What kinds of machines there are, in words. */
const machineKindWords: Readonly<Record<string, string>> = {
  ci: "CI pipeline",
  service: "service",
  agent: "agent acting for a person",
  device: "device",
  connector: "connector",
  acme: "ACME client",
};

export function machineKindWord(kind: string): string {
  return machineKindWords[kind] ?? kind;
}
