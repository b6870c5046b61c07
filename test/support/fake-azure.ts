import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as z from 'zod';
import { waitFor } from './wait-for.js';

/** How a fake answers when its arguments, joined by blanks, match. */
export interface Answer {
  /** A regular expression. */
  readonly match: string;
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
  /** Stays until it is told to end. */
  readonly hangs?: boolean;
}

const Call = z.object({
  tool: z.string(),
  args: z.array(z.string()),
  /** What was in the file that an argument named, and who could read it. */
  files: z.array(z.object({ path: z.string(), text: z.string(), mode: z.number() })),
});
export type Call = z.infer<typeof Call>;

/** Writes down how it was called and what was in the files that it was given, and answers from a list; else it fails. */
const program = `#!${process.execPath}
const { appendFileSync, readFileSync, statSync } = require('node:fs');
const { basename, dirname, join } = require('node:path');
const folder = dirname(__filename);
const args = process.argv.slice(2);
const paths = args.flatMap((arg, i) => (arg[0] === '@' ? arg.slice(1) : args[i - 1] === '--file' ? arg : []));
const files = paths.map(path => ({ path, text: readFileSync(path, 'utf8'), mode: statSync(path).mode & 0o777 }));
appendFileSync(join(folder, 'calls'), JSON.stringify({ tool: basename(__filename), args, files }) + '\\n');
const answers = JSON.parse(readFileSync(join(folder, 'answers'), 'utf8'));
const answer = answers.find(({ match }) => new RegExp(match).test([basename(__filename), ...args].join(' ')));
process.stdout.write(answer?.stdout ?? '');
process.stderr.write(answer?.stderr ?? '');
if (answer?.hangs) setInterval(() => {}, 1000);
else process.exitCode = answer ? (answer.exitCode ?? 0) : 1;
`;

/** The command lines of Azure, as nobody has installed them here. */
export class FakeAzure {
  private constructor(private readonly folder: string) {}

  static async make(folder: string, tools: readonly ('az' | 'azd')[] = ['az', 'azd']): Promise<FakeAzure> {
    await mkdir(folder, { recursive: true });
    for (const tool of tools) {
      await writeFile(join(folder, tool), program);
      await chmod(join(folder, tool), 0o755);
    }
    const fake = new FakeAzure(folder);
    await fake.answer([]);
    return fake;
  }

  /** A PATH on which they are found first. */
  get path(): string {
    return `${this.folder}${delimiter}${process.env['PATH'] ?? ''}`;
  }

  /** Forgets how it was called, and answers so from now on; the first that matches. */
  async answer(answers: readonly Answer[]): Promise<void> {
    await writeFile(join(this.folder, 'answers'), JSON.stringify(answers));
    await writeFile(join(this.folder, 'calls'), '');
  }

  async calls(): Promise<readonly Call[]> {
    const lines = (await readFile(join(this.folder, 'calls'), 'utf8')).split('\n').filter(Boolean);
    return lines.map(line => Call.parse(JSON.parse(line)));
  }

  /** The calls as they would be typed. */
  async typed(): Promise<readonly string[]> {
    return (await this.calls()).map(({ tool, args }) => [tool, ...args].join(' '));
  }

  async called(pattern: RegExp): Promise<Call> {
    return waitFor(`${String(pattern)} to be called`, async () =>
      (await this.calls()).find(({ tool, args }) => pattern.test([tool, ...args].join(' '))),
    );
  }
}
