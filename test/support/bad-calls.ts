/**
 * The corpus of calls that no server may accept, and none may stumble over: every route and every field, generated from a
 * description of what each takes. `Scene` names things that exist, so that only what is meant to be wrong is wrong.
 */
import { badValues, deep, type Kind } from "./bad-values.ts";
import type { Call } from "./http-call.ts";

export interface Scene {
  readonly admin: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly taskId: string;
  readonly draft: { readonly key: string; readonly version: number };
}

export interface BadCall extends Call {
  readonly name: string;
}

interface Field {
  /** Where in the body: member names and positions. */
  readonly at: readonly (string | number)[];
  readonly is: Kind;
  readonly optional?: true;
}

interface Writing {
  readonly method: string;
  readonly path: string;
  readonly valid: unknown;
  readonly fields: readonly Field[];
}

interface Asking {
  readonly path: string;
  readonly parameters: Readonly<Record<string, readonly string[]>>;
}

const JSON_TYPE = { "Content-Type": "application/json" };

export function badCalls(scene: Scene): readonly BadCall[] {
  return [
    ...writings(scene).flatMap((writing) => [...badFields(writing, scene), ...badBodies(writing, scene)]),
    ...askings(scene).flatMap((asking) => badQueries(asking, scene)),
    ...badPaths(scene),
    ...badMethods(scene),
    ...badHeaders(scene),
  ];
}

function name128(nullable = false): Kind {
  return { kind: "text", min: 1, max: 128, ...(nullable ? { nullable: true } : {}) };
}

function writings(scene: Scene): readonly Writing[] {
  const { key, version } = scene.draft;
  return [
    { method: "POST", path: "/v1/awe/policies", valid: policy("bad.input"), fields: policyFields },
    { method: "PUT", path: `/v1/policies/${key}`, valid: policy(key), fields: policyFields.slice(0, 6) },
    {
      method: "PATCH",
      path: `/v1/policies/${key}/versions/${String(version)}`,
      valid: policy(key),
      fields: policyFields.slice(0, 6),
    },
    {
      method: "POST",
      path: `/v1/policies/${key}/versions/${String(version)}/simulate`,
      valid: { context: {} },
      fields: [
        { at: ["context"], is: { kind: "members" }, optional: true },
        { at: ["requester"], is: name128(), optional: true },
        { at: ["at"], is: { kind: "time" }, optional: true },
      ],
    },
    {
      method: "POST",
      path: "/v1/awe/requests",
      valid: { policy_key: "live", artifact_type: "thing", artifact_id: "1", context: {} },
      fields: [
        { at: ["policy_key"], is: name128() },
        { at: ["artifact_type"], is: name128() },
        { at: ["artifact_id"], is: name128() },
        { at: ["context"], is: { kind: "members" }, optional: true },
        { at: ["requester"], is: name128(true), optional: true },
        { at: ["expires_in_hours"], is: { kind: "whole", min: 1, max: 87_600, nullable: true }, optional: true },
      ],
    },
    {
      method: "POST",
      path: `/v1/requests/${scene.requestId}/cancel`,
      valid: { reason: "no" },
      fields: [{ at: ["reason"], is: { kind: "text", min: 0, max: 1024, nullable: true }, optional: true }],
    },
    {
      method: "POST",
      path: `/v1/awe/tasks/${scene.taskId}/decision`,
      valid: { action: "approve" },
      fields: [
        { at: ["action"], is: { kind: "word", words: ["approve", "reject", "abstain", "request_changes"] } },
        { at: ["comment"], is: { kind: "text", min: 0, max: 4000, nullable: true }, optional: true },
        { at: ["attachments_ref"], is: { kind: "text", min: 0, max: 1024, nullable: true }, optional: true },
        { at: ["reason_code"], is: { kind: "text", min: 0, max: 64, nullable: true }, optional: true },
        { at: ["digest"], is: { kind: "text", min: 0, max: 128, nullable: true }, optional: true },
      ],
    },
    {
      method: "POST",
      path: `/v1/tasks/${scene.taskId}/reassign`,
      valid: { new_assignee: "zoe" },
      fields: [
        { at: ["new_assignee"], is: name128() },
        { at: ["reason"], is: { kind: "text", min: 0, max: 1024, nullable: true }, optional: true },
      ],
    },
    {
      method: "POST",
      path: "/v1/awe/delegations",
      valid: {
        user_id: "hugo",
        delegate_to: "zoe",
        starts_at: "2030-01-01T00:00:00Z",
        ends_at: "2030-01-02T00:00:00Z",
      },
      fields: [
        { at: ["user_id"], is: name128(true), optional: true },
        { at: ["delegate_to"], is: name128() },
        { at: ["starts_at"], is: { kind: "time" } },
        { at: ["ends_at"], is: { kind: "time" } },
        { at: ["reason"], is: { kind: "text", min: 0, max: 1024, nullable: true }, optional: true },
        { at: ["policy_keys"], is: { kind: "list", max: 100 }, optional: true },
        { at: ["artifact_types"], is: { kind: "list", max: 100 }, optional: true },
      ],
    },
    {
      method: "PUT",
      path: "/v1/directory/roles/bad",
      valid: { members: [] },
      fields: [
        { at: ["members"], is: { kind: "list", max: 5000 } },
        { at: ["members", 0], is: name128(), optional: true },
      ],
    },
    {
      method: "PUT",
      path: "/v1/awe/directory/groups?path=/bad",
      valid: { members: [] },
      fields: [{ at: ["members"], is: { kind: "list", max: 5000 } }],
    },
  ];
}

