/** What a person was shown, as the wire shows it (docs/spec/identity.md section 5). */
import { seenCheckpoint, seenPolicy, type TaskShown } from "../../app/show-task.ts";
import type { ViewOut } from "../../contract/signing.ts";
import { wireTime } from "../../contract/wire-time.ts";

export function viewOut({ view, assurance, methods }: TaskShown): ViewOut {
  const { key, version, digest } = seenPolicy(view);
  return {
    id: view.id,
    task_id: view.taskId,
    request_id: view.requestId,
    revision: view.revision,
    digest: view.payloadDigest,
    policy: { key, version, digest },
    display: { digest: view.displayDigest, document: view.display },
    checkpoint: { ...seenCheckpoint(view) },
    shown_at: wireTime(view.shownAt),
    expires_at: wireTime(view.expiresAt),
    assurance: { ...assurance },
    methods: [...methods],
  };
}
