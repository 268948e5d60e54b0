import type { ReactNode } from "react";

import type { OneTimeLink } from "../../api/people.ts";
import { absoluteWords } from "../../parts/durations.ts";
import { OneTimeText } from "../../parts/one-time-text.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";

interface LinkShownProps {
  readonly link: OneTimeLink;
  readonly who: string;
  readonly what: string;
}

export function LinkShown({ link, who, what }: LinkShownProps): ReactNode {
  return (
    <OneTimeText what={what} text={link.link}>
      <p>
        Send this to{" "}
        <strong>
          <OutsideText text={who} />
        </strong>{" "}
        yourself, on a channel that only they read. Whoever opens it first becomes them.
      </p>
      <p>
        It works once{link.expires_at === null ? "" : `, until ${absoluteWords(Date.parse(link.expires_at))}`}, and is
        not shown again.
      </p>
    </OneTimeText>
  );
}
