/**
 * `npm start`: from a fresh clone to a running development server. Installs and builds when needed, then becomes the
 * server: it runs in this very process, so that signals reach it directly and nothing is left behind when it is killed.
 * Beside it, in a process that ends with it, simulators and a pipeline show the deploy gate at work.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { launchDemo } from "../demo/launch-demo.mjs";
import { build, install, requireNode, root } from "./prepare.mjs";

requireNode();
install();
build();

// The command line wins over everything: what the environment or a file sets must not be repeated there.
process.chdir(root);
const program = join(root, "dist/src/cli/countersign.js");
const given = process.argv.slice(2);
Object.assign(process.env, await launchDemo(root, given));
process.argv = [process.execPath, program, "dev", ...given];
await import(pathToFileURL(program).href);
