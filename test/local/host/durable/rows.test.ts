import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packText, toPartitionKey, unpackText } from '../../../../scripts/local/host/durable/rows.js';

const test = suite('Rows');

test('give back any JSON text, however long, and every row fits a table', () => {
  fc.assert(
    fc.property(
      fc.option(fc.tuple(fc.jsonValue({ noUnicodeString: false }), fc.constantFrom(0, 1, 60_000, 400_000))),
      given => {
        const json = given === null ? null : JSON.stringify([given[0], 'é'.repeat(given[1])]);
        const { properties, overflow } = packText('field', json, 'owner');
        for (const row of [properties, ...overflow.map(more => more.properties)]) {
          const values = Object.values(row).map(String);
          assert.ok(values.every(value => value.length <= 32_768));
          assert.ok(values.join('').length < 480_000);
        }
        const rows = new Map(overflow.map(row => [row.rowKey, row.properties] as const));
        const text = unpackText(properties, 'field', 'owner', key => rows.get(key));
        assert.equal(text === null ? null : JSON.parse(text), json === null ? null : JSON.parse(json));
      },
    ),
    { numRuns: 40 },
  );
});

test('of different instances lie in different partitions, under keys that a table takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
      assert.match(toPartitionKey(a), /^[A-Za-z0-9_.:@~-]*$/);
      assert.is(toPartitionKey(a) === toPartitionKey(b), Buffer.from(a).equals(Buffer.from(b)));
    }),
  );
});

test.run();
