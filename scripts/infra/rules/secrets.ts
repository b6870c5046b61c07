import { expressionIn } from '../template/expression.js';
import { at, isObject, type Json, objectAt, textAt, texts } from '../template/json.js';
import { appSettingsOf, vaultReference } from './app-settings.js';
import { ofType, type Problem, problem, type Rule, type Subject } from './rule.js';

/** Settings that are secrets, or may hold one. */
const secretSettings =
  /^(?:AzDOToken|CallbackTokenKey|BatchAccountKey|AzureWebJobsStorage|OTEL_\w+_HEADERS)$/;

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

/** A property of a parameter that is an object is as plain as the parameter. */
function typeProblems(subject: Subject): readonly Problem[] {
  return subject.templates.flatMap(({ file, template }) =>
    Object.entries(objectAt(template, 'definitions')).flatMap(([type, declared]) =>
      Object.keys(objectAt(declared, 'properties'))
        .filter(name => secretSettings.test(name) || secretName.test(name))
        .filter(name => !textAt(declared, 'properties', name, 'type')?.startsWith('secure'))
        .map(name => ({
          file,
          resource: `type ${type}`,
          property: `properties.${name}`,
          is: 'is plain',
          should: 'it must be a secure parameter of its own, which the vault keeps',
        })),
    ),
  );
}

function settingProblems(subject: Subject): readonly Problem[] {
  return ofType(subject, 'Microsoft.Web/sites').flatMap(site =>
    appSettingsOf(subject, site)
      .filter(({ name, value }) => secretSettings.test(name) && value !== '' && !vaultReference(value))
      .map(({ name, from, path }) =>
        problem(from, `${path}.value`, `of ${name} is plain`, 'it must refer to a secret of the vault'),
      ),
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
    check: subject => [...parameterProblems(subject), ...typeProblems(subject)],
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
      return [...inResources, ...inOutputs, ...settingProblems(subject)];
    },
  },
];
