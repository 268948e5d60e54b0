/**
 * What stands in the one comment that a pull request gets about a deploy request? Everything that a person or a CI wrote is shown
 * as code, which no Markdown, HTML, mention or reference gets out of. Implements docs/spec/deploy.md R-GITHUB-3 and R-GITHUB-4.
 */

export type PrCommentState =
  | { readonly status: "pending" }
  | { readonly status: "approved"; readonly by: string | null; readonly until: string }
  | { readonly status: "rejected"; readonly by: string | null; readonly notes: string }
  | { readonly status: "expired" | "superseded" }
  | { readonly status: "cancelled"; readonly by: string | null }
  | { readonly status: "deployed"; readonly build: string | null; readonly release: string | null }
  /** The request still stands; what was tried did not work. */
  | { readonly status: "failed"; readonly why: string };

export interface PrCommentSubject {
  readonly publicId: string;
  readonly scope: string;
  readonly app: string;
  readonly commit: string;
  readonly branch: string | null;
  readonly message: string;
  /** Display name; never an address (R-GITHUB-3). */
  readonly requester: string | null;
  /** The request's page on this server. */
  readonly url: string;
  readonly state: PrCommentState;
}

/** First line of the comment, by which it is found again; nothing a person wrote can stand there. */
export function prCommentMarker(publicId: string): string {
  return `<!-- countersign:deploy:${publicId} -->`;
}

/** At most 65,536 characters, which is what GitHub takes. */
export function prComment(subject: PrCommentSubject): string {
  const { publicId, scope, app, commit, branch, requester, url, state } = subject;
  const lines = [
    `**${TITLES[state.status]}**: ${codeSpan(app)} on ${codeSpan(scope)}`,
    "",
    `- Commit: ${codeSpan(commit)}${branch === null ? "" : ` on branch ${codeSpan(branch)}`}`,
    `- Requested by: ${nameOf(requester)}`,
    ...stateLines(state).map((line) => `- ${line}`),
    `- Request: <${url}>`,
  ];
  return [prCommentMarker(publicId), ...lines, "", codeBlock(shortened(subject.message, MESSAGE_MAX))].join("\n");
}

export type CommitState = "pending" | "success" | "failure";

/** What the status of the commit says (R-GITHUB-4); null leaves the status as it is. */
export function commitStateOf(
  status: PrCommentState["status"],
): { readonly state: CommitState; readonly text: string } | null {
  switch (status) {
    case "pending":
      return { state: "pending", text: "Waiting for approval" };
    case "approved":
      return { state: "pending", text: "Approved, waiting for the deploy" };
    case "deployed":
      return { state: "success", text: "Deployed" };
    case "rejected":
      return { state: "failure", text: "Rejected" };
    case "expired":
      return { state: "failure", text: "Expired" };
    case "cancelled":
      return { state: "failure", text: "Cancelled" };
    case "superseded":
      return { state: "failure", text: "Superseded by a newer request" };
    case "failed":
      return null;
  }
}

const MESSAGE_MAX = 2_000;
const SPAN_MAX = 500;

const TITLES: Readonly<Record<PrCommentState["status"], string>> = {
  pending: "Deploy approval needed",
  approved: "Deploy approved",
  rejected: "Deploy rejected",
  expired: "Deploy request expired",
  superseded: "Deploy request superseded",
  cancelled: "Deploy request cancelled",
  deployed: "Deployed",
  failed: "Deploy failed",
};

function stateLines(state: PrCommentState): string[] {
  switch (state.status) {
    case "pending":
    case "expired":
    case "superseded":
      return [];
    case "approved":
      return [`Approved by: ${nameOf(state.by)}`, `Valid until: ${codeSpan(state.until)}`];
    case "rejected":
      return [
        `Rejected by: ${nameOf(state.by)}`,
        `Notes: ${state.notes === "" ? "no reason given" : codeSpan(state.notes)}`,
      ];
    case "cancelled":
      return [`Cancelled by: ${nameOf(state.by)}`];
    case "deployed":
      return [
        ...(state.build === null ? [] : [`Build: ${codeSpan(state.build)}`]),
        ...(state.release === null ? [] : [`Release: ${codeSpan(state.release)}`]),
      ];
    case "failed":
      return [`Reason: ${codeSpan(state.why)}`];
  }
}

/** A name that is an address is nobody's business outside. */
function nameOf(name: string | null): string {
  return name === null || name.trim() === "" || name.includes("@") ? "a person" : codeSpan(name);
}

/** One line of code, fenced by more backticks than it holds. */
export function codeSpan(text: string): string {
  const shown = shortened(visible(text).replace(/\s+/g, " ").trim(), SPAN_MAX);
  if (shown === "") return "(empty)";
  const fence = "`".repeat(longestRun(shown) + 1);
  const pad = shown.startsWith("`") || shown.endsWith("`") ? " " : "";
  return `${fence}${pad}${shown}${pad}${fence}`;
}

function codeBlock(text: string): string {
  const shown = visible(text);
  const fence = "`".repeat(Math.max(3, longestRun(shown) + 1));
  return `${fence}text\n${shown}\n${fence}`;
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

/** What cannot be seen, or turns the order of letters, is written as its number. */
function visible(text: string): string {
  return text
    .replace(/\r\n?/g, "\n")
    .replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, (character) =>
      character === "\n" || character === "\t" ? character : `\\u{${Number(character.codePointAt(0)).toString(16)}}`,
    );
}

/** Never ends inside of a character. */
function shortened(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text;
  return `${text.slice(0, lengthMax - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}
