import { closeSync, existsSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';

import * as z from 'zod';

/** `[kind, key, value]`: the value now in force, or null when it is gone. */
const Line = z.tuple([z.string(), z.string(), z.unknown()]);

export interface JournalEntry {
  readonly kind: string;
  readonly key: string;
  readonly value: unknown;
}

/**
 * Keeps what this server knows through a `kill -9` at any moment: each change is one appended line that holds the whole
 * new value, so a torn last line loses only a change that was never answered. Mode 0600, as task environments may
 * hold secrets.
 */
export class Journal {
  #file: string;
  #fd: number;
  #lines = 0;

  private constructor(file: string) {
    this.#file = file;
    this.#fd = openSync(file, 'a', 0o600);
  }

  /** Opens the journal and tells what it holds, in order of first addition. */
  static open(file: string): { journal: Journal; entries: JournalEntry[] } {
    const live = new Map<string, JournalEntry>();
    const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
    for (const line of text.split('\n')) {
      const entry = parseLine(line);
      if (!entry) continue;
      const id = `${entry.kind} ${entry.key}`;
      if (entry.value === null) live.delete(id);
      else live.set(id, entry);
    }
    const journal = new Journal(file);
    const entries = [...live.values()];
    // Rewritten at once: a line appended behind a torn one would be lost with it.
    journal.compact(entries);
    return { journal, entries };
  }

  append(kind: string, key: string, value: unknown): void {
    writeAll(this.#fd, `${JSON.stringify([kind, key, value])}\n`);
    this.#lines += 1;
  }

  /** Whether so much of the file is history that it should be rewritten with `compact`. */
  isLong(live: number): boolean {
    return this.#lines > 5_000 + 4 * live;
  }

  compact(entries: Iterable<JournalEntry>): void {
    const fresh = `${this.#file}.new`;
    const fd = openSync(fresh, 'w', 0o600);
    let lines = 0;
    let chunk = '';
    for (const { kind, key, value } of entries) {
      chunk += `${JSON.stringify([kind, key, value])}\n`;
      lines += 1;
      if (chunk.length > 1_000_000) {
        writeAll(fd, chunk);
        chunk = '';
      }
    }
    writeAll(fd, chunk);
    // Windows does not rename onto an open file.
    closeSync(this.#fd);
    closeSync(fd);
    renameSync(fresh, this.#file);
    this.#fd = openSync(this.#file, 'a', 0o600);
    this.#lines = lines;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}

function parseLine(line: string): JournalEntry | undefined {
  if (line === '') return undefined;
  try {
    const [kind, key, value] = Line.parse(JSON.parse(line));
    return { kind, key, value };
  } catch {
    // Only the last line can be torn, by a kill in the middle of its write.
    return undefined;
  }
}
