import type { Pool } from '../../answers/pools.js';
import { Column } from './column.js';
import { pools } from './data.js';
import { now } from './refresh.js';
import { Section } from './section.js';
import { duration } from './time.js';
import { view } from './view.js';

const reasonWords: Readonly<Record<Pool['waits'][number]['reason'], string>> = {
  start: 'about to start',
  freePlace: 'for a free place',
  task: 'for the Batch task',
  node: 'for a node',
  container: 'for the container',
  registration: 'for the registration',
};

export const PoolTable = () => {
  const { profile } = view.value;
  const all = pools.value.value?.pools;
  const shown = all?.filter(({ profiles }) => profile === '' || profiles.includes(profile));
  return (
    <Section id="pools" title="What waits, and why" trouble={pools.trouble.value} loaded={all !== undefined}>
      {shown?.length === 0 ? (
        <p class="empty">
          {profile === ''
            ? 'No profile is configured. Set AzDOUbuntuPool, AzDOWindowsPool or AgentProfiles, and restart the app.'
            : 'No pool belongs to that profile. Clear the filter to see all pools.'}
        </p>
      ) : (
        <table role="table" class="cards pools">
          <thead role="rowgroup">
            <tr role="row">
              <Column>Agent pool</Column>
              <Column kind="number">Waiting</Column>
              <Column kind="number">Starting</Column>
              <Column kind="number">Online</Column>
              <Column kind="number">Busy</Column>
              <Column kind="number">Nodes</Column>
              <Column kind="number">Oldest wait</Column>
              <Column kind="wide">Why</Column>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {shown?.map(pool => (
              <PoolRow key={`${pool.devOpsPool}\n${pool.batchPool}`} pool={pool} />
            ))}
          </tbody>
        </table>
      )}
    </Section>
  );
};

const PoolRow = ({ pool }: { readonly pool: Pool }) => (
  <tr role="row">
    <th role="rowheader" scope="row">
      <span class="name">{pool.devOpsPool}</span>
      <span class="sub">
        {pool.batchPool} · {pool.profiles.join(', ')} · {pool.os}
      </span>
    </th>
    <Count label="Waiting" value={pool.waiting} />
    <Count label="Starting" value={pool.starting} />
    <Count label="Online" value={pool.online} />
    <Count label="Busy" value={pool.busy} />
    <td role="cell" class="number" data-label="Nodes">
      <Nodes nodes={pool.nodes} />
    </td>
    <td role="cell" class="number" data-label="Oldest wait">
      {pool.oldestWaitingSince === null ? (
        <span class="none">–</span>
      ) : (
        duration(now.value - Date.parse(pool.oldestWaitingSince))
      )}
    </td>
    <td role="cell" class="why wide">
      {pool.problem && (
        <p class="bad">
          <span aria-hidden="true">▲ </span>
          <strong>{pool.problem.code}</strong> {pool.problem.message}
        </p>
      )}
      {pool.waits.map(wait => (
        <p key={wait.reason}>
          <strong>
            {wait.count} {reasonWords[wait.reason] ?? wait.reason}
          </strong>{' '}
          for up to {duration(now.value - Date.parse(wait.oldestSince))}. {wait.detail}
        </p>
      ))}
      {!pool.problem && pool.waits.length === 0 && <span class="none">Nothing waits.</span>}
    </td>
  </tr>
);

const Count = ({ label, value }: { readonly label: string; readonly value: number }) => (
  <td role="cell" class={value === 0 ? 'number none' : 'number'} data-label={label}>
    {value}
  </td>
);

const Nodes = ({ nodes }: { readonly nodes: Pool['nodes'] }) => {
  if (nodes === null) return <span class="none">not known</span>;
  const { current, target, idle, running, starting, unusable } = nodes;
  const parts = [
    running > 0 && `${running} running`,
    idle > 0 && `${idle} idle`,
    starting > 0 && `${starting} starting`,
    unusable > 0 && `${unusable} unusable`,
  ].filter(Boolean);
  return (
    <>
      {current === target ? current : `${current} → ${target}`}
      {parts.length > 0 && <span class="sub">{parts.join(', ')}</span>}
    </>
  );
};
