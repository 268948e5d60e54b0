import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { useState } from "react";

import type { Me } from "../../api/session.ts";
import { meQuery } from "../../api/session.ts";
import type { SetupDraft } from "../../api/sign-in.ts";
import { setUp } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { TextField } from "../../parts/text-field.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import { EnrolmentFlow } from "./enrolment-flow.tsx";
import styles from "./enrolment.module.css";
import { LinkMissing } from "./link-missing.tsx";
import { Steps } from "./steps.tsx";
import { useLinkToken } from "./use-link-token.ts";

const firstStep = "Organization and you";

/** The first run: the organization and its first administrator, then a factor, then backup codes. */
export function SetupPage(): ReactNode {
  const token = useLinkToken();
  const [me, setMe] = useState<Me | null>(null);
  if (me !== null) return <EnrolmentFlow me={me} first={firstStep} />;
  if (token === "") {
    return (
      <EntryFrame title="Setup">
        <LinkMissing />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame
      title="Set up Countersign"
      above={<Steps words={[firstStep, "Your key", "Backup codes"]} current={0} />}
    >
      <OrganizationForm token={token} onSetUp={setMe} />
    </EntryFrame>
  );
}

interface OrganizationFormProps {
  readonly token: string;
  readonly onSetUp: (me: Me) => void;
}

function OrganizationForm({ token, onSetUp }: OrganizationFormProps): ReactNode {
  const client = useQueryClient();
  const [draft, setDraft] = useState<SetupDraft>({ organization: "", name: "", email: "", login: "" });
  const [asked, setAsked] = useState(false);
  const faults = faultsOf(draft);
  const sending = useMutation({
    mutationFn: () =>
      setUp(token, {
        organization: draft.organization.trim(),
        name: draft.name.trim(),
        email: draft.email.trim(),
        login: draft.login.trim(),
      }),
    onSuccess: (me) => {
      client.clear();
      client.setQueryData(meQuery.queryKey, me);
      onSetUp(me);
    },
  });
  const field = (
    member: keyof SetupDraft,
  ): { value: string; fault: string | null; onChange: (value: string) => void } => ({
    value: draft[member],
    fault: asked ? faults[member] : null,
    onChange: (value) => {
      setDraft({ ...draft, [member]: value });
    },
  });
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        setAsked(true);
        if (Object.values(faults).every((fault) => fault === null) && !sending.isPending) sending.mutate();
      }}
    >
      <TextField label="Organization" autoComplete="organization" maxLength={200} {...field("organization")} />
      <TextField label="Your name" autoComplete="name" maxLength={200} {...field("name")} />
      <TextField
        label="Your e-mail address"
        type="email"
        inputMode="email"
        autoComplete="email"
        maxLength={320}
        {...field("email")}
      />
      <TextField
        label="Your user name"
        autoComplete="username"
        maxLength={128}
        hint="What you sign in with. Policies name people by it."
        {...field("login")}
      />
      <RefusedNote failure={sending.error} />
      <button
        type="submit"
        className={classNames(controls.button, controls.primary, styles.main)}
        aria-disabled={sending.isPending}
      >
        {sending.isPending ? "Setting up…" : "Continue"}
      </button>
    </form>
  );
}

function faultsOf(draft: SetupDraft): Readonly<Record<keyof SetupDraft, string | null>> {
  const needed = (value: string, sentence: string): string | null => (value.trim() === "" ? sentence : null);
  return {
    organization: needed(draft.organization, "Write the name of your organization."),
    name: needed(draft.name, "Write your name."),
    email: /^\s*\S+@\S+\s*$/.test(draft.email) ? null : "Write your e-mail address.",
    login: needed(draft.login, "Write the user name you want."),
  };
}
