/**
 * Who wrote this commit? Author, committer and co-authors of it, without the accounts with which GitHub commits for somebody.
 * Implements the commit author of docs/spec/deploy.md R-REQ-10; which person that is, identity decides.
 */
import type { CommitFacts, GitIdentity } from "./vcs-facts.ts";

const CO_AUTHOR = "co-authored-by:";

/** Each once, in the order author, committer, co-authors. */
export function commitAuthors({ author, committer, message }: CommitFacts): readonly GitIdentity[] {
  const found = [author, ...(isForwarder(committer) ? [] : [committer]), ...coAuthors(message)];
  const known = new Map<string, GitIdentity>();
  for (const identity of found) {
    const key = `${identity.email.toLowerCase()} ${identity.login ?? ""}`;
    if (!known.has(key)) known.set(key, identity);
  }
  return [...known.values()];
}

/** GitHub itself, which commits what was done in the browser. */
function isForwarder({ email, login }: GitIdentity): boolean {
  return login === "web-flow" || email.toLowerCase() === "noreply@github.com";
}

/** Every trailer of the message, wherever it stands: a co-author that is overlooked could approve. */
function coAuthors(message: string): GitIdentity[] {
  return message.split(/[\r\n]+/).flatMap((line) => {
    const text = line.trim();
    if (!text.toLowerCase().startsWith(CO_AUTHOR)) return [];
    const opens = text.indexOf("<");
    const closes = text.indexOf(">", opens);
    if (opens < 0 || closes < 0) return [];
    const email = text.slice(opens + 1, closes).trim();
    return [{ name: text.slice(CO_AUTHOR.length, opens).trim(), email, login: null }];
  });
}
