import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkBuildForm,
  encodeBuildForm,
  isApprovedBuildForm,
  isBuildForm,
  readBuildForm,
  type BuildForm,
  type BuildRules,
} from "./build-form.ts";
import { isDeployRefusal, type DeployRefusal } from "./deploy-refusal.ts";
import { approvedPromoteForm } from "./promote-form.ts";

const TYPE = "application/x-www-form-urlencoded";
const commit = "0123456789abcdef0123456789abcdef01234567";
const rules: BuildRules = {
  approvedManifests: ["convox.yml", "deploy/app.yml"],
  approvedBuildArgs: ["NODE_ENV=production", "DEBUG"],
};
const good = `url=object%3A%2F%2Fapp%2Ftmp%2Fa.tgz&git-sha=${commit}`;

function read(body: string, type: string | null = TYPE): BuildForm {
  const form = readBuildForm(type, body);
  if (!isBuildForm(form)) throw new Error(form.message);
  return form;
}

function faultOf(body: string, type: string | null = TYPE): string {
  const form = readBuildForm(type, body);
  return isBuildForm(form) ? "none" : `${form.code}: ${form.message}`;
}

function check(body: string): string {
  const verdict = checkBuildForm(read(body), rules);
  return isApprovedBuildForm(verdict) ? "approved" : codeAndMessage(verdict);
}

function codeAndMessage({ status, code, message }: DeployRefusal): string {
  return `${status} ${code}: ${message}`;
}

describe("the form of a build", () => {
  it("deploy R-BIND-7: is read once, into values", () => {
    const body = `${good}&description=a+b%0Ac&manifest=deploy%2Fapp.yml&no-cache=true&build-args=A%3D1%2CB&development=false&external=false&wildcard-domain=true`;
    expect(read(body)).toEqual({
      url: "object://app/tmp/a.tgz",
      gitSha: commit,
      description: "a b\nc",
      manifest: "deploy/app.yml",
      noCache: true,
      buildArgs: ["A=1", "B"],
      development: false,
      external: false,
      wildcardDomain: true,
    });
    expect(read("")).toEqual({
      ...{ url: null, gitSha: null, description: null, manifest: null, noCache: null, buildArgs: [] },
      ...{ development: null, external: null, wildcardDomain: null },
    });
    expect(read("build-args=").buildArgs).toEqual([]);
  });

  it.each([
    ["another content type", good, "multipart/form-data; boundary=x"],
    ["a parameter of the content type", good, `${TYPE}; charset=utf-7`],
    ["no content type", good, null],
    ["a repeated key", `${good}&url=object%3A%2F%2Fapp%2Ftmp%2Fb.tgz`, TYPE],
    ["a key of another spelling", `${good}&Manifest=x.yml`, TYPE],
    ["an unknown key", `${good}&image=evil`, TYPE],
    ["a member of every object", `${good}&__proto__=1`, TYPE],
    ["an inherited name", `${good}&constructor=1`, TYPE],
    ["a broken escape", `${good}&description=%zz`, TYPE],
    ["bytes that are no UTF-8", `${good}&description=%ff`, TYPE],
    ["an unencoded byte", `${good}&description=é`, TYPE],
    ["the other separator", `${good};manifest=evil.yml`, TYPE],
    ["a boolean of another word", `${good}&no-cache=1`, TYPE],
    ["an empty boolean", `${good}&external=`, TYPE],
    ["an absolute manifest", `${good}&manifest=%2Fetc%2Fpasswd`, TYPE],
    ["a manifest above the root", `${good}&manifest=a%2F..%2Fb.yml`, TYPE],
    ["a manifest in a second spelling", `${good}&manifest=.%2Fconvox.yml`, TYPE],
    ["a doubled slash", `${good}&manifest=a%2F%2Fb.yml`, TYPE],
    ["a backslash", `${good}&manifest=a%5Cb.yml`, TYPE],
    ["an empty manifest", `${good}&manifest=`, TYPE],
    ["a control in the manifest", `${good}&manifest=a%0Ab`, TYPE],
    ["a control in the url", "url=a%0Db", TYPE],
    ["a control in the commit", "git-sha=a%09b", TYPE],
    ["a control in a build argument", "build-args=A%0AB", TYPE],
    ["a control in the description", "description=a%1Bb", TYPE],
    ["too long a description", `description=${"a".repeat(1_001)}`, TYPE],
    ["too large a body", `description=${"a".repeat(65_536)}`, TYPE],
  ])("deploy R-BIND-7: refuses %s", (_name, body, type) => {
    expect(faultOf(body, type)).toMatch(/^build_form: build request is not acceptable: \S/);
  });

  it("deploy R-BIND-7: takes what is just within its limits", () => {
    expect(faultOf(`description=${"a".repeat(1_000)}`)).toBe("none");
    expect(faultOf(`description=${"%F0%9F%98%80".repeat(1_000)}`)).toBe("none");
    expect(faultOf("&".repeat(65_536))).toBe("none");
    expect(faultOf("&".repeat(65_537))).toContain("64 KiB");
    expect(faultOf(good, TYPE.toUpperCase())).toBe("none");
    expect(faultOf("", null)).toBe("none");
  });

  it("deploy R-BIND-7: what is sent to the rack reads as what was checked, for every form", () => {
    const text = fc.array(fc.constantFrom(...Array.from("aZ0 &=+%;é😀\n\t/:."))).map((parts) => parts.join(""));
    const line = text.map((value) => value.replaceAll(/[\n\t]/g, ""));
    const flag = fc.constantFrom(null, true, false);
    const argument = line.map((value) => `A${value}`.replaceAll(",", ""));
    const form = fc.record<BuildForm>({
      url: fc.option(line),
      gitSha: fc.option(line),
      description: fc.option(text),
      manifest: fc.constantFrom(null, "convox.yml", "a b/é&=.yml"),
      noCache: flag,
      buildArgs: fc.array(argument),
      development: flag,
      external: flag,
      wildcardDomain: flag,
    });
    fc.assert(
      fc.property(form, (value) => {
        const body = encodeBuildForm(value);
        expect(readBuildForm(TYPE, body)).toEqual(value);
        const platform = new URLSearchParams(body);
        expect([platform.get("url"), platform.get("git-sha"), platform.get("description")]).toEqual([
          ...[value.url, value.gitSha, value.description],
        ]);
        expect(platform.getAll("manifest")).toEqual(value.manifest === null ? [] : [value.manifest]);
        expect(platform.get("build-args")).toBe(value.buildArgs.length === 0 ? null : value.buildArgs.join(","));
      }),
    );
  });
});

