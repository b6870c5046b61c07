import type { Command } from 'commander';
import { exitCodes } from '../command-error.js';
import { addExamples } from '../options.js';
import { printJson, printStyled } from '../output.js';
import { namedApp, wantsJson } from '../session.js';

export function addDoctor(parent: Command): void {
  const command = parent
    .command('doctor')
    .description('Tries every setting, permission and connection, and says how to mend what is wrong.');
  addExamples(
    command,
    ['$0 doctor', '$0 doctor --url https://my-app.azurewebsites.net', '$0 doctor --json'],
    `It begins with the command line itself: the address, the key, and whether the app
answers. Then the app tries what it needs. The exit code is 5 when a check failed;
warnings do not count.`,
  );
  command.action(async () => {
    const { examine } = await import('./examine.js');
    const report = await examine(namedApp(command), process.env);
    if (wantsJson(command)) printJson(report);
    else printStyled((await import('./report.js')).describe(report));
    if (!report.ok) process.exitCode = exitCodes.unhealthy;
  });
}
