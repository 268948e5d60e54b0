import { useMutation } from "@tanstack/react-query";
import { LinkIcon } from "lucide-react";
import type { ReactNode } from "react";

import type { IdentityProvider, TestedProvider } from "../../api/settings.ts";
import { removeIdentityProvider, testIdentityProvider, useIdentityProviders } from "../../api/settings.ts";
import { classNames } from "../../look/class-names.ts";
import { ActSheet } from "../../parts/act-sheet.tsx";
import { AdministeredList } from "../../parts/administered-list.tsx";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { RowActs } from "../../parts/row-acts.tsx";
import { Tested } from "../../parts/tested.tsx";
import { ProviderSheet } from "./provider-sheet.tsx";

export function ProvidersSection({ writes }: { readonly writes: boolean }): ReactNode {
  const providers = useIdentityProviders();
  return (
    <AdministeredList
      title="Identity providers"
      list={providers}
      add={
        writes ? { word: "Add provider", sheet: (close) => <ProviderSheet provider={null} onClose={close} /> } : null
      }
      none={
        <p className={listing.none}>None. People sign in with passkeys, or with a password and an authenticator.</p>
      }
      row={(provider) => <ProviderRow key={provider.id} provider={provider} writes={writes} />}
    />
  );
}

interface ProviderRowProps {
  readonly provider: IdentityProvider;
  readonly writes: boolean;
}

function ProviderRow({ provider, writes }: ProviderRowProps): ReactNode {
  const testing = useMutation({
    mutationFn: () => testIdentityProvider(provider.id),
    onSuccess: (tested) => {
      announce(testedWords(tested));
    },
  });
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
          <Tested ok={testing.data.ok}>
            {testedWords(testing.data)} {testing.data.code !== null && <code>{testing.data.code}</code>}
          </Tested>
        )}
        <RefusedNote failure={testing.error} />
      </div>
      {writes && (
        <RowActs
          acts={[
            { word: "Change", sheet: (close) => <ProviderSheet provider={provider} onClose={close} /> },
            { word: "Remove", sheet: (close) => <RemoveSheet provider={provider} onClose={close} /> },
          ]}
        >
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
        </RowActs>
      )}
    </li>
  );
}

interface RemoveSheetProps {
  readonly provider: IdentityProvider;
  readonly onClose: () => void;
}

function RemoveSheet({ provider, onClose }: RemoveSheetProps): ReactNode {
  return (
    <ActSheet
      title="Remove identity provider"
      verb="Remove"
      destructive
      confirmName={provider.name}
      done="The provider is removed."
      act={() => removeIdentityProvider(provider.id)}
      onClose={onClose}
    >
      <p>
        Nobody can sign in with{" "}
        <strong>
          <OutsideText text={provider.name} />
        </strong>{" "}
        any more, and roles that came from it end at the next sign-in.
      </p>
    </ActSheet>
  );
}

function testedWords(tested: TestedProvider): string {
  if (!tested.ok) return `The test failed: ${tested.detail ?? "the provider did not answer as it should"}`;
  const keys = tested.keys ?? 0;
  return `It answers, and its ${keys === 1 ? "key is" : `${String(keys)} keys are`} readable.`;
}