const stageAt = ["stages", 0] as const;
const ruleAt = ["stages", 0, "rules", 0] as const;

const policyFields: readonly Field[] = [
  { at: ["policy_key"], is: name128() },
  { at: ["name"], is: { kind: "text", min: 1, max: 255 } },
  { at: ["artifact_type"], is: name128() },
  { at: ["stages"], is: { kind: "list", max: 50 }, optional: true },
  { at: ["forbid_self_approval"], is: { kind: "flag" }, optional: true },
  { at: ["description"], is: { kind: "text", min: 0, max: 1024, nullable: true }, optional: true },
  { at: [...stageAt, "name"], is: { kind: "text", min: 1, max: 255 } },
  { at: [...stageAt, "stage_order"], is: { kind: "whole", min: 1, max: 10_000 } },
  { at: [...stageAt, "mode"], is: { kind: "word", words: ["all"], anyCase: true }, optional: true },
  { at: [...stageAt, "skip_if"], is: { kind: "members", nullable: true }, optional: true },
  { at: [...stageAt, "on_empty"], is: { kind: "word", words: ["skip", "block"] }, optional: true },
  { at: [...stageAt, "sla_hours"], is: { kind: "whole", min: 1, max: 87_600, nullable: true }, optional: true },
  { at: [...stageAt, "rules"], is: { kind: "list", max: 50 }, optional: true },
  { at: [...ruleAt, "rule_type"], is: { kind: "word", words: ["user", "role"] } },
  { at: [...ruleAt, "rule_value"], is: { kind: "members" } },
  { at: [...ruleAt, "required"], is: { kind: "flag" }, optional: true },
];

function policy(key: string): unknown {
  const rule = { rule_type: "user", rule_value: { user_id: "hugo" } };
  const stage = { name: "Stage", stage_order: 1, mode: "all", rules: [rule] };
  return { policy_key: key, name: "Bad", artifact_type: "thing", stages: [stage] };
}

