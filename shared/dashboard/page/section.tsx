import type { ComponentChildren } from 'preact';
import type { Trouble } from './api.js';
import { lost } from './refresh.js';

/** A part of the page: its heading, and what is told when its data did not come. */
export const Section = ({
  id,
  title,
  trouble,
  loaded,
  aside,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly trouble: Trouble | undefined;
  readonly loaded: boolean;
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <section id={id} tabIndex={-1} aria-labelledby={`${id}-title`}>
    <div class="head">
      <h2 id={`${id}-title`}>{title}</h2>
      {aside}
    </div>
    {/* What is wrong with all of the page is said once, at its top. */}
    {trouble && trouble.kind !== 'refused' && trouble.kind !== 'unreachable' && (
      <p class="empty">{trouble.message}</p>
    )}
    {loaded ? children : !trouble && !lost.value && <p class="empty">Loading …</p>}
    {!loaded && lost.value && <p class="empty">Not known.</p>}
  </section>
);
