import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Machine, WorkloadProvider } from "../../api/machines.ts";
import { addWorkloadProvider, changeWorkloadProvider, useMachines } from "../../api/machines.ts";
import type { JsonObject } from "../../api/read.ts";
import { isJsonObject } from "../../api/read.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import { Choice } from "../../parts/choice.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Sheet } from "../../parts/sheet.tsx";
import { TextField } from "../../parts/text-field.tsx";

const presets = [
  { value: "github", word: "GitHub Actions" },
  { value: "gitlab", word: "GitLab" },
  { value: "circleci", word: "CircleCI" },
  { value: "kubernetes", word: "Kubernetes" },
  { value: "custom", word: "another issuer" },
] as const;

/** GitHub's issuer is the same for everybody; the others have one of their own. */
const withoutIssuer: readonly string[] = ["github"];

interface WorkloadSheetProps {
  /** Null adds one. */
  readonly provider: WorkloadProvider | null;
  readonly onClose: () => void;
}

interface Draft {
  readonly machineId: string;
  readonly name: string;
  readonly preset: string;
  readonly issuer: string;
  readonly audience: string;
  readonly subjects: string;
  readonly claims: string;
  readonly scopes: string;
  readonly enabled: boolean;
}

export function WorkloadSheet({ provider, onClose }: WorkloadSheetProps): ReactNode {
  const client = useQueryClient();
  const machines = (useMachines().data ?? []).filter(({ disabled_at: retired }) => retired === null);
  const [draft, setDraft] = useState(() => draftOf(provider));
  const [asked, setAsked] = useState(false);
  const claims = claimsIn(draft.claims);
  const machineId = draft.machineId === "" ? (machines[0]?.id ?? "") : draft.machineId;
  const faults = faultsOf(draft, claims);
  const saving = useMutation({
    mutationFn: () => save(provider, { ...draft, machineId }, claims ?? {}),
    onSuccess: async () => {
      announce("Saved.");
      await client.invalidateQueries({ queryKey: ["workload-providers"] });
      onClose();
    },
  });
  const change = (member: keyof Draft) => (value: string | null) => {
    setDraft({ ...draft, [member]: value ?? "" });
  };
  return (
    <Sheet title={provider === null ? "Add workload provider" : "Change workload provider"} onClose={onClose}>
      <form
        className={listing.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setAsked(true);
          if (Object.values(faults).every((fault) => fault === null) && !saving.isPending) saving.mutate();
        }}
      >
        <TextField
          label="Name"
          autoComplete="off"
          value={draft.name}
          fault={asked ? faults.name : null}
          onChange={change("name")}
        />
        {provider === null && <Origin draft={{ ...draft, machineId }} machines={machines} onChange={setDraft} />}
        <TextField label="Audience" autoComplete="off" value={draft.audience} onChange={change("audience")} />
        <TextField
          label="Subjects"
          rows={2}
          mono
          hint="One a line; exact, or ending in :* or /*"
          value={draft.subjects}
          fault={asked ? faults.subjects : null}
          onChange={change("subjects")}
        />
        <TextField
          label="Claims that must match"
          rows={2}
          mono
          hint="JSON: claim to allowed values. The immutable id of the project belongs here."
          value={draft.claims}
          fault={asked ? faults.claims : null}
          onChange={change("claims")}
        />
        <TextField label="Scopes" rows={2} mono hint="One a line." value={draft.scopes} onChange={change("scopes")} />
        <label className={controls.check}>
          <input
            type="checkbox"
            checked={draft.enabled}
            onChange={(event) => {
              setDraft({ ...draft, enabled: event.target.checked });
            }}
          />
          Accepted
        </label>
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

function faultsOf(
  draft: Draft,
  claims: JsonObject | null,
): Readonly<Record<"name" | "subjects" | "claims", string | null>> {
  return {
    name: draft.name.trim() === "" ? "Give it a name." : null,
    subjects: words(draft.subjects).length === 0 ? "Write at least one subject." : null,
    claims: claims === null ? 'Write a JSON object, as {"repository_id": ["1234"]}.' : null,
  };
}

interface OriginProps {
  readonly draft: Draft;
  readonly machines: readonly Machine[];
  readonly onChange: (draft: Draft) => void;
}

/** As whom it acts and who vouches for it: said once, when it is added. */
function Origin({ draft, machines, onChange }: OriginProps): ReactNode {
  return (
    <>
      <div className={listing.two}>
        <Choice
          label="Acts as machine"
          value={draft.machineId}
          options={machines.map(({ id, name }) => ({ value: id, word: name }))}
          onChange={(machineId) => {
            onChange({ ...draft, machineId: machineId ?? "" });
          }}
        />
        <Choice
          label="Platform"
          value={draft.preset}
          options={presets}
          onChange={(preset) => {
            onChange({ ...draft, preset: preset ?? "github" });
          }}
        />
      </div>
      {!withoutIssuer.includes(draft.preset) && (
        <TextField
          label="Issuer"
          type="url"
          autoComplete="off"
          value={draft.issuer}
          onChange={(issuer) => {
            onChange({ ...draft, issuer });
          }}
        />
      )}
    </>
  );
}

const blank: Draft = {
  ...{ machineId: "", name: "", preset: "github", issuer: "", audience: "", subjects: "", claims: "", enabled: true },
  scopes: "approval:request:create\napproval:request:read",
};

function draftOf(provider: WorkloadProvider | null): Draft {
  if (provider === null) return { ...blank, audience: window.location.origin };
  const { machine_id: machineId, name, preset, issuer, audience, subjects, claims, scopes, enabled } = provider;
  return {
    ...{ machineId, name, preset, audience, enabled, issuer: issuer ?? "", claims: JSON.stringify(claims) },
    ...{ subjects: subjects.join("\n"), scopes: scopes.join("\n") },
  };
}

function save(provider: WorkloadProvider | null, draft: Draft, claims: JsonObject): Promise<unknown> {
  const change = {
    name: draft.name.trim(),
    audience: draft.audience.trim(),
    subjects: words(draft.subjects),
    claims,
    scopes: words(draft.scopes),
    enabled: draft.enabled,
  };
  if (provider !== null) return changeWorkloadProvider(provider.id, change);
  const issuer = withoutIssuer.includes(draft.preset) || draft.issuer.trim() === "" ? null : draft.issuer.trim();
  return addWorkloadProvider({ ...change, machine_id: draft.machineId, preset: draft.preset, issuer });
}

function words(list: string): readonly string[] {
  return list.split(/[\s,]+/).filter((word) => word !== "");
}

/** Null when the text is no JSON object. */
function claimsIn(text: string): JsonObject | null {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}
