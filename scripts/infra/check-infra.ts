import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BicepSession } from './compiler/bicep-session.js';
import { bicepVersion, type NoCompiler } from './compiler/find-compiler.js';
import { diagramFile, drawDiagram } from './diagram/draw.js';
import { differences } from './difference.js';
import { changedSince, digestFile, digests } from './digests.js';
import { judge, subjectOf } from './judge.js';
import { notChecked, type Outcome, outcomeOf, type Report } from './outcome.js';
import { defaultProblems, sampleProblems } from './parameters.js';
import { comparePrediction } from './prediction.js';
import { describeProblem, type Subject } from './rules/rule.js';
import { pictured, type Sample, samples } from './samples.js';
import { type Compiled, compileAll, compiledFile, mainFile, unformatted } from './sources.js';
import { TemplateError } from './template/deploy.js';
import { type JsonObject, jsonObject } from './template/json.js';
import { moduleFiles } from './template/module-files.js';

export interface InfraCheck {
  /** The folder that `infra` is in. */
  readonly root: string;
  readonly compiler: () => Promise<{ readonly kind: 'open'; readonly session: BicepSession } | NoCompiler>;
  /** Writes what can be made: format, compiled template, diagram. */
  readonly write: boolean;
  readonly report: Report;
}

/** Checks the infrastructure, all of it even when some is wrong. */
export async function checkInfra(check: InfraCheck): Promise<void> {
  const { root, report } = check;
  const opened = await step(check, `Bicep compiler ${bicepVersion}`, async () => {
    const result = await check.compiler();
    return { outcome: result.kind === 'none' ? withoutCompiler(result) : outcomeOf([]), result };
  });
  const bicep = opened?.kind === 'open' ? opened.session : undefined;
  const compiled = bicep && (await checkSources(check, bicep));
  const committed = await readFile(join(root, compiledFile), 'utf8').catch(() => undefined);
  // What will be committed next; where that is not known, what is.
  const text = compiled?.template ?? committed;
  const name = compiled?.template === undefined ? compiledFile : mainFile;
  if (text === undefined) {
    report(
      `what ${name} deploys`,
      outcomeOf([`${compiledFile} is missing: run \`npm run infra:check -- --write\`.`]),
      0,
    );
    return;
  }
  if (!bicep) await checkAge(check);
  const subjects = await evaluateSamples(check, name, text, [...samples, ...(compiled?.samples ?? [])]);
  // Where something is wrong already, it would only be told twice.
  if (bicep && compiled?.problems.length === 0 && subjects) await checkPredictions(check, bicep, subjects);
  for (const { rule, problems } of subjects ? judge(subjects) : []) {
    const lines = problems.map(describeProblem);
    report(rule.name, outcomeOf(lines.length > 0 ? [...lines, `Why: ${rule.why}.`] : []), 0);
  }
  if (subjects) await checkDiagram(check, text);
}

/** Does one step, and tells how it ended. */
async function step<T>(
  { report }: InfraCheck,
  name: string,
  work: () => Promise<{ readonly outcome: Outcome; readonly result: T }>,
): Promise<T | undefined> {
  const started = performance.now();
  const { outcome, result } = await work().catch((error: unknown) => ({
    outcome: outcomeOf([error instanceof Error ? error.message : String(error)]),
    result: undefined,
  }));
  report(name, outcome, performance.now() - started);
  return result;
}

const withoutCompiler = ({ why, remedy }: NoCompiler): Outcome =>
  notChecked(
    `${why}. So the Bicep was neither compiled nor linted; all that follows is said of ${compiledFile}.`,
    remedy,
  );

