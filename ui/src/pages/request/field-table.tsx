import type { ReactNode } from "react";

import type { Json, JsonObject } from "../../api/read.ts";
import { isJsonObject } from "../../api/read.ts";
import { OutsideText } from "../../parts/outside-text.tsx";
import styles from "./context-panes.module.css";

/** Deeper nesting is shown as text: the raw pane has all of it. */
const depthMost = 5;

/** A context as a definition table, names and values exactly as they were sent. */
export function FieldTable({ value, depth = 0 }: { readonly value: JsonObject; readonly depth?: number }): ReactNode {
  return (
    <dl className={depth === 0 ? undefined : styles.nested}>
      {Object.entries(value).map(([name, member]) => (
        <div key={name} className={styles.field}>
          <dt>
            <OutsideText text={name} />
          </dt>
          <dd>
            <FieldValue value={member} depth={depth} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function FieldValue({ value, depth }: { readonly value: Json; readonly depth: number }): ReactNode {
  if (value === null) return <span className={styles.none}>null</span>;
  if (typeof value === "string")
    return value === "" ? <span className={styles.none}>empty text</span> : <Words text={value} />;
  if (typeof value !== "object") return <span className={styles.number}>{String(value)}</span>;
  if (depth >= depthMost) return <Words text={JSON.stringify(value)} />;
  if (isJsonObject(value)) {
    return Object.keys(value).length === 0 ? (
      <span className={styles.none}>empty object</span>
    ) : (
      <FieldTable value={value} depth={depth + 1} />
    );
  }
  return <Items items={Object.values(value)} depth={depth} />;
}

function Items({ items, depth }: { readonly items: readonly Json[]; readonly depth: number }): ReactNode {
  if (items.length === 0) return <span className={styles.none}>empty list</span>;
  return (
    <ol className={styles.items}>
      {items.map((item, index) => (
        <li key={index}>
          <FieldValue value={item} depth={depth + 1} />
        </li>
      ))}
    </ol>
  );
}

function Words({ text }: { readonly text: string }): ReactNode {
  return (
    <span className={styles.words}>
      <OutsideText text={text} />
    </span>
  );
}
