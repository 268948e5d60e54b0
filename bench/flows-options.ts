/** What the workload over HTTP is asked to do. */
import type { FlowLoad } from "./http-flows.ts";
import type { Measurable } from "./processor-time.ts";

export interface FlowsOptions extends FlowLoad {
  /** Undefined: the built server is started for the purpose. */
  readonly url: string | undefined;
  /** Another implementation of the same API, driven in turn with the first. */
  readonly baselineUrl: string | undefined;
  readonly measurable: Measurable | null;
  readonly baselineMeasurable: Measurable | null;
  readonly runs: number;
  readonly warmUpFlows: number;
}
