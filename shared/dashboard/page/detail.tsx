import { causeOf, guideTo } from '../../domain/failure-guide.js';
import type { ShownRequest } from '../../domain/view.js';
import { axisOf } from './axis.js';
import { Bar } from './bar.js';
import { shown, shownTrouble } from './data.js';
import { Dialog } from './dialog.js';
import { lifeOf } from './life.js';
import { askToRedrive } from './redrive.js';
import { now } from './refresh.js';
import { StateMark } from './state-mark.js';
import { duration, fullMoment, moment } from './time.js';
import { look, view } from './view.js';

export const Detail = () => {
  const { request: requestId } = view.value;
  const request = shown.value;
  return (
    <Dialog
      open={requestId !== ''}
      labelledBy="detail-title"
      kind="panel"
      onClose={() => look({ request: '' })}
    >
      <div class="head">
        <h2 id="detail-title" class="id">
          {requestId}
        </h2>
        <button type="button" onClick={() => look({ request: '' })}>
          Close
        </button>
      </div>
      {request ? (
        <Whole request={request} />
      ) : (
        <p class="empty">{shownTrouble.value?.message ?? 'Loading …'}</p>
      )}
    </Dialog>
  );
};

const Whole = ({ request }: { readonly request: ShownRequest }) => {
  const life = lifeOf(request, now.value);
  const { timings, batch, links, tags } = request;
  return (
    <>
      <p class="summary">
        <StateMark state={request.state} /> {request.attempt > 1 && <>attempt {request.attempt} · </>}
        profile {request.profile === '' ? 'unknown' : request.profile} · {request.devOpsPool}
      </p>
      <Bar life={life} axis={axisOf('age', [life], now.value)} />
      {request.failure && request.state !== 'cancelled' && (
        <Failure request={request} failure={request.failure} />
      )}
      <h3>Timings</h3>
      <dl class="figures">
        <Timing name="Queued" ms={timings.queuedMs} />
        <Timing name="Provisioning" ms={timings.provisioningMs} />
        <Timing name="Starting" ms={timings.startingMs} />
        <Timing name="To online" ms={timings.toOnlineMs} />
      </dl>
      <h3>History</h3>
      <ol class="history">
        {request.history.map((line, index) => (
          <li key={`${index} ${line.at}`}>
            <time dateTime={line.at} title={fullMoment(Date.parse(line.at))}>
              {moment(Date.parse(line.at), now.value)}
            </time>
            <span>
              <StateMark state={line.state} />
              {line.attempt > 0 && <span class="sub">attempt {line.attempt}</span>}
            </span>
            <span class="detail">{line.detail}</span>
          </li>
        ))}
      </ol>
      <h3>Facts</h3>
      <dl class="facts">
        <Fact name="Agent" value={request.agentName} />
        <Fact name="Batch task" value={batch && `${batch.poolId} / ${batch.jobId} / ${batch.taskId}`} />
        <Fact name="Asked for" value={fullMoment(Date.parse(request.createdAt))} />
        <Fact name="Ended" value={request.endedAt && fullMoment(Date.parse(request.endedAt))} />
        {Object.entries(tags).map(([name, value]) => (
          <Fact key={name} name={`Tag ${name}`} value={value} />
        ))}
      </dl>
      <ul class="links">
        <Link href={links.self} text="This request in the API (asks for a key)" />
        <Link href={links.pipeline} text="The plan of its pipeline run in Azure DevOps" />
      </ul>
    </>
  );
};

const Failure = ({
  request,
  failure,
}: {
  readonly request: ShownRequest;
  readonly failure: NonNullable<ShownRequest['failure']>;
}) => {
  const guide = guideTo(failure.code);
  return (
    <section class="failure" aria-labelledby="failure-title">
      <h3 id="failure-title">
        <span aria-hidden="true">▲ </span>
        {guide.title} <span class="sub">{`${failure.code}, at ${failure.stage}`}</span>
      </h3>
      <p>{causeOf(failure)}</p>
      <p>
        <strong>Cause.</strong> {guide.cause}
      </p>
      <p>
        <strong>What to do.</strong> {guide.remedy} <span class="who">For the {guide.who}.</span>
      </p>
      <ul class="links">
        <Link href={request.links.help} text={`More about ${failure.code}`} />
      </ul>
      {request.state === 'deadLettered' && (
        <button type="button" class="primary" onClick={() => askToRedrive([request.requestId])}>
          Redrive …
        </button>
      )}
    </section>
  );
};

const Timing = ({ name, ms }: { readonly name: string; readonly ms: number | null }) => (
  <div>
    <dt>{name}</dt>
    <dd>{ms === null ? '–' : duration(ms)}</dd>
  </div>
);

const Fact = ({ name, value }: { readonly name: string; readonly value: string | null }) =>
  value === null || value === '' ? null : (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );

/** Addresses come from outside: one that is none of the web is not a link. */
const Link = ({ href, text }: { readonly href: string | null | undefined; readonly text: string }) =>
  href && /^https?:\/\//i.test(href) ? (
    <li>
      <a href={href} target="_blank" rel="noreferrer noopener">
        {text}
      </a>
    </li>
  ) : null;
