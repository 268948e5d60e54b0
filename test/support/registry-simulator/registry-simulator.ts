/**
 * A container registry as the distribution specification describes it: manifests by tag, a challenge for callers without a token, and the
 * token service that it names. Manifests are what a test pushes; every pull without the right to it is refused.
 */
import { createHash, randomBytes } from "node:crypto";
import { SimulatorServer, type SimulatedAnswer, type SimulatedCall } from "../simulator-server.ts";

const MEDIA_TYPE = "application/vnd.oci.image.index.v1+json";
/** What a client must be ready to get; without them a registry converts, and the digest is another one. */
const MEDIA_TYPES = [
  MEDIA_TYPE,
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

export interface RegistrySimulatorOptions {
  /** How it meets callers without the right to pull; `bearer` where nothing is said. */
  readonly challenge?: "bearer" | "basic" | "none";
  /** Where the challenge sends them instead of its own token service. */
  readonly realm?: string;
}

export class RegistrySimulator {
  readonly username = "countersign";
  readonly password = randomBytes(12).toString("hex");
  readonly server: SimulatorServer;
  /** False: digests are not told in a header, and a client has to hash the manifest. */
  tellsDigests = true;
  readonly #manifests: Map<string, string>;

  private constructor(server: SimulatorServer, manifests: Map<string, string>) {
    this.server = server;
    this.#manifests = manifests;
  }

  static async open(options: RegistrySimulatorOptions = {}): Promise<RegistrySimulator> {
    const manifests = new Map<string, string>();
    const tokens = new Map<string, string>();
    let made: RegistrySimulator | null = null;
    const own = (): RegistrySimulator => {
      if (made === null) throw new Error("not open yet");
      return made;
    };
    const server = await SimulatorServer.open({
      ...{ name: "registry", prefix: "" },
      check: () => null,
      routes: [
        { method: "GET", path: /^\/token$/, answer: (call) => own().#token(call, tokens) },
        ...(["HEAD", "GET"] as const).map((method) => ({
          method,
          path: /^\/v2\/(.+)\/manifests\/([^/]+)$/,
          answer: (call: SimulatedCall) => own().#manifest(call, tokens, options),
        })),
      ],
    });
    made = new RegistrySimulator(server, manifests);
    return made;
  }

  get url(): string {
    return this.server.url;
  }

  close(): Promise<void> {
    return this.server.close();
  }

  /** The tag leads to this content from now on; its digest. */
  push(name: string, tag: string, content: string): string {
    const manifest = JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPE,
      manifests: [],
      annotations: { content },
    });
    this.#manifests.set(`${name}:${tag}`, manifest);
    return digestOf(manifest);
  }

  #token({ query, headers }: SimulatedCall, tokens: Map<string, string>): SimulatedAnswer {
    if (headers["authorization"] !== this.#basic())
      return { status: 401, body: { details: "incorrect username or password" } };
    const scope = query.get("scope") ?? "";
    if (query.get("service") !== "registry.simulator" || scope === "")
      return { status: 400, body: { details: "no scope" } };
    const token = randomBytes(16).toString("hex");
    tokens.set(token, scope);
    return { status: 200, body: { token, expires_in: 300, issued_at: new Date().toISOString() } };
  }

  #manifest(
    call: SimulatedCall,
    tokens: ReadonlyMap<string, string>,
    options: RegistrySimulatorOptions,
  ): SimulatedAnswer {
    const { parts, headers, method } = call;
    const [name = "", tag = ""] = parts;
    const refused = this.#refused(call, tokens, options);
    if (refused !== null) return refused;
    const missing = MEDIA_TYPES.filter((type) => !(headers["accept"] ?? "").includes(type));
    if (missing.length > 0) this.server.violations.push(`the client does not accept ${missing.join(", ")}`);
    const manifest = this.#manifests.get(`${name}:${tag}`);
    if (manifest === undefined) return { status: 404, body: { errors: [{ code: "MANIFEST_UNKNOWN" }] } };
    const digest = this.tellsDigests ? { "docker-content-digest": digestOf(manifest) } : {};
    const type = { "content-type": MEDIA_TYPE };
    return method === "HEAD"
      ? { status: 200, headers: { ...type, ...digest, "content-length": String(Buffer.byteLength(manifest)) } }
      : { status: 200, headers: { ...type, ...digest }, body: manifest };
  }

  /** The challenge, for whoever has not the right to pull this repository. */
  #refused(
    { parts, headers }: SimulatedCall,
    tokens: ReadonlyMap<string, string>,
    { challenge = "bearer", realm }: RegistrySimulatorOptions,
  ): SimulatedAnswer | null {
    const scope = `repository:${parts[0] ?? ""}:pull`;
    const given = headers["authorization"] ?? "";
    if (challenge === "none") return null;
    if (challenge === "basic" && given === this.#basic()) return null;
    if (challenge === "bearer" && tokens.get(given.replace(/^Bearer /, "")) === scope) return null;
    const bearer = `Bearer realm="${realm ?? `${this.url}/token`}",service="registry.simulator",scope="${scope}"`;
    const asked = challenge === "basic" ? 'Basic realm="registry"' : bearer;
    return { status: 401, headers: { "www-authenticate": asked }, body: { errors: [{ code: "UNAUTHORIZED" }] } };
  }

  #basic(): string {
    return `Basic ${Buffer.from(`${this.username}:${this.password}`).toString("base64")}`;
  }
}

function digestOf(manifest: string): string {
  return `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
}