async function checkSources(check: InfraCheck, bicep: BicepSession): Promise<Compiled | undefined> {
  const { root, write } = check;
  const compiled = await step(check, 'Bicep: compiles, without a warning', async () => {
    const result = await compileAll(root, bicep);
    return { outcome: outcomeOf(result.problems), result };
  });
  if (!compiled) return undefined;
  await step(check, 'Bicep: formatted', async () => {
    const wrong = await unformatted(root, compiled.files, bicep);
    for (const [file, text] of write ? wrong : []) await writeFile(join(root, file), text);
    const lines = write
      ? []
      : [...wrong.keys()].map(file => `${file} is not formatted: run \`npm run infra:check -- --write\`.`);
    return { outcome: outcomeOf(lines), result: undefined };
  });
  await step(check, `${compiledFile} is what ${mainFile} compiles to`, async () => {
    const { template } = compiled;
    if (template === undefined)
      return { outcome: notChecked(`${mainFile} does not compile`), result: undefined };
    const committed = await readFile(join(root, compiledFile), 'utf8').catch(() => undefined);
    const outcome = await sameOrWritten(check, compiledFile, template, `what ${mainFile} compiles to`);
    const lines = outcome.status === 'failed' && committed ? changes(root, committed, template) : [];
    return { outcome: { ...outcome, lines: [...outcome.lines, ...lines] }, result: undefined };
  });
  await step(check, `${digestFile} tells what it was compiled from`, async () => {
    if (compiled.template === undefined)
      return { outcome: notChecked(`${mainFile} does not compile`), result: undefined };
    const wanted = await digests(root, compiled.parts, { file: compiledFile, text: compiled.template });
    return { outcome: await sameOrWritten(check, digestFile, wanted, 'up to date'), result: undefined };
  });
  return compiled;
}

/** What differs, by name: not what somebody has broken by hand, which is no JSON. */
function changes(root: string, committed: string, compiled: string): readonly string[] {
  try {
    const [before, now] = [templateIn(compiledFile, committed), templateIn(mainFile, compiled)];
    return differences(before, now, moduleFiles(root, mainFile), compiledFile);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

async function sameOrWritten(
  { root, write }: InfraCheck,
  file: string,
  wanted: string,
  what: string,
): Promise<Outcome> {
  const path = join(root, file);
  const there = await readFile(path, 'utf8').catch(() => undefined);
  if (there === wanted) return outcomeOf([]);
  if (write) {
    await writeFile(path, wanted);
    return outcomeOf([]);
  }
  const is = there === undefined ? 'is missing' : `is not ${what}`;
  return outcomeOf([`${file} ${is}: run \`npm run infra:check -- --write\`.`]);
}

function evaluateSamples(
  check: InfraCheck,
  name: string,
  text: string,
  tried: readonly Sample[],
): Promise<readonly Subject[] | undefined> {
  return step(check, `${name} can be deployed with ${tried.length} sets of parameters`, async () => {
    const template = templateIn(name, text);
    const files = moduleFiles(check.root, mainFile);
    const result: Subject[] = [];
    const problems = [...defaultProblems(template, mainFile)];
    for (const sample of tried) {
      const refused = sampleProblems(template, sample);
      problems.push(...refused);
      if (refused.length > 0) continue;
      try {
        result.push(subjectOf(template, files, sample));
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        problems.push(`${error.message} (with ${sample.name})`);
      }
    }
    // Of none, no rule would find anything.
    return { outcome: outcomeOf(problems), result: result.length > 0 ? result : undefined };
  });
}

/** @throws Error that names the file, where it is no template. */
function templateIn(name: string, text: string): JsonObject {
  try {
    return jsonObject.parse(JSON.parse(text));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`${name} is no JSON object: ${why}`, { cause: error });
  }
}

/** Without a compiler, whether the compiled template is what the compiler wrote, of files that have not changed. */
async function checkAge(check: InfraCheck): Promise<void> {
  await step(check, `${compiledFile} is as new as the Bicep (${digestFile})`, async () => {
    const newer = await changedSince(check.root, compiledFile);
    const remedy = 'Run `npm run infra:check -- --write` where there is a compiler.';
    return { outcome: outcomeOf(newer.length > 0 ? [...newer, remedy] : []), result: undefined };
  });
}

async function checkPredictions(
  check: InfraCheck,
  bicep: BicepSession,
  subjects: readonly Subject[],
): Promise<void> {
  await step(check, 'the compiler predicts the same resources', async () => {
    const problems: string[] = [];
    for (const sample of samples) {
      const subject = subjects.find(({ name }) => name === sample.name);
      if (subject) problems.push(...(await comparePrediction(check.root, bicep, sample, subject)));
    }
    return { outcome: outcomeOf(problems), result: undefined };
  });
}

async function checkDiagram(check: InfraCheck, text: string): Promise<void> {
  await step(check, `${diagramFile} shows what is deployed`, async () => {
    const subject = subjectOf(
      jsonObject.parse(JSON.parse(text)),
      moduleFiles(check.root, mainFile),
      pictured,
    );
    const outcome = await sameOrWritten(
      check,
      diagramFile,
      await drawDiagram(subject),
      'drawn from this template',
    );
    return { outcome, result: undefined };
  });
}
