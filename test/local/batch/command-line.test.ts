import { suite } from 'uvu';
import * as assert from 'uvu/assert';

import { splitCommandLine } from '../../../scripts/local/batch/command-line.js';

const commandLines = suite('command lines');
for (const [text, words] of [
  ['', []],
  ['  a  b ', ['a', 'b']],
  ['/bin/sh -c "echo a; exit 3"', ['/bin/sh', '-c', 'echo a; exit 3']],
  ['sh -c \'echo "$HOME"\'', ['sh', '-c', 'echo "$HOME"']],
  [String.raw`cmd /c C:\tools\run.exe`, ['cmd', '/c', String.raw`C:\tools\run.exe`]],
  [String.raw`say "a \"quoted\" word" ""`, ['say', 'a "quoted" word', '']],
  ['a"b c"d', ['ab cd']],
] as const) {
  commandLines(`${text} → ${JSON.stringify(words)}`, () => {
    assert.equal(splitCommandLine(text), [...words]);
  });
}

commandLines.run();
