import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

interface RequestLinkProps {
  /** Of the request: each gate has a page of its own. */
  readonly gate: string;
  readonly id: string;
  /** The list that it stands in, for the way back. */
  readonly from?: "inbox";
  readonly className?: string;
  /** Marks for the keys of lists. */
  readonly "data-row"?: string;
  readonly "data-request"?: string;
  readonly "data-task"?: string;
  readonly children: ReactNode;
}

/** To the page on which a request is seen and decided. */
export function RequestLink({ gate, id, from, ...rest }: RequestLinkProps): ReactNode {
  return gate === "deploy" ? (
    <Link to="/deploy/requests/$id" params={{ id }} {...rest} />
  ) : (
    <Link to="/requests/$id" params={{ id }} state={from === undefined ? {} : { from }} {...rest} />
  );
}
