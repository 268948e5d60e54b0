import type { ReactNode } from "react";

import { classNames } from "../look/class-names.ts";
import controls from "./controls.module.css";
import listing from "./listing.module.css";

export interface ScopePreset {
  readonly name: string;
  readonly word: string;
  readonly meaning: string;
  readonly scopes: readonly string[];
}

interface ScopeChoicesProps {
  readonly legend: string;
  readonly offered: readonly string[];
  readonly chosen: readonly string[];
  readonly presets: readonly ScopePreset[];
  readonly fault: string | null;
  readonly onChange: (scopes: readonly string[]) => void;
}

/** What a token may do: each for itself, or all that a role has (R-ADM-2). */
export function ScopeChoices({ legend, offered, chosen, presets, fault, onChange }: ScopeChoicesProps): ReactNode {
  return (
    <fieldset>
      <legend className={listing.legend}>{legend} – a token can never approve</legend>
      <div className={listing.checks}>
        {offered.map((scope) => (
          <label key={scope} className={listing.choice}>
            <input
              type="checkbox"
              checked={chosen.includes(scope)}
              onChange={(event) => {
                onChange(event.target.checked ? [...chosen, scope] : chosen.filter((each) => each !== scope));
              }}
            />
            <code>{scope}</code>
          </label>
        ))}
      </div>
      {presets.length > 0 && (
        <div className={listing.presets}>
          <span className={controls.hint}>As a role:</span>
          {presets.map(({ name, word, meaning, scopes }) => (
            <button
              key={name}
              type="button"
              title={meaning}
              className={classNames(controls.button, controls.small)}
              onClick={() => {
                onChange(scopes);
              }}
            >
              {word}
            </button>
          ))}
        </div>
      )}
      {fault !== null && (
        <p className={controls.fault} role="alert">
          {fault}
        </p>
      )}
    </fieldset>
  );
}
