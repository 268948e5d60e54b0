import { FingerprintIcon, SmartphoneIcon } from "lucide-react";
import type { ReactNode } from "react";

import { serverNow } from "../../api/server-clock.ts";
import type { Factor } from "../../api/factors.ts";
import { classNames } from "../../look/class-names.ts";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";

interface FactorRowProps {
  readonly factor: Factor;
  /** What can be done with it. */
  readonly children?: ReactNode;
}

/** A factor with what matters about it: its kind, where its key can be, and from when it serves decisions. */
export function FactorRow({ factor, children }: FactorRowProps): ReactNode {
  const Icon = factor.type === "passkey" ? FingerprintIcon : SmartphoneIcon;
  return (
    <li className={listing.row}>
      <Icon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={factor.name} />
          <Badges factor={factor} />
        </p>
        <p className={listing.about}>
          <span>{kindWords(factor)}</span>
          <span>
            added <Moment at={factor.created_at} reachable />
          </span>
          <span>{factor.last_used_at === null ? "never used" : <LastUsed at={factor.last_used_at} />}</span>
        </p>
      </div>
      {children !== undefined && <div className={listing.acts}>{children}</div>}
    </li>
  );
}

function LastUsed({ at }: { readonly at: string }): ReactNode {
  return (
    <>
      used <Moment at={at} reachable />
    </>
  );
}

export function isCoolingDown(factor: Factor): boolean {
  return factor.usable_at !== null && Date.parse(factor.usable_at) > serverNow();
}

function Badges({ factor }: { readonly factor: Factor }): ReactNode {
  return (
    <>
      {factor.device_bound === true && <span className={listing.badge}>device-bound</span>}
      {factor.synced === true && <span className={listing.badge}>synced</span>}
      {factor.usable_at !== null && isCoolingDown(factor) && (
        <span className={classNames(listing.badge, listing.wait)}>
          decides <Moment at={factor.usable_at} reachable />
        </span>
      )}
      {factor.disabled && <span className={classNames(listing.badge, listing.bad)}>switched off</span>}
      {factor.type === "passkey" && !factor.signing && !factor.disabled && (
        <span className={classNames(listing.badge, listing.bad)}>does not sign</span>
      )}
    </>
  );
}

function kindWords(factor: Factor): string {
  return factor.type === "passkey" ? "passkey" : "authenticator app";
}
