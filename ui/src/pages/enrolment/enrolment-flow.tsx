import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { FingerprintIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { BackupCodes, Enrolled } from "../../api/factors.ts";
import { enrolPasskey, makeBackupCodes } from "../../api/factors.ts";
import { passkeysSupported } from "../../api/passkeys.ts";
import type { Me } from "../../api/session.ts";
import { meQuery, mustEnrol } from "../../api/session.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { Moment } from "../../parts/moment.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import { AuthenticatorForm } from "./authenticator-form.tsx";
import { BackupCodeList } from "./backup-codes.tsx";
import styles from "./enrolment.module.css";
import { passkeyName } from "./passkey-name.ts";
import { PasswordForm } from "./password-form.tsx";
import { Steps } from "./steps.tsx";

interface EnrolmentFlowProps {
  readonly me: Me;
  /** What came before, as the word of its step. */
  readonly first: string | null;
  /** Where to go at the end, inside the console. */
  readonly next?: string | undefined;
}

type Stage = { readonly kind: "factor" } | { readonly kind: "codes"; readonly enrolled: Enrolled };

/** A factor, then backup codes, then in. The same for a first administrator, an invitation and a recovery. */
export function EnrolmentFlow({ me, first, next }: EnrolmentFlowProps): ReactNode {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [stage, setStage] = useState<Stage>({ kind: "factor" });
  // Made before there is a factor, because afterwards it would have to be proven; they count when they are confirmed.
  const codes = useQuery({
    queryKey: ["enrolment-codes", me.person_id],
    queryFn: makeBackupCodes,
    staleTime: "static",
    gcTime: 0,
    retry: false,
  }).data;
  const words = [...(first === null ? [] : [first]), "Your key", "Backup codes"];
  const before = first === null ? 0 : 1;
  const enter = async (): Promise<void> => {
    const now = await client.query({ ...meQuery, staleTime: 0 });
    if (mustEnrol(now)) setStage({ kind: "factor" });
    else await navigate({ to: "/inbox", ...(next === undefined ? {} : { href: next }) });
  };
  if (stage.kind === "factor") {
    return (
      <EntryFrame title="How you prove that it is you" above={<Steps words={words} current={before} />}>
        <FactorStep
          me={me}
          onEnrolled={(enrolled) => {
            if (enrolled.me !== null) client.setQueryData(meQuery.queryKey, enrolled.me);
            setStage({ kind: "codes", enrolled });
          }}
        />
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Backup codes" above={<Steps words={words} current={before + 1} />}>
      <CoolingDown until={stage.enrolled.usable_at} />
      <CodesStep made={codes} onDone={enter} />
    </EntryFrame>
  );
}

interface FactorStepProps {
  readonly me: Me;
  readonly onEnrolled: (enrolled: Enrolled) => void;
}

function FactorStep({ me, onEnrolled }: FactorStepProps): ReactNode {
  const supported = passkeysSupported();
  const [way, setWay] = useState<"passkey" | "password" | "authenticator">(supported ? "passkey" : "password");
  const enrolling = useMutation({
    mutationFn: () => enrolPasskey(passkeyName(navigator.userAgent)),
    onSuccess: onEnrolled,
  });
  // Who signs in at an identity provider, or has a password already, needs the authenticator beside it only.
  const byOthers = me.session?.method === "oidc" || (me.password_set && me.session?.kind !== "enrolment");
  if (way === "passkey") {
    return (
      <div className={styles.form}>
        <p className={styles.sentence}>
          A passkey is kept by your phone, your computer or a security key, and asks for a fingerprint, a face or a PIN.
          It signs you in by itself and signs decisions. Nothing of it can be typed into the wrong page.
        </p>
        <RefusedNote failure={enrolling.error} />
        <button
          type="button"
          className={classNames(controls.button, controls.primary, styles.main)}
          aria-disabled={enrolling.isPending}
          onClick={() => {
            if (!enrolling.isPending) enrolling.mutate();
          }}
        >
          <FingerprintIcon size={18} strokeWidth={1.75} aria-hidden="true" />
          {enrolling.isPending ? "Waiting for your device…" : "Create a passkey"}
        </button>
        <button
          type="button"
          className={classNames(controls.button, controls.quiet, styles.other)}
          onClick={() => {
            setWay(byOthers ? "authenticator" : "password");
          }}
        >
          {byOthers ? "Use an authenticator app instead" : "Use a password and an authenticator app instead"}
        </button>
      </div>
    );
  }
  return (
    <>
      {way === "password" ? (
        <PasswordForm
          verb="Continue to the authenticator"
          userName={me.assignee}
          onSet={() => {
            setWay("authenticator");
          }}
        />
      ) : (
        <AuthenticatorForm onEnrolled={onEnrolled} />
      )}
      {supported && (
        <button
          type="button"
          className={classNames(controls.button, controls.quiet, styles.other)}
          onClick={() => {
            setWay("passkey");
          }}
        >
          Use a passkey instead
        </button>
      )}
    </>
  );
}

/** A factor that is new to a person who was here before can sign in, but not decide, until its time has come. */
function CoolingDown({ until }: { readonly until: string | null }): ReactNode {
  if (until === null || Date.parse(until) <= Date.now()) return null;
  return (
    <p className={styles.notice}>
      Signing in works at once. Decisions that need this factor can be made <Moment at={until} reachable />; somebody
      who may vouch for you can end the wait.
    </p>
  );
}

interface CodesStepProps {
  readonly made: BackupCodes | undefined;
  readonly onDone: () => Promise<void>;
}

function CodesStep({ made, onDone }: CodesStepProps): ReactNode {
  const making = useMutation({ mutationFn: makeBackupCodes });
  const codes = made ?? making.data;
  return (
    <>
      {codes === undefined ? (
        <div className={styles.form}>
          <p className={styles.sentence}>
            Ten codes for the day your phone or key is lost. Without them only an administrator can let you in again.
          </p>
          <RefusedNote failure={making.error} />
          <button
            type="button"
            className={classNames(controls.button, controls.primary, styles.main)}
            aria-disabled={making.isPending}
            onClick={() => {
              if (!making.isPending) making.mutate();
            }}
          >
            Show my backup codes
          </button>
        </div>
      ) : (
        <BackupCodeList codes={codes} onStored={onDone} />
      )}
      <button
        type="button"
        className={classNames(controls.button, controls.quiet, styles.other)}
        onClick={() => void onDone()}
      >
        Not now
      </button>
    </>
  );
}
