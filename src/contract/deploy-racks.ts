/** A rack, its apps' environments and its certificate on the deploy gate's wire (docs/spec/deploy.md section 10, 11.3). */
import { z } from "zod";

export const rackSystemSchema = z.record(z.string(), z.unknown());

export const appEnvironmentQuerySchema = z.object({
  key: z.string().max(255).exactOptional(),
  secrets: z.enum(["true", "false"]).exactOptional(),
});
export const appEnvironmentSchema = z.object({ env: z.record(z.string(), z.string()) });

export const changeEnvironmentSchema = z.object({
  set: z.record(z.string().max(255), z.string()).nullish(),
  remove: z.array(z.string().max(255)).max(5_000).nullish(),
});
export const changedEnvironmentSchema = appEnvironmentSchema.extend({
  /** Absent where nothing changed. */
  release_id: z.string().exactOptional(),
});

export const rackCertificateSchema = z.object({
  rack: z.string(),
  /** Null before the first connection. */
  old_fingerprint: z.string().nullable(),
  fingerprint: z.string(),
});

export const createdByQuerySchema = z.object({
  type: z.string().max(32).exactOptional(),
  ids: z.string().max(30_000).exactOptional(),
});
export const createdBySchema = z.record(
  z.string(),
  z.object({ user_id: z.int(), email: z.string(), name: z.string() }),
);
