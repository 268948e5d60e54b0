/** Processes, commands and WebSockets through the rack proxy: docs/spec/deploy.md section 6, 8.3 and R-STATE-6, R-STATE-8. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { applyDueTimers } from "../../src/app/apply-due-timers.ts";
import { reconcilePromotes } from "../../src/app/deploy/reconcile-promotes.ts";
import { isId, type RequestId } from "../../src/core/ids.ts";
import { checkGrants } from "../../src/evidence/grants.ts";
import {
  COMMIT,
  FORM,
  MANIFEST,
  openDeployScene,
  type DeployScene,
  type MadeApproval,
} from "../support/deploy-scene.ts";
import { exchangeBytes, jsonOf } from "../support/http-call.ts";
import type { MadeToken } from "../support/machine-tokens.ts";
import { BINARY, CLOSE } from "../support/rack-simulator/raw-web-socket.ts";
import { textMember } from "../support/rack-simulator/raw-rack-calls.ts";
import { must, type TestBrowser } from "../support/signed-in.ts";
import { tarFile, tarGz } from "../support/tar-archive.ts";
import { describeOnEveryPostgres } from "../support/test-database.ts";

const ARCHIVE = tarGz([tarFile("convox.yml", MANIFEST)]);
/** No UTF-8. */
const RAW = Buffer.from([0x00, 0xff, 0xfe, 0xc3, 0x28, 0x80]);
const PROCESSES = "/apps/myapp/services/web/processes";

interface Built {
  readonly ci: MadeToken;
  readonly approval: MadeApproval;
  readonly release: string;
  readonly buildId: string;
}

/** The answer to a promote that never arrives. */
const LOST = { kind: "reset", at: "before", times: 1 } as const;
const UNDONE = /what ran under a deploy approval cannot be undone/;
const CHANGED = /what ran under a deploy approval cannot be changed/;

/** The list with another value in this member of its first element. */
function set(column: string, member: string, value: string): string {
  return `jsonb_set(${column}::jsonb, '{0,${member}}', '"${value}"')::json`;
}

function ledgerRequest(id: string): RequestId {
  if (!isId<"request">(id)) throw new Error("no id");
  return id;
}

let names = 0;

