import type { ComponentChildren } from 'preact';

/** The head of a column. Its role is said, because a table that is laid out as cards has none of its own. */
export const Column = ({
  kind,
  children,
}: {
  readonly kind?: 'number' | 'wide' | 'pick' | 'axis';
  readonly children: ComponentChildren;
}) => (
  <th role="columnheader" scope="col" class={kind}>
    {children}
  </th>
);
