import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Json } from "../../api/read.ts";
import type { Setting } from "../../api/settings.ts";
import { changeSetting, useSettings } from "../../api/settings.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { ChangedBy } from "./changed-by.tsx";
import type { SettingWords } from "./setting-words.ts";
import { settingWords, sourceWords, valueWords } from "./setting-words.ts";

export function OrganizationSettings({ writes }: { readonly writes: boolean }): ReactNode {
  const settings = useSettings();
  return (
    <section className={listing.section} aria-labelledby="settings-title">
      <div className={listing.head}>
        <h2 id="settings-title" className={listing.title}>
          Organization
        </h2>
      </div>
      {settings.isError && (
        <Failed what="The settings" failure={settings.error} onRetry={() => void settings.refetch()} />
      )}
      {settings.isPending && <Loading label="settings" />}
      <ul className={listing.rows} aria-label="Organization settings">
        {settings.data?.map((setting) => (
          <SettingRow key={setting.key} setting={setting} writes={writes} />
        ))}
      </ul>
    </section>
  );
}

interface SettingRowProps {
  readonly setting: Setting;
  readonly writes: boolean;
}

/** R-ADM-1: name, effect, value, where it comes from and who changed it last. */
function SettingRow({ setting, writes }: SettingRowProps): ReactNode {
  const words = settingWords(setting.key);
  return (
    <li className={listing.row}>
      <div className={listing.what}>
        <p className={listing.name}>
          {words.name}
          <span className={listing.badge}>{sourceWords(setting.source)}</span>
        </p>
        <p className={listing.about}>
          <span>{words.effect}</span>
        </p>
        <p className={listing.about}>
          {setting.variable !== null && (
            <span>
              the environment says it with <code>{setting.variable}</code>
            </span>
          )}
          {setting.source === "default" && words.variable !== undefined && (
            <span>
              the environment may say it with <code>{words.variable}</code>
            </span>
          )}
          <Changed setting={setting} />
        </p>
      </div>
      <strong>
        <OutsideText text={valueWords(setting.value, words)} />
      </strong>
      {writes && words.kind !== "shown" && <ChangeButton setting={setting} words={words} />}
    </li>
  );
}

function Changed({ setting }: { readonly setting: Setting }): ReactNode {
  if (setting.updated_by === null || setting.updated_at === null) return null;
  return (
    <span>
      changed by <ChangedBy by={setting.updated_by} /> <Moment at={setting.updated_at} reachable />
    </span>
  );
}

interface ChangeButtonProps {
  readonly setting: Setting;
  readonly words: SettingWords;
}

function ChangeButton({ setting, words }: ChangeButtonProps): ReactNode {
  const [changing, setChanging] = useState(false);
  return (
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
      {changing && (
        <SettingSheet
          setting={setting}
          words={words}
          onClose={() => {
            setChanging(false);
          }}
        />
      )}
    </div>
  );
}

interface SettingSheetProps {
  readonly setting: Setting;
  readonly words: SettingWords;
  readonly onClose: () => void;
}

function SettingSheet({ setting, words, onClose }: SettingSheetProps): ReactNode {
  const client = useQueryClient();
  const [value, setValue] = useState<Json>(setting.value);
  const [typed, setTyped] = useState(typedFrom(setting.value));
  const saving = useMutation({
    mutationFn: (next: Json) => changeSetting(setting.key, next),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["settings"] });
      onClose();
    },
  });
  return (
    <Sheet title={words.name} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!saving.isPending) saving.mutate(words.kind === "switch" ? value : valueFrom(typed, words));
        }}
      >
        <p>{words.effect}</p>
        {words.kind === "switch" ? (
          <label className={controls.check}>
            <input
              type="checkbox"
              checked={value === true}
              onChange={(event) => {
                setValue(event.target.checked);
              }}
            />
            On
          </label>
        ) : (
          <TextField
            label={words.unit ?? "Values"}
            value={typed}
            autoComplete="off"
            {...(words.kind === "number" ? { inputMode: "numeric" as const } : { hint: "With commas between." })}
            onChange={setTyped}
          />
        )}
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          {setting.source === "organization" && (
            <button
              type="button"
              className={classNames(controls.button, controls.quiet)}
              onClick={() => {
                if (!saving.isPending) saving.mutate(null);
              }}
            >
              As the installation says
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

function typedFrom(value: Json): string {
  const list: readonly unknown[] = Array.isArray(value) ? value : [];
  if (list.length > 0) return list.filter((item) => typeof item === "string").join(", ");
  return typeof value === "number" || typeof value === "string" ? String(value) : "";
}

function valueFrom(typed: string, words: SettingWords): Json {
  if (words.kind === "list") return typed.split(/[\s,]+/).filter((item) => item !== "");
  return /^\s*\d+\s*$/.test(typed) ? Number(typed) : typed;
}
