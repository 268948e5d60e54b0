import { useMutation } from "@tanstack/react-query";
import { LinkIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useState } from "react";

import type { IdentityProvider, TestedProvider } from "../../api/settings.ts";
import { removeIdentityProvider, testIdentityProvider, useIdentityProviders } from "../../api/settings.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { ProviderSheet } from "./provider-sheet.tsx";
import styles from "./settings.module.css";

export function ProvidersSection({ writes }: { readonly writes: boolean }): ReactNode {
  const providers = useIdentityProviders();
  const [adding, setAdding] = useState(false);
  return (
    <section className={listing.section} aria-labelledby="providers-title">
      <div className={listing.head}>
        <h2 id="providers-title" className={listing.title}>
          Identity providers
        </h2>
        {writes && (
          <button
            type="button"
            className={controls.button}
            onClick={() => {
              setAdding(true);
            }}
          >
            Add provider
          </button>
        )}
      </div>
      {providers.isError && (
        <Failed what="The identity providers" failure={providers.error} onRetry={() => void providers.refetch()} />
      )}
      {providers.isPending && <Loading rows={1} label="identity providers" />}
      {providers.data?.length === 0 && (
        <p className={listing.none}>None. People sign in with passkeys, or with a password and an authenticator.</p>
      )}
      <ul className={listing.rows} aria-label="Identity providers">
        {providers.data?.map((provider) => (
          <ProviderRow key={provider.id} provider={provider} writes={writes} />
        ))}
      </ul>
      {adding && (
        <ProviderSheet
          provider={null}
          onClose={() => {
            setAdding(false);
          }}
        />
      )}
    </section>
  );
}

interface ProviderRowProps {
  readonly provider: IdentityProvider;
  readonly writes: boolean;
}

function ProviderRow({ provider, writes }: ProviderRowProps): ReactNode {
  const [sheet, setSheet] = useState<"change" | "remove" | null>(null);
  const testing = useMutation({
    mutationFn: () => testIdentityProvider(provider.id),
    onSuccess: (tested) => {
      announce(testedWords(tested));
    },
  });
  const close = (): void => {
    setSheet(null);
  };
  return (
    <li className={listing.row}>
      <LinkIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          <OutsideText text={provider.name} />
          {!provider.enabled && <span className={listing.badge}>switched off</span>}
        </p>
        <p className={listing.about}>
          <span>
            <OutsideText text={provider.issuer} />
          </span>
          <span>
            client <OutsideText text={provider.client_id} />
          </span>
        </p>
        {testing.data !== undefined && (
          <p className={classNames(styles.tested, testing.data.ok ? styles.good : styles.bad)} role="status">
            {testedWords(testing.data)} {testing.data.code !== null && <code>{testing.data.code}</code>}
          </p>
        )}
        <RefusedNote failure={testing.error} />
      </div>
      {writes && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small)}
            aria-disabled={testing.isPending}
            onClick={() => {
              if (!testing.isPending) testing.mutate();
            }}
          >
            {testing.isPending ? "Testing…" : "Test"}
          </button>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("change");
            }}
          >
            Change
          </button>
          <button
            type="button"
            className={classNames(controls.button, controls.small, controls.quiet)}
            onClick={() => {
              setSheet("remove");
            }}
          >
            Remove
          </button>
        </div>
      )}
      {sheet === "change" && <ProviderSheet provider={provider} onClose={close} />}
      {sheet === "remove" && (
        <ActSheet
          title="Remove identity provider"
          verb="Remove"
          destructive
          confirmName={provider.name}
          done="The provider is removed."
          act={() => removeIdentityProvider(provider.id)}
          onClose={close}
        >
          <p>
            Nobody can sign in with{" "}
            <strong>
              <OutsideText text={provider.name} />
            </strong>{" "}
            any more, and roles that came from it end at the next sign-in.
          </p>
        </ActSheet>
      )}
    </li>
  );
}

function testedWords(tested: TestedProvider): string {
  if (!tested.ok) return `The test failed: ${tested.detail ?? "the provider did not answer as it should"}`;
  const keys = tested.keys ?? 0;
  return `It answers, and its ${keys === 1 ? "key is" : `${String(keys)} keys are`} readable.`;
}
