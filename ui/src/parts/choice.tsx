import type { ReactNode } from "react";
import { useId } from "react";

import controls from "./controls.module.css";

interface ChoiceProps {
  readonly label: string;
  readonly none?: string;
  readonly value: string;
  readonly options: readonly { readonly value: string; readonly word: string }[];
  readonly onChange: (value: string | null) => void;
}

/** One of several, by the browser’s own control. */
export function Choice({ label, none, value, options, onChange }: ChoiceProps): ReactNode {
  const id = useId();
  return (
    <div className={controls.field}>
      <label className={controls.label} htmlFor={id}>
        {label}
      </label>
      <select
        id={id}
        className={controls.input}
        value={value}
        onChange={(event) => {
          onChange(event.target.value === "" ? null : event.target.value);
        }}
      >
        {none !== undefined && <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.word}
          </option>
        ))}
      </select>
    </div>
  );
}
