import { DeadLetters } from './dead-letters.js';
import { Detail } from './detail.js';
import { Failures } from './failures.js';
import { Filters } from './filters.js';
import { Header } from './header.js';
import { Announcement } from './notice.js';
import { PoolTable } from './pools.js';
import { Redrive } from './redrive.js';
import { RequestTable } from './requests.js';
import { TimeToOnline } from './time-to-online.js';

export const App = () => (
  <>
    <a class="skip" href="#requests" onClick={skip}>
      Skip to the requests
    </a>
    <Header />
    <main>
      <Announcement />
      <Filters />
      <PoolTable />
      <div class="pair">
        <TimeToOnline />
        <Failures />
      </div>
      <RequestTable />
      <DeadLetters />
    </main>
    <Detail />
    <Redrive />
  </>
);

/** By hand: the fragment of the address is what the filters are kept in. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('requests')?.focus();
}
