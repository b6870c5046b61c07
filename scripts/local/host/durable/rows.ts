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

/**
 * JSON text in ASCII only. Azurite decodes a request's body piece by piece, so that a longer character on the border
 * of two pieces would be lost.
 */
const toAscii = (json: string): string =>
  json.replace(/[\u0080-\uffff]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);

function cut(text: string, size: number): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += size) parts.push(text.slice(at, at + size));
  return parts;
}

/**
 * Makes properties of a JSON text.
 *
 * @param field prefix of the property names
 * @param owner makes the keys of overflow rows: another value of the same field needs another owner
 */
export function packText(field: string, json: string | null, owner: string): Packed {
  if (json === null) return { properties: { [`${field}Parts`]: -1, [`${field}Rows`]: 0 }, overflow: [] };
  const chunks = cut(toAscii(json), chunkChars);
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
  const overflows = typeof rows === 'number' ? rows : 0;
  for (let at = 0; at < overflows; at += 1) {
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
