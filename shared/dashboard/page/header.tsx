import { useSignal } from '@preact/signals';
import { overview, requests } from './data.js';
import { asOf, lost, nextTryAt, now, pause, paused, refresh, tick } from './refresh.js';
import { clock, duration } from './time.js';
import { linkToView } from './view.js';

export const Header = () => (
  <header>
    <div class="bar">
      <h1>
        Agents on demand <span class="host">{location.host}</span>
      </h1>
      <Freshness />
      <div class="actions">
        <CopyLink />
        <button type="button" aria-pressed={paused.value} onClick={() => pause(!paused.value)}>
          {paused.value ? 'Go on' : 'Pause'}
        </button>
      </div>
    </div>
    <Weather />
  </header>
);

const Freshness = () => {
  if (lost.value)
    return (
      <p class="fresh stale">Stale{asOf.value === undefined ? '' : ` since ${clock(lost.value.since)}`}</p>
    );
  if (asOf.value === undefined) return <p class="fresh">Loading …</p>;
  const at = clock(asOf.value);
  return <p class="fresh">{paused.value ? `Paused; as of ${at}` : `Live; as of ${at}`}</p>;
};

/** What is wrong with the way to the app, calmly: what was known stays on the page. */
const Weather = () => (
  <div role="status" class="weather-place">
    {lost.value && (
      <div class="weather">
        <p>
          <strong>{lost.value.kind === 'refused' ? 'Not let in.' : 'Not up to date.'}</strong>{' '}
          {lost.value.message} {lost.value.kind === 'refused' ? <HowToGetIn /> : <WhatIsShown />}
        </p>
        <NextTry />
      </div>
    )}
  </div>
);

const WhatIsShown = () =>
  requests.loaded.value && lost.value ? (
    <>What you see is as it was at {clock(lost.value.since)}.</>
  ) : (
    <>Nothing is known yet.</>
  );

const HowToGetIn = () => (
  <>
    Open the page as <code>{location.pathname}?code=KEY</code> with a function key of the app that is valid
    now (the keys are under “App keys” in the portal), or sign in again where the app uses Easy Auth.
  </>
);

const NextTry = () => {
  const at = nextTryAt.value;
  const inMs = at === undefined ? undefined : Math.max(0, at - Math.max(now.value, tick.value));
  return (
    <p>
      {/* It changes every second: nobody wants to have that read to them. */}
      {inMs !== undefined && (
        <span aria-hidden="true">
          Next try in {duration(Math.ceil(inMs / 1_000) * 1_000).replace('.0', '')}.{' '}
        </span>
      )}
      <button type="button" onClick={() => void refresh()}>
        Try now
      </button>
    </p>
  );
};

const CopyLink = () => {
  const copied = useSignal(false);
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(linkToView());
      copied.value = true;
      setTimeout(() => {
        copied.value = false;
      }, 2_000);
    } catch {
      // Not every browser allows it; the address without its key says the same.
      prompt('A link to this view, without the key:', linkToView());
    }
  };
  return (
    <button type="button" onClick={() => void copy()} title="The filters are in it, the key is not">
      {copied.value ? 'Copied' : 'Copy link to this view'}
    </button>
  );
};

export const Truncated = () =>
  overview.value.value?.truncated ? (
    <p class="aside">There are more requests than are counted in one look.</p>
  ) : null;