function badFields({ method, path, valid, fields }: Writing, { admin }: Scene): readonly BadCall[] {
  const headers = { ...admin, ...JSON_TYPE };
  return fields.flatMap((field) => {
    const where = field.at.join(".");
    const replaced = badValues(field.is).map((raw) => ({
      name: `${method} ${path}: ${where} is ${raw.slice(0, 40)}`,
      body: withRaw(valid, field.at, raw),
    }));
    const missing = { name: `${method} ${path}: ${where} is missing`, body: withRaw(valid, field.at, null) };
    return [...replaced, ...(field.optional === true ? [] : [missing])].map((each) => ({
      ...each,
      method,
      path,
      headers,
    }));
  });
}

/** The body as text, one value replaced by raw text, or its member left out. */
function withRaw(value: unknown, at: readonly (string | number)[], raw: string | null): string {
  const [part, ...rest] = at;
  if (part === undefined) return raw ?? "null";
  if (typeof part === "number") {
    const items: readonly unknown[] = Array.isArray(value) ? value : [];
    const length = Math.max(items.length, part + 1);
    return `[${Array.from({ length }, (_, index) => (index === part ? withRaw(items[index], rest, raw) : JSON.stringify(items[index]))).join(",")}]`;
  }
  const members = typeof value === "object" && value !== null ? Object.entries(value) : [];
  const others = members
    .filter(([name]) => name !== part)
    .map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`);
  const own: unknown = members.find(([name]) => name === part)?.[1];
  const replaced = rest.length === 0 && raw === null ? [] : [`${JSON.stringify(part)}:${withRaw(own, rest, raw)}`];
  return `{${[...others, ...replaced].join(",")}}`;
}

function badBodies({ method, path, valid }: Writing, { admin }: Scene): readonly BadCall[] {
  const text = JSON.stringify(valid);
  const bodies: Readonly<Record<string, string | Buffer>> = {
    "not JSON": "policy_key=x",
    "JSON cut off": text.slice(0, -1),
    "JSON and more": `${text}}`,
    "single quotes": text.replaceAll('"', "'"),
    NaN: '{"context":NaN}',
    "a comment": `/* */${text}`,
    "a list": `[${text}]`,
    "a text": '"x"',
    "a number": "5",
    null: "null",
    nothing: "",
    "too deep": `{"x":${deep(33)}}`,
    "very deep": `{"x":${deep(100_000)}}`,
    "too many values": `{"x":[${"0,".repeat(10_000)}0]}`,
    "member __proto__": `{"__proto__":{"admin":true},${text.slice(1)}`,
    "a NUL in a member's name": `{"a\\u0000":1,${text.slice(1)}`,
    "invalid UTF-8": Buffer.concat([
      Buffer.from(text.slice(0, -1)),
      Buffer.from([0x2c, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    ]),
    "UTF-16": Buffer.from(text, "utf16le"),
    "1 MiB and a byte": `{"x":"${"a".repeat(1024 * 1024 - 7)}"}`,
  };
  const named = Object.entries(bodies).map(([what, body]) => ({
    name: `${method} ${path}: the body is ${what}`,
    ...{ method, path, body },
    headers: { ...admin, ...JSON_TYPE },
  }));
  const types = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "json",
    "application/jsonp",
  ];
  const typed = types.map((type) => ({
    name: `${method} ${path}: the body is called ${type}`,
    ...{ method, path, body: text },
    headers: { ...admin, "Content-Type": type },
  }));
  return [...named, ...typed];
}

const BAD_NUMBERS = ["0", "-1", "1.0", "1e1", "x", "", " 1", "0x10", "99999999999999999999", "%00"];

function askings({ requestId, draft }: Scene): readonly Asking[] {
  const limit = [...BAD_NUMBERS, "501"];
  const cursor = [
    "x",
    "%00",
    "a b",
    "e30",
    "W10",
    Buffer.from('["requests","9999-99-99T99:99:99.999999Z","x"]').toString("base64url"),
    "A".repeat(2000),
  ];
  const text = ["%00", "x".repeat(201)];
  const time = ["now", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00Z", "%00", "20261120T000000Z"];
  return [
    {
      path: "/v1/awe/requests",
      parameters: {
        limit,
        cursor,
        status: ["x", "OPEN", "", "%00"],
        q: text,
        artifact_type: text,
        artifact_id: text,
        requester: text,
        policy_key: text,
        created_after: time,
        created_before: time,
      },
    },
    {
      path: "/v1/awe/tasks",
      parameters: {
        page: [...BAD_NUMBERS, "10001"],
        page_size: [...BAD_NUMBERS, "101"],
        status: ["x", "all"],
        search_text: text,
        assignee: text,
        kind: ["x"],
        overdue: ["1", "yes", "TRUE"],
        sort: ["x", "created_at"],
        artifact_type: text,
        request_id: ["%00"],
      },
    },
    { path: "/v1/awe/tasks/stats", parameters: { status: ["x", "%00"] } },
    { path: "/v1/policies", parameters: { limit, cursor, status: ["x"], q: text, artifact_type: text } },
    {
      path: "/v1/inbox",
      parameters: {
        gate: ["x"],
        state: ["x"],
        sort: ["x"],
        limit: [...BAD_NUMBERS, "101"],
        cursor,
        q: text,
        artifact_type: text,
      },
    },
    { path: `/v1/requests/${requestId}/events`, parameters: { after: ["-1", "x", "1.5", "99999999999", "%00"] } },
    { path: `/v1/requests/${requestId}/wait`, parameters: { timeout: ["0", "61", "x", "1.5", "-1"] } },
    { path: "/v1/events", parameters: { after: ["-2", "x", "1.5", "%00"] } },
    { path: "/v1/delegations", parameters: { limit, active: ["1", "x"], user_id: text } },
    { path: "/v1/directory/users", parameters: { limit, q: text } },
    { path: "/v1/directory/roles", parameters: { limit, q: text } },
    { path: "/v1/directory/groups", parameters: { limit, q: text } },
    {
      path: "/v1/awe/admin/audit",
      parameters: {
        limit: [...BAD_NUMBERS, "1001"],
        cursor,
        since: time,
        until: time,
        actor: ["%00"],
        action: text,
        resource_type: text,
      },
    },
    { path: `/v1/policies/${draft.key}/versions/x`, parameters: {} },
  ];
}

function badQueries({ path, parameters }: Asking, { admin }: Scene): readonly BadCall[] {
  return Object.entries(parameters).flatMap(([parameter, values]) =>
    [...values, `${values[0] ?? ""}&${parameter}=1`].map((value) => ({
      name: `GET ${path}?${parameter}=${value.slice(0, 40)}`,
      method: "GET",
      path: `${path}?${parameter}=${value.replaceAll(" ", "%20")}`,
      headers: admin,
    })),
  );
}

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";
const NO_IDS = [
  UNKNOWN_ID,
  "x",
  "1",
  "-1",
  "%00",
  "..%2f..",
  "%ED%A0%80",
  "%F0%9F%A6%89",
  "null",
  `${UNKNOWN_ID}x`,
  "0".repeat(500),
  "' or 1=1 --".replaceAll(" ", "%20"),
  "%",
];
const NO_VERSIONS = ["0", "-1", "1.0", "x", "99999", "9999999999999999999", "%00", "01", "latest"];

function badPaths({ admin, draft }: Scene): readonly BadCall[] {
  const approve = JSON.stringify({ action: "approve" });
  const routes: readonly { readonly method: string; readonly path: string; readonly body?: string }[] = [
    ...["", "/events", "/explain", "/decisions"].map((rest) => ({ method: "GET", path: `/v1/awe/requests/{}${rest}` })),
    { method: "GET", path: "/v1/requests/{}/wait" },
    { method: "POST", path: "/v1/requests/{}/cancel", body: "{}" },
    { method: "POST", path: "/v1/awe/requests/{}/resolve", body: "{}" },
    { method: "GET", path: "/v1/tasks/{}" },
    { method: "POST", path: "/v1/awe/tasks/{}/claim", body: "{}" },
    { method: "POST", path: "/v1/tasks/{}/release", body: "{}" },
    { method: "POST", path: "/v1/awe/tasks/{}/decision", body: approve },
    { method: "POST", path: "/v1/tasks/{}/reassign", body: JSON.stringify({ new_assignee: "zoe" }) },
    { method: "DELETE", path: "/v1/delegations/{}" },
    { method: "DELETE", path: "/v1/awe/directory/roles/{}" },
    { method: "GET", path: "/v1/policies/{}/versions" },
    { method: "GET", path: "/v1/awe/policies/{}/versions/1" },
    { method: "POST", path: "/v1/policies/{}/versions/1/activate", body: "{}" },
  ];
  const versions = [
    { method: "GET", rest: "" },
    { method: "DELETE", rest: "" },
    { method: "POST", rest: "/activate", body: "{}" },
    { method: "POST", rest: "/deactivate", body: "{}" },
    { method: "POST", rest: "/simulate", body: "{}" },
  ].flatMap(({ method, rest, ...body }) =>
    NO_VERSIONS.map((version) => ({ method, path: `/v1/policies/${draft.key}/versions/${version}${rest}`, ...body })),
  );
  const unknown = routes.flatMap(({ path, ...route }) =>
    NO_IDS.map((id) => ({ ...route, path: path.replace("{}", id) })),
  );
  return [...unknown, ...versions].map((call) => ({
    ...call,
    name: `${call.method} ${call.path.slice(0, 100)}: no such thing`,
    headers: { ...admin, ...("body" in call ? JSON_TYPE : {}) },
  }));
}

function badMethods({ admin, requestId }: Scene): readonly BadCall[] {
  const paths = [
    "/v1/awe/requests",
    `/v1/requests/${requestId}`,
    "/v1/awe/policies",
    "/v1/tasks",
    "/v1/inbox",
    "/v1/awe/nothing",
    "/v1",
    "/v1/awe",
    "/nothing",
    "/v1/awe/inbox",
    "/v2/requests",
    "//v1/requests",
  ];
  const methods = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];
  return paths.flatMap((path) =>
    methods.map((method) => ({ name: `${method} ${path}: no such route`, method, path, headers: admin })),
  );
}

function badHeaders({ admin }: Scene): readonly BadCall[] {
  const body = JSON.stringify({ policy_key: "live", artifact_type: "thing", artifact_id: "1" });
  const keys = ["a b", "ä", "x".repeat(256), "\u00ff"];
  const idempotency = keys.map((key) => ({
    name: `POST /v1/awe/requests: Idempotency-Key is ${key.slice(0, 20)}`,
    method: "POST",
    path: "/v1/awe/requests",
    headers: { ...admin, ...JSON_TYPE, "Idempotency-Key": Buffer.from(key).toString("latin1") },
    body,
  }));
  const tokens = [
    "",
    "Bearer",
    "Bearer ",
    "Basic YTpi",
    "Bearer x",
    "Bearer a.b.c",
    "Bearer ...",
    `Bearer ${"x".repeat(16_500)}`,
    "bearer e30.e30.",
    "Bearer e30.bnVsbA.",
  ];
  const unauthenticated = tokens.flatMap((authorization) =>
    ["/v1/awe/requests", "/v1/inbox"].map((path) => ({
      name: `GET ${path}: Authorization is ${authorization.slice(0, 20)}`,
      method: "GET",
      path,
      headers: authorization === "" ? {} : { authorization },
    })),
  );
  const resume = ["x", "-2", "1.5", "99999999999999999999"].map((id) => ({
    name: `GET /v1/events: Last-Event-ID is ${id}`,
    method: "GET",
    path: "/v1/events",
    headers: { ...admin, "Last-Event-ID": id },
  }));
  return [...idempotency, ...unauthenticated, ...resume];
}
