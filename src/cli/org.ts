/** `countersign org`: the organizations of the installation, for those who run it (docs/spec/identity.md section 7). */
import { memberOf, textIn, type ApiClient } from "../client/api-client.ts";
import { exitStatusOf, signedInClient, type ApiFlags } from "./signed-in-client.ts";
import { table, textsIn } from "./table.ts";

export interface OrgFlags extends ApiFlags {
  readonly json?: true;
}

export interface OrgCreateFlags extends OrgFlags {
  readonly slug?: string;
}

export type OrgAct = "suspend" | "reactivate";

/** Each answers the exit status. */
export function listOrganizations(flags: OrgFlags): Promise<number> {
  return exitStatusOf(async () => {
    const organizations = await signedInClient(flags).list("/orgs");
    if (flags.json === true) console.log(JSON.stringify(organizations, null, 2));
    else
      console.log(
        table(
          COLUMNS,
          organizations.map((one) => textsIn(one, COLUMNS)),
        ),
      );
  });
}

const COLUMNS = ["id", "slug", "name", "status"] as const;

export function createOrganization(name: string, flags: OrgCreateFlags): Promise<number> {
  return exitStatusOf(async () => {
    const body = { name, slug: flags.slug ?? slugOf(name) };
    const made = await signedInClient(flags).call({ method: "POST", path: "/orgs", body });
    tell(flags, made);
  });
}

export function changeOrganization(act: OrgAct, organization: string, flags: OrgFlags): Promise<number> {
  return exitStatusOf(async () => {
    const client = signedInClient(flags);
    const id = await organizationNamed(client, organization);
    tell(flags, await client.call({ method: "POST", path: `/orgs/${id}/${act}`, body: {} }));
  });
}

/** The secret stands behind the # of the link; the link's page is for those who have no account yet. */
export function joinOrganization(link: string, flags: OrgFlags): Promise<number> {
  return exitStatusOf(async () => {
    const token = link.slice(link.indexOf("#") + 1);
    const joined = await signedInClient(flags).call({ method: "POST", path: "/me/organizations", body: { token } });
    if (flags.json === true) console.log(JSON.stringify(joined, null, 2));
    else console.log(`You belong to ${textIn(memberOf(joined, "organization"), "name") ?? "the organization"} now.`);
  });
}

/** `Müller & Co.` → `muller-co`. */
function slugOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .replaceAll(/\p{Mark}/gu, "")
    .toLowerCase();
  return plain
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-+|-+$/g, "")
    .slice(0, 63);
}

function tell({ json }: OrgFlags, organization: unknown): void {
  if (json === true) console.log(JSON.stringify(organization, null, 2));
  else console.log(table(COLUMNS, [textsIn(organization, COLUMNS)]));
}

/** The id of the one organization that is called so, or has this slug or id. */
async function organizationNamed(client: ApiClient, text: string): Promise<string> {
  const organizations = await client.list("/orgs");
  const found = organizations.filter((one) =>
    textsIn(one, ["id", "slug", "name"]).some((name) => name.toLowerCase() === text.toLowerCase()),
  );
  const id = found.length === 1 ? textIn(found[0], "id") : null;
  return encodeURIComponent(id ?? text);
}
