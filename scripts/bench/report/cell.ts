/** Three digits tell all that a measurement knows; a count is shown whole. */
const counted = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const measured = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });

/** As people read it: `1,234`, `12.3`, `0.0036`; nothing: `–`. */
export function showCell(cell: string | number | undefined): string {
  if (cell === undefined || cell === '') return '–';
  if (typeof cell === 'string') return cell;
  return Number.isInteger(cell) || Math.abs(cell) >= 100 ? counted.format(cell) : measured.format(cell);
}

export const headOf = ({
  title,
  unit,
}: {
  readonly title: string;
  readonly unit?: string | undefined;
}): string => (unit ? `${title} (${unit})` : title);