describe("a build under approval", () => {
  it("deploy R-BIND-7: passes with its manifest filled in", () => {
    const verdict = checkBuildForm(read(good), rules);
    expect(verdict).toMatchObject({ url: "object://app/tmp/a.tgz", gitSha: commit, manifest: "convox.yml" });
    expect(check(`${good}&no-cache=true&wildcard-domain=true&external=false&development=false`)).toBe("approved");
    expect(check(`${good}&manifest=deploy%2Fapp.yml&build-args=DEBUG%2CNODE_ENV%3Dproduction`)).toBe("approved");
  });

  it.each([
    ["url=object%3A%2F%2Fapp%2Fa", "400 git_sha_required: git-sha is required when deploying with an approval"],
    ["git-sha=", "400 git_sha_required: git-sha is required when deploying with an approval"],
    [`git-sha=${commit}`, "400 build_form: build request missing object URL"],
    [`git-sha=${commit}&url=`, "400 build_form: build request missing object URL"],
    [`${good}&manifest=evil.yml`, "403 manifest_path: manifest 'evil.yml' is not approved"],
    [`${good}&development=true`, "403 build_option: option 'development' is not allowed with a deploy approval"],
    [`${good}&external=true`, "403 build_option: option 'external' is not allowed with a deploy approval"],
    [`${good}&build-args=IMAGE%3Devil`, "403 build_arg: build argument 'IMAGE' is not approved"],
    [`${good}&build-args=DEBUG%3D1`, "403 build_arg: build argument 'DEBUG' is not approved"],
    [`${good}&build-args=NODE_ENV%3Dproduction%2CX`, "403 build_arg: build argument 'X' is not approved"],
    [`${good}&build-args=NODE_ENV`, "403 build_arg: build argument 'NODE_ENV' is not approved"],
    [`${good}&build-args=DEBUG%2C`, "403 build_arg: build argument '' is not approved"],
  ])("deploy R-BIND-7: %s: %s", (body, expected) => {
    expect(check(body)).toBe(expected);
  });
});

describe("the form of a promote", () => {
  function promote(body: string, type: string | null = TYPE): string {
    const form = approvedPromoteForm(type, body);
    return typeof form === "string" ? form : `${form.status} ${form.code}`;
  }

  it.each([
    ["", ""],
    ["force=true", "force=true"],
    [
      "timeout=25&max=2&min=1&idle=false&force=true&development=false",
      "development=false&force=true&idle=false&min=1&max=2&timeout=25",
    ],
    ["development=true", "403 build_option"],
    ["force=yes", "400 promote_form"],
    ["min=-1", "400 promote_form"],
    ["min=1e3", "400 promote_form"],
    ["timeout=1234567", "400 promote_form"],
    ["force=true&force=false", "400 promote_form"],
    ["release=R2", "400 promote_form"],
    ["Development=true", "400 promote_form"],
  ])("deploy R-BIND-10: %j becomes %j", (body, expected) => {
    expect(promote(body)).toBe(expected);
  });

  it("deploy R-BIND-10: needs the content type that it is read as, unless it is empty", () => {
    expect(promote("force=true", "application/json")).toBe("400 promote_form");
    expect(promote("", null)).toBe("");
    expect(isDeployRefusal({ code: "", status: 0, hint: [] })).toBe(true);
  });
});
