import { useQuery } from "@tanstack/react-query";
import { Outlet, useLocation, useNavigate } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";

import { meQuery } from "../api/session.ts";
import { useLiveUpdates } from "../live/use-live-updates.ts";
import { Announcer } from "../parts/announcer.tsx";
import { Banners } from "./banners.tsx";
import { HeadSlot } from "./page-head.tsx";
import { Rail } from "./rail.tsx";
import { SessionEnd } from "./session-end.tsx";
import styles from "./shell.module.css";
import { useShortcuts } from "./shortcuts.ts";
import { TopBar } from "./top-bar.tsx";

const KeysSheet = lazy(async () => ({ default: (await import("./keys-sheet.tsx")).KeysSheet }));

/** Everything around a page: rail, top bar, banners, keys and the live stream. */
export function Shell(): ReactNode {
  const { data: me, error: failure } = useQuery(meQuery);
  const navigate = useNavigate();
  const [headSlot, setHeadSlot] = useState<HTMLElement | null>(null);
  const [keysShown, setKeysShown] = useState(false);
  useFocusOnNewPage();
  useLiveUpdates();
  useShortcuts({
    "g i": () => void navigate({ to: "/inbox" }),
    "g r": () => void navigate({ to: "/requests" }),
    "g p": () => void navigate({ to: "/policies" }),
    "?": () => {
      setKeysShown(true);
    },
  });
  if (me === undefined) return null;
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">
        Skip to content
      </a>
      <Rail me={me} />
      <div className={styles.column}>
        <Banners me={me} failure={failure} />
        <TopBar
          me={me}
          onShowKeys={() => {
            setKeysShown(true);
          }}
          onHeadSlot={setHeadSlot}
        />
        <main id="content" tabIndex={-1} className={styles.content}>
          <HeadSlot value={headSlot}>
            <Outlet />
          </HeadSlot>
        </main>
      </div>
      <Announcer />
      <SessionEnd me={me} />
      {keysShown && (
        <Suspense>
          <KeysSheet
            onClose={() => {
              setKeysShown(false);
            }}
          />
        </Suspense>
      )}
    </div>
  );
}

/** After a change of page the keyboard and the screen reader start at its content; filters and panes leave the focus alone. */
function useFocusOnNewPage(): void {
  const path = useLocation({ select: (location) => location.pathname });
  const shown = useRef(path);
  useEffect(() => {
    if (shown.current === path) return;
    shown.current = path;
    document.getElementById("content")?.focus();
    window.scrollTo(0, 0);
  }, [path]);
}
