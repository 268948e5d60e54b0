/** A copy without the members that are undefined: `exactOptionalPropertyTypes` tells absent from undefined, and so do we. */
export type DefinedMembers<Members> = {
  [Name in keyof Members as undefined extends Members[Name] ? never : Name]: Members[Name];
} & {
  [Name in keyof Members as undefined extends Members[Name] ? Name : never]?: Exclude<Members[Name], undefined>;
};

export function definedMembers<Members extends object>(members: Members): DefinedMembers<Members>;
export function definedMembers(members: object): object {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
