/**
 * `npm start`: from a fresh clone to a running development server. Installs and builds when needed, then becomes the
 * server: it runs in this very process, so that signals reach it directly and nothing is left behind when it is killed.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, requireNode, root } from "./prepare.mjs";

requireNode();
install();
build();

// The command line wins over everything: what the environment or a file sets must not be repeated there.
process.chdir(root);
const program = join(root, "dist/src/cli/countersign.js");
process.argv = [process.execPath, program, "dev", ...process.argv.slice(2)];
await import(pathToFileURL(program).href);
