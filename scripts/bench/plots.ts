import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { showCell } from './report/cell.js';
import type { Curve, Results } from './report/results.js';

/** Neither on white nor on black may a line get lost: nobody knows what the reader's page looks like. */
const ink = '#7d8590';
const grid = 'rgba(125, 133, 144, 0.25)';
/** By name, so that a contender looks the same in all plots. */
const looks: Readonly<Record<string, Look>> = {
  ours: { color: '#2f81f7', symbol: 'circle' },
  article: { color: '#d98324', symbol: 'rect' },
  monitor: { color: '#c2527f', symbol: 'triangle' },
  floor: { color: '#8a929c', symbol: 'diamond' },
};
const others: readonly Look[] = [
  { color: '#2f9e63', symbol: 'circle' },
  { color: '#9067d6', symbol: 'rect' },
  { color: '#b58b00', symbol: 'triangle' },
  { color: '#1f9bb0', symbol: 'diamond' },
];
interface Look {
  readonly color: string;
  readonly symbol: string;
}
/** Without quotes: the library writes it into attributes as it is. */
const font = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';
const size = { width: 760, height: 400 };

/** Writes a plot of each curve as `bench-NAME.svg`. @returns the files */
export async function writePlots(
  results: Pick<Results, 'figures'>,
  folder: string,
): Promise<readonly string[]> {
  const curves = results.figures.flatMap(figure => figure.curves ?? []);
  if (curves.length === 0) return [];
  await mkdir(folder, { recursive: true });
  return Promise.all(
    curves.map(async curve => {
      const file = join(folder, `bench-${curve.name}.svg`);
      await writeFile(file, await plot(curve));
      return file;
    }),
  );
}

/** A plot as SVG text; the same for the same curve. */
async function plot(curve: Curve): Promise<string> {
  // Half a second of loading that a run without plots need not wait for.
  const echarts = await import('echarts');
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  try {
    chart.setOption({
      animation: false,
      backgroundColor: 'transparent',
      textStyle: { fontFamily: font, color: ink },
      title: {
        text: curve.title,
        left: 16,
        top: 10,
        textStyle: { color: ink, fontSize: 16, fontWeight: 600, fontFamily: font },
      },
      legend: { bottom: 6, textStyle: { color: ink, fontSize: 13 }, itemWidth: 22, itemGap: 22 },
      grid: { left: 90, right: 52, top: 56, bottom: 92 },
      xAxis: { ...axis(curve.x, 34), ...fromFirst(curve) },
      yAxis: axis(curve.y, 66),
      series: curve.series.map(({ name, points }, index) => ({
        type: 'line' as const,
        name,
        ...(looks[name] ?? others[index % others.length]),
        symbolSize: 8,
        lineStyle: { width: 2.5 },
        data: points.map(({ x, y }) => [x, y]),
      })),
    });
    return stable(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

function axis({ title, log }: Curve['x'], nameGap: number) {
  const common = {
    name: title,
    nameLocation: 'middle' as const,
    nameGap,
    nameTextStyle: { color: ink, fontSize: 13 },
    axisLine: { show: true, lineStyle: { color: ink } },
    axisTick: { lineStyle: { color: ink } },
    splitLine: { lineStyle: { color: grid } },
    axisLabel: { color: ink, fontSize: 12, formatter: (value: number) => showCell(value) },
  };
  return log ? { type: 'log' as const, ...common } : { type: 'value' as const, ...common };
}

/** By itself, a logarithmic axis that begins at a power of ten begins at the one before. */
function fromFirst({ x, series }: Curve): { readonly min?: number } {
  const first = Math.min(
    ...series.flatMap(({ points }) => points.map(point => point.x)).filter(at => at > 0),
  );
  return x.log && Number.isFinite(first) ? { min: 10 ** Math.floor(Math.log10(first)) } : {};
}

/** The library numbers all charts of a process on, in names of ids and classes: here they begin anew with each. */
function stable(svg: string): string {
  const names = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-([a-z]+-?)\d+/g, (name, kind: string) => {
    const known = names.get(name) ?? `bench-${kind}${names.size}`;
    names.set(name, known);
    return known;
  });
}
