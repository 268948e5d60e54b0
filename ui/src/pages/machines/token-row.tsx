import { KeySquareIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { ApiToken } from "../../api/machines.ts";
import { revokeToken } from "../../api/machines.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { serverNow } from "../../api/server-clock.ts";
import { RotateSheet } from "./rotate-sheet.tsx";

/** R-ADM-2: last use, expiry and owner, and what can be done about it. */
export function TokenRow({ token, writes }: { readonly token: ApiToken; readonly writes: boolean }): ReactNode {
  const [sheet, setSheet] = useState<"rotate" | "revoke" | null>(null);
  const ended = token.revoked_at !== null || (token.expires_at !== null && Date.parse(token.expires_at) <= serverNow());
  const close = (): void => {
    setSheet(null);
  };
  return (
    <li className={listing.row}>
      <KeySquareIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={token.name} />
          <code>
            {token.prefix}…{token.last_four}
          </code>
          <Badges token={token} />
        </p>
        <p className={listing.about}>
          <span>
            <OutsideText text={token.machine ?? "unknown machine"} />
          </span>
          <span>{token.scopes.length === 1 ? "1 scope" : `${String(token.scopes.length)} scopes`}</span>
          <span>
            {token.last_used_at === null ? (
              "never used"
            ) : (
              <>
                used <Moment at={token.last_used_at} reachable />
              </>
            )}
          </span>
          <Ending token={token} />
        </p>
      </div>
      {writes && !ended && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("rotate");
            }}
          >
            Rotate
          </button>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("revoke");
            }}
          >
            Revoke
          </button>
        </div>
      )}
      {sheet === "rotate" && <RotateSheet token={token} onClose={close} />}
      {sheet === "revoke" && (
        <ActSheet
          title="Revoke token"
          verb="Revoke"
          destructive
          done="The token is revoked."
          act={() => revokeToken(token.id)}
          onClose={close}
        >
          <p>
            <strong>
              <OutsideText text={token.name} />
            </strong>{" "}
            is refused everywhere within a second. Whatever still uses it stops working.
          </p>
        </ActSheet>
      )}
    </li>
  );
}

function Badges({ token }: { readonly token: ApiToken }): ReactNode {
  return (
    <>
      {token.revoked_at !== null && <span className={listing.badge}>revoked</span>}
      {token.revoked_at === null && token.expires_soon && (
        <span className={classNames(listing.badge, listing.wait)}>expires soon</span>
      )}
      {token.revoked_at === null && !token.owner_active && (
        <span className={classNames(listing.badge, listing.bad)}>refused: no active owner</span>
      )}
    </>
  );
}

function Ending({ token }: { readonly token: ApiToken }): ReactNode {
  if (token.revoked_at !== null) {
    return (
      <span>
        revoked <Moment at={token.revoked_at} reachable />
      </span>
    );
  }
  if (token.expires_at === null) return <span>never expires</span>;
  return (
    <span>
      {Date.parse(token.expires_at) <= serverNow() ? "expired " : "expires "}
      <Moment at={token.expires_at} reachable />
    </span>
  );
}
