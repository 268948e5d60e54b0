import type { ReactNode } from "react";

import type { RequestEvent } from "../../api/requests.ts";
import { classNames } from "../../look/class-names.ts";
import { Moment } from "../../parts/moment.tsx";
import { OutsideText } from "../../parts/outside-text.tsx";
import { Failed } from "../../parts/states.tsx";
import { eventWords } from "./event-words.ts";
import type { PersonNames } from "./person-names.ts";
import styles from "./timeline.module.css";

interface TimelineProps {
  readonly events: readonly RequestEvent[];
  readonly failure: Error | null;
  readonly names: PersonNames;
}

/** What happened, in the order in which it did; new events arrive at the end. */
export function Timeline({ events, failure, names }: TimelineProps): ReactNode {
  return (
    <section aria-labelledby="timeline-title">
      <h2 id="timeline-title" className={styles.title}>
        Timeline
      </h2>
      {failure !== null && events.length === 0 && <Failed what="The timeline" failure={failure} />}
      <ol>
        {events.map((event) => {
          const { text, quote, tone } = eventWords(event, names);
          return (
            <li key={event.id} className={classNames(styles.event, styles[tone])}>
              <p>
                <OutsideText text={text} />
              </p>
              {quote !== null && (
                <p className={styles.quote}>
                  <OutsideText text={quote} />
                </p>
              )}
              <p className={styles.when}>
                <Moment at={event.created_at} reachable />
              </p>
            </li>
          );
        })}
      </ol>
    </section>
  );
}
