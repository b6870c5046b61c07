import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { Grouping } from './grouping.js';

const Entry = z.object({ table: z.string(), key: z.string(), value: z.unknown().optional() });

/** Rows of one kind, held in memory and written through to the journal. A row is replaced, never changed in place. */
export interface Table<Row> {
  get(key: string | number): Row | undefined;
  all(): Row[];
  put(key: string | number, row: Row): Row;
  remove(key: string | number): void;
  /**
   * Keeps the rows apart by what `valueOf` says of each; those of which it says nothing are in no group.
   *
   * @returns the rows of a group. In the order in which they came into it, which is not that of `all`.
   */
  groupedBy(valueOf: (row: Row) => string | number | undefined): Groups<Row>;
}

export type Groups<Row> = (value: string | number) => readonly Row[];

/**
 * Everything the stand-in knows, as one file of JSON lines: the last line of a key counts, a line without a value
 * removes it. A write is in the operating system's hands before the answer that tells of it leaves, so that
 * `kill -9` of the process loses nothing that anyone was told.
 */
export class Journal {
  readonly #rows: Map<string, Map<string, unknown>>;
  readonly #file: string;
  #descriptor: number;

  private constructor(file: string, rows: Map<string, Map<string, unknown>>, descriptor: number) {
    this.#file = file;
    this.#rows = rows;
    this.#descriptor = descriptor;
  }

  /** Opens (or makes) `journal.jsonl` in the folder; readable by its owner alone. */
  static open(dataDir: string): Journal {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const file = path.join(dataDir, 'journal.jsonl');
    const rows = existsSync(file) ? replay(file) : new Map<string, Map<string, unknown>>();
    compact(file, rows);
    return new Journal(file, rows, openSync(file, 'a', 0o600));
  }

  /** @throws when a row of the file does not have the shape of the table: it is of another version. */
  table<Row>(name: string, schema: z.ZodType<Row>): Table<Row> {
    const rows = new Map<string, Row>();
    for (const [key, value] of this.#rows.get(name) ?? []) {
      const parsed = schema.safeParse(value);
      if (!parsed.success) {
        throw new Error(
          `${this.#file}: row ${key} of ${name} can't be understood. Was it written by another version? ` +
            `Start with an empty data folder. ${z.prettifyError(parsed.error)}`,
        );
      }
      rows.set(key, parsed.data);
    }
    const groupings: Grouping<Row>[] = [];
    const regroup = (key: string, before: Row | undefined, after: Row | undefined): void => {
      for (const grouping of groupings) grouping.change(key, before, after);
    };
    return {
      get: key => rows.get(String(key)),
      all: () => [...rows.values()],
      put: (key, row) => {
        regroup(String(key), rows.get(String(key)), row);
        rows.set(String(key), row);
        this.#append({ table: name, key: String(key), value: row });
        return row;
      },
      remove: key => {
        regroup(String(key), rows.get(String(key)), undefined);
        if (rows.delete(String(key))) this.#append({ table: name, key: String(key) });
      },
      groupedBy: valueOf => {
        const grouping = new Grouping(valueOf);
        for (const [key, row] of rows) grouping.change(key, undefined, row);
        groupings.push(grouping);
        return value => grouping.of(value);
      },
    };
  }

  close(): void {
    if (this.#descriptor < 0) return;
    closeSync(this.#descriptor);
    this.#descriptor = -1;
  }

  #append(entry: z.infer<typeof Entry>): void {
    // What still happens while the process ends (a client hanging up) has nobody left to tell.
    if (this.#descriptor < 0) return;
    writeSync(this.#descriptor, `${JSON.stringify(entry)}\n`);
  }
}

function replay(file: string): Map<string, Map<string, unknown>> {
  const rows = new Map<string, Map<string, unknown>>();
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    let entry: z.infer<typeof Entry>;
    try {
      entry = Entry.parse(JSON.parse(line));
    } catch (error) {
      // The process was killed in the middle of its last write: nobody was told of that row.
      if (index === lines.length - 1) break;
      throw new Error(`${file}: line ${index + 1} is damaged. Start with an empty data folder.`, {
        cause: error,
      });
    }
    let table = rows.get(entry.table);
    if (!table) rows.set(entry.table, (table = new Map<string, unknown>()));
    if (entry.value === undefined) table.delete(entry.key);
    else table.set(entry.key, entry.value);
  }
  return rows;
}

/** Rewrites the file with only what counts; by rename, so that a kill leaves the old file or the new one. */
function compact(file: string, rows: Map<string, Map<string, unknown>>): void {
  const lines: string[] = [];
  for (const [table, entries] of rows) {
    for (const [key, value] of entries) lines.push(`${JSON.stringify({ table, key, value })}\n`);
  }
  const fresh = `${file}.new`;
  writeFileSync(fresh, lines.join(''), { mode: 0o600 });
  const descriptor = openSync(fresh, 'r');
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(fresh, file);
}
