/**
 * Under which user does Postgres run? It refuses root, so root's database runs as `nobody`; everybody else's as themselves.
 * What root can reach, nobody often cannot: the questions about reaching a path are answered here too.
 */
import { chown, realpath, stat } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";

export interface ServiceUser {
  readonly uid: number;
  readonly gid: number;
}

const NOBODY: ServiceUser = { uid: 65_534, gid: 65_534 };

/** The user to switch to, or undefined when this process may run Postgres itself. */
export function serviceUser(): ServiceUser | undefined {
  return process.getuid?.() === 0 ? NOBODY : undefined;
}

/** The operating system's name of this process's own user: the only one that may sign in to the database. */
export function ownUserName(): string {
  return userInfo().username;
}

/** Gives a path of ours to the service user. */
export async function handOver(path: string, user: ServiceUser | undefined): Promise<void> {
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Whether the user can pass through the directory and all its parents. The directory must exist. */
export async function canTraverse(directory: string, user: ServiceUser | undefined): Promise<boolean> {
  if (user === undefined) return true;
  let path = await realpath(directory);
  for (;;) {
    const entry = await stat(path);
    if ((entry.mode & searchBit(entry, user)) === 0) return false;
    const parent = dirname(path);
    if (parent === path) return true;
    path = parent;
  }
}

function searchBit(entry: { readonly uid: number; readonly gid: number }, user: ServiceUser): number {
  if (entry.uid === user.uid) return 0o100;
  return entry.gid === user.gid ? 0o010 : 0o001;
}
