/** The two kinds of Postgres that every SQL test runs on. */
export const POSTGRES_BACKENDS = ["embedded", "external"] as const;

export type PostgresBackend = (typeof POSTGRES_BACKENDS)[number];

/** What the test run answers a worker that asks for a backend. */
export type PostgresAnswer = { readonly adminUrl: string; readonly template: string } | { readonly error: string };

export function isPostgresBackend(text: string): text is PostgresBackend {
  return POSTGRES_BACKENDS.some((backend) => backend === text);
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  return url.replace(/^(postgres(?:ql)?:\/\/[^/]*)\/[^?]*/, `$1/${database}`);
}
