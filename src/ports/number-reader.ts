/** Numbers of people and tokens: what the deploy gate's older clients know them by (docs/spec/deploy.md 11.3, R-REQ-16). */
export type NumberedKind = "person" | "token";

export interface NumberReader {
  /** By id; those that are not there are missing. */
  numbersOf(kind: NumberedKind, ids: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** The id of this organization's token with this number. */
  tokenNumbered(number: number): Promise<string | undefined>;
}
