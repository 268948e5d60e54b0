import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";

import controls from "../parts/controls.module.css";
import { Empty } from "../parts/states.tsx";
import { PageHead } from "../shell/page-head.tsx";

export function NotFoundPage(): ReactNode {
  return (
    <>
      <PageHead title="Not found" />
      <Empty title="There is nothing at this address">
        <p>It does not exist, or it is not yours to see. If somebody sent you the link, ask them who may read it.</p>
        <Link to="/inbox" className={controls.button}>
          Go to the inbox
        </Link>
      </Empty>
    </>
  );
}
