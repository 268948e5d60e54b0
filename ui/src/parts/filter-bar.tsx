import { SearchIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useEffect, useId, useState } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import styles from "./filter-bar.module.css";

export interface FilterField {
  readonly name: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly kind: "search" | "text" | "choice" | "day";
  /** For text: what is offered while typing. For a choice: everything there is. */
  readonly options?: readonly { readonly value: string; readonly word: string }[];
  /** What nothing chosen means, where it is not "any". */
  readonly any?: string;
}

interface FilterBarProps {
  readonly fields: readonly FilterField[];
  readonly onChange: (name: string, value: string | undefined) => void;
  readonly onClear: () => void;
}

/** Filters live in the address; the fields show what it says and change it. */
export function FilterBar({ fields, onChange, onClear }: FilterBarProps): ReactNode {
  const filtered = fields.some((field) => field.value !== undefined);
  return (
    <search className={styles.bar}>
      {fields.map((field) => {
        const Field = shapes[field.kind];
        return <Field key={field.name} field={field} onChange={onChange} />;
      })}
      {filtered && (
        <button type="button" className={classNames(controls.button, controls.quiet)} onClick={onClear}>
          Clear filters
        </button>
      )}
    </search>
  );
}

interface FieldProps {
  readonly field: FilterField;
  readonly onChange: (name: string, value: string | undefined) => void;
}

function Choice({ field, onChange }: FieldProps): ReactNode {
  return (
    <select
      aria-label={field.label}
      className={classNames(controls.input, styles.choice)}
      value={field.value ?? ""}
      onChange={(event) => {
        onChange(field.name, event.target.value === "" ? undefined : event.target.value);
      }}
    >
      <option value="">
        {field.label}: {field.any ?? "any"}
      </option>
      {(field.options ?? []).map((option) => (
        <option key={option.value} value={option.value}>
          {option.word}
        </option>
      ))}
    </select>
  );
}

/** A day of UTC: every reader of the address means the same one. */
function Day({ field, onChange }: FieldProps): ReactNode {
  return (
    <label className={styles.day}>
      <span>{field.label}</span>
      <input
        type="date"
        aria-label={`${field.label}, in UTC`}
        className={controls.input}
        value={field.value ?? ""}
        onChange={(event) => {
          onChange(field.name, event.target.value === "" ? undefined : event.target.value);
        }}
      />
    </label>
  );
}

const typingPauseMilliseconds = 250;

function Words({ field, onChange }: FieldProps): ReactNode {
  const { name, value } = field;
  const listId = useId();
  const [draft, setDraft] = useState(value ?? "");
  const [sent, setSent] = useState(value);
  if (value !== sent) {
    setSent(value);
    setDraft(value ?? "");
  }
  const written = draft.trim() === "" ? undefined : draft.trim();
  useEffect(() => {
    if (written === sent) return undefined;
    const timer = setTimeout(() => {
      setSent(written);
      onChange(name, written);
    }, typingPauseMilliseconds);
    return () => {
      clearTimeout(timer);
    };
  }, [written, sent, name, onChange]);
  return (
    <span className={classNames(styles.words, field.kind === "search" && styles.wide)}>
      {field.kind === "search" && <SearchIcon size={16} aria-hidden="true" className={styles.icon} />}
      <input
        type={field.kind === "search" ? "search" : "text"}
        aria-label={field.label}
        placeholder={field.label}
        className={controls.input}
        value={draft}
        maxLength={200}
        spellCheck={false}
        list={field.options === undefined ? undefined : listId}
        onChange={(event) => {
          setDraft(event.target.value);
        }}
      />
      {field.options !== undefined && (
        <datalist id={listId}>
          {field.options.map((option) => (
            <option key={option.value} value={option.value} />
          ))}
        </datalist>
      )}
    </span>
  );
}

const shapes = { choice: Choice, day: Day, search: Words, text: Words } as const;

/** Every value once, for the suggestions of a field. */
export function distinctOptions(
  values: readonly string[],
): readonly { readonly value: string; readonly word: string }[] {
  return [...new Set(values)].toSorted().map((value) => ({ value, word: value }));
}
