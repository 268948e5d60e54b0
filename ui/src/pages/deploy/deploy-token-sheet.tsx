import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { useDeployInfo } from "../../api/deploy-racks.ts";
import type { DeployTokenDraft, OfferedPermissions } from "../../api/deploy-tokens.ts";
import { makeDeployToken, useOfferedPermissions } from "../../api/deploy-tokens.ts";
import { serverNow } from "../../api/server-clock.ts";
import { classNames } from "../../look/class-names.ts";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import type { ScopePreset } from "../../parts/scope-choices.tsx";
import { ScopeChoices } from "../../parts/scope-choices.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { tokenLifetimes, usualLifetime } from "../../parts/token-lifetimes.ts";
import { TokenShown } from "../../parts/token-shown.tsx";

interface DeployTokenSheetProps {
  readonly onClose: () => void;
}

interface Draft {
  readonly name: string;
  readonly owner: string;
  readonly permissions: readonly string[] | null;
  readonly racks: readonly string[];
  readonly apps: string;
  readonly days: string;
}

const day = 86_400_000;
/** Roles that belong to people. */
const personal: readonly string[] = ["auditor"];

/** R-UI-6, R-ADM-2: what for, where and how long; then the secret, once. */
export function DeployTokenSheet({ onClose }: DeployTokenSheetProps): ReactNode {
  const client = useQueryClient();
  const offered = useOfferedPermissions().data;
  const [draft, setDraft] = useState<Draft>({
    ...{ name: "", owner: "", permissions: null, racks: [], apps: "", days: usualLifetime },
  });
  const [asked, setAsked] = useState(false);
  const permissions = draft.permissions ?? offered?.default_permissions ?? [];
  const making = useMutation({
    mutationFn: () => makeDeployToken(tokenOf(draft, permissions)),
    onSuccess: () => client.invalidateQueries({ queryKey: ["deploy-tokens"] }),
  });
  if (making.data !== undefined) {
    return (
      <Sheet title="Deploy token made" onClose={onClose}>
        <TokenShown
          token={making.data.token}
          advice="Put it where the pipeline keeps its secrets. It is shown this once; lost, another is made."
          command={firstCommand(making.data.token)}
          onClose={onClose}
        />
      </Sheet>
    );
  }
  const nameFault = draft.name.trim() === "" ? "Say what it is for." : null;
  const permissionFault = permissions.length === 0 ? "Choose at least one permission." : null;
  return (
    <Sheet title="Make deploy token" onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (nameFault === null && permissionFault === null && !making.isPending) making.mutate();
        }}
      >
        <div className={listing.two}>
          <TextField
            label="Name"
            autoComplete="off"
            maxLength={150}
            value={draft.name}
            fault={asked ? nameFault : null}
            onChange={(name) => {
              setDraft({ ...draft, name });
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
          <TextField
            label="Owner’s e-mail address"
            type="email"
            autoComplete="off"
            hint="Empty: a service account, whose requests every administrator may approve."
            value={draft.owner}
            onChange={(owner) => {
              setDraft({ ...draft, owner });
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
        <Racks draft={draft} onChange={setDraft} />
        <ScopeChoices
          legend="Permissions"
          offered={[...new Set([...permissions, ...(offered?.permissions ?? [])])].toSorted()}
          chosen={permissions}
          presets={presetsOf(offered)}
          fault={asked ? permissionFault : null}
          onChange={(next) => {
            setDraft({ ...draft, permissions: next });
          }}
        />
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
            Make deploy token
          </button>
        </div>
      </form>
    </Sheet>
  );
}

function presetsOf(offered: OfferedPermissions | undefined): readonly ScopePreset[] {
  const roles = (offered?.roles ?? []).filter(({ name }) => !personal.includes(name));
  return roles.map(({ name, label, description: meaning, permissions: scopes }) => ({
    ...{ name, word: label === "" ? name : label, meaning, scopes },
  }));
}

function firstCommand(token: string): string {
  return `RACK_GATEWAY_URL=${window.location.origin} RACK_GATEWAY_API_TOKEN=${token} rack-gateway deploy-approval list`;
}

function tokenOf(draft: Draft, permissions: readonly string[]): DeployTokenDraft {
  const apps = draft.apps.split(/[\s,]+/).filter((word) => word !== "");
  const owner = draft.owner.trim();
  return {
    name: draft.name.trim(),
    permissions,
    expires_at: new Date(serverNow() + Number(draft.days) * day).toISOString(),
    ...(owner === "" ? {} : { user_email: owner }),
    ...(draft.racks.length === 0 ? {} : { racks: draft.racks }),
    ...(apps.length === 0 ? {} : { apps }),
  };
}

interface RacksProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

function Racks({ draft, onChange }: RacksProps): ReactNode {
  const racks = useDeployInfo().data?.racks ?? [];
  if (racks.length < 2) return null;
  return (
    <fieldset>
      <legend className={listing.legend}>Only on racks – none chosen: on all</legend>
      <div className={listing.presets}>
        {racks.map(({ name }) => (
          <label key={name} className={controls.check}>
            <input
              type="checkbox"
              checked={draft.racks.includes(name)}
              onChange={(event) => {
                const racksNow = event.target.checked
                  ? [...draft.racks, name]
                  : draft.racks.filter((each) => each !== name);
                onChange({ ...draft, racks: racksNow });
              }}
            />
            {name}
          </label>
        ))}
      </div>
    </fieldset>
  );
}
