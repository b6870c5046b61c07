/**
 * How values become table rows. A string property holds at most 64 KiB of UTF-16, a row 1 MiB; longer texts are cut into
 * several properties, and beyond that into rows of their own.
 */
export type Row = { partitionKey: string; rowKey: string } & Record<
  string,
  string | number | boolean | Date | undefined
>;

const chunkChars = 32_000;
/** Two texts of this many properties and a history of some more fit one row. */
const inlineChunks = 6;
const chunksPerRow = 14;

export interface Packed {
  readonly properties: Readonly<Record<string, string | number>>;
  /** Rows to be written before the one that refers to them. */
  readonly overflow: readonly {
    readonly rowKey: string;
    readonly properties: Readonly<Record<string, string>>;
  }[];
}

/** Cuts without splitting a surrogate pair, half of which would not survive the way through UTF-8. */
export function cut(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + size, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last <= 0xdbff) end -= 1;
    parts.push(text.slice(at, end));
    at = end;
  }
  return parts;
}

/**
 * @param field prefix of the property names
 * @param owner makes the keys of overflow rows: another value of the same field needs another owner
 */
export function packText(field: string, text: string | null, owner: string): Packed {
  if (text === null) return { properties: { [`${field}Parts`]: -1, [`${field}Rows`]: 0 }, overflow: [] };
  const chunks = cut(text, chunkChars);
  if (chunks.length <= inlineChunks) {
    const properties: Record<string, string | number> = {
      [`${field}Parts`]: chunks.length,
      [`${field}Rows`]: 0,
    };
    for (const [index, chunk] of chunks.entries()) properties[`${field}${index}`] = chunk;
    return { properties, overflow: [] };
  }
  const overflow = [];
  for (let at = 0; at < chunks.length; at += chunksPerRow) {
    const properties: Record<string, string> = {};
    for (const [index, chunk] of chunks.slice(at, at + chunksPerRow).entries())
      properties[`t${index}`] = chunk;
    overflow.push({ rowKey: overflowKey(owner, field, overflow.length), properties });
  }
  return { properties: { [`${field}Parts`]: 0, [`${field}Rows`]: overflow.length }, overflow };
}

export const overflowKey = (owner: string, field: string, index: number): string =>
  `x|${owner}|${field}|${String(index).padStart(6, '0')}`;

/** @param overflowRow finds a row of the same partition that was packed as overflow */
export function unpackText(
  row: Readonly<Record<string, unknown>>,
  field: string,
  owner: string,
  overflowRow: (rowKey: string) => Readonly<Record<string, unknown>> | undefined,
): string | null {
  const parts = row[`${field}Parts`];
  const rows = row[`${field}Rows`];
  if (typeof parts !== 'number' || parts < 0) return null;
  let text = '';
  for (let index = 0; index < parts; index += 1) text += stringOf(row[`${field}${index}`]);
  for (let at = 0; typeof rows === 'number' && at < rows; at += 1) {
    const key = overflowKey(owner, field, at);
    const overflow = overflowRow(key);
    if (!overflow) throw new Error(`The row ${key} of a long value is missing.`);
    for (let index = 0; index < chunksPerRow; index += 1) text += stringOf(overflow[`t${index}`]);
  }
  return text;
}

const stringOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An instance id as a partition key: what a key may not hold, or what would be taken apart in URLs, is written `~hex`. */
export const toPartitionKey = (instanceId: string): string =>
  instanceId.replace(/[^A-Za-z0-9_.:@-]/gu, char => `~${Buffer.from(char, 'utf8').toString('hex')}~`);
