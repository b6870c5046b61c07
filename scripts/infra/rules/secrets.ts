import { expressionIn } from '../template/expression.js';
import { at, isObject, type Json, objectAt, textAt, texts } from '../template/json.js';
import { type Problem, problem, type Rule, type Subject } from './rule.js';

const secretName = /(?:token|secret|password|pwd|[a-z]Key)s?$/i;
/** The vault keeps them; nothing else does. */
const vaultSecret = 'Microsoft.KeyVault/vaults/secrets';

function parameterProblems(subject: Subject): readonly Problem[] {
  return subject.templates.flatMap(({ file, template }) =>
    Object.entries(objectAt(template, 'parameters')).flatMap(([name, declared]): readonly Problem[] => {
      const type = textAt(declared, 'type') ?? '';
      const resource = `parameter ${name}`;
      const isSecure = type.toLowerCase().startsWith('secure');
      if (!isSecure && type === 'string' && secretName.test(name)) {
        return [
          { file, resource, property: 'type', is: 'is string', should: 'it must be secure: @secure()' },
        ];
      }
      const value = at(declared, 'defaultValue');
      if (!isSecure || isHarmless(value)) return [];
      return [
        {
          file,
          resource,
          property: 'defaultValue',
          is: 'is set',
          should: 'a secret has no default: whoever reads the template would know it',
        },
      ];
    }),
  );
}

/** Nothing, or what is made anew at each deployment. */
function isHarmless(value: Json | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'string' && /\bnewGuid\(/.test(expressionIn(value) ?? '');
}

const holds = (subject: Subject, text: string): boolean =>
  subject.secrets.some(secret => text.includes(secret));

export const secretRules: readonly Rule[] = [
  {
    name: 'secrets are secure parameters, without a default',
    why: 'Azure keeps all others in the history of deployments, to be read by whoever may read the group',
    check: parameterProblems,
  },
  {
    name: 'no secret but in the vault',
    why: 'app settings, tags and outputs are read by more people than those who may read the vault',
    check: subject => {
      const inResources = subject.resources.flatMap(resource =>
        [...texts(resource.body)]
          .filter(
            ({ path, text }) =>
              holds(subject, text) && !(resource.type === vaultSecret && path === 'properties.value'),
          )
          .map(({ path }) =>
            problem(
              resource,
              path,
              'holds the value of a secure parameter',
              'let it refer to a secret of the vault',
            ),
          ),
      );
      const inOutputs = Object.entries(subject.outputs)
        .filter(
          ([, output]) => isObject(output) && [...texts(output)].some(({ text }) => holds(subject, text)),
        )
        .map(([name]) => ({
          file: subject.templates[0]?.file ?? '',
          resource: `output ${name}`,
          property: 'value',
          is: 'holds the value of a secure parameter',
          should: 'leave it out: outputs are kept in the history of deployments',
        }));
      return [...inResources, ...inOutputs];
    },
  },
];
