/** The people of the demonstration: who one can be in development mode without inventing anybody. */
import type { DevelopmentPerson } from "../../http/server-options.ts";

export const demoPeople: readonly DevelopmentPerson[] = [
  { assignee: "ana", name: "Ana Ruiz", roles: [] },
  { assignee: "ben", name: "Ben Okafor", roles: [] },
  { assignee: "chloe", name: "Chloé Martin", roles: [] },
  { assignee: "devon", name: "Devon Clarke", roles: [] },
  { assignee: "mei", name: "Mei Tanaka", roles: ["AWE_VIEWER"] },
  { assignee: "dev-admin", name: "Dev Admin", roles: ["AWE_ADMIN"] },
];
