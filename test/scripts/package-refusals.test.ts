import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { findPackages } from '../../scripts/package/bundled-packages.js';
import { licenceProblem, licenceSection } from '../../scripts/package/licences.js';
import { refuseLarge } from '../../scripts/package/make-package.js';

const lock = {
  packages: {
    '': { dependencies: { ships: '1.0.0' }, devDependencies: { tool: '1.0.0', page: '1.0.0' } },
    'node_modules/ships': { version: '1.0.0', license: 'MIT', dependencies: { deep: '^1.0.0' } },
    'node_modules/ships/node_modules/deep': { version: '1.5.0', license: 'ISC' },
    'node_modules/deep': { version: '2.0.0', license: 'ISC' },
    'node_modules/tool': { version: '1.0.0', license: 'MIT', dev: true },
    'node_modules/page': { version: '1.0.0', license: 'MIT', dev: true },
  },
};

const finding = suite('whose code is in the app');

finding('each package once, with those that it gets when it asks', () => {
  const { packages, direct } = findPackages(
    {
      inputs: [
        'functions/index.ts',
        'shared/x.ts',
        '<stdin>',
        'put-off:axios',
        'node_modules/ships/index.js',
        'node_modules/ships/node_modules/deep/index.js',
        'node_modules/ships/node_modules/deep/other.js',
        'node_modules/deep/index.js',
      ],
      pageInputs: ['shared/dashboard/page/main.tsx', 'node_modules/page/index.js'],
    },
    lock,
  );
  assert.equal(
    packages.map(({ name, version, dependencies }) => [`${name}@${version}`, ...dependencies]),
    [['deep@1.5.0'], ['deep@2.0.0'], ['page@1.0.0'], ['ships@1.0.0', 'deep@1.5.0']],
  );
  assert.equal(direct.toSorted(), ['page@1.0.0', 'ships@1.0.0']);
});

finding('all that does not belong there is named at once', () => {
  assert.throws(
    () =>
      findPackages(
        {
          inputs: [
            'scripts/local/clock.ts',
            'test/support/junk.ts',
            'node_modules/tool/index.js',
            'node_modules/unknown/index.js',
            'node_modules/ships/index.js',
          ],
          pageInputs: [],
        },
        lock,
      ),
    (error: Error) => {
      assert.equal(error.message.split('\n').slice(1), [
        'node_modules/tool is only for development.',
        'node_modules/unknown is not in package-lock.json.',
        'scripts/local/clock.ts is no source of the app.',
        'test/support/junk.ts is no source of the app.',
      ]);
      return true;
    },
  );
});

finding.run();

const licences = suite('licences');

const table: readonly (readonly [license: string | undefined, refused: RegExp | undefined])[] = [
  ['MIT', undefined],
  ['Apache-2.0', undefined],
  ['(MIT OR GPL-3.0-only)', undefined],
  ['MIT AND ISC', undefined],
  ['MIT AND GPL-3.0-only', /x@1\.0\.0 has the licence MIT AND GPL-3\.0-only/],
  ['(MIT OR ISC) AND GPL-2.0-only', /has the licence/],
  ['GPL-3.0-only', /has the licence GPL-3\.0-only/],
  ['SEE LICENSE IN LICENSE.md', /has the licence SEE/],
  ['UNLICENSED', /has the licence UNLICENSED/],
  ['toString', /has the licence/],
  ['', /declares no licence/],
  [undefined, /x@1\.0\.0 declares no licence/],
];
for (const [license, refused] of table) {
  licences(`${license ?? 'none'} ${refused ? 'is refused' : 'may ship'}`, () => {
    const problem = licenceProblem({ name: 'x', version: '1.0.0', license });
    if (refused) assert.match(problem ?? '', refused);
    else assert.is(problem, undefined);
  });
}

const mit = 'Copyright (c) Somebody\n\nPermission is hereby granted, free of charge';
licences('are found in a README, up to its next heading', () => {
  assert.is(licenceSection(`# x\n\n## License\n\n${mit}\n\n## Thanks\n\nto all`), mit);
  assert.is(licenceSection(`x\n=\n\nLicense\n-------\n\n${mit}\n\nThanks\n------\n\nto all`), mit);
  assert.is(licenceSection(`# x\n\n## LICENSE\n\n${mit}\n`), mit);
});
licences('a word in a README is no text of one', () => {
  for (const text of ['# x\n\n## License\n\nMIT\n', '# x\n\nSee LICENSE.\n', '']) {
    assert.is(licenceSection(text), undefined);
  }
});

licences.run();

const size = suite('the size');

size('is refused when it is too large, with the largest files', () => {
  const files = [1, 7, 3, 5, 2, 6, 4].map(n => ({ path: `${n}.js`, bytes: n * 1e6 }));
  refuseLarge(10, files, 10);
  assert.throws(
    () => refuseLarge(5_400_000, files),
    (error: Error) => {
      assert.match(error.message, 'The package has 5.40 MB, and may have 5.00 MB.');
      assert.equal(
        [...error.message.matchAll(/(\d)\.js/g)].map(([, n]) => n),
        ['7', '6', '5', '4', '3'],
      );
      return true;
    },
  );
});

size.run();
