import { LaptopIcon, LinkIcon, SquareTerminalIcon, UserCheckIcon } from "lucide-react";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { Identity, SignedIn } from "../../api/own-access.ts";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";

const sessionMethods: Readonly<Record<string, string>> = {
  passkey: "passkey",
  password: "password and code",
  oidc: "identity provider",
  cli: "let in by a browser",
  link: "one-time link",
  development: "development mode",
};

interface SessionLineProps {
  readonly session: SignedIn;
  readonly children?: ReactNode;
}

/** One session; the list of somebody else's has the same lines and no buttons. */
export function SessionLine({ session, children }: SessionLineProps): ReactNode {
  const Icon = session.kind === "cli" ? SquareTerminalIcon : LaptopIcon;
  return (
    <Line icon={Icon} name={session.client ?? "unknown"} acts={children}>
      {session.current && <span>this one</span>}
      <span>{sessionMethods[session.method] ?? session.method}</span>
      {session.address !== null && (
        <span>
          <OutsideText text={session.address} />
        </span>
      )}
      <span>
        since <Moment at={session.created_at} reachable />
      </span>
      {session.last_seen_at !== null && (
        <span>
          seen <Moment at={session.last_seen_at} reachable />
        </span>
      )}
    </Line>
  );
}

interface IdentityLineProps {
  readonly identity: Identity;
  readonly children?: ReactNode;
}

export function IdentityLine({ identity, children }: IdentityLineProps): ReactNode {
  const local = identity.issuer === "local";
  return (
    <Line
      icon={local ? UserCheckIcon : LinkIcon}
      name={local ? "This server’s own directory" : (identity.provider ?? identity.issuer)}
      acts={local ? undefined : children}
    >
      {!local && (
        <span>
          <OutsideText text={identity.issuer} />
        </span>
      )}
      <span>
        since <Moment at={identity.created_at} reachable />
      </span>
    </Line>
  );
}

interface LineProps {
  readonly icon: LucideIcon;
  readonly name: string;
  readonly acts?: ReactNode;
  readonly children: ReactNode;
}

export function Line({ icon: Icon, name, acts, children }: LineProps): ReactNode {
  return (
    <li className={listing.row}>
      <Icon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={name} />
        </p>
        <p className={listing.about}>{children}</p>
      </div>
      <div className={listing.acts}>{acts}</div>
    </li>
  );
}
