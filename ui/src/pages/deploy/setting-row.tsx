import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { DeploySetting, SettingsPlace, SettingWrite } from "../../api/deploy-settings.ts";
import { clearDeploySetting, setDeploySetting } from "../../api/deploy-settings.ts";
import type { Json } from "../../api/read.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { ChangedBy } from "../settings/changed-by.tsx";
import styles from "./settings.module.css";
import type { DeploySettingWords } from "./setting-text.ts";
import { settingText, sourceWords, typedText, typedValue } from "./setting-text.ts";

interface SettingRowProps {
  readonly place: SettingsPlace;
  readonly words: DeploySettingWords;
  readonly setting: DeploySetting;
}

/** R-UI-5, R-ADM-1: value, where it comes from, the variable that sets it or would, who changed it, and clear; for whoever may. */
export function SettingRow({ place, words, setting }: SettingRowProps): ReactNode {
  const [changing, setChanging] = useState(false);
  return (
    <li className={listing.row}>
      <div className={listing.what}>
        <p className={listing.name}>
          {words.name}
          <span className={classNames(listing.badge, setting.source === "env" && listing.wait)}>
            {sourceWords[setting.source] ?? setting.source}
          </span>
        </p>
        <p className={listing.about}>
          <span>{words.effect}</span>
        </p>
        <p className={listing.about}>
          <code className={styles.variable}>{setting.env_var}</code>
          {setting.updated_by !== null && setting.updated_at !== null && (
            <span>
              changed by <ChangedBy by={setting.updated_by} />, <Moment at={setting.updated_at} reachable />
            </span>
          )}
        </p>
      </div>
      <strong className={styles.value}>
        <OutsideText text={settingText(setting.value, words)} />
      </strong>
      {setting.can_change && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            aria-label={`Change ${words.name}`}
            onClick={() => {
              setChanging(true);
            }}
          >
            Change
          </button>
        </div>
      )}
      {changing && (
        <SettingSheet
          place={place}
          words={words}
          setting={setting}
          onClose={() => {
            setChanging(false);
          }}
        />
      )}
    </li>
  );
}

interface SettingSheetProps extends SettingRowProps {
  readonly onClose: () => void;
}

function SettingSheet({ place, words, setting, onClose }: SettingSheetProps): ReactNode {
  const client = useQueryClient();
  const [typed, setTyped] = useState(typedText(setting.value, words.kind));
  const [fault, setFault] = useState<string | null>(null);
  const write: SettingWrite = { place, endpoint: words.endpoint, key: words.key, own: words.own === true };
  const saving = useMutation({
    mutationFn: (next: Json | undefined) =>
      next === undefined ? clearDeploySetting(write) : setDeploySetting(write, next),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["deploy-settings"] });
      onClose();
    },
  });
  const save = (): void => {
    const next = typedValue(typed, words.kind);
    setFault(next === undefined ? "Write each line as: service = pattern" : null);
    if (next !== undefined && !saving.isPending) saving.mutate(next);
  };
  return (
    <Sheet title={words.name} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          save();
        }}
      >
        <p>{words.effect}</p>
        <Field words={words} typed={typed} fault={fault} onTyped={setTyped} />
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          {setting.source === "db" && (
            <button
              type="button"
              className={classNames(controls.button, controls.quiet)}
              onClick={() => {
                if (!saving.isPending) saving.mutate(undefined);
              }}
            >
              Clear
            </button>
          )}
          <button type="button" className={controls.button} onClick={onClose}>
            Leave as it is
          </button>
          <button
            type="submit"
            className={classNames(controls.button, controls.primary)}
            aria-disabled={saving.isPending}
          >
            Save
          </button>
        </div>
      </form>
    </Sheet>
  );
}

interface FieldProps {
  readonly words: DeploySettingWords;
  readonly typed: string;
  readonly fault: string | null;
  readonly onTyped: (typed: string) => void;
}

function Field({ words, typed, fault, onTyped }: FieldProps): ReactNode {
  const { kind, unit, options = [] } = words;
  if (kind === "switch") {
    return (
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={typed === "true"}
          onChange={(event) => {
            onTyped(String(event.target.checked));
          }}
        />
        On
      </label>
    );
  }
  if (kind === "choice") {
    return (
      <Choice
        label="Value"
        {...(options.includes(typed) ? {} : { none: "not set" })}
        value={typed}
        options={options.map((option) => ({ value: option, word: option.replaceAll("_", " ") }))}
        onChange={(value) => {
          onTyped(value ?? "");
        }}
      />
    );
  }
  const isLines = kind === "list" || kind === "map";
  return (
    <TextField
      label={unit ?? (isLines ? "One on each line" : "Value")}
      value={typed}
      fault={fault}
      autoComplete="off"
      mono={isLines}
      {...(isLines ? { rows: 6 } : {})}
      {...(kind === "number" ? { inputMode: "numeric" as const } : {})}
      onChange={onTyped}
    />
  );
}
