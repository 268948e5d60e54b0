import type { ReactNode } from "react";

import type { Inbox, InboxItem } from "../../api/inbox.ts";
import { useInbox } from "../../api/inbox.ts";
import { Empty, Failed, Loading } from "../../parts/states.tsx";
import { PageLinks } from "./page-links.tsx";
import type { InboxSearch } from "./inbox-search.ts";
import { isFiltered } from "./inbox-search.ts";
import rows from "./rows.module.css";
import { DepartedRow, TaskRow } from "./task-row.tsx";
import { SelectionBar } from "./selection-bar.tsx";
import { useDepartures } from "./use-departures.ts";
import { useSelection } from "./use-selection.ts";

interface TaskListProps {
  readonly search: InboxSearch;
  readonly state: "open" | "done";
}

/** The caller's own tasks: open ones by time left, or the ones already decided. */
export function TaskList({ search, state }: TaskListProps): ReactNode {
  const inbox = useInbox({
    state,
    artifactType: search.type,
    policyKey: search.policy,
    q: search.q,
    cursor: search.cursor,
  });
  return (
    <>
      {inbox.isError && (
        <Failed
          what="The inbox"
          failure={inbox.error}
          since={inbox.errorUpdatedAt}
          onRetry={() => void inbox.refetch()}
        />
      )}
      {inbox.isPending && <Loading label="the inbox" />}
      {inbox.data !== undefined && (
        <TaskRows search={search} state={state} inbox={inbox.data} former={inbox.isPlaceholderData} />
      )}
      <PageLinks next={inbox.data?.cursor ?? null} search={search} />
    </>
  );
}

interface TaskRowsProps extends TaskListProps {
  readonly inbox: Inbox;
  /** The rows still belong to the former filter. */
  readonly former: boolean;
}

function TaskRows({ search, state, inbox, former }: TaskRowsProps): ReactNode {
  const listKey = [state, search.type, search.policy, search.q, search.cursor].join("\n");
  const selection = useSelection(state === "open" && !former ? inbox.items.filter(isDecidable) : []);
  const lines = useDepartures(former ? undefined : inbox.items, listKey, state === "open");
  const shown = former ? inbox.items.map((item) => ({ item, left: null })) : lines;
  if (shown.length === 0) return <NothingHere search={search} state={state} inbox={inbox} />;
  return (
    <>
      <ul className={rows.rows} aria-label={state === "open" ? "Waiting for you" : "Decided by you"}>
        {shown.map(({ item, left }) =>
          left === null ? (
            <TaskRow
              key={item.task_id}
              item={item}
              search={search}
              selection={state === "open" && isDecidable(item) ? selection : null}
            />
          ) : (
            <DepartedRow key={item.task_id} item={item} outcome={left} />
          ),
        )}
      </ul>
      <SelectionBar selection={selection} />
    </>
  );
}

/** Observers look on; there is nothing of theirs to decide. */
function isDecidable(item: InboxItem): boolean {
  return item.kind !== "observer";
}

interface NothingHereProps extends TaskListProps {
  readonly inbox: Inbox;
}

function NothingHere({ search, state, inbox }: NothingHereProps): ReactNode {
  if (isFiltered(search)) {
    return (
      <Empty title="Nothing matches these filters">
        <p>Without them: {state === "open" ? inbox.counts.open : inbox.counts.done}.</p>
      </Empty>
    );
  }
  if (state === "done") {
    return (
      <Empty title="You have not decided anything yet">
        <p>What you approve, reject or abstain from is listed here.</p>
      </Empty>
    );
  }
  return (
    <Empty title="Nothing waits for you">
      <p>Requests that need your signature appear here by themselves, the most urgent first.</p>
    </Empty>
  );
}
