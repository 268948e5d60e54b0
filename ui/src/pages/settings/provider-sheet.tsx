import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { JsonObject } from "../../api/read.ts";
import { isJsonObject } from "../../api/read.ts";
import type { IdentityProvider } from "../../api/settings.ts";
import { saveIdentityProvider } from "../../api/settings.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import { CopyButton } from "../../parts/copy-button.tsx";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";

interface ProviderSheetProps {
  /** Null adds one. */
  readonly provider: IdentityProvider | null;
  readonly onClose: () => void;
}

interface Draft {
  readonly name: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly enabled: boolean;
  readonly provisioning: string;
  readonly domains: string;
  readonly amr: string;
  /** One rule a line: claim = value → role. */
  readonly rules: string;
}

export function ProviderSheet({ provider, onClose }: ProviderSheetProps): ReactNode {
  const client = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(provider));
  const [asked, setAsked] = useState(false);
  const rules = rulesIn(draft.rules);
  const faults = {
    name: draft.name.trim() === "" ? "Give it a name: it is on the sign-in button." : null,
    issuer: URL.canParse(draft.issuer.trim()) ? null : "Write the issuer’s address, as https://id.example.com.",
    clientId: draft.clientId.trim() === "" ? "Write the client id." : null,
    rules: rules === null ? "Write each rule as: claim = value -> role" : null,
  };
  const saving = useMutation({
    mutationFn: () =>
      saveIdentityProvider(provider?.id ?? null, {
        name: draft.name.trim(),
        issuer: draft.issuer.trim(),
        client_id: draft.clientId.trim(),
        ...(draft.clientSecret === "" ? {} : { client_secret: draft.clientSecret }),
        enabled: draft.enabled,
        settings: settingsOf(draft, rules ?? [], provider?.settings ?? {}),
      }),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["identity-providers"] });
      onClose();
    },
  });
  const field = (member: "name" | "issuer" | "clientId" | "rules"): FieldProps => ({
    value: draft[member],
    fault: asked ? faults[member] : null,
    onChange: (value) => {
      setDraft({ ...draft, [member]: value });
    },
  });
  return (
    <Sheet title={provider === null ? "Add identity provider" : "Change identity provider"} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (Object.values(faults).every((fault) => fault === null) && !saving.isPending) saving.mutate();
        }}
      >
        {provider !== null && <CallbackAddress address={provider.callback_url} />}
        <TextField label="Name" autoComplete="off" maxLength={128} {...field("name")} />
        <TextField label="Issuer" type="url" autoComplete="off" maxLength={2048} {...field("issuer")} />
        <div className={listing.two}>
          <TextField label="Client id" autoComplete="off" maxLength={255} {...field("clientId")} />
          <TextField
            label="Client secret"
            type="password"
            autoComplete="off"
            value={draft.clientSecret}
            {...(provider?.client_secret_set === true ? { hint: "Left empty, the one that is set stays." } : {})}
            onChange={(clientSecret) => {
              setDraft({ ...draft, clientSecret });
            }}
          />
        </div>
        <Admission draft={draft} onChange={setDraft} />
        <TextField
          label="Roles from claims"
          rows={3}
          mono
          hint="A rule a line, as: groups = release-managers -> deployer"
          {...field("rules")}
        />
        <RefusedNote failure={saving.error} />
        <div className={listing.buttons}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
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
  readonly value: string;
  readonly fault: string | null;
  readonly onChange: (value: string) => void;
}

function CallbackAddress({ address }: { readonly address: string }): ReactNode {
  return (
    <div className={controls.field}>
      <span className={controls.label}>Redirect address to enter at the provider</span>
      <code className={listing.command}>{address}</code>
      <span>
        <CopyButton text={address} what="address" labelled />
      </span>
    </div>
  );
}

interface AdmissionProps {
  readonly draft: Draft;
  readonly onChange: (draft: Draft) => void;
}

/** Who gets in by this provider, and what its second factor counts for. */
function Admission({ draft, onChange }: AdmissionProps): ReactNode {
  return (
    <>
      <div className={listing.two}>
        <Choice
          label="Who gets in"
          value={draft.provisioning}
          options={[
            { value: "invited", word: "people who were invited" },
            { value: "domain", word: "everybody of these domains, as viewer" },
          ]}
          onChange={(provisioning) => {
            onChange({ ...draft, provisioning: provisioning ?? "invited" });
          }}
        />
        <TextField
          label="Domains"
          autoComplete="off"
          hint="Of the e-mail address; commas between. Empty: any."
          value={draft.domains}
          onChange={(domains) => {
            onChange({ ...draft, domains });
          }}
        />
      </div>
      <TextField
        label="Second factor at the provider (amr)"
        autoComplete="off"
        hint="Values that say that the provider asked for two factors, as mfa, hwk. Otherwise ours is asked for."
        value={draft.amr}
        onChange={(amr) => {
          onChange({ ...draft, amr });
        }}
      />
      <label className={controls.check}>
        <input
          type="checkbox"
          checked={draft.enabled}
          onChange={(event) => {
            onChange({ ...draft, enabled: event.target.checked });
          }}
        />
        Offered on the sign-in page
      </label>
    </>
  );
}

interface Rule {
  readonly claim: string;
  readonly value: string;
  readonly role: string;
}

/** Null when a line is no rule. */
function rulesIn(text: string): readonly Rule[] | null {
  const rules: Rule[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    const [, claim, value, role] = /^\s*([^=\s]+)\s*=\s*(.+?)\s*(?:->|→)\s*(\S+)\s*$/.exec(line) ?? [];
    if (claim === undefined || value === undefined || role === undefined) return null;
    rules.push({ claim, value, role });
  }
  return rules;
}

const blank: Draft = {
  ...{ name: "", issuer: "", clientId: "", clientSecret: "", enabled: true },
  ...{ provisioning: "invited", domains: "", amr: "", rules: "" },
};

function draftOf(provider: IdentityProvider | null): Draft {
  if (provider === null) return blank;
  const { settings, name, issuer, client_id: clientId, enabled } = provider;
  const aal2 = isJsonObject(settings["aal2"]) ? settings["aal2"] : {};
  return {
    ...{ name, issuer, clientId, enabled, clientSecret: "" },
    provisioning: settings["provisioning"] === "domain" ? "domain" : "invited",
    domains: textsIn(settings["domains"]).join(", "),
    amr: textsIn(aal2["amr"]).join(", "),
    rules: listOf(settings["role_rules"])
      .filter(isJsonObject)
      .map((rule) => `${textOf(rule["claim"])} = ${textOf(rule["value"])} -> ${textOf(rule["role"])}`)
      .join("\n"),
  };
}

/** What the form does not show stays as it is. */
function settingsOf(draft: Draft, rules: readonly Rule[], before: JsonObject): JsonObject {
  const aal2 = isJsonObject(before["aal2"]) ? before["aal2"] : {};
  return {
    ...before,
    provisioning: draft.provisioning,
    domains: words(draft.domains),
    aal2: { ...aal2, amr: words(draft.amr) },
    role_rules: rules.map(({ claim, value, role }) => ({ claim, value, role })),
  };
}

function words(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((word) => word !== "");
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textsIn(value: unknown): readonly string[] {
  return listOf(value).filter((item) => typeof item === "string");
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
