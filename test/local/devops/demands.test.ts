import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { capabilitiesOf, offerOf, parseDemand, satisfies } from '../../../scripts/local/devops/demands.js';

const meets = (capabilities: Readonly<Record<string, string>>, demands: readonly string[]): boolean =>
  satisfies(offerOf(capabilities), demands.map(parseDemand));

const demands = suite('demands');

const capabilities = {
  'Agent.Name': 'eph-1',
  'Agent.OS': 'Linux',
  'Agent.Version': '4.255.0',
  JAVA_HOME: '/opt/java 21',
};

const table: ReadonlyArray<readonly [demand: string, met: boolean]> = [
  ['JAVA_HOME', true],
  ['java_home', true],
  ['MAVEN_HOME', false],
  ['Agent.OS -equals Linux', true],
  ['agent.os -EQUALS linux', true],
  ['Agent.OS -equals Windows_NT', false],
  ['JAVA_HOME -equals /opt/java 21', true],
  ['JAVA_HOME -equals /opt/java', false],
  ['Agent.Version -gtVersion 2.163.1', true],
  ['Agent.Version -gtVersion 4.255.0', true],
  ['Agent.Version -gtVersion 4.255.1', false],
  ['Agent.Version -gtVersion 10.0', false],
  ['Agent.OS -gtVersion 1.0', false],
];

for (const [demand, met] of table) {
  demands(`"${demand}" is ${met ? 'met' : 'not met'}`, () => {
    assert.is(meets(capabilities, [demand]), met);
  });
}

demands('no demands are always met, and all of several must be', () => {
  assert.is(meets({}, []), true);
  assert.is(meets(capabilities, ['JAVA_HOME', 'Agent.OS -equals Linux']), true);
  assert.is(meets(capabilities, ['JAVA_HOME', 'Agent.OS -equals Darwin']), false);
});

demands('what is not a demand is said with its text', () => {
  for (const text of ['', '-equals x', 'NAME -equals', 'NAME -like x', 'NAME =x']) {
    assert.throws(() => parseDemand(text), new RegExp(`"${text}" is not a demand`));
  }
});

demands('a placeholder meets the version demand by its registration alone', () => {
  const placeholder = { name: 'dummy', version: '99.999.9', systemCapabilities: {}, userCapabilities: {} };
  assert.is(satisfies(capabilitiesOf(placeholder), [parseDemand('Agent.Version -gtVersion 2.163.1')]), true);
  assert.is(satisfies(capabilitiesOf(placeholder), [parseDemand('Agent.Name -equals dummy')]), true);
});

demands.run();
