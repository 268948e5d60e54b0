import { Link, useLocation, useNavigate } from "@tanstack/react-router";
import type { LucideIcon } from "lucide-react";
import {
  BotIcon,
  BuildingIcon,
  EllipsisIcon,
  FileTextIcon,
  InboxIcon,
  KeySquareIcon,
  RocketIcon,
  ScaleIcon,
  SettingsIcon,
  UsersIcon,
} from "lucide-react";
import type { ReactNode } from "react";

import { useInbox } from "../api/inbox.ts";
import type { Me } from "../api/session.ts";
import { may } from "../api/session.ts";
import { classNames } from "../look/class-names.ts";
import { Menu } from "../parts/menu.tsx";
import styles from "./rail.module.css";
import { Wordmark } from "./wordmark.tsx";

interface Place {
  readonly to:
    | "/deploy"
    | "/inbox"
    | "/requests"
    | "/policies"
    | "/people"
    | "/machines"
    | "/tokens"
    | "/settings"
    | "/organizations";
  readonly word: string;
  readonly icon: LucideIcon;
  /** Without it the page is everybody's. */
  readonly needs?: string;
}

const work: readonly Place[] = [
  { to: "/inbox", word: "Inbox", icon: InboxIcon },
  { to: "/requests", word: "Requests", icon: FileTextIcon },
  { to: "/deploy", word: "Deploy", icon: RocketIcon, needs: "gateway:deploy_approval_request:read" },
  { to: "/policies", word: "Policies", icon: ScaleIcon, needs: "approval:policy:read" },
];

const administration: readonly Place[] = [
  { to: "/people", word: "People", icon: UsersIcon, needs: "org:user:read" },
  { to: "/machines", word: "Machines", icon: BotIcon, needs: "org:machine:read" },
  { to: "/tokens", word: "Tokens", icon: KeySquareIcon, needs: "org:token:read" },
  { to: "/settings", word: "Settings", icon: SettingsIcon, needs: "org:setting:read" },
  { to: "/organizations", word: "Organizations", icon: BuildingIcon, needs: "platform:org:read" },
];

/** The pages a person may read. On a phone it is the bar at the bottom, with what is seldom needed behind "More". */
export function Rail({ me }: { readonly me: Me }): ReactNode {
  const open = useInbox({ state: "open" }).data?.counts.open ?? 0;
  const readable = ({ needs }: Place): boolean => needs === undefined || may(me, needs);
  const seldom = administration.filter(readable);
  return (
    <nav className={styles.rail} aria-label="Pages">
      <Link to="/inbox" className={styles.brand} aria-label="Countersign, go to the inbox">
        <Wordmark />
      </Link>
      <ul className={styles.pages}>
        {work.filter(readable).map((place) => (
          <li key={place.to}>
            <PlaceLink place={place} count={place.to === "/inbox" ? open : 0} />
          </li>
        ))}
        {seldom.length > 0 && (
          <li className={styles.more}>
            <MoreMenu places={seldom} />
          </li>
        )}
      </ul>
      {seldom.length > 0 && (
        <ul className={classNames(styles.pages, styles.administration)} aria-label="Administration">
          {seldom.map((place) => (
            <li key={place.to}>
              <PlaceLink place={place} count={0} />
            </li>
          ))}
        </ul>
      )}
    </nav>
  );
}

function PlaceLink({ place, count }: { readonly place: Place; readonly count: number }): ReactNode {
  return (
    <Link to={place.to} className={styles.page} activeProps={{ className: styles.active, "aria-current": "page" }}>
      <place.icon size={18} strokeWidth={1.75} aria-hidden="true" />
      <span>{place.word}</span>
      {count > 0 && (
        <span className={styles.count}>
          {count > 999 ? "999+" : count}
          <span className="visually-hidden"> waiting for you</span>
        </span>
      )}
    </Link>
  );
}

function MoreMenu({ places }: { readonly places: readonly Place[] }): ReactNode {
  const navigate = useNavigate();
  const path = useLocation({ select: (location) => location.pathname });
  const here = places.some(({ to }) => path.startsWith(to));
  return (
    <Menu
      label="More pages"
      className={classNames(styles.page, here && styles.active)}
      items={places.map(({ to, word, icon }) => ({ word, icon, onSelect: () => void navigate({ to }) }))}
    >
      <EllipsisIcon size={18} strokeWidth={1.75} aria-hidden="true" />
      <span>More</span>
    </Menu>
  );
}
