/**
 * `npm start`: from a fresh clone to a running development server. Installs and builds when needed, then becomes the
 * server: it runs in this very process, so that signals reach it directly and nothing is left behind when it is killed.
 */
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, requireNode, root } from "./prepare.mjs";

requireNode();
install();
build();

const { COUNTERSIGN_DATA_DIR: dataFolder, PORT: port } = process.env;
const program = join(root, "dist/src/cli/countersign.js");
process.argv = [
  process.execPath,
  program,
  "dev",
  ...["--data", dataFolder ? resolve(dataFolder) : join(root, "data")],
  ...["--port", port || "8000"],
  ...process.argv.slice(2),
];
await import(pathToFileURL(program).href);
