import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useId, useState } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import listing from "./listing.module.css";
import { Failed, Loading } from "./states.tsx";

interface AdministeredListProps<Item> {
  readonly title: string;
  /** In place of the title as a heading, where the page has that already. */
  readonly lead?: string;
  readonly list: UseQueryResult<readonly Item[]>;
  /** The button that adds one, and what it opens; null for whoever may not. */
  readonly add: { readonly word: string; readonly sheet: (close: () => void) => ReactNode } | null;
  /** What is said when there are none. */
  readonly none: ReactNode;
  readonly row: (item: Item) => ReactNode;
}

/** A list of what is administered: its name, the way to add one, each as a line (console.md section 3). */
export function AdministeredList<Item>(props: AdministeredListProps<Item>): ReactNode {
  const { title, lead, list, add, none, row } = props;
  const [adding, setAdding] = useState(false);
  const id = useId();
  return (
    <section
      className={listing.section}
      {...(lead === undefined ? { "aria-labelledby": id } : { "aria-label": title })}
    >
      <div className={listing.head}>
        {lead === undefined ? (
          <h2 id={id} className={listing.title}>
            {title}
          </h2>
        ) : (
          <p className={listing.lead}>{lead}</p>
        )}
        {add !== null && (
          <button
            type="button"
            className={classNames(controls.button, lead !== undefined && controls.primary)}
            onClick={() => {
              setAdding(true);
            }}
          >
            {add.word}
          </button>
        )}
      </div>
      <Listed what={title.toLowerCase()} rows={lead === undefined ? 1 : 4} list={list} none={none} />
      <ul className={listing.rows} aria-label={title}>
        {list.data?.map(row)}
      </ul>
      {adding &&
        add?.sheet(() => {
          setAdding(false);
        })}
    </section>
  );
}

interface ListedProps {
  readonly what: string;
  /** Drawn while it is not known how many there are. */
  readonly rows: number;
  readonly list: UseQueryResult<readonly unknown[]>;
  readonly none: ReactNode;
}

function Listed({ what, rows, list, none }: ListedProps): ReactNode {
  return (
    <>
      {list.isError && <Failed what={`The ${what}`} failure={list.error} onRetry={() => void list.refetch()} />}
      {list.isPending && <Loading rows={rows} label={what} />}
      {list.data?.length === 0 && none}
    </>
  );
}
