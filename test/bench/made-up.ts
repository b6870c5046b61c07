import type { ContenderName, RequestCost } from '../../scripts/bench/figure.js';
import type { FigureResult, Results } from '../../scripts/bench/report/results.js';

/** A run that never was. */
export function madeUpResults(more: Partial<Results> = {}): Results {
  return {
    version: 1,
    startedAt: '2026-01-31T10:00:00.000Z',
    tookSeconds: 601,
    scale: 'full',
    machine: {
      node: '20.19.0',
      platform: 'linux x64',
      cpu: 'Some CPU',
      cores: 2,
      memoryGiB: 8,
      loadAverage: 0.1,
      busy: false,
    },
    figures: [madeUpFigure()],
    failures: [],
    ...more,
  };
}

export function madeUpFigure(more: Partial<FigureResult> = {}): FigureResult {
  return {
    name: 'speed',
    tookSeconds: 12.3,
    title: 'Speed: how fast it is',
    columns: [
      { key: 'who', title: 'contender' },
      { key: 'speed', title: 'accepted', unit: '/s' },
      { key: 'errors', title: 'errors' },
    ],
    rows: [
      { who: 'ours', speed: 1234.56, errors: 0 },
      { who: 'floor', speed: 0.004567 },
    ],
    goals: [
      { text: 'fast', measured: '1,235/s', holds: true },
      { text: 'cheap | good', measured: 'neither', holds: false },
    ],
    curves: [
      {
        name: 'speed-by-size',
        title: 'Speed by size',
        x: { title: 'size', log: true },
        y: { title: 'calls a second', log: true },
        series: [
          {
            name: 'ours',
            points: [
              { x: 1, y: 10 },
              { x: 1_000, y: 500 },
            ],
          },
          {
            name: 'floor',
            points: [
              { x: 1, y: 0 },
              { x: 1_000, y: 900 },
            ],
          },
        ],
      },
    ],
    notes: ['Nobody has measured this.'],
    ...more,
  };
}

/** What one request of a contender was counted to take. */
export const madeUpCost = (
  contender: ContenderName,
  waitMs: number,
  more: Partial<RequestCost> = {},
): RequestCost => ({
  contender,
  waitMs,
  ownStorage: { 'table write': 8, 'POST queue/agent-requests/messages': 3 },
  hostStorage: { 'POST table/Hub': 30 },
  episodes: 7,
  activities: 8,
  otherFunctions: 2,
  historyEvents: 30,
  historyBytes: 9_000,
  batchCalls: 3,
  devOpsCalls: 2,
  callbackCalls: 2,
  ...more,
});
