import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { FingerprintIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import { call, Refusal } from "../api/call.ts";
import type { OwnFactors } from "../api/factors.ts";
import { factorsQuery, useOwnFactors } from "../api/factors.ts";
import { askPasskey } from "../api/passkeys.ts";
import type { Proof, ProofAsked, SendWithProof } from "../api/proof.ts";
import { jsonObject, object, text } from "../api/read.ts";
import { classNames } from "../look/class-names.ts";
import controls from "../parts/controls.module.css";
import { RefusedNote } from "../parts/refused-note.tsx";
import { Failed, Loading } from "../parts/states.tsx";
import { TextField } from "../parts/text-field.tsx";
import { codeProof } from "./code-proof.ts";
import styles from "./proof-form.module.css";

/** Refusals of the proof itself: the person may try another. Any other refusal is the call's own. */
const wrongProofs: readonly string[] = [
  "mfa_verification_failed",
  "mfa_required",
  "mfa_step_up_required",
  "step_up_required",
  "factor_throttled",
  "factor_unknown",
  "factor_cooling_down",
  "factor_counter_regressed",
  "assertion_invalid",
  "user_not_verified",
  "invalid_mfa_type",
];

interface ProofFormProps {
  readonly asked: ProofAsked;
  readonly send: SendWithProof;
  readonly onAnswered: (response: Response) => void;
  readonly onFailed: (failure: Error) => void;
}

/** What the person can prove it with: a passkey first, and one field for codes of both kinds. */
export function ProofForm({ asked, send, onAnswered, onFailed }: ProofFormProps): ReactNode {
  const client = useQueryClient();
  const factors = useOwnFactors();
  const proving = useMutation({
    mutationFn: async (proof: () => Promise<Proof>) => send(await proof()),
    onSuccess: (response) => {
      void client.invalidateQueries({ queryKey: factorsQuery.queryKey });
      onAnswered(response);
    },
    onError: (failure) => {
      if (failure instanceof Refusal && !wrongProofs.includes(failure.code)) onFailed(failure);
    },
  });
  if (factors.isError) return <Failed what="Your factors" failure={factors.error} />;
  if (factors.data === undefined) return <Loading rows={2} label="your factors" />;
  const offered = offeredFrom(factors.data, asked.methods);
  if (!offered.passkey && !offered.code) return <NothingToProveWith asked={asked} />;
  return (
    <div className={styles.ask}>
      <p className={styles.bound}>
        The proof counts for {"decision" in asked.bound ? "this decision" : "this one act"} and for nothing else.
      </p>
      <RefusedNote failure={proving.error} />
      {offered.passkey && (
        <button
          type="button"
          autoFocus
          className={classNames(controls.button, controls.primary, styles.passkey)}
          aria-disabled={proving.isPending}
          onClick={() => {
            if (!proving.isPending) proving.mutate(() => passkeyProof(asked));
          }}
        >
          <FingerprintIcon size={18} strokeWidth={1.75} aria-hidden="true" />
          {proving.isPending ? "Waiting…" : "Use a passkey"}
        </button>
      )}
      {offered.passkey && offered.code && <p className={styles.or}>or</p>}
      {offered.code && (
        <CodeForm
          label={offered.codeLabel}
          first={!offered.passkey}
          busy={proving.isPending}
          onCode={(code) => {
            proving.mutate(() => Promise.resolve(codeProof(code)));
          }}
        />
      )}
    </div>
  );
}

interface Offered {
  readonly passkey: boolean;
  readonly code: boolean;
  readonly codeLabel: string;
}

function offeredFrom(own: OwnFactors, methods: readonly string[] | null): Offered {
  const takes = (method: string): boolean => methods === null || methods.includes(method);
  const holds = (type: string): boolean => own.factors.some((factor) => factor.type === type && !factor.disabled);
  const totp = takes("totp") && holds("totp");
  const backup = takes("backup_code") && (own.backup_codes?.remaining ?? 0) > 0;
  const labels = [totp ? "authenticator code" : "", backup ? "backup code" : ""].filter((word) => word !== "");
  const label = labels.join(" or ");
  return {
    passkey: takes("passkey") && holds("passkey"),
    code: totp || backup,
    codeLabel: label.slice(0, 1).toUpperCase() + label.slice(1),
  };
}

async function passkeyProof(asked: ProofAsked): Promise<Proof> {
  const { id, options } = await call(object({ id: text, options: jsonObject }), "/v1/me/challenges", {
    method: "POST",
    body: { act: asked.act, ...asked.bound },
  });
  return { type: "passkey", challenge: id, response: await askPasskey(options) };
}

interface CodeFormProps {
  readonly label: string;
  readonly first: boolean;
  readonly busy: boolean;
  readonly onCode: (code: string) => void;
}

function CodeForm({ label, first, busy, onCode }: CodeFormProps): ReactNode {
  const [code, setCode] = useState("");
  return (
    <form
      className={styles.code}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (busy || code.trim() === "") return;
        onCode(code);
        // A code works once: the next try needs another.
        setCode("");
      }}
    >
      <TextField
        label={label}
        value={code}
        mono
        autoFocus={first}
        autoComplete="one-time-code"
        maxLength={64}
        onChange={setCode}
      />
      <button
        type="submit"
        className={classNames(controls.button, first && controls.primary)}
        aria-disabled={busy || code.trim() === ""}
      >
        Confirm
      </button>
    </form>
  );
}

function NothingToProveWith({ asked }: { readonly asked: ProofAsked }): ReactNode {
  const signedOnly = asked.methods?.every((method) => method === "passkey") === true;
  return (
    <div className={styles.ask}>
      <p>
        {signedOnly
          ? "This needs a passkey, and you have none."
          : "This needs a passkey, an authenticator code or a backup code, and you have none of them."}
      </p>
      <Link to="/security" className={controls.button}>
        Set one up
      </Link>
    </div>
  );
}
