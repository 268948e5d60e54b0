/** What GitHub is answered to a webhook (docs/spec/deploy.md R-CI-9); the body that it sends is judged as bytes. */
import { z } from "zod";

export const githubHookAnswerSchema = z.object({
  status: z.enum(["created", "joined", "repeated", "refused", "ignored", "unavailable"]),
  /** Of the request that the run waits for now. */
  public_id: z.string().exactOptional(),
  why: z.string().exactOptional(),
});
