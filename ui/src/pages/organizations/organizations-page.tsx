import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { BuildingIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import { workIn } from "../../api/chosen-organization.ts";
import type { Organization } from "../../api/organizations.ts";
import { saveOrganization, switchOrganization, useOrganizations } from "../../api/organizations.ts";
import { may, meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { StatusMark } from "../../parts/status-mark.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { PageHead } from "../../shell/page-head.tsx";

/** For whoever runs the installation: the organizations in it. */
export function OrganizationsPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const organizations = useOrganizations();
  const [adding, setAdding] = useState(false);
  const holds = (permission: string): boolean => me !== undefined && may(me, permission);
  return (
    <>
      <PageHead title="Organizations" />
      <div className={listing.sheet}>
        <section className={listing.section} aria-label="Organizations">
          <div className={listing.head}>
            <p className={listing.lead}>
              Each has its own people, policies, requests and settings; none sees another’s.
            </p>
            {holds("platform:org:create") && (
              <button
                type="button"
                className={classNames(controls.button, controls.primary)}
                onClick={() => {
                  setAdding(true);
                }}
              >
                Add organization
              </button>
            )}
          </div>
          {organizations.isError && (
            <Failed
              what="The organizations"
              failure={organizations.error}
              onRetry={() => void organizations.refetch()}
            />
          )}
          {organizations.isPending && <Loading rows={2} label="organizations" />}
          <ul className={listing.rows} aria-label="Organizations">
            {organizations.data?.map((organization) => (
              <OrganizationRow
                key={organization.id}
                organization={organization}
                own={organization.id === me?.organization?.id}
                renames={holds("platform:org:write")}
                suspends={holds("platform:org:suspend")}
              />
            ))}
          </ul>
        </section>
      </div>
      {adding && (
        <OrganizationSheet
          organization={null}
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
    </>
  );
}

interface OrganizationRowProps {
  readonly organization: Organization;
  readonly own: boolean;
  readonly renames: boolean;
  readonly suspends: boolean;
}

function OrganizationRow({ organization, own, renames, suspends }: OrganizationRowProps): ReactNode {
  const [sheet, setSheet] = useState<"rename" | "switch" | null>(null);
  const active = organization.status === "active";
  const close = (): void => {
    setSheet(null);
  };
  return (
    <li className={listing.row}>
      <BuildingIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={organization.name} />
          {own && <span className={listing.badge}>you are here</span>}
        </p>
        <p className={listing.about}>
          {organization.slug !== null && (
            <span>
              <OutsideText text={organization.slug} />
            </span>
          )}
          {organization.created_at !== null && (
            <span>
              since <Moment at={organization.created_at} reachable />
            </span>
          )}
        </p>
      </div>
      <StatusMark status={`org_${organization.status}`} />
      <div className={listing.acts}>
        {active && !own && (
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              workIn(organization.id);
            }}
          >
            Work here
          </button>
        )}
        {renames && (
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("rename");
            }}
          >
            Rename
          </button>
        )}
        {suspends && !own && (
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("switch");
            }}
          >
            {active ? "Suspend" : "Reactivate"}
          </button>
        )}
      </div>
      {sheet === "rename" && <OrganizationSheet organization={organization} onClose={close} />}
      {sheet === "switch" && <SwitchSheet organization={organization} onClose={close} />}
    </li>
  );
}

interface SwitchSheetProps {
  readonly organization: Organization;
  readonly onClose: () => void;
}

function SwitchSheet({ organization, onClose }: SwitchSheetProps): ReactNode {
  // As it was when the question was asked: the answer changes it before the sheet is closed.
  const [active] = useState(organization.status === "active");
  return (
    <ActSheet
      title={active ? "Suspend organization" : "Reactivate organization"}
      verb={active ? "Suspend" : "Reactivate"}
      destructive={active}
      {...(active ? { confirmName: organization.name } : {})}
      done={active ? "The organization is suspended." : "The organization is active again."}
      act={() => switchOrganization(organization.id, active ? "suspend" : "reactivate")}
      onClose={onClose}
    >
      <p>
        <strong>
          <OutsideText text={organization.name} />
        </strong>{" "}
        {active
          ? "is closed: none of its people and machines is let in. Its ledger stays."
          : "is open again: its people and machines are let in."}
      </p>
    </ActSheet>
  );
}

interface OrganizationSheetProps {
  readonly organization: Organization | null;
  readonly onClose: () => void;
}

function OrganizationSheet({ organization, onClose }: OrganizationSheetProps): ReactNode {
  const client = useQueryClient();
  const [name, setName] = useState(organization?.name ?? "");
  const [slug, setSlug] = useState(organization?.slug ?? "");
  const [asked, setAsked] = useState(false);
  const nameFault = name.trim() === "" ? "Give it a name." : null;
  const slugFault = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(slug)
    ? null
    : "Lower-case letters, digits and hyphens.";
  const saving = useMutation({
    mutationFn: () => saveOrganization(organization?.id ?? null, { name: name.trim(), slug }),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries();
      onClose();
    },
  });
  return (
    <Sheet title={organization === null ? "Add organization" : "Rename organization"} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (nameFault === null && slugFault === null && !saving.isPending) saving.mutate();
        }}
      >
        <TextField
          label="Name"
          autoComplete="off"
          maxLength={128}
          value={name}
          fault={asked ? nameFault : null}
          onChange={setName}
        />
        <TextField
          label="Short name"
          autoComplete="off"
          maxLength={63}
          hint="In addresses and headers, as acme or acme-payments."
          value={slug}
          fault={asked ? slugFault : null}
          onChange={setSlug}
        />
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={saving.isPending}
          >
            Save
          </button>
        </div>
      </form>
    </Sheet>
  );
}
