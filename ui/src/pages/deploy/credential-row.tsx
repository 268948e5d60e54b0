import { useMutation } from "@tanstack/react-query";
import { PlugIcon } from "lucide-react";
import type { ReactNode } from "react";

import { testCredential } from "../../api/deploy-integrations.ts";
import { classNames } from "../../look/class-names.ts";
import { announce } from "../../parts/announcer.tsx";
import controls from "../../parts/controls.module.css";
import listing from "../../parts/listing.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Tested } from "../../parts/tested.tsx";

const providers = {
  github: {
    word: "GitHub",
    effect: "looks commits and pull requests up, comments and sets statuses",
    variable: "GITHUB_TOKEN",
  },
  circleci: {
    word: "CircleCI",
    effect: "goes on with the workflow that waits for the approval",
    variable: "CIRCLECI_TOKEN",
  },
} as const;

interface CredentialRowProps {
  readonly provider: keyof typeof providers;
  /** The server has a credential for it. */
  readonly has: boolean;
  readonly manages: boolean;
}

/** R-CI-6: whether there is a credential, and whether the provider takes it. It is read from the server’s environment alone. */
export function CredentialRow({ provider, has, manages }: CredentialRowProps): ReactNode {
  const { word, effect, variable } = providers[provider];
  const testing = useMutation({
    mutationFn: () => testCredential(provider),
    onSuccess: ({ detail }) => {
      announce(detail);
    },
  });
  return (
    <li className={listing.row}>
      <PlugIcon size={20} strokeWidth={1.5} aria-hidden="true" className={listing.icon} />
      <div className={listing.what}>
        <p className={listing.name}>
          {word}
          <span className={listing.badge}>{has ? "connected" : "not connected"}</span>
        </p>
        <p className={listing.about}>
          <span>{effect}</span>
          <span>
            the server reads <code>{variable}</code>
          </span>
        </p>
        {testing.data !== undefined && (
          <Tested ok={testing.data.ok}>
            <OutsideText text={testing.data.detail} />
          </Tested>
        )}
        <RefusedNote failure={testing.error} />
      </div>
      {has && manages && (
        <div className={listing.acts}>
          <button
            type="button"
            className={classNames(controls.button, controls.small)}
            aria-label={`Test ${word}`}
            aria-disabled={testing.isPending}
            onClick={() => {
              if (!testing.isPending) testing.mutate();
            }}
          >
            {testing.isPending ? "Testing…" : "Test"}
          </button>
        </div>
      )}
    </li>
  );
}
