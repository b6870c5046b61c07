import { createHash } from 'node:crypto';
import { Contrib, Enums, Models, Serialize, SPDX, Spec } from '@cyclonedx/cyclonedx-library';
import { type Bundled, type BundledPackage, idOf } from './bundled-packages.js';

/** What the bill is of. */
export interface Product {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly commit: string | undefined;
  /** Tells one content of the app from another; hexadecimal, 32 digits at least. */
  readonly digest: string;
}

/**
 * The software bill of materials of the app, as CycloneDX 1.6 in JSON: the packages whose code is in it. Without a
 * time, and with a serial number that is made of the content: the same app has the same bill.
 */
export function billOfMaterials(product: Product, { packages, direct }: Bundled): string {
  const components = new Map(packages.map(each => [idOf(each), componentOf(each)]));
  for (const each of packages) {
    for (const id of each.dependencies) {
      const dependency = components.get(id);
      if (dependency) components.get(idOf(each))?.dependencies.add(dependency.bomRef);
    }
  }
  const app = new Models.Component(Enums.ComponentType.Application, product.name, {
    bomRef: idOf(product),
    version: product.version,
    purl: purlOf(product),
    licenses: licensesOf(product.license),
    properties: new Models.PropertyRepository(
      product.commit === undefined ? [] : [new Models.Property(`${product.name}:commit`, product.commit)],
    ),
    dependencies: new Models.BomRefRepository(direct.flatMap(id => components.get(id)?.bomRef ?? [])),
  });
  const bom = new Models.Bom({
    serialNumber: serialNumberOf(product.digest),
    metadata: new Models.Metadata({
      component: app,
      lifecycles: new Models.LifecycleRepository([Enums.LifecyclePhase.Build]),
    }),
    components: new Models.ComponentRepository(components.values()),
  });
  const normalizer = new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6);
  return `${new Serialize.JsonSerializer(normalizer).serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function componentOf(each: BundledPackage): Models.Component {
  const [, group, name = each.name] = /^(@[^/]+)\/(.*)$/.exec(each.name) ?? [];
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: idOf(each),
    group,
    version: each.version,
    purl: purlOf(each),
    licenses: licensesOf(each.license),
    hashes: hashesOf(each.integrity),
  });
}

/** https://github.com/package-url/purl-spec: the `@` of a scope is the one that has to be written otherwise. */
const purlOf = ({ name, version }: { readonly name: string; readonly version: string }): string =>
  `pkg:npm/${name.replace('@', '%40')}@${encodeURIComponent(version)}`;

const factory = new Contrib.License.Factories.LicenseFactory(expression => {
  if (!SPDX.isSupportedSpdxId(expression) && !/ (?:OR|AND) /.test(expression))
    throw new RangeError(expression);
});

function licensesOf(license: string | undefined): Models.LicenseRepository {
  if (license === undefined) return new Models.LicenseRepository();
  const made = factory.makeFromString(license);
  made.acknowledgement = Enums.LicenseAcknowledgement.Declared;
  return new Models.LicenseRepository([made]);
}

function hashesOf(integrity: string | undefined): Models.HashDictionary {
  const [, base64] = /^sha512-(\S+)$/.exec(integrity ?? '') ?? [];
  if (base64 === undefined) return new Models.HashDictionary();
  return new Models.HashDictionary([
    [Enums.HashAlgorithm['SHA-512'], Buffer.from(base64, 'base64').toString('hex')],
  ]);
}

/** A UUID of the version that is free for such uses (RFC 9562, 8). */
function serialNumberOf(digest: string): string {
  const hex = createHash('sha256').update(digest).digest('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`];
  return `urn:uuid:${[...parts, hex.slice(20, 32)].join('-')}`;
}
