import { browserSupportsWebAuthnAutofill } from "@simplewebauthn/browser";
import { useEffect, useRef } from "react";

import { abandonPasskey } from "../../api/passkeys.ts";
import type { Me } from "../../api/session.ts";
import { signInFromField } from "../../api/sign-in.ts";

/** Shorter than a challenge lives: the one that waits behind the field is always good. */
const challengeMilliseconds = 100_000;

/** The browser offers passkeys in the user name field (conditional UI). What fails here is silent: the button is there. */
export function usePasskeyInField(on: boolean, onEntered: (me: Me) => Promise<void>): void {
  const entered = useRef(onEntered);
  useEffect(() => {
    entered.current = onEntered;
  });
  useEffect(() => {
    if (!on) return undefined;
    let ended = false;
    const wait = async (): Promise<void> => {
      if (!(await browserSupportsWebAuthnAutofill())) return;
      try {
        const me = await signInFromField();
        // Read again after waiting: the page may be gone by now.
        if (!hasEnded()) await entered.current(me);
      } catch {
        // Nobody asked for this ceremony, so nobody is told that it came to nothing.
      }
    };
    const hasEnded = (): boolean => ended;
    void wait();
    const renewal = setInterval(() => void wait(), challengeMilliseconds);
    return () => {
      ended = true;
      clearInterval(renewal);
      abandonPasskey();
    };
  }, [on]);
}
