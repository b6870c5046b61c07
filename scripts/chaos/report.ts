import Table from 'cli-table3';
import pc from 'picocolors';
import type { ChaosResult } from './run.js';

/** Findings that are shown; the rest is counted. */
const shownAtMost = 30;
const style = { head: [], border: [] };

/** The counts of a run, as a table. */
export function countsTable({ evidence, preempted, findings, redriven, purged }: ChaosResult): string {
  const { asked, rows, kills, forgotten, runs, deadLetters, bites } = evidence;
  const table = new Table({ head: ['what', 'how many'].map(name => pc.bold(name)), style });
  const section = (title: string, counts: ReadonlyMap<string, number>): void => {
    for (const [name, count] of [...counts].toSorted(([one], [other]) => one.localeCompare(other)))
      table.push([`${title}: ${name}`, count]);
  };
  section('asked', countOf(asked.map(({ kind }) => kind)));
  section('ended', countOf(rows.map(({ state }) => state)));
  section('failed with', countOf(rows.flatMap(({ failureCode }) => failureCode ?? [])));
  section('killed', countOf(kills.map(({ part }) => part)));
  section('fault', countOf(bites.map(({ part, rule }) => `${part} ${rule}`)));
  if (forgotten.length > 0) table.push(['Durable state deleted', forgotten.length]);
  if (preempted > 0) table.push(['fault: node preempted', preempted]);
  const all = (rule: string): number => findings.get(rule)?.length ?? 0;
  table.push(
    ['requests', rows.length],
    ['begun again as a next generation', rows.filter(({ generation }) => generation > 1).length],
    ['callers who gave up', asked.filter(({ gaveUp }) => gaveUp !== undefined).length],
    ['pipeline runs', runs.length],
    ['runs whose job had no agent in the end', runs.filter(({ abandoned }) => abandoned).length],
    ['dead letters', deadLetters.length],
    ['redriven', redriven],
    ['purged', purged],
    [pc.bold('lost or doubled'), all('lost or doubled')],
    [pc.bold('left over'), all('left over')],
    [pc.bold('findings in all'), [...findings.values()].flat().length],
  );
  return table.toString();
}

/** What should not be, by rule; nothing when all is well. */
export function findingLines(findings: ChaosResult['findings']): readonly string[] {
  const lines = [...findings].flatMap(([rule, sentences]) =>
    sentences.map(sentence => `${pc.dim(`[${rule}]`)} ${sentence}`),
  );
  return lines.length <= shownAtMost
    ? lines
    : [...lines.slice(0, shownAtMost), `… and ${lines.length - shownAtMost} more.`];
}

function countOf(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
