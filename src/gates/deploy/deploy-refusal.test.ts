import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as calls from "./call-refusals.ts";
import {
  deployRefusalStatus,
  isDeployRefusal,
  refusalBytesMax,
  refusalJson,
  refusalText,
  refuseDeploy,
  type DeployRefusal,
} from "./deploy-refusal.ts";
import * as requests from "./request-refusals.ts";

const anyText = fc.array(fc.nat(0x10_ffff)).map((points) => String.fromCodePoint(...points));

/** code, status, first line: docs/spec/deploy.md section 21.2, row by row. */
const rows: readonly (readonly [DeployRefusal, string, number, string])[] = [
  [calls.noActiveApproval("none", "ask"), "no_active_approval", 403, "No active deploy approval found for this commit"],
  [
    requests.approvalExists({}, "id", "https://x"),
    "deploy_approval_exists",
    409,
    "an approval request is already pending or approved for this token and git commit",
  ],
  [requests.approvalsDisabled(), "deploy_approvals_disabled", 404, "deploy approvals feature is disabled"],
  [requests.approvalNotFound(), "deploy_approval_not_found", 404, "deploy approval request not found"],
  [
    requests.commitIncomplete(),
    "commit_incomplete",
    400,
    "git_commit_hash must be a full commit id (40 or 64 hexadecimal characters)",
  ],
  [calls.gitShaRequired(), "git_sha_required", 400, "git-sha is required when deploying with an approval"],
  [
    calls.archiveDiffers(["a.txt"]),
    "archive_differs",
    409,
    "an archive has already been uploaded for this deploy approval request",
  ],
  [calls.buildExists("B1"), "build_exists", 409, "a build has already been created for this deploy approval request"],
  [calls.buildAttempts(5), "build_attempts", 409, "a build has already been created for this deploy approval request"],
  [calls.alreadyDeployed(), "already_deployed", 409, "this deploy approval request has already been deployed"],
  [
    calls.promoteInProgress("id"),
    "promote_in_progress",
    409,
    "a promote for this deploy approval request is still in progress",
  ],
  [requests.branchMoved("main", "a", "b"), "approval_stale", 409, "commit is no longer the latest on branch main"],
  [calls.digestChanged("web", "a", "b"), "approval_stale", 409, "image digest changed since it was recorded"],
  [calls.commandNotApproved("id", []), "command_not_approved", 403, "command not approved: id"],
  [calls.commandBlankOrOther([]), "command_not_approved", 403, "You don't have permission to run processes."],
  [calls.processOption("Image"), "process_option", 403, "process option 'Image' is not allowed with a deploy approval"],
  [calls.buildOption("external"), "build_option", 403, "option 'external' is not allowed with a deploy approval"],
  [calls.buildArgument("NAME"), "build_arg", 403, "build argument 'NAME' is not approved"],
  [calls.manifestPath("evil.yml", ["convox.yml"]), "manifest_path", 403, "manifest 'evil.yml' is not approved"],
  [calls.buildForm("key 'x'"), "build_form", 400, "build request is not acceptable: key 'x'"],
  [calls.buildWithoutObject(), "build_form", 400, "build request missing object URL"],
  [calls.objectUnknown(), "object_unknown", 403, "this archive was not uploaded under this deploy approval"],
  [calls.objectKeyInUse(), "object_key_in_use", 409, "an object with this name already exists"],
  [calls.releaseMismatch("why"), "release_mismatch", 409, "this release does not belong to the approved build"],
  ...(["token_owner", "requester", "commit_author"] as const).map(
    (reason) =>
      [
        requests.selfApproval(reason, "Ann can."),
        "separation_of_duties",
        403,
        `you cannot approve this request because you ${requests.selfApprovals[reason]}`,
      ] as const,
  ),
  [requests.noEligibleApprover([]), "no_eligible_approver", 422, "no one can approve this request"],
  [requests.notPending("rejected"), "deploy_approval_not_pending", 409, "deploy approval request is already rejected"],
  [requests.requestChanged(), "request_changed", 412, "deploy approval request has changed"],
  [requests.approvalExpired(), "approval_expired", 409, "the approval has expired"],
  [requests.extensionLimit(), "extension_limit", 409, "the approval cannot be extended further"],
  [requests.extensionNotLater(), "extension_not_later", 409, "the approval cannot be extended further"],
  [requests.tokenCannotDecide(), "token_cannot_decide", 403, "API tokens cannot decide deploy approval requests"],
  [requests.credentialKindNotAllowed(), "credential_kind_not_allowed", 403, "API tokens cannot do this"],
  [requests.targetTokenUnsuitable(), "target_token_unsuitable", 400, "target token cannot deploy with approval"],
  [requests.targetTokenUnknown(), "target_token_unknown", 404, "api token not found"],
  [requests.policyUnavailable("x"), "policy_unavailable", 422, "deploy policy 'x' is not available"],
  [requests.vcsUnavailable(), "vcs_unavailable", 502, "GitHub verification failed: GitHub could not be reached"],
  [requests.sourceNotReady(), "source_not_ready", 409, "the commit's files are still being read"],
  [requests.invalidPayload(), "invalid_payload", 400, "invalid payload"],
  [calls.permissionDenied(calls.denials.any, "convox:app:read"), "permission_denied", 403, "permission denied"],
  [
    calls.processOfOthers(calls.denials.stopProcesses),
    "permission_denied",
    403,
    "You don't have permission to stop processes.",
  ],
  [calls.unknownRoute(), "unknown_route", 404, "not found"],
  [calls.pathInvalid(), "path_invalid", 400, "path is not acceptable"],
  [calls.queryNotAllowed(), "query_not_allowed", 400, "a query string is not allowed on this call"],
  [calls.repeatedHeader("Command"), "repeated_header", 400, "header 'Command' is sent more than once"],
  [calls.headerInvalid("x"), "header_invalid", 400, "headers are not acceptable: x"],
  [calls.destructiveDisabled(), "destructive_disabled", 403, "Destructive rack actions are disabled by policy"],
  [calls.environmentNotAllowed(), "environment_not_allowed", 403, "You don't have permission to run processes."],
  [calls.ledgerUnavailable(), "ledger_unavailable", 503, "nothing was done: the ledger cannot be written"],
  [calls.quarantined(), "quarantine", 503, "nothing was done: the ledger failed verification"],
  [calls.rackUnreachable(), "rack_unreachable", 502, "rack is unreachable"],
  [calls.rackTimeout(), "rack_timeout", 504, "rack did not answer in time"],
  [calls.rackCertificate(), "rack_certificate", 502, "rack certificate verification failed"],
  [calls.manifestInvalid("x"), "manifest_invalid", 422, "manifest validation failed: x"],
  [calls.uploadForm("x"), "upload_form", 400, "upload is not acceptable: x"],
  [
    calls.uploadAttempts(5),
    "upload_attempts",
    409,
    "at most 5 archives may be uploaded for one deploy approval request",
  ],
  [calls.promoteAttempts(10), "promote_attempts", 409, "a release may be promoted at most 10 times under one approval"],
  [calls.promoteForm("x"), "promote_form", 400, "promote request is not acceptable: x"],
];

