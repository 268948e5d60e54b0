/** When is the ledger checked and signed? At least every minute, and after every thousand entries (ledger R-CP-2). */

export interface CheckpointLoopOptions {
  /** One round of checking and signing; rounds never overlap. */
  readonly checkpoint: () => Promise<void>;
  /** Tells the ledger's size after each commit of this process; answers how to stop listening. */
  readonly subscribe: (listener: (size: number) => void) => () => void;
  /** Size of the newest checkpoint. */
  readonly signedSize: () => number;
  readonly everyMs?: number;
  readonly everyEntries?: number;
  readonly onError: (error: unknown) => void;
}

const EVERY_MS = 60_000;
const EVERY_ENTRIES = 1_000;
/** Signed at most this often, however fast entries come. */
const PAUSE_MS = 1_000;

export function startCheckpointLoop(options: CheckpointLoopOptions): { stop(): Promise<void> } {
  const everyMs = options.everyMs ?? EVERY_MS;
  const everyEntries = options.everyEntries ?? EVERY_ENTRIES;
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let last = performance.now();
  let isStopped = false;

  async function run(): Promise<void> {
    try {
      await options.checkpoint();
    } catch (error) {
      options.onError(error);
    }
    last = performance.now();
    running = undefined;
    plan(everyMs);
  }

  function plan(ms: number): void {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      running ??= run();
    }, ms);
  }

  const unsubscribe = options.subscribe((size) => {
    if (running !== undefined || size < options.signedSize() + everyEntries) return;
    plan(Math.max(0, last + PAUSE_MS - performance.now()));
  });
  plan(everyMs);
  return {
    async stop() {
      isStopped = true;
      unsubscribe();
      clearTimeout(timer);
      await running;
    },
  };
}
