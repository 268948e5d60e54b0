import { useNavigate } from "@tanstack/react-router";
import { CircleHelpIcon, KeyRoundIcon, LogOutIcon, MonitorIcon, MoonIcon, SunIcon } from "lucide-react";
import type { ReactNode } from "react";

import { chooseOrganization } from "../api/chosen-organization.ts";
import type { Me } from "../api/session.ts";
import { shownName, signOut } from "../api/session.ts";
import { useLiveState } from "../live/live-stream.ts";
import { classNames } from "../look/class-names.ts";
import { chooseTheme, useTheme } from "../look/theme.ts";
import { announce } from "../parts/announcer.tsx";
import controls from "../parts/controls.module.css";
import { forgetDrafts } from "../parts/kept-draft.ts";
import { initialsOf } from "../parts/initials.ts";
import { Menu } from "../parts/menu.tsx";
import { OutsideText } from "../parts/outside-text.tsx";
import { roleWord } from "../parts/role-words.ts";
import { OrganizationMenu } from "./organization-menu.tsx";
import styles from "./top-bar.module.css";

interface TopBarProps {
  readonly me: Me;
  readonly onShowKeys: () => void;
  /** Receives the element that pages draw their heading into. */
  readonly onHeadSlot: (slot: HTMLElement | null) => void;
}

export function TopBar({ me, onShowKeys, onHeadSlot }: TopBarProps): ReactNode {
  return (
    <header className={styles.bar}>
      <div ref={onHeadSlot} className={styles.head} />
      <OrganizationMenu me={me} />
      <LiveMark />
      <button
        type="button"
        className={classNames(controls.button, controls.icon, styles.keys)}
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={onShowKeys}
      >
        <CircleHelpIcon size={18} strokeWidth={1.75} aria-hidden="true" />
      </button>
      <ThemeMenu />
      <MeMenu me={me} />
    </header>
  );
}

function LiveMark(): ReactNode {
  const live = useLiveState();
  const word = live.kind === "live" ? "Live" : live.kind === "lost" ? "Not live" : "Connecting";
  return (
    <span className={classNames(styles.stream, styles[live.kind])}>
      <span className={styles.dot} aria-hidden="true" />
      {word}
    </span>
  );
}

const themes = [
  { theme: "system", word: "As the system", icon: MonitorIcon },
  { theme: "light", word: "Light", icon: SunIcon },
  { theme: "dark", word: "Dark", icon: MoonIcon },
] as const;

function ThemeMenu(): ReactNode {
  const theme = useTheme();
  const Current = themes.find((each) => each.theme === theme)?.icon ?? MonitorIcon;
  return (
    <Menu
      label="Theme"
      className={classNames(controls.button, controls.icon)}
      items={themes.map(({ theme: each, word, icon }) => ({
        word,
        icon,
        checked: each === theme,
        onSelect: () => {
          chooseTheme(each);
        },
      }))}
    >
      <Current size={18} strokeWidth={1.75} aria-hidden="true" />
    </Menu>
  );
}

function MeMenu({ me }: { readonly me: Me }): ReactNode {
  const navigate = useNavigate();
  const leave = async (): Promise<void> => {
    try {
      await signOut();
    } catch {
      announce("Signing out failed. Try again.");
      return;
    }
    forgetDrafts();
    chooseOrganization(null);
    // A fresh page: nothing that this person read stays in memory for the next one.
    window.location.assign("/app/sign-in");
  };
  return (
    <Menu
      label={`${initialsOf(shownName(me))} – signed in as ${shownName(me)}`}
      className={styles.me}
      head={<PersonHead me={me} />}
      items={[
        { word: "Security", icon: KeyRoundIcon, onSelect: () => void navigate({ to: "/security" }) },
        { word: "Sign out", icon: LogOutIcon, onSelect: () => void leave() },
      ]}
    >
      <i className={styles.initials}>{initialsOf(shownName(me))}</i>
    </Menu>
  );
}

function PersonHead({ me }: { readonly me: Me }): ReactNode {
  return (
    <div className={styles.person}>
      <strong>
        <OutsideText text={shownName(me)} />
      </strong>
      <span>
        <OutsideText text={me.email ?? me.assignee} />
      </span>
      {me.organization !== null && (
        <span>
          <OutsideText text={me.organization.name} />
        </span>
      )}
      {me.roles.length > 0 && <span>{me.roles.map(roleWord).join(", ")}</span>}
    </div>
  );
}
