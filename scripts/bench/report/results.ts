import * as z from 'zod';
import { Machine } from '../machine.js';

const Cell = z.union([z.string(), z.number()]).optional();
const Axis = z.object({ title: z.string(), log: z.boolean().optional() });
const Counts = z.record(z.string(), z.number());

const Cost = z.object({
  contender: z.enum(['ours', 'article', 'monitor', 'floor']),
  waitMs: z.number(),
  ownStorage: Counts,
  hostStorage: Counts,
  episodes: z.number(),
  activities: z.number(),
  otherFunctions: z.number(),
  historyEvents: z.number(),
  historyBytes: z.number(),
  batchCalls: z.number(),
  devOpsCalls: z.number(),
  callbackCalls: z.number(),
});

const FigureResult = z.object({
  name: z.string(),
  tookSeconds: z.number(),
  title: z.string(),
  columns: z.array(z.object({ key: z.string(), title: z.string(), unit: z.string().optional() })).readonly(),
  rows: z.array(z.record(z.string(), Cell)).readonly(),
  goals: z
    .array(z.object({ text: z.string(), measured: z.string(), holds: z.boolean() }))
    .readonly()
    .optional(),
  curves: z
    .array(
      z.object({
        name: z.string(),
        title: z.string(),
        x: Axis,
        y: Axis,
        series: z
          .array(
            z.object({
              name: z.string(),
              points: z.array(z.object({ x: z.number(), y: z.number() })).readonly(),
            }),
          )
          .readonly(),
      }),
    )
    .readonly()
    .optional(),
  notes: z.array(z.string()).readonly().optional(),
  costs: z.array(Cost).readonly().optional(),
  watchRound: z
    .object({
      ownStorage: Counts,
      episodes: z.number(),
      activities: z.number(),
      batchCalls: z.number(),
      devOpsCalls: z.number(),
    })
    .optional(),
});

/** What a run of the bench leaves: the file under bench-results, and what `--json` prints. */
export const Results = z.object({
  version: z.literal(1),
  startedAt: z.iso.datetime(),
  tookSeconds: z.number(),
  scale: z.enum(['full', 'quick', 'tiny']),
  machine: Machine,
  figures: z.array(FigureResult),
  /** Figures that could not be measured, and why. */
  failures: z.array(z.object({ figure: z.string(), message: z.string() })),
});

type Loose<T> = T extends readonly (infer E)[]
  ? readonly Loose<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Loose<T[K]> }
    : T;
export type Results = Loose<z.infer<typeof Results>>;
export type FigureResult = Results['figures'][number];
export type Goal = NonNullable<FigureResult['goals']>[number];
export type Curve = NonNullable<FigureResult['curves']>[number];

export const goalsOf = ({ figures }: Pick<Results, 'figures'>): readonly (Goal & { figure: string })[] =>
  figures.flatMap(({ name, goals = [] }) => goals.map(goal => ({ figure: name, ...goal })));
