/** What the server says of itself in the envelope and at its description. */
export interface ServiceInfo {
  readonly serviceId: string;
  readonly apiVersion: string;
  readonly module: string;
  readonly serviceVersion: string;
  readonly buildTime: string | null;
  readonly gitCommit: string | null;
  readonly webhook: {
    readonly maxAttempts: number;
    readonly backoffSeconds: readonly number[];
    readonly timeoutSeconds: number;
  };
  readonly sla: { readonly checkIntervalSeconds: number };
}
