import { guideTo } from '../../domain/failure-guide.js';
import { Column } from './column.js';
import { overview } from './data.js';
import { now } from './refresh.js';
import { RequestLink } from './request-link.js';
import { Section } from './section.js';
import { ago } from './time.js';

export const Failures = () => {
  const failures = overview.value.value?.failures;
  const most = Math.max(1, ...(failures ?? []).map(({ count }) => count));
  return (
    <Section
      id="failures"
      title="Failures by code, last 24 hours"
      trouble={overview.trouble.value}
      loaded={failures !== undefined}
    >
      {failures && failures.length > 0 ? (
        <table role="table" class="failures">
          <thead role="rowgroup">
            <tr role="row">
              <Column>Code</Column>
              <Column kind="number">Requests</Column>
              <Column>Last</Column>
            </tr>
          </thead>
          <tbody role="rowgroup">
            {failures.map(({ code, count, lastAt, lastRequestId }) => (
              <tr role="row" key={code}>
                <th role="rowheader" scope="row">
                  <a href={helpFor(code)} target="_blank" rel="noreferrer noopener">
                    {code}
                  </a>
                  <span class="sub">{guideTo(code).title}</span>
                </th>
                <td role="cell" class="number">
                  <span class="share" style={{ width: `${(count / most) * 100}%` }} aria-hidden="true" />
                  {count}
                </td>
                <td role="cell">
                  <RequestLink requestId={lastRequestId} />
                  <span class="sub">{ago(Date.parse(lastAt), now.value)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="empty">No request failed in the last 24 hours.</p>
      )}
    </Section>
  );
};

/** Beside this page, and open to everybody: no key is needed there, and none goes along. */
const helpFor = (code: string): string =>
  `${location.origin}${location.pathname.replace(/\/dashboard\/*$/i, '')}/help/${encodeURIComponent(code)}`;
