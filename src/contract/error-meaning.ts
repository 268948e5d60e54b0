/** What is said about each error: to programs by number and status, to people in sentences. Implements docs/spec/api.md section 5. */
export interface ErrorMeaning {
  /** The number that AWE's clients know. */
  readonly awe: string;
  readonly status: number;
  readonly title: string;
  /** What happened, in the words of the person who asked. */
  readonly meaning: string;
  readonly remedy: string;
}
