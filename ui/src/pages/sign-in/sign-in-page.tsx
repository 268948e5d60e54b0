import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { FingerprintIcon } from "lucide-react";
import type { ReactNode } from "react";

import { passkeysSupported } from "../../api/passkeys.ts";
import type { Me } from "../../api/session.ts";
import { meQuery, shownName } from "../../api/session.ts";
import type { SignInOptions } from "../../api/sign-in.ts";
import { signInOptionsQuery, signInWithPasskey, startProviderSignIn } from "../../api/sign-in.ts";
import { classNames } from "../../look/class-names.ts";
import controls from "../../parts/controls.module.css";
import { OutsideText } from "../../parts/outside-text.tsx";
import { RefusedNote } from "../../parts/refused-note.tsx";
import { Failed, Loading } from "../../parts/states.tsx";
import { EntryFrame } from "../../shell/entry-frame.tsx";
import { DevelopmentSignIn } from "./development-sign-in.tsx";
import { PasswordForm } from "./password-form.tsx";
import { refusedWords } from "./refused-words.ts";
import styles from "./sign-in-page.module.css";
import { useEnter, useNext } from "./use-enter.ts";
import { usePasskeyInField } from "./use-passkey-in-field.ts";

export function SignInPage(): ReactNode {
  const options = useQuery(signInOptionsQuery);
  const refused = useSearch({ from: "/sign-in", select: (search) => search.refused });
  return (
    <EntryFrame title="Sign in">
      {options.isPending && <Loading rows={3} label="ways to sign in" />}
      {options.isError && <Failed what="The sign-in" failure={options.error} onRetry={() => void options.refetch()} />}
      {options.data !== undefined && (
        <Ways options={options.data}>{refused !== undefined && <Refused code={refused} />}</Ways>
      )}
    </EntryFrame>
  );
}

function Refused({ code }: { readonly code: string }): ReactNode {
  // Linking an identity ends here as well when it is refused: the session that it began in goes on.
  const me = useQuery({ ...meQuery, retry: false, refetchInterval: false }).data;
  return (
    <div className={styles.note} role="alert">
      <p>{refusedWords(code)}</p>
      <code>
        <OutsideText text={code} />
      </code>
      {me !== undefined && (
        <p>
          You are still signed in as <OutsideText text={shownName(me)} />.{" "}
          <Link to="/security">Back to your security page</Link>
        </p>
      )}
    </div>
  );
}

interface WaysProps {
  readonly options: SignInOptions;
  /** What stands above the first way. */
  readonly children: ReactNode;
}

function Ways({ options, children }: WaysProps): ReactNode {
  const enter = useEnter();
  const passkeys = options.methods.passkey && passkeysSupported();
  const development = options.mode === "development";
  usePasskeyInField(passkeys && options.methods.password && !development, enter);
  if (options.setup_required) return <NotSetUp />;
  const buttons = (passkeys || options.providers.length > 0) && (
    <Buttons options={options} passkeys={passkeys} quiet={development} onEntered={enter} />
  );
  if (development) {
    return (
      <>
        {children}
        <DevelopmentSignIn onEntered={enter} />
        {buttons}
      </>
    );
  }
  return (
    <>
      {options.organization !== null && (
        <p className={styles.sentence}>
          to <OutsideText text={options.organization} />
        </p>
      )}
      {children}
      {buttons}
      {options.methods.password && (
        <>
          {buttons !== false && <p className={styles.or}>or</p>}
          <PasswordForm onEntered={enter} />
        </>
      )}
    </>
  );
}

function NotSetUp(): ReactNode {
  return (
    <p className={styles.sentence}>
      This server has no administrator yet. When it started it printed a setup link, valid for an hour; open that link
      in this browser. A new one is printed at every start and by <code>countersign setup-link</code>.
    </p>
  );
}

interface ButtonsProps {
  readonly options: SignInOptions;
  readonly passkeys: boolean;
  readonly quiet: boolean;
  readonly onEntered: (me: Me) => Promise<void>;
}

/** One press each: the passkey first, then a button for every identity provider. */
function Buttons({ options, passkeys, quiet, onEntered }: ButtonsProps): ReactNode {
  const next = useNext();
  const byPasskey = useMutation({ mutationFn: signInWithPasskey, onSuccess: onEntered });
  const byProvider = useMutation({
    mutationFn: (provider: string) => startProviderSignIn(provider, `/app${next ?? "/inbox"}`),
    onSuccess: (url) => {
      window.location.assign(url);
    },
  });
  return (
    <div className={styles.methods}>
      <RefusedNote failure={byPasskey.error ?? byProvider.error} />
      {passkeys && (
        <button
          type="button"
          className={classNames(controls.button, !quiet && controls.primary)}
          aria-disabled={byPasskey.isPending}
          onClick={() => {
            byPasskey.mutate();
          }}
        >
          <FingerprintIcon size={18} strokeWidth={1.75} aria-hidden="true" />
          {byPasskey.isPending ? "Waiting for your passkey…" : "Sign in with a passkey"}
        </button>
      )}
      {options.providers.map((provider) => (
        <button
          key={provider.id}
          type="button"
          className={controls.button}
          aria-disabled={byProvider.isPending}
          onClick={() => {
            byProvider.mutate(provider.id);
          }}
        >
          Continue with <OutsideText text={provider.name} />
        </button>
      ))}
    </div>
  );
}