describe("what a refusal says", () => {
  it.each(rows)("deploy R-REFUSE-1: %j", (refusal, code, status, message) => {
    expect(refusal).toMatchObject({ code, status, message });
    expect(refusalText(refusal).split("\n")[0]).toBe(message);
  });

  it("deploy R-REFUSE-1: names the next step wherever the table has one", () => {
    const plain = new Set([
      ...["deploy_approval_not_found", "target_token_unknown", "invalid_payload", "path_invalid", "query_not_allowed"],
      ...["repeated_header", "header_invalid", "upload_form", "promote_form", "manifest_invalid"],
      ...["build_form", "process_option", "build_option"],
    ]);
    for (const [refusal] of rows) {
      expect(plain.has(refusal.code) || refusal.hint.join("").length > 0, refusal.code).toBe(true);
    }
  });

  it("deploy R-PROXY-4: a policy refusal is never a 5xx", () => {
    const world = Object.entries(deployRefusalStatus).filter(([, status]) => status >= 500);
    expect(world.map(([code]) => code).sort()).toEqual([
      ...[
        "ledger_unavailable",
        "quarantine",
        "rack_certificate",
        "rack_timeout",
        "rack_unreachable",
        "vcs_unavailable",
      ],
    ]);
  });

  it("deploy R-PROXY-4: holds no percent sign, no forged line and at most 4 KiB, whatever others wrote into it", () => {
    fc.assert(
      fc.property(
        anyText,
        fc.array(fc.oneof(anyText, fc.constant("%s%\r\n\u202e\u2028x"), fc.constant("é".repeat(3_000)))),
        (message, hint) => {
          const refusal = refuseDeploy("build_form", message, hint);
          const text = refusalText(refusal);
          expect(text).not.toContain("%");
          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(refusalBytesMax);
          expect(text.split("\n").length).toBeLessThanOrEqual(hint.length + 2);
          expect(text).not.toMatch(/[\r\u2028\u202e]/u);
          expect(JSON.stringify(refusalJson(refusal, "r"))).not.toContain("%");
        },
      ),
    );
  });

  it("deploy R-PROXY-4: none of our own texts needs cleaning", () => {
    for (const [refusal] of rows) {
      expect(refusalText(refusal)).toBe(
        `${[refusal.message, ...refusal.hint].filter((line) => line !== "").join("\n")}\n`,
      );
    }
  });

  it("deploy R-PROXY-4: is JSON for clients that name it, and details cannot replace error and code", () => {
    const refusal = refuseDeploy("build_form", "first", ["second", "third"], { error: "x", code: "y", extra: 1 });
    expect(refusalJson(refusal, "req")).toEqual({
      extra: 1,
      error: "first",
      code: "build_form",
      hint: "second\nthird",
      request_id: "req",
    });
    expect(refusalJson(calls.pathInvalid(), "req")).toEqual({
      error: "path is not acceptable",
      code: "path_invalid",
      request_id: "req",
    });
  });

  it("deploy R-REFUSE-1: shows twenty differing paths and how many more there are", () => {
    const paths = Array.from({ length: 25 }, (_, index) => `file-${index}`);
    expect(calls.archiveDiffers(paths).hint.slice(19, 22)).toEqual([
      "file-19",
      "and 5 more",
      "Other content needs a new approval request.",
    ]);
    expect(calls.archiveDiffers(paths.slice(0, 20)).hint).toHaveLength(21);
  });

  it("deploy R-REFUSE-1: what is wrong with an archive or a manifest keeps its code, status and lines", () => {
    for (const [code, status] of [
      ["archive_form", 422],
      ["archive_limit", 413],
      ["source_mismatch", 422],
      ["image_pattern", 422],
      ["image_repository", 422],
      ["manifest_invalid", 422],
      ["git_sha_required", 400],
    ] as const) {
      const refusal = calls.contentRefused({ code, status, message: "first", lines: ["second"] });
      expect(refusal).toEqual({ code, status, message: "first", hint: ["second"] });
    }
  });

  it("deploy R-REQ-11: names who is excluded and why, for people and for programs", () => {
    const refusal = requests.noEligibleApprover([{ person: "Ann", reason: "requester" }]);
    expect(refusal.hint[0]).toBe("Ann: requester");
    expect(refusal.details).toEqual({ excluded: [{ person: "Ann", reason: "requester" }] });
    expect(requests.selfApproval("requester", "x").details).toEqual({ reason: "requester" });
  });

  it("deploy R-REFUSE-1: lists the approved commands, or says that there are none", () => {
    expect(calls.commandNotApproved("x", ["a", "b"]).hint[0]).toBe(
      "Approved: a | b (setting approved_deploy_commands).",
    );
    expect(calls.commandNotApproved("x", []).hint[0]).toContain("No command is approved");
  });

  it("deploy R-REFUSE-1: is told apart from other answers", () => {
    expect(isDeployRefusal(calls.pathInvalid())).toBe(true);
    expect(isDeployRefusal({ code: "x", status: 1 })).toBe(false);
    expect(isDeployRefusal({})).toBe(false);
    expect(isDeployRefusal({ code: "x" })).toBe(false);
  });
});
