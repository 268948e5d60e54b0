/** What the grant of an approval refuses (docs/spec/engine.md section 11). */
import type { ErrorMeaning } from "./error-meaning.ts";

export const grantErrorMeanings = {
  grant_unusable: {
    awe: "AWE-013",
    status: 409,
    title: "The approval permits nothing now",
    meaning: "There is no grant, or it is used up, expired or revoked.",
    remedy: "The message says which; ask for a new approval.",
  },
  grant_not_supported: {
    awe: "AWE-013",
    status: 409,
    title: "The approval is not on record",
    meaning: "The recorded decisions do not give this approval, so it permits nothing.",
    remedy: "Tell an administrator: the database may have been changed.",
  },
  grant_expired: {
    awe: "AWE-013",
    status: 409,
    title: "The approval has expired",
    meaning: "What is over cannot be extended.",
    remedy: "Ask for a new approval.",
  },
  extension_limit: {
    awe: "AWE-013",
    status: 409,
    title: "No further extension",
    meaning: "The approval was extended as often, or lasts as long, as is allowed.",
    remedy: "Ask for a new approval.",
  },
  extension_not_later: {
    awe: "AWE-013",
    status: 409,
    title: "Not later than before",
    meaning: "The approval already lasts at least as long.",
    remedy: "Nothing needs to be done.",
  },
  approval_stale: {
    awe: "AWE-013",
    status: 409,
    title: "No longer what was asked for",
    meaning: "What is to be deployed has moved on since approval was asked for.",
    remedy: "Ask for approval of what is there now.",
  },
  vcs_unavailable: {
    awe: "AWE-019",
    status: 502,
    title: "Version control does not answer",
    meaning: "Whether the commit is still the one to deploy could not be asked; nothing was decided.",
    remedy: "Try again in a moment.",
  },
  source_not_ready: {
    awe: "AWE-013",
    status: 409,
    title: "The commit's files are not known yet",
    meaning: "This app's approvals wait until the files of the commit have been read.",
    remedy: "Try again shortly.",
  },
} as const satisfies Readonly<Record<string, ErrorMeaning>>;
