/**
 * Which organization somebody works in who belongs to several, or runs the installation: every call names it (identity R-ORG-2,
 * R-ORG-4). It belongs to this tab and outlives a reload; without a choice it is the one that they signed in to.
 */
const storageKey = "countersign.organization";

let chosen = read();

function read(): string | null {
  try {
    return sessionStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

export function chosenOrganization(): string | null {
  return chosen;
}

/** Null goes back to the organization that one signed in to. */
export function chooseOrganization(id: string | null): void {
  chosen = id;
  try {
    if (id === null) sessionStorage.removeItem(storageKey);
    else sessionStorage.setItem(storageKey, id);
  } catch {
    // Storage is denied: the choice holds for this page only.
  }
}

/** From here on in another organization, on a fresh page: nothing that was read in the one before stays in memory. */
export function workIn(id: string | null): void {
  chooseOrganization(id);
  window.location.assign("/app/inbox");
}

export function organizationHeader(): Readonly<Record<string, string>> {
  return chosen === null ? {} : { "X-Countersign-Org": chosen };
}
