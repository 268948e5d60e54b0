import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { meQuery } from "../../api/session.ts";
import { useNext } from "../sign-in/use-enter.ts";
import { EnrolmentFlow } from "./enrolment-flow.tsx";

/** Where everybody is led who must hold a factor and has none yet. */
export function EnrolPage(): ReactNode {
  const me = useQuery(meQuery).data;
  const next = useNext();
  return me === undefined ? null : <EnrolmentFlow me={me} first={null} next={next} />;
}
