import { useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { lazy, Suspense, useCallback } from "react";

import { meQuery } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import { useWide } from "../../look/use-wide.ts";
import { Loading } from "../../parts/states.tsx";
import { PageHead } from "../../shell/page-head.tsx";
import { focusedRow, useRowKeys } from "../../shell/row-keys.ts";
import { useShortcuts } from "../../shell/shortcuts.ts";
import { AskedList, EveryoneList } from "./request-lists.tsx";
import { InboxFilters } from "./inbox-filters.tsx";
import styles from "./inbox-page.module.css";
import { InboxTabs } from "./inbox-tabs.tsx";
import { TaskList } from "./task-list.tsx";

/** The list is on the screen before what opens beside it is fetched. */
const RequestView = lazy(async () => ({ default: (await import("../request/request-view.tsx")).RequestView }));

export function InboxPage(): ReactNode {
  const search = useSearch({ from: "/signed-in/inbox" });
  const me = useQuery(meQuery).data;
  const navigate = useNavigate({ from: "/inbox" });
  const wide = useWide();
  useRowKeys();
  useDecideKeys(wide);
  const onIntentTaken = useCallback(() => {
    void navigate({ search: (before) => ({ ...before, decide: undefined }), replace: true });
  }, [navigate]);
  if (me === undefined) return null;
  const split = wide && search.open !== undefined;
  const tab = search.tab ?? "mine";
  return (
    <>
      <PageHead title="Inbox" />
      <div className={classNames(styles.page, split && styles.split)}>
        <div className={styles.list}>
          <InboxTabs me={me} search={search} />
          <InboxFilters search={search} />
          {(tab === "mine" || tab === "decided") && (
            <TaskList search={search} state={tab === "mine" ? "open" : "done"} />
          )}
          {tab === "asked" && <AskedList search={search} me={me} />}
          {tab === "all" && <EveryoneList search={search} />}
        </div>
        {split && (
          <section className={styles.pane} aria-label="Opened request">
            <Suspense fallback={<Loading rows={6} label="the request" />}>
              <RequestView
                key={search.open}
                id={search.open}
                intent={search.decide}
                onIntentTaken={onIntentTaken}
                inPane
              />
            </Suspense>
          </section>
        )}
      </div>
    </>
  );
}

/** R-INB-5: a and r open the request at its decision, with the focus in it; they never decide. */
function useDecideKeys(wide: boolean): void {
  const search = useSearch({ from: "/signed-in/inbox" });
  const navigate = useNavigate({ from: "/inbox" });
  const go = (decide: "approve" | "reject"): void => {
    const id = focusedRow()?.dataset["request"] ?? search.open;
    if (id === undefined) return;
    if (wide) void navigate({ search: (before) => ({ ...before, open: id, decide }) });
    else void navigate({ to: "/requests/$id", params: { id }, search: { decide }, state: { from: "inbox" } });
  };
  useShortcuts({
    a: () => {
      go("approve");
    },
    r: () => {
      go("reject");
    },
  });
}
