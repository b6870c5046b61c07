import type { Contender } from './report.js';
import { day, hour, type Trace } from './trace/trace.js';

/** Neither on white nor on black may a line get lost: nobody knows what the reader's page looks like. */
const ink = '#7d8590';
const grid = 'rgba(125, 133, 144, 0.25)';
const colours = { agents: '#2f81f7', waiting: '#d98324', spot: '#2f9e63', dedicated: '#c2527f' } as const;
/** Without quotes: the library writes it into attributes as it is. */
const font = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';
const width = 900;
const heightOfEach = 250;
const top = 66;

/** Demand, waiting and nodes along time, a band for each formula, all to the same scale. @returns SVG, the same for the same figures */
export async function plot(title: string, contenders: readonly Contender[], trace: Trace): Promise<string> {
  // Half a second of loading that a run without a plot need not wait for.
  const echarts = await import('echarts');
  const height = top + heightOfEach * contenders.length;
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  const timelines = contenders.map(({ outcome }) => outcome.timeline);
  const spans = Math.max(...timelines.map(({ waiting }) => waiting.length));
  const agentsMost = roundUp(
    Math.max(
      ...timelines.flatMap(line => line.waiting.map((waiting, span) => waiting + (line.running[span] ?? 0))),
    ),
  );
  const nodesMost = roundUp(
    Math.max(...timelines.flatMap(line => line.spot.map((spot, span) => spot + (line.dedicated[span] ?? 0)))),
  );
  const isLong = trace.lasts > 2 * day;
  try {
    chart.setOption({
      animation: false,
      backgroundColor: 'transparent',
      textStyle: { fontFamily: font, color: ink },
      title: [
        heading(title, 16, 10, 16),
        ...contenders.map(({ formula }, index) => heading(formula, 120, top + heightOfEach * index - 8, 13)),
      ],
      legend: {
        top: 34,
        left: 60,
        textStyle: { color: ink, fontSize: 13 },
        itemWidth: 18,
        itemGap: 22,
        data: [
          'agents running',
          'agents waiting',
          'Spot nodes',
          ...(timelines.some(({ dedicated }) => dedicated.some(nodes => nodes > 0))
            ? ['dedicated nodes']
            : []),
        ],
      },
      grid: contenders.map((_, index) => ({
        left: 60,
        right: 60,
        top: top + heightOfEach * index + 22,
        height: heightOfEach - 62,
      })),
      xAxis: contenders.map((_, index) => ({
        type: 'value' as const,
        gridIndex: index,
        min: 0,
        max: spans,
        interval: (isLong ? Math.ceil(trace.lasts / day / 12) * day : 3 * hour) / (timelines[0]?.spanMs ?? 1),
        axisLine: { lineStyle: { color: ink } },
        splitLine: { show: false },
        axisLabel: {
          color: ink,
          fontSize: 12,
          formatter: (span: number) => label(trace, span * (timelines[0]?.spanMs ?? 1), isLong),
        },
      })),
      yAxis: contenders.flatMap((_, index) => [
        scale(index, 'agents', agentsMost, true),
        scale(index, 'nodes', nodesMost, false),
      ]),
      series: timelines.flatMap((line, index) => [
        area('agents running', line.running, index, colours.agents),
        area('agents waiting', line.waiting, index, colours.waiting),
        steps('Spot nodes', line.spot, index, colours.spot),
        steps('dedicated nodes', line.dedicated, index, colours.dedicated),
      ]),
    });
    return stable(chart.renderToSVGString());
  } finally {
    chart.dispose();
  }
}

const heading = (text: string, left: number, at: number, fontSize: number) => ({
  text,
  left,
  top: at,
  textStyle: { color: ink, fontSize, fontWeight: 600 as const, fontFamily: font },
});

const scale = (gridIndex: number, name: string, max: number, first: boolean) => ({
  type: 'value' as const,
  gridIndex,
  name,
  nameTextStyle: { color: ink, fontSize: 12 },
  max,
  interval: max / 4,
  position: first ? ('left' as const) : ('right' as const),
  axisLine: { show: true, lineStyle: { color: ink } },
  splitLine: { show: first, lineStyle: { color: grid } },
  axisLabel: { color: ink, fontSize: 12 },
});

const points = (values: readonly number[]) => values.map((value, span) => [span, value ?? 0]);

const area = (name: string, values: readonly number[], index: number, color: string) => ({
  type: 'line' as const,
  name,
  stack: `agents ${index}`,
  xAxisIndex: index,
  yAxisIndex: 2 * index,
  symbol: 'none' as const,
  color,
  lineStyle: { width: 0 },
  areaStyle: { color, opacity: 0.55 },
  data: points(values),
});

const steps = (name: string, values: readonly number[], index: number, color: string) => ({
  type: 'line' as const,
  name,
  step: 'end' as const,
  xAxisIndex: index,
  yAxisIndex: 2 * index + 1,
  symbol: 'none' as const,
  color,
  lineStyle: { width: 2.2 },
  data: values.some(value => value > 0) ? points(values) : [],
});

/** To a number that has four even steps. */
function roundUp(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  const tops = [0.4, 0.8, 1, 1.2, 1.6, 2, 4, 6, 8, 10].map(step => step * Math.max(size, 4));
  return tops.find(step => step >= value && Number.isInteger(step / 4)) ?? Math.ceil(value / 4) * 4;
}

function label({ startsAt }: Trace, at: number, isLong: boolean): string {
  const moment = new Date(startsAt + at).toISOString();
  return isLong ? moment.slice(5, 10) : moment.slice(11, 16);
}

/** The library numbers all charts of a process on, in names of ids and classes: here they begin anew with each. */
function stable(svg: string): string {
  const names = new Map<string, string>();
  return svg.replaceAll(/\bzr\d+-([a-z]+-?)\d+/g, (name, kind: string) => {
    const known = names.get(name) ?? `autoscale-${kind}${names.size}`;
    names.set(name, known);
    return known;
  });
}
