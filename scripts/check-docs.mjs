/**
 * Documentation that cannot be followed is worse than none: every relative link and anchor must exist, every shell block
 * must parse, every JSON block must be JSON, every `npm run …` must name a script of package.json, every threat its tests.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";

const root = dirname(import.meta.dirname);
const scripts = new Set(Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts));
const pages = [...markdownIn(root, false), ...markdownIn(join(root, "docs"), true)];

const faults = pages.flatMap((page) => {
  const text = readFileSync(page, "utf8");
  const found = [...brokenLinks(page, text), ...brokenBlocks(text), ...unknownScripts(text)];
  if (page.endsWith(join("security", "threats.md"))) found.push(...untriedThreats(text));
  return found.map((fault) => `${relative(root, page)}: ${fault}`);
});
for (const fault of faults) console.error(`  ${fault}`);
if (faults.length === 0) console.log(`${pages.length} pages, all links and blocks sound`);
process.exitCode = faults.length === 0 ? 0 : 1;

function markdownIn(folder, deep) {
  const names = readdirSync(folder, { recursive: deep }).filter((name) => name.endsWith(".md"));
  return names.map((name) => join(folder, name));
}

function brokenLinks(page, text) {
  const links = [...withoutCode(text).matchAll(/\]\(([^)\s]+)(?:\s+"[^"]*")?\)/g)].map(([, link]) => link);
  return links.flatMap((link) => {
    if (/^[a-z]+:/i.test(link)) return [];
    const [path, anchor] = link.split("#");
    const file = path === "" ? page : resolve(dirname(page), path);
    if (!existsSync(file)) return [`link to ${link}, which does not exist`];
    if (anchor === undefined || !statSync(file).isFile()) return [];
    return anchors(readFileSync(file, "utf8")).has(anchor) ? [] : [`link to ${link}: no such heading`];
  });
}

function anchors(text) {
  const headings = withoutCode(text).matchAll(/^#{1,6} +(.+)$/gm);
  return new Set(
    [...headings].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replace(/ /g, "-"),
    ),
  );
}

function withoutCode(text) {
  return text.replace(/^```[\s\S]*?^```$/gm, "");
}

function brokenBlocks(text) {
  return [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, language, code]) => {
    if (language === "sh" || language === "bash") return shellFault(code);
    return language === "json" ? jsonFault(code) : [];
  });
}

/** Words in angle brackets stand for something the reader fills in. */
function shellFault(code) {
  const filled = code.replace(/<[a-z][a-z_ ]*>/g, "filled-in");
  const shell = spawnSync("bash", ["-n"], { input: filled, encoding: "utf8" });
  return shell.status === 0 ? [] : [`shell block does not parse: ${(shell.stderr ?? "bash is missing").trim()}`];
}

function jsonFault(code) {
  try {
    JSON.parse(code);
    return [];
  } catch (error) {
    return [`JSON block does not parse: ${String(error)}`];
  }
}

/** Every threat names the tests that try it, and they exist. */
function untriedThreats(text) {
  const folders = ["src", "test"].flatMap((folder) => readdirSync(join(root, folder), { recursive: true }));
  const tests = new Set(folders.flatMap((file) => /([^/]+)\.test\.ts$/.exec(file)?.[1] ?? []));
  const rows = text.split("\n").filter((line) => /^\| T\d+ /.test(line));
  return rows.flatMap((row) => {
    const cells = row.split("|").map((cell) => cell.trim());
    const named = [...(cells.at(-2) ?? "").matchAll(/`([a-z-]+)`/g)].map(([, name]) => name);
    if (named.length === 0) return [`${cells[1]} names no test`];
    return named
      .filter((name) => !tests.has(name))
      .map((name) => `${cells[1]} names the test ${name}, which does not exist`);
  });
}

function unknownScripts(text) {
  const named = [...text.matchAll(/npm run ([a-z][a-z:-]*)/g)].map(([, name]) => name);
  return named.filter((name) => !scripts.has(name)).map((name) => `npm run ${name}: no such script`);
}
