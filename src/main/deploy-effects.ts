/** Which handler does which effect of the deploy gate, and how patiently (docs/spec/deploy.md R-CI-1, docs/spec/effects.md). */
import type { Application } from "../app/application.ts";
import { postComment } from "../app/deploy/effects/post-comment.ts";
import { postStatus } from "../app/deploy/effects/post-status.ts";
import { readTree } from "../app/deploy/effects/read-tree.ts";
import { readVcsFacts } from "../app/deploy/effects/read-vcs-facts.ts";
import { sendDeployMail } from "../app/deploy/effects/send-deploy-mail.ts";
import { tellChat } from "../app/deploy/effects/tell-chat.ts";
import { workCi } from "../app/deploy/effects/work-ci.ts";
import { deployApprovalOut } from "../http/wire/deploy-approval-out.ts";
import type { EffectSchedule } from "../ports/effects.ts";
import type { MailParts } from "./effect-works.ts";
import type { EffectWorks } from "./keep-effects.ts";

const SECOND = 1_000;

/** Until the end of the window, which the effect itself says; whatever has none is given up after a day. */
const CI: EffectSchedule = {
  waitsMs: [2, 5, 10, 20, 30].map((seconds) => seconds * SECOND),
  ...{ attemptsMax: 2_880, timeoutMs: 60 * SECOND },
};

/** Half a day altogether. */
const PATIENT: EffectSchedule = {
  waitsMs: [2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600].map((seconds) => seconds * SECOND),
  ...{ attemptsMax: 20, timeoutMs: 60 * SECOND },
};

/** A large tree is as many as 500 calls. */
const TREE: EffectSchedule = { ...PATIENT, timeoutMs: 300 * SECOND };

/** Waiting for the next message to the same person is an attempt too, and no failure. */
const WAITS_MAX = 4;

function merging(schedule: EffectSchedule): EffectSchedule {
  const { attemptsMax } = schedule;
  return { ...schedule, attemptsMax: attemptsMax === null ? null : attemptsMax + WAITS_MAX };
}

export function deployEffectWorks(app: Application, mail: MailParts | null): EffectWorks {
  const ci = workCi({ app, object: (own, view) => deployApprovalOut(own, view) });
  return {
    "deploy.ci": { handle: ci, schedule: CI },
    "deploy.vcs_comment": { handle: postComment(app), schedule: PATIENT },
    "deploy.vcs_status": { handle: postStatus(app), schedule: PATIENT },
    "deploy.chat": { handle: tellChat(app), schedule: PATIENT },
    "deploy.mail": {
      handle: sendDeployMail({ app, mail }),
      schedule: mail === null ? PATIENT : merging(mail.schedule),
    },
    "deploy.vcs_tree": { handle: readTree(app), schedule: TREE },
    "deploy.vcs_facts": { handle: readVcsFacts(app), schedule: PATIENT },
  };
}
