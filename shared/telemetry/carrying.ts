import type { Step } from '../ports.js';

/** What a message says of the step that sends it; nothing where nothing is traced. */
export const carrying = ({ traceparent }: Pick<Step, 'traceparent'>): { readonly traceparent?: string } =>
  traceparent === undefined ? {} : { traceparent };
