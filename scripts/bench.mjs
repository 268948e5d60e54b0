/** `npm run bench`: prepares like `npm start`, then runs the benchmark from its sources. Arguments go to the benchmark. */
import { build, install, requireNode } from "./prepare.mjs";

requireNode();
install();
build();

const { register } = await import("tsx/esm/api");
register();
await import("../bench/main.ts");
