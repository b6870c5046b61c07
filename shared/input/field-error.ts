/** One thing that is wrong with a request, and where. */
export interface FieldError {
  readonly in: 'body' | 'header' | 'query' | 'path';
  /** The field's or header's name; a nested one with dots; empty for the whole. */
  readonly name: string;
  readonly detail: string;
}
