/**
 * `npm test`: installs and builds what the tests need, finds a browser for the end-to-end tests, runs vitest.
 * Arguments go to vitest (`npm test -- src/core`); `--check` runs the static checks first.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, install, requireNode, root, stop, tool } from "./prepare.mjs";

const BROWSERS = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const USUAL_PLACES = [
  "/usr/bin",
  "/usr/local/bin",
  "/snap/bin",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const APT_TIMEOUT_MS = 8 * 60 * 1000;

requireNode();
install();

const forVitest = process.argv.slice(2).filter((argument) => argument !== "--check");
if (process.argv.includes("--check")) check();
build();
// The programs that tests start are the built ones: they begin in a third of the time.
process.env.COUNTERSIGN_TEST_BUILT = "1";

const browser = findBrowser() ?? (forVitest.length === 0 ? installBrowser() : undefined);
if (browser !== undefined) process.env.COUNTERSIGN_TEST_CHROMIUM = browser;

// In this very process, so that an interrupted run takes its workers and databases with it.
const vitest = tool("vitest/vitest.mjs");
process.argv = [process.execPath, vitest, "run", ...forVitest];
process.chdir(root);
await import(pathToFileURL(vitest).href);

/** A browser named by CHROMIUM must be there; otherwise the first one found. */
function findBrowser() {
  const named = process.env.CHROMIUM;
  if (named) return isProgram(named) ? named : stop(`CHROMIUM names ${named}, which is not a program.`);
  const folders = [...(process.env.PATH ?? "").split(delimiter), ...USUAL_PLACES];
  return folders.flatMap((folder) => [folder, ...BROWSERS.map((name) => join(folder, name))]).find(isBrowser);
}

function isBrowser(path) {
  return /chrom/i.test(path.split("/").at(-1) ?? "") && isProgram(path);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The end-to-end tests are never skipped for want of a browser: install one, or say how to. */
function installBrowser() {
  if (process.getuid?.() === 0 && isProgram("/usr/bin/apt-get")) {
    console.log("installing a browser for the end-to-end tests (apt-get install chromium) ...");
    const apt = (...words) =>
      spawnSync("apt-get", [...words], {
        env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
        stdio: ["ignore", "ignore", "inherit"],
        timeout: APT_TIMEOUT_MS,
      });
    apt("update", "-qq");
    apt("install", "-y", "-qq", "--no-install-recommends", "chromium");
  }
  return (
    findBrowser() ??
    stop(
      "the end-to-end tests need Chromium or Chrome and found neither. Install one (Debian: apt-get install chromium; " +
        "macOS: brew install --cask chromium), or name the program: CHROMIUM=/path/to/chrome npm test.",
    )
  );
}

function check() {
  const done = spawnSync(process.execPath, [join(root, "scripts/check.mjs")], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (done.status !== 0) process.exit(done.status ?? 1);
}
