import { at, isObject, listAt, text, textAt } from '../template/json.js';
import type { Resource } from '../template/resource.js';
import { ofType, type Subject, sameId } from './rule.js';

/** One app setting as the app will see it. */
export interface AppSetting {
  readonly name: string;
  readonly value: string;
  /** The resource that sets it. */
  readonly from: Resource;
  /** E.g. `properties.siteConfig.appSettings[3]`. */
  readonly path: string;
}

/** The settings of an app, whether its site lists them or a resource of their own does. */
export function appSettingsOf(subject: Subject, site: Resource): readonly AppSetting[] {
  const inside = listAt(site.body, 'properties', 'siteConfig', 'appSettings').flatMap((each, index) => {
    const name = textAt(each, 'name');
    const path = `properties.siteConfig.appSettings[${index}]`;
    return name === undefined ? [] : [{ name, value: text(at(each, 'value')), from: site, path }];
  });
  const beside = ofType(subject, 'Microsoft.Web/sites/config')
    .filter(({ id }) => sameId(id, `${site.id}/config/appsettings`))
    .flatMap(from => {
      const properties = at(from.body, 'properties');
      if (!isObject(properties)) return [];
      return Object.entries(properties).map(([name, value]) => ({
        name,
        value: text(value),
        from,
        path: `properties.${name}`,
      }));
    });
  return [...inside, ...beside];
}

/** The secret of the vault that a setting's value stands for: Azure puts it in before the app starts. */
export function vaultReference(
  value: string,
): { readonly vault: string; readonly secret: string } | undefined {
  const uri =
    /^@Microsoft\.KeyVault\(SecretUri=https:\/\/([^./]+)\.[^/]+\/secrets\/([^/)]+)(?:\/[^)]*)?\)$/.exec(
      value,
    );
  const names =
    /^@Microsoft\.KeyVault\(VaultName=([^;)]+);SecretName=([^;)]+)(?:;SecretVersion=[^;)]*)?\)$/.exec(value);
  const [, vault, secret] = uri ?? names ?? [];
  return vault === undefined || secret === undefined ? undefined : { vault, secret };
}
