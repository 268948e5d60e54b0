import { useEffect, useRef } from "react";

import { announce } from "../../parts/announcer.tsx";
import { useTicking } from "../../parts/ticking-clock.ts";

const lastMinutesMilliseconds = 2 * 60 * 1_000;

/** R-A11Y-2: that less than two minutes are left is said once, however often the timer is drawn. */
export function useLastMinutes(until: string | null): void {
  const said = useRef(false);
  const end = until === null ? Number.NaN : Date.parse(until);
  const soon = useTicking((now) => end > now && end - now < lastMinutesMilliseconds);
  useEffect(() => {
    if (!soon || said.current) return;
    said.current = true;
    announce("Less than two minutes are left.");
  }, [soon]);
}
