import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Machine } from "../../api/machines.ts";
import { makeToken } from "../../api/machines.ts";
import { useRoles } from "../../api/people.ts";
import { classNames } from "../../look/class-names.ts";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { roleWord } from "../../parts/role-words.ts";
import { ScopeChoices } from "../../parts/scope-choices.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { tokenLifetimes, usualLifetime } from "../../parts/token-lifetimes.ts";
import { SecretShown } from "./secret-shown.tsx";

const families = [
  { value: "generic", word: "approvals (cst_…)" },
  { value: "deploy", word: "deploys (rgw_…)" },
  { value: "certificate", word: "certificates (cc_…)" },
  { value: "connector", word: "connector (ct_…)" },
] as const;

/** Scopes that a token of each family is made for; the server refuses what its maker does not hold. */
const scopesOf: Readonly<Record<string, readonly string[]>> = {
  generic: [
    "approval:request:create",
    "approval:request:read",
    "approval:request:read_all",
    "approval:policy:read",
    "approval:policy:simulate",
    "ledger:entry:read",
    "ledger:checkpoint:read",
    "ledger:export:create",
    "org:directory:read",
    "org:directory:write",
  ],
  deploy: [
    "gateway:deploy_approval_request:create",
    "gateway:deploy_approval_request:read",
    "gateway:deploy_approval_request:cancel",
    "convox:deploy:deploy_with_approval",
    "convox:app:list",
    "convox:app:read",
    "convox:build:create",
    "convox:release:list",
    "convox:process:list",
    "convox:log:read",
  ],
  certificate: ["cert:request:create", "cert:request:read", "cert:certificate:read"],
  connector: ["cert:connector:use", "cert:discovery:write"],
};

interface TokenSheetProps {
  readonly machines: readonly Machine[];
  readonly onClose: () => void;
}

interface Draft {
  readonly machineId: string;
  readonly name: string;
  readonly family: string;
  readonly scopes: readonly string[];
  readonly addresses: string;
  readonly apps: string;
  readonly days: string;
}

/** R-ADM-2: for whom, for what, from where and how long; then the secret, once. */
export function TokenSheet({ machines, onClose }: TokenSheetProps): ReactNode {
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft>({
    ...{ machineId: machines[0]?.id ?? "", name: "", family: "generic", addresses: "", apps: "", days: usualLifetime },
    scopes: ["approval:request:create", "approval:request:read"],
  });
  const [asked, setAsked] = useState(false);
  const presets = (useRoles().data ?? [])
    .filter(({ holder }) => holder === "machine")
    .map(({ name, meaning, permissions }) => ({ name, word: roleWord(name), meaning, scopes: permissions }));
  const making = useMutation({
    mutationFn: () => makeToken(tokenOf(draft)),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }),
  });
  if (making.data !== undefined) {
    return (
      <Sheet title="Token made" onClose={onClose}>
        <SecretShown made={making.data} onClose={onClose} />
      </Sheet>
    );
  }
  const nameFault = draft.name.trim() === "" ? "Say what it is for." : null;
  const scopeFault = draft.scopes.length === 0 ? "Choose at least one scope." : null;
  return (
    <Sheet title="Make token" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (nameFault === null && scopeFault === null && !making.isPending) making.mutate();
        }}
      >
        <div className={listing.two}>
          <Choice
            label="Machine"
            value={draft.machineId}
            options={machines.map(({ id, name }) => ({ value: id, word: name }))}
            onChange={(machineId) => {
              setDraft({ ...draft, machineId: machineId ?? "" });
            }}
          />
          <TextField
            label="Name"
            autoComplete="off"
            maxLength={100}
            value={draft.name}
            fault={asked ? nameFault : null}
            onChange={(name) => {
              setDraft({ ...draft, name });
            }}
          />
          <Choice
            label="Used for"
            value={draft.family}
            options={families}
            onChange={(family) => {
              setDraft({ ...draft, family: family ?? "generic", scopes: [] });
            }}
          />
          <Choice
            label="Valid for"
            value={draft.days}
            options={tokenLifetimes}
            onChange={(days) => {
              setDraft({ ...draft, days: days ?? usualLifetime });
            }}
          />
        </div>
        <ScopeChoices
          legend="Scopes"
          offered={[...new Set([...(scopesOf[draft.family] ?? []), ...draft.scopes])]}
          chosen={draft.scopes}
          presets={presets}
          fault={asked ? scopeFault : null}
          onChange={(scopes) => {
            setDraft({ ...draft, scopes });
          }}
        />
        <div className={listing.two}>
          <TextField
            label="Only from addresses"
            mono
            autoComplete="off"
            hint="Ranges with commas between, as 192.0.2.0/24. Empty: from anywhere."
            value={draft.addresses}
            onChange={(addresses) => {
              setDraft({ ...draft, addresses });
            }}
          />
          <TextField
            label="Only for apps"
            autoComplete="off"
            hint="Names with commas between. Empty: all."
            value={draft.apps}
            onChange={(apps) => {
              setDraft({ ...draft, apps });
            }}
          />
        </div>
        <RefusedNote failure={making.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={making.isPending}
          >
            Make token
          </button>
        </div>
      </form>
    </Sheet>
  );
}

function tokenOf(draft: Draft): Parameters<typeof makeToken>[0] {
  const cidrs = words(draft.addresses);
  const apps = words(draft.apps);
  return {
    machine_id: draft.machineId,
    name: draft.name.trim(),
    family: draft.family,
    scopes: draft.scopes,
    limits: { ...(cidrs.length === 0 ? {} : { cidrs }), ...(apps.length === 0 ? {} : { apps }) },
    expires_in_days: Number(draft.days),
  };
}

function words(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((word) => word !== "");
}
