import type { Overview } from '../../answers/overview.js';
import { overview } from './data.js';
import { Truncated } from './header.js';
import { Section } from './section.js';
import { duration, roundDuration } from './time.js';

export const TimeToOnline = () => {
  const distribution = overview.value.value?.timeToOnline;
  return (
    <Section
      id="time-to-online"
      title="Time to online, last 24 hours"
      trouble={overview.trouble.value}
      loaded={distribution !== undefined}
    >
      {distribution && distribution.count > 0 ? (
        <>
          <dl class="figures">
            <Figure name="Agents" value={String(distribution.count)} />
            <Figure name="Half within (p50)" value={told(distribution.p50Ms)} />
            <Figure name="95 % within (p95)" value={told(distribution.p95Ms)} />
            <Figure name="Longest" value={told(distribution.maxMs)} />
          </dl>
          <Histogram buckets={distribution.buckets} />
          <Truncated />
        </>
      ) : (
        <p class="empty">
          No agent came online in the last 24 hours. The first one will show here how long it took.
        </p>
      )}
    </Section>
  );
};

const told = (ms: number | null): string => (ms === null ? '–' : duration(ms));

const Figure = ({ name, value }: { readonly name: string; readonly value: string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value}</dd>
  </div>
);

const Histogram = ({ buckets }: { readonly buckets: Overview['timeToOnline']['buckets'] }) => {
  // Nothing is faster than the first or slower than the last that counts: empty ends say nothing.
  const first = buckets.findIndex(({ count }) => count > 0);
  const last = buckets.findLastIndex(({ count }) => count > 0);
  const from = Math.max(0, first - 1);
  const shown = buckets.slice(from, Math.min(buckets.length, last + 2));
  const highest = Math.max(1, ...shown.map(({ count }) => count));
  return (
    <ol class="histogram" aria-label="Agents by time to online">
      {shown.map(({ upToMs, count }, index) => {
        const lower = buckets[from + index - 1]?.upToMs ?? 0;
        const label = upToMs === null ? `> ${roundDuration(lower)}` : roundDuration(upToMs);
        return (
          <li key={label}>
            <span class="plot">
              <span class="count">{count > 0 ? count : ''}</span>
              <span class="column" style={{ '--share': count / highest }} aria-hidden="true" />
            </span>
            <span class="hidden">{`${count === 0 ? 'None' : ''} took ${upToMs === null ? '' : 'up to '}`}</span>
            <span class="label">{label}</span>
          </li>
        );
      })}
    </ol>
  );
};
