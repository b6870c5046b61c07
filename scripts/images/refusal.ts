/** What was asked for can't be done, in a sentence for the person who asked. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