describeOnEveryPostgres("processes through the rack proxy", (database) => {
  let scene: DeployScene;
  beforeAll(async () => {
    scene = await openDeployScene(database.url, {
      settings: { approved_deploy_commands: ["rake db:migrate"] },
      simulator: {
        onExec: ({ command }) =>
          command === "rake db:migrate"
            ? { output: ["migrated\n"], exitCode: 3 }
            : { output: [command === "bytes" ? RAW : "x"], echo: true },
      },
    });
  });
  afterAll(() => scene.close());

  async function built(): Promise<Built> {
    const ci = await scene.ciToken();
    const approval = await scene.approved(ci);
    names += 1;
    const path = `/apps/myapp/objects/tmp/p${String(names)}.tgz`;
    const uploaded = await scene.call(ci, { method: "POST", path, body: ARCHIVE });
    const body = new URLSearchParams({ url: textMember(jsonOf(uploaded), "Url"), "git-sha": COMMIT }).toString();
    const made = await scene.call(ci, { method: "POST", path: "/apps/myapp/builds", headers: FORM, body });
    const buildId = textMember(jsonOf(made), "id");
    const seen = jsonOf(await scene.call(ci, { method: "GET", path: `/apps/myapp/builds/${buildId}` }));
    return { ci, approval, buildId, release: textMember(seen, "release") };
  }

  async function started({ ci, release }: Built, command = "sleep 3600"): Promise<string> {
    const answer = await scene.call(ci, {
      method: "POST",
      path: PROCESSES,
      headers: { Release: release, Command: command },
    });
    expect([answer.status, answer.text.split("\n")[0]]).toEqual([200, "{"]);
    return textMember(jsonOf(answer), "id");
  }

  it("deploy R-ALLOW-4: an approved command runs in a process of the release, and its exit code arrives", async () => {
    const deploy = await built();
    const pid = await started(deploy);
    const socket = await scene.socket(deploy.ci, `/apps/myapp/processes/${pid}/exec`, { Command: "rake db:migrate" });
    await socket.untilEnd();
    expect(socket.text.toString()).toBe("migrated\nF1E49A85-0AD7-4AEF-A618-C249C6E6568D:3\n");
    expect(socket.frames.some(({ opcode, payload }) => opcode === BINARY && payload.length === 0)).toBe(true);
    expect(socket.head).toMatch(new RegExp(`countersign-deploy-approval: ${deploy.approval.id}`, "i"));
    const record = await scene.stored(deploy.approval);
    expect(record.processIds).toEqual([pid]);
    expect(record.execCommands).toEqual({ [pid]: "rake db:migrate" });
    expect(record.commands).toMatchObject([
      { kind: "start", pid, command: "sleep 3600" },
      { kind: "exec", pid, command: "rake db:migrate" },
    ]);
    await expect.poll(() => scene.kinds(deploy.approval), { timeout: 5_000 }).toContain("deploy.process_exec_ended");
    const ended = (await scene.entries(deploy.approval)).findLast(({ kind }) => kind === "deploy.process_exec_ended");
    expect(ended?.["data"]).toMatchObject({ exit_code: 3 });
    const path = `/apps/myapp/processes/${pid}`;
    expect(await scene.outcome(deploy.ci, { method: "DELETE", path })).toBe("200");
  });

  it("deploy R-ALLOW-2: neither another release nor another command is started, and no other option is taken", async () => {
    const deploy = await built();
    scene.takeCalls();
    const start = (headers: Readonly<Record<string, string>>): Promise<string> =>
      scene.outcome(deploy.ci, { method: "POST", path: PROCESSES, headers });
    const { release } = deploy;
    expect(await start({ Command: "sleep 10" })).toBe("403 command_not_approved");
    expect(await start({ Release: "ROTHER", Command: "sleep 10" })).toBe("403 command_not_approved");
    expect(await start({ Release: release, Command: "id" })).toBe("403 command_not_approved");
    expect(await start({ Release: release, Command: "rake db:migrate;id" })).toBe("403 command_not_approved");
    for (const option of ["Image", "Volumes", "Privileged", "Environment", "Node-Labels", "Gpu"]) {
      const refused = await start({ Release: release, Command: "sleep 10", [option]: "x" });
      expect([option, refused]).toEqual([option, "403 process_option"]);
    }
    const twice = await exchangeBytes(
      scene.base,
      `POST /api/v1/rack-proxy${PROCESSES} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ${deploy.ci.bearer.authorization}\r\n` +
        `Release: ${release}\r\nCommand: sleep 10\r\nCommand: id\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
    );
    expect([twice.slice(0, 12), twice.includes("repeated_header")]).toEqual(["HTTP/1.1 400", true]);
    expect(scene.takeCalls()).toEqual([]);
  });

  it("deploy R-ALLOW-4: no query, no blank or other command, and no process of others is entered", async () => {
    const deploy = await built();
    const other = await built();
    const [pid, foreign] = [await started(deploy), await started(other)];
    scene.takeCalls();
    const attempts: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
      [`/apps/myapp/processes/${pid}/exec?command=id`, { Command: "rake db:migrate" }, "query_not_allowed"],
      [`/apps/myapp/processes/${pid}/exec`, { Command: " " }, "command_not_approved"],
      [`/apps/myapp/processes/${pid}/exec`, {}, "command_not_approved"],
      [`/apps/myapp/processes/${pid}/exec`, { Command: "rake db:migrate;id" }, "command_not_approved"],
      [`/apps/myapp/processes/${foreign}/exec`, { Command: "rake db:migrate" }, "command_not_approved"],
    ];
    for (const [path, headers, code] of attempts) {
      const socket = await scene.socket(deploy.ci, path, headers);
      await socket.untilEnd();
      expect([path, /x-countersign-code: (\w+)/i.exec(socket.head)?.[1]]).toEqual([path, code]);
    }
    expect(await scene.outcome(deploy.ci, { method: "DELETE", path: `/apps/myapp/processes/${foreign}` })).toBe(
      "403 permission_denied",
    );
    expect(scene.takeCalls()).toEqual([]);
  });

  it("deploy R-STATE-8: after the deploy its own processes may be ended and its build read, and nothing else", async () => {
    const deploy = await built();
    const pid = await started(deploy);
    const promote = { method: "POST", path: `/apps/myapp/releases/${deploy.release}/promote` } as const;
    expect(await scene.outcome(deploy.ci, promote)).toBe("200");
    expect(await scene.outcome(deploy.ci, promote)).toBe("409 already_deployed");
    const exec = await scene.socket(deploy.ci, `/apps/myapp/processes/${pid}/exec`, { Command: "rake db:migrate" });
    await exec.untilEnd();
    expect(exec.status).toBe(403);
    const logs = await scene.socket(deploy.ci, `/apps/myapp/builds/${deploy.buildId}/logs`);
    await logs.untilEnd();
    expect(logs.status).toBe(101);
    expect(await scene.outcome(deploy.ci, { method: "GET", path: `/apps/myapp/releases/${deploy.release}` })).toBe(
      "200",
    );
    expect(await scene.outcome(deploy.ci, { method: "DELETE", path: `/apps/myapp/processes/${pid}` })).toBe("200");
  });

  it("deploy R-WS-5: a command ends within seconds when its token is revoked", async () => {
    const operator = await scene.token(["convox:process:start", "convox:process:exec"]);
    const start = await scene.call(operator, { method: "POST", path: PROCESSES, headers: { Command: "sleep 10" } });
    const pid = textMember(jsonOf(start), "id");
    const socket = await scene.socket(operator, `/apps/myapp/processes/${pid}/exec`, { Command: "bash" });
    expect(socket.status).toBe(101);
    await socket.until(() => socket.text.length > 0);
    must(await scene.admin.delete(`/tokens/${operator.id}`, { fresh: true }), 204);
    await socket.until(() => socket.frames.some(({ opcode }) => opcode === CLOSE));
    const close = socket.frames.find(({ opcode }) => opcode === CLOSE)?.payload;
    expect([close?.readUInt16BE(0), close?.subarray(2).toString()]).toEqual([1008, "access was revoked"]);
  });

  it("deploy R-WS-5, R-LOGIN-3: a person's command ends within seconds with their session or their role, and so does what they may call", async () => {
    const ends: readonly (readonly [string, (person: TestBrowser) => Promise<unknown>])[] = [
      [
        "401",
        async ({ personId }) =>
          must(await scene.admin.post(`/people/${personId}/end-sessions`, {}, { fresh: true }), 204),
      ],
      [
        "403",
        async ({ personId }) =>
          must(await scene.admin.put(`/people/${personId}/roles`, { roles: ["viewer"] }, { fresh: true }), 200),
      ],
    ];
    for (const [status, end] of ends) {
      const person = await scene.person(["ops"]);
      const terminal = await scene.terminal(person);
      const start = (): ReturnType<typeof scene.call> =>
        scene.call(terminal, { method: "POST", path: PROCESSES, headers: { Command: "sleep 10" } });
      const pid = textMember(jsonOf(await start()), "id");
      const socket = await scene.socket(terminal, `/apps/myapp/processes/${pid}/exec`, { Command: "bash" });
      await socket.until(() => socket.text.length > 0);
      const since = performance.now();
      await end(person);
      expect((await start()).status).toBe(Number(status));
      await socket.until(() => socket.frames.some(({ opcode }) => opcode === CLOSE));
      expect(performance.now() - since).toBeLessThan(5_000);
      const close = socket.frames.find(({ opcode }) => opcode === CLOSE)?.payload;
      expect([close?.readUInt16BE(0), close?.subarray(2).toString()]).toEqual([1008, "access was revoked"]);
    }
  });

  it("deploy R-WS-2, R-WS-4, R-WS-6: output that is no text arrives as it is, and a client that drops ends the command at the rack", async () => {
    const operator = await scene.token(["convox:process:start", "convox:process:exec"]);
    const begun = await scene.call(operator, { method: "POST", path: PROCESSES, headers: { Command: "sleep 10" } });
    const path = `/apps/myapp/processes/${textMember(jsonOf(begun), "id")}/exec`;
    const socket = await scene.socket(operator, path, { Command: "bytes" });
    await socket.until(() => socket.text.length >= RAW.length);
    expect(socket.text.equals(RAW)).toBe(true);
    await socket.close();
    const told = async (): Promise<unknown> =>
      (await scene.circumstances("deploy.process_exec_ended")).find(({ ended_by: by }) => by === "client");
    await expect.poll(told, { timeout: 5_000 }).toMatchObject({ bytes_from_rack: RAW.length, bytes_to_rack: 0 });
  });

  it("deploy R-WS-1: the rack's refusal is passed on, and a page of another site opens nothing", async () => {
    const operator = await scene.token(["convox:log:read"]);
    scene.simulator.faults.add({
      method: "SOCKET",
      path: "/apps/{app}/logs",
      kind: "status",
      status: 503,
      text: "busy",
      times: 1,
    });
    const refused = await scene.socket(operator, "/apps/myapp/logs");
    await refused.untilEnd();
    expect([refused.status, refused.rest.toString()]).toEqual([503, expect.stringContaining("busy")]);
    const foreign = await scene.socket(operator, "/apps/myapp/logs", { Origin: "https://evil.example" });
    await foreign.untilEnd();
    expect(foreign.status).toBe(403);
  });

  it("deploy R-STATE-6: an outcome that never arrived is found out from the rack, and nothing is sent twice", async () => {
    const deploy = await built();
    const promote = { method: "POST", path: `/apps/myapp/releases/${deploy.release}/promote` } as const;
    scene.simulator.faults.add({
      method: "POST",
      path: "/apps/{app}/releases/{id}/promote",
      kind: "reset",
      at: "before",
      times: 1,
    });
    scene.takeCalls();
    expect(await scene.outcome(deploy.ci, promote)).toBe("502 rack_unreachable");
    expect(await scene.outcome(deploy.ci, promote)).toBe("409 promote_in_progress");
    expect(scene.takeCalls().filter((call) => call.endsWith("/promote"))).toHaveLength(1);
    expect(await scene.grantState(deploy.approval)).toBe("active");
    await scene.call(await scene.token(["convox:app:read"]), { method: "GET", path: "/apps/myapp" });
    expect(await reconcilePromotes(scene.at.app, { startedAt: scene.at.app.clock() + 1 })).toBe(1);
    expect(await scene.grantState(deploy.approval)).toBe("used");
    expect((await scene.stored(deploy.approval)).promotes).toMatchObject([{ outcome: "deployed" }]);
    expect(await scene.outcome(deploy.ci, promote)).toBe("409 already_deployed");
  });

  it("deploy R-STATE-5, R-EXPIRY-3: a promote that was let in in time deploys after the window too, whether its end was written or not", async () => {
    const reader = await scene.token(["convox:app:read"]);
    for (const isWritten of [false, true]) {
      const { ci, approval, release } = await built();
      const promote = { method: "POST", path: `/apps/myapp/releases/${release}/promote` } as const;
      scene.simulator.faults.add({ ...promote, path: "/apps/{app}/releases/{id}/promote", ...LOST });
      expect(await scene.outcome(ci, promote)).toBe("502 rack_unreachable");
      scene.at.advance(15 * 60_000 + 1);
      const id = ledgerRequest(approval.requestId);
      if (isWritten) await applyDueTimers(scene.at.app, id);
      const path = `root:/api/v1/deploy-approval-requests/${approval.id}`;
      expect(must(await scene.admin.call("GET", path, undefined), 200)).toMatchObject({ status: "expired" });
      await scene.call(reader, { method: "GET", path: "/apps/myapp" });
      expect(await reconcilePromotes(scene.at.app, { startedAt: scene.at.app.clock() + 1 })).toBe(1);
      const shown = must(await scene.admin.call("GET", path, undefined), 200);
      expect(shown).toMatchObject({ status: "deployed", deployed_by_api_token_id: ci.id });
      const listed = await scene.admin.call("GET", "root:/api/v1/deploy-approval-requests?status=deployed", undefined);
      expect(JSON.stringify(must(listed, 200))).toContain(approval.id);
      const sql = "select status from deploy_approval_requests where public_id = $1";
      expect((await scene.at.pool.query(sql, [approval.id])).rows).toEqual([{ status: "deployed" }]);
      expect(await scene.outcome(ci, promote)).toBe("409 already_deployed");
      const entries = (await scene.at.app.reader.recordedOf(id)) ?? [];
      expect(entries.filter(({ kind }) => /^grant\.(?:used|expired)$/.test(kind)).map(({ kind }) => kind)).toEqual([
        "grant.expired",
      ]);
      expect(checkGrants(entries, true, null)).toBeNull();
      const told = "select distinct kind from effects where request_id = $1 and payload ->> 'event' = 'deployed'";
      expect((await scene.at.pool.query(told, [id])).rowCount).toBe(5);
    }
  });

  it("deploy R-BIND-13: no statement changes what ran under an approval, or a decision", async () => {
    const deploy = await built();
    await started(deploy);
    const { approval, ci, release } = deploy;
    expect(await scene.outcome(ci, { method: "POST", path: `/apps/myapp/releases/${release}/promote` })).toBe("200");
    await scene.approved(ci);
    const changes: readonly (readonly [string, RegExp])[] = [
      ["source_digest = 'x'", UNDONE],
      ["deployed_at = now()", UNDONE],
      ["upload_count = 0", UNDONE],
      ["object_key = null, object_url = null", CHANGED],
      ["object_key = 'other'", /deploy_approvals_object_fkey/],
      ["builds = '[]'", /cannot be (?:changed|undone)/],
      ...["id", "objectKey", "releaseId", "manifest", "startedAt", "attempt"].map(
        (member) => [`builds = ${set("builds", member, "x")}`, CHANGED] as const,
      ),
      [`builds = ${set("builds", "status", "creating")}`, CHANGED],
      ["release_id = 'ROTHER'", CHANGED],
      [`promotes = ${set("promotes", "outcome", "failed")}`, CHANGED],
      [`promotes = ${set("promotes", "releaseId", "x")}`, CHANGED],
      ["process_ids = '{}'", /cannot be (?:changed|undone)/],
      ["process_ids = array['p'] || process_ids", CHANGED],
      [`commands = ${set("commands", "command", "rm")}`, CHANGED],
      [`commands = ${set("commands", "pid", "x")}`, CHANGED],
      ["deployed_by_token_id = null", CHANGED],
    ];
    const where = `where id = '${approval.id}'`;
    const newer = "entry_seq = (select max(seq) from ledger_entries)";
    for (const [change, told] of changes) {
      await expect(committed(`update deploy_approvals set ${change}, ${newer} ${where}`), change).rejects.toThrow(told);
    }
    await expect(committed(`delete from deploy_approvals ${where}`)).rejects.toThrow("a deploy approval stays");
    const decisions = `where request_id = '${approval.requestId}'`;
    await expect(committed(`delete from decisions ${decisions}`)).rejects.toThrow("a decision stays");
    for (const change of ["action = 'reject'", "assurance = 'mfa'", "digest = 'x'", "created_at = now()"]) {
      const done = committed(`update decisions set ${change}, ${newer} ${decisions}`);
      await expect(done, change).rejects.toThrow("a decision cannot become another one");
    }
    const object = committed(`update deploy_objects set bytes = 1 where approval_ids @> array['${approval.id}'::uuid]`);
    await expect(object).rejects.toThrow("an uploaded archive cannot become another one");
  });

  /** As whoever owns the tables: what the database keeps it keeps from them too. */
  async function committed(statement: string): Promise<void> {
    await scene.at.pool.query(statement);
  }

  it("deploy R-STATE-9: an approval that is taken back opens nothing more", async () => {
    const deploy = await built();
    must(await scene.admin.post(`/requests/${deploy.approval.requestId}/grant/revoke`, { comment: "stop" }), 200);
    expect(
      await scene.outcome(deploy.ci, { method: "POST", path: `/apps/myapp/releases/${deploy.release}/promote` }),
    ).toBe("403 no_active_approval");
  });
});
