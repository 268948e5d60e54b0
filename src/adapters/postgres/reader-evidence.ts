/**
 * How is evidence read: the entries of one request with what surrounds them, and proofs about the tree. Proofs are made from
 * the leaf hashes; the roots of full tiles of 256 leaves never change and are kept in memory (docs/spec/ledger.md section 7).
 */
import type { Pool } from "pg";
import { EMPTY_ROOT } from "../../ledger/hash.ts";
import { consistencyProof, inclusionProof, subtreesOf, type SubtreeReader } from "../../ledger/proof.ts";
import type { Sha256 } from "../../ledger/sha256.ts";
import type { JsonObject } from "../../core/json.ts";
import { Bug } from "../../core/refusal.ts";
import type { EvidenceEntry, EvidenceOpening, EvidenceReader, TreeProofs } from "../../ports/evidence.ts";
import { sql } from "./named-sql.ts";
import { read } from "./reader-statement.ts";

const TILE_LEVEL = 8;
const TILE = 2 ** TILE_LEVEL;
/** Tiles read by one statement: some 16,000 leaves. */
const TILES_AT_ONCE = 64;

/** Every method rejects with `Unavailable` when the database cannot answer in time. */
export function createEvidenceReader(pool: Pool, sha256: Sha256): EvidenceReader {
  const tiles = new TileRoots(pool, sha256);
  return {
    async ofRequest(id) {
      const name = `req_${id.replaceAll("-", "")}`;
      const [entries, openings, displays] = await Promise.all([
        read(entriesSql, pool, [name]),
        read(openingsSql, pool, [name]),
        read(displaysSql, pool, [id]),
      ]);
      return { entries, openings, displays };
    },
    context: (factors, policyDigest) => read(contextSql, pool, [factors, policyDigest]),
    async proofs(size, asked) {
      const make = (leaves: SubtreeReader): TreeProofs => ({
        inclusion: new Map(asked.seqs.map((seq) => [seq, inclusionProof(leaves, seq, size, sha256)])),
        consistency: new Map(asked.from.map((from) => [from, consistencyProof(leaves, from, size, sha256)])),
      });
      const wanted = new Map<string, SubtreePlace>();
      // A first run over a tree of nothing notes which subtrees the proofs are made of.
      make((level, index) => {
        wanted.set(placeKey(level, index), { level, index });
        return EMPTY_ROOT;
      });
      return make(await tiles.subtrees([...wanted.values()]));
    },
  };
}

const entriesSql = sql<EvidenceEntry>(
  "evidence_entries",
  "select seq, text from ledger_entries where request = $1 order by seq",
);

const openingsSql = sql<EvidenceOpening>(
  "evidence_openings",
  `select opening.seq, opening.path, opening.salt, opening.value
   from ledger_entries entry join ledger_openings opening on opening.seq = entry.seq
   where entry.request = $1 order by opening.seq, opening.path`,
);

const displaysSql = sql<{ digest: string; document: JsonObject }>(
  "evidence_displays",
  "select digest, document from displays where request_id = $1 order by digest",
);

const contextSql = sql<EvidenceEntry>(
  "evidence_context",
  `select seq, text from ledger_entries
   where kind like 'factor.%' and (text::json -> 'data' ->> 'factor') = any($1::text[])
   union
   select seq, text from ledger_entries
   where kind = 'policy.activated' and (text::json -> 'data' ->> 'digest') = $2
   order by seq`,
);

const leavesSql = sql<{ seq: number; leaf: string }>(
  "evidence_leaves",
  `select entry.seq, entry.leaf from unnest($1::bigint[]) as tile (start)
   join ledger_entries entry on entry.seq >= tile.start and entry.seq < tile.start + ${String(TILE)}`,
);

interface SubtreePlace {
  readonly level: number;
  readonly index: number;
}

function placeKey(level: number, index: number): string {
  return `${String(level)}/${String(index)}`;
}

/** Roots of full tiles, read once; leaves of the others are read when they are asked for. */
class TileRoots {
  readonly #pool: Pool;
  readonly #sha256: Sha256;
  readonly #roots = new Map<number, string>();

  constructor(pool: Pool, sha256: Sha256) {
    this.#pool = pool;
    this.#sha256 = sha256;
  }

  /** Subtrees of committed entries; only those that were asked for can be read. */
  async subtrees(places: readonly SubtreePlace[]): Promise<SubtreeReader> {
    const whole = places.filter(({ level }) => level >= TILE_LEVEL).flatMap(tilesOf);
    await this.#keepRoots(whole.filter((tile) => !this.#roots.has(tile)));
    const partly = places.filter(({ level }) => level < TILE_LEVEL).map(tileOf);
    const leaves = await this.#leavesOf([...new Set(partly)]);
    const above = subtreesOf((tile) => known(this.#roots.get(tile)), this.#sha256);
    const below = subtreesOf((seq) => known(leaves.get(seq)), this.#sha256);
    return (level, index) => (level >= TILE_LEVEL ? above(level - TILE_LEVEL, index) : below(level, index));
  }

  async #keepRoots(tiles: readonly number[]): Promise<void> {
    const missing = [...new Set(tiles)];
    for (let next = 0; next < missing.length; next += TILES_AT_ONCE) {
      const some = missing.slice(next, next + TILES_AT_ONCE);
      const leaves = await this.#leavesOf(some);
      const subtrees = subtreesOf((seq) => known(leaves.get(seq)), this.#sha256);
      for (const tile of some) this.#roots.set(tile, subtrees(TILE_LEVEL, tile));
    }
  }

  async #leavesOf(tiles: readonly number[]): Promise<ReadonlyMap<number, string>> {
    if (tiles.length === 0) return new Map();
    const rows = await read(leavesSql, this.#pool, [tiles.map((tile) => tile * TILE)]);
    return new Map(rows.map(({ seq, leaf }) => [seq, leaf]));
  }
}

/** The tiles that a subtree of at least one tile is made of. */
function tilesOf({ level, index }: SubtreePlace): readonly number[] {
  const width = 2 ** (level - TILE_LEVEL);
  return Array.from({ length: width }, (_, offset) => index * width + offset);
}

/** The tile that a smaller subtree stands in. */
function tileOf({ level, index }: SubtreePlace): number {
  return Math.floor((index * 2 ** level) / TILE);
}

function known(hash: string | undefined): string {
  if (hash === undefined) throw new Bug("a proof was asked for about an entry that is not there");
  return hash;
}
