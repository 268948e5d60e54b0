import type { HTMLInputAutoCompleteAttribute, ReactNode, Ref } from "react";
import { useId } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";

interface TextFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly type?: "text" | "email" | "password" | "url" | "number";
  readonly hint?: ReactNode;
  readonly fault?: string | null;
  readonly autoComplete?: HTMLInputAutoCompleteAttribute;
  readonly inputMode?: "numeric" | "text" | "email" | "url";
  readonly maxLength?: number;
  /** Digits and codes: one width for every character. */
  readonly mono?: boolean;
  /** With more than one line it is a text area. */
  readonly rows?: number;
  readonly autoFocus?: boolean;
  readonly input?: Ref<HTMLInputElement>;
}

/** A labelled field with its hint and its fault, both read out with it. */
export function TextField(props: TextFieldProps): ReactNode {
  const { label, value, onChange, type = "text", hint, fault = null, mono = false, rows, input, ...rest } = props;
  const id = useId();
  const described = [hint === undefined ? "" : `${id}-hint`, fault === null ? "" : `${id}-fault`].join(" ").trim();
  const common = {
    id,
    className: classNames(controls.input, mono && controls.code),
    value,
    "aria-invalid": fault !== null,
    "aria-describedby": described === "" ? undefined : described,
    spellCheck: false,
    autoCapitalize: "none",
    ...rest,
  };
  return (
    <div className={controls.field}>
      <label className={controls.label} htmlFor={id}>
        {label}
      </label>
      {rows === undefined ? (
        <input
          {...common}
          ref={input}
          type={type}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      ) : (
        <textarea
          {...common}
          rows={rows}
          onChange={(event) => {
            onChange(event.target.value);
          }}
        />
      )}
      {hint !== undefined && (
        <p id={`${id}-hint`} className={controls.hint}>
          {hint}
        </p>
      )}
      {fault !== null && (
        <p id={`${id}-fault`} className={controls.fault} role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
