import pc from 'picocolors';
import { machineLine } from '../machine.js';
import { goalsOf, type Results } from './results.js';
import { figureTable, goalsTable, wrap } from './table.js';

/** All of a run as a person reads it in a terminal. */
export function printResults(results: Results): string {
  const { machine, failures } = results;
  const lines: string[] = [
    pc.bold(`Measured ${results.startedAt.slice(0, 16).replace('T', ' ')} UTC in ${results.tookSeconds} s`),
    machineLine(machine),
  ];
  if (machine.busy) {
    lines.push(
      pc.yellow(wrap('The machine was busy with other things: counts and ratios hold, times do not.', '')),
    );
  }
  if (results.scale !== 'full') {
    lines.push(pc.yellow(`Scale ${results.scale}: too little was measured to be shown to others.`));
  }
  for (const figure of results.figures) {
    lines.push('', `${pc.bold(figure.title)} ${pc.dim(`(${figure.name})`)}`, figureTable(figure));
    for (const note of figure.notes ?? []) lines.push(pc.dim(wrap(`· ${note}`)));
  }
  const goals = goalsOf(results);
  if (goals.length > 0) {
    const missed = goals.filter(({ holds }) => !holds).length;
    lines.push('', pc.bold('Goals'), goalsTable(results));
    lines.push(
      missed === 0 ? pc.green('All goals hold.') : pc.red(`${missed} of ${goals.length} goals do not hold.`),
    );
  }
  if (failures.length > 0) {
    lines.push('', pc.red('Could not be measured:'));
    for (const { figure, message } of failures) lines.push(wrap(`  ${figure}: ${message}`, '    '));
  }
  return lines.join('\n');
}
