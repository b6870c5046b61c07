import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { showCell } from './report/cell.js';
import type { Curve, Results } from './report/results.js';

/** Neither on white nor on black may a line get lost: nobody knows what the reader's page looks like. */
const ink = '#7d8590';
const grid = 'rgba(125, 133, 144, 0.25)';
/** By name, so that a contender has one colour in all plots. */
const colours: Readonly<Record<string, string>> = {
  ours: '#2f81f7',
  article: '#d98324',
  monitor: '#c2527f',
  floor: '#8a929c',
};
const others = ['#2f9e63', '#9067d6', '#b58b00', '#1f9bb0'];
const symbols = ['circle', 'rect', 'triangle', 'diamond'];
const font = 'system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif';
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
export async function plot(curve: Curve): Promise<string> {
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
      legend: { bottom: 6, textStyle: { color: ink, fontSize: 13 }, itemWidth: 22 },
      grid: { left: 90, right: 32, top: 56, bottom: 92 },
      xAxis: axis(curve.x, 34),
      yAxis: axis(curve.y, 66),
      series: curve.series.map(({ name, points }, index) => ({
        type: 'line' as const,
        name,
        color: colours[name] ?? others[index % others.length] ?? ink,
        symbol: symbols[index % symbols.length] ?? 'circle',
        symbolSize: 8,
        lineStyle: { width: 2.5 },
        data: points.filter(point => isShown(curve, point)).map(({ x, y }) => [x, y]),
      })),
    });
    return stable(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

/** There is no place for nothing on a logarithmic axis. */
const isShown = ({ x, y }: Curve, point: { readonly x: number; readonly y: number }): boolean =>
  (!x.log || point.x > 0) && (!y.log || point.y > 0);

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

/** The library numbers its charts as it makes them; as a part of ids and classes that would change with each run. */
const stable = (svg: string): string => svg.replaceAll(/\bzr\d+-/g, 'bench-');
