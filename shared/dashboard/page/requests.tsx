import { liveStates } from '../../domain/request.js';
import type { ShownRequest } from '../../domain/view.js';
import { type Axis, axisOf, place, type Span, spans } from './axis.js';
import { Bar } from './bar.js';
import { Column } from './column.js';
import { requests } from './data.js';
import { type Life, lifeOf } from './life.js';
import { More } from './more.js';
import { now } from './refresh.js';
import { RequestLink } from './request-link.js';
import { Section } from './section.js';
import { StateMark } from './state-mark.js';
import { Tags } from './tags.js';
import { ago, duration, fullMoment } from './time.js';
import { look, view } from './view.js';

const spanWords: Readonly<Record<Span, string>> = {
  fit: 'all that is listed',
  '15m': 'last 15 minutes',
  '1h': 'last hour',
  '6h': 'last 6 hours',
  '24h': 'last 24 hours',
  age: 'since each was asked for',
};

export const RequestTable = () => {
  const lives = requests.items.value.map(request => ({ request, life: lifeOf(request, now.value) }));
  const axis = axisOf(
    view.value.span,
    lives.map(({ life }) => life),
    now.value,
  );
  return (
    <Section
      id="requests"
      title="Requests"
      trouble={requests.trouble.value}
      loaded={requests.loaded.value}
      aside={
        <>
          <Legend />
          <label class="span">
            Time
            <select
              value={view.value.span}
              onChange={({ currentTarget }) =>
                look({ span: spans.find(each => each === currentTarget.value) ?? 'fit' })
              }
            >
              {spans.map(span => (
                <option key={span} value={span}>
                  {spanWords[span]}
                </option>
              ))}
            </select>
          </label>
        </>
      }
    >
      {lives.length === 0 ? (
        <Empty />
      ) : (
        <>
          <table role="table" class="requests">
            <thead role="rowgroup">
              <tr role="row">
                <Column>Request</Column>
                <Column>State</Column>
                <Column kind="number">Asked for</Column>
                <Column kind="number">To online</Column>
                <Column kind="axis">
                  <span class="hidden">Life along time</span>
                  <Marks axis={axis} />
                </Column>
              </tr>
            </thead>
            <tbody role="rowgroup">
              {lives.map(({ request, life }) => (
                <Row key={request.requestId} request={request} life={life} axis={axis} />
              ))}
            </tbody>
          </table>
          <More list={requests} what="requests" />
        </>
      )}
    </Section>
  );
};

const Row = ({
  request,
  life,
  axis,
}: {
  readonly request: ShownRequest;
  readonly life: Life;
  readonly axis: Axis;
}) => {
  const { createdAt, timings, attempt, state, failure } = request;
  const at = Date.parse(createdAt);
  return (
    <tr role="row">
      <th role="rowheader" scope="row">
        <RequestLink requestId={request.requestId} />
        <span class="sub under">
          <span>{request.profile === '' ? 'no profile' : request.profile}</span>
          <Tags tags={request.tags} />
        </span>
      </th>
      <td role="cell" class="of-state">
        <StateMark state={state} />
        <span class="sub">
          {[failure?.code, attempt > 1 ? `attempt ${attempt}` : ''].filter(Boolean).join(' · ')}
        </span>
      </td>
      <td role="cell" class="number asked" title={fullMoment(at)}>
        {ago(at, now.value)}
      </td>
      <td role="cell" class="number to-online">
        {timings.toOnlineMs === null ? <span class="none">–</span> : duration(timings.toOnlineMs)}
      </td>
      <td role="cell" class="axis">
        <Bar life={life} axis={axis} />
      </td>
    </tr>
  );
};

const Marks = ({ axis }: { readonly axis: Axis }) => (
  <span class="marks" aria-hidden="true">
    {axis.marks.map(({ at, label }) => (
      <span key={at} style={{ left: `${place(axis, at)}%` }}>
        {label}
      </span>
    ))}
  </span>
);

const Legend = () => (
  <ul class="legend" aria-label="Colours of the bars">
    {liveStates.map(state => (
      <li key={state}>
        <span class={`swatch segment ${state}`} aria-hidden="true" /> {state}
      </li>
    ))}
  </ul>
);

const Empty = () => {
  const { profile, state, tag } = view.value;
  if (profile !== '' || state !== '' || tag !== '') {
    return (
      <p class="empty">
        No request matches these filters.{' '}
        <button type="button" class="link" onClick={() => look({ profile: '', state: '', tag: '' })}>
          Clear them
        </button>{' '}
        to see all.
      </p>
    );
  }
  return (
    <p class="empty">
      Nobody has asked for an agent yet. A pipeline does with <code>POST {apiPath()}/agents</code>; the README
      shows how, and what to try by hand.
    </p>
  );
};

const apiPath = (): string => location.pathname.replace(/\/dashboard\/*$/i, '');
