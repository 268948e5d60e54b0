import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import { useDeployInfo } from "../../api/deploy-racks.ts";
import type { DeployTokenDraft, MadeDeployToken } from "../../api/deploy-tokens.ts";
import { makeDeployToken, useOfferedPermissions } from "../../api/deploy-tokens.ts";
import { serverNow } from "../../api/server-clock.ts";
import { classNames } from "../../look/class-names.ts";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import listing from "../../parts/listing.module.css";
import { OneTimeText } from "../../parts/one-time-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";

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

const lifetimes = [7, 30, 90, 180, 365].map((days) => ({ value: String(days), word: `${String(days)} days` }));
const day = 86_400_000;
/** Roles that belong to people. */
const personal: readonly string[] = ["auditor"];

/** R-UI-6, R-ADM-2: what for, where and how long; then the secret, once. */
export function DeployTokenSheet({ onClose }: DeployTokenSheetProps): ReactNode {
  const client = useQueryClient();
  const offered = useOfferedPermissions().data;
  const [draft, setDraft] = useState<Draft>({
    ...{ name: "", owner: "", permissions: null, racks: [], apps: "", days: "90" },
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
        <SecretShown made={making.data} onClose={onClose} />
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
            options={lifetimes}
            onChange={(days) => {
              setDraft({ ...draft, days: days ?? "90" });
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
        <Permissions
          chosen={permissions}
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

interface PermissionsProps {
  readonly chosen: readonly string[];
  readonly fault: string | null;
  readonly onChange: (permissions: readonly string[]) => void;
}

function Permissions({ chosen, fault, onChange }: PermissionsProps): ReactNode {
  const offered = useOfferedPermissions().data;
  const all = [...new Set([...chosen, ...(offered?.permissions ?? [])])].toSorted();
  return (
    <fieldset>
      <legend className={listing.legend}>Permissions – a token can never approve</legend>
      <div className={listing.checks}>
        {all.map((permission) => (
          <label key={permission} className={listing.choice}>
            <input
              type="checkbox"
              checked={chosen.includes(permission)}
              onChange={(event) => {
                onChange(event.target.checked ? [...chosen, permission] : chosen.filter((each) => each !== permission));
              }}
            />
            <code>{permission}</code>
          </label>
        ))}
      </div>
      <div className={listing.presets}>
        <span className={controls.hint}>As a role:</span>
        {offered?.roles
          .filter(({ name }) => !personal.includes(name))
          .map((role) => (
            <button
              key={role.name}
              type="button"
              title={role.description}
              className={classNames(controls.button, controls.small)}
              onClick={() => {
                onChange(role.permissions);
              }}
            >
              {role.label === "" ? role.name : role.label}
            </button>
          ))}
      </div>
      {fault !== null && (
        <p className={controls.fault} role="alert">
          {fault}
        </p>
      )}
    </fieldset>
  );
}

interface SecretShownProps {
  readonly made: MadeDeployToken;
  readonly onClose: () => void;
}

function SecretShown({ made, onClose }: SecretShownProps): ReactNode {
  const command = `RACK_GATEWAY_URL=${window.location.origin} RACK_GATEWAY_API_TOKEN=${made.token} rack-gateway deploy-approval list`;
  return (
    <>
      <OneTimeText what="token" text={made.token}>
        <p>Put it where the pipeline keeps its secrets. It is shown this once; lost, another is made.</p>
      </OneTimeText>
      <div className={listing.form}>
        <p>To see that it works:</p>
        <pre className={listing.command} tabIndex={0} aria-label="Command">
          {command}
        </pre>
        <div className={listing.buttons}>
          <CopyButton text={command} what="command" labelled />
          <button type="button" className={classNames(controls.button, controls.primary)} onClick={onClose}>
            Done
          </button>
        </div>
      </div>
    </>
  );
}
