import { Chance } from '../random.js';
import type { JobKind, Recipe } from './recipe.js';
import { day, hour, minute, type Trace } from './trace.js';

/** Makes the trace of a recipe. @param seed instead of the recipe's own */
export function generateTrace(name: string, recipe: Recipe, seed = recipe.seed): Trace {
  const startsAt = Date.parse(`${recipe.start}T00:00:00Z`);
  const made = new Columns();
  const times = new Chance(seed, 'times');
  const jobs = new Chance(seed, 'jobs');
  const choose = chooser(recipe.jobs);
  for (let dayIndex = 0; dayIndex < recipe.days; dayIndex += 1) {
    const dayAt = dayIndex * day;
    const weekday = new Date(startsAt + dayAt).getUTCDay();
    const isWeekend = weekday === 0 || weekday === 6;
    for (const [hourIndex, pipelines] of (isWeekend ? recipe.weekend : recipe.weekday).entries()) {
      for (let at = times.until(pipelines) * hour; at < hour; at += times.until(pipelines) * hour) {
        const kind = choose(jobs.share());
        const agents =
          typeof kind.agents === 'number' ? kind.agents : jobs.whole(kind.agents[0], kind.agents[1]);
        for (let agent = 0; agent < agents; agent += 1) {
          made.add(
            dayAt + hourIndex * hour + at,
            jobs.around(kind.minutes, kind.spread) * minute,
            kind.slots,
          );
        }
      }
    }
    for (const burst of recipe.bursts) {
      if (burst.days !== 'every day' && (burst.days === 'weekend') !== isWeekend) continue;
      for (let agent = 0; agent < burst.agents; agent += 1) {
        made.add(
          dayAt + (burst.at + times.share() * burst.over) * minute,
          jobs.around(burst.minutes, burst.spread) * minute,
          burst.slots,
        );
      }
    }
  }
  return made.trace(name, startsAt, recipe.days * day);
}

function chooser(kinds: readonly JobKind[]): (share: number) => JobKind {
  const all = kinds.reduce((sum, { share }) => sum + share, 0);
  const [first] = kinds;
  if (!first) throw new Error('A recipe has at least one kind of job.');
  return share => {
    let left = share * all;
    for (const kind of kinds) {
      left -= kind.share;
      if (left < 0) return kind;
    }
    return first;
  };
}

/** Grows as requests are added: objects for millions of them would cost more than simulating them. */
class Columns {
  #at = new Float64Array(1024);
  #runs = new Float64Array(1024);
  #slots = new Uint8Array(1024);
  #count = 0;

  add(at: number, runs: number, slots: number): void {
    if (this.#count === this.#at.length) {
      this.#at = grown(this.#at, new Float64Array(this.#count * 2));
      this.#runs = grown(this.#runs, new Float64Array(this.#count * 2));
      this.#slots = grown(this.#slots, new Uint8Array(this.#count * 2));
    }
    this.#at[this.#count] = Math.round(at);
    this.#runs[this.#count] = Math.round(runs);
    this.#slots[this.#count] = slots;
    this.#count += 1;
  }

  trace(name: string, startsAt: number, lasts: number): Trace {
    const order = new Uint32Array(this.#count).map((_, index) => index);
    const at = this.#at;
    order.sort((one, other) => (at[one] ?? 0) - (at[other] ?? 0) || one - other);
    return {
      name,
      startsAt,
      lasts,
      at: Float64Array.from(order, index => at[index] ?? 0),
      runs: Float64Array.from(order, index => this.#runs[index] ?? 0),
      slots: Uint8Array.from(order, index => this.#slots[index] ?? 1),
    };
  }
}

function grown<T extends Float64Array | Uint8Array>(old: T, larger: T): T {
  larger.set(old);
  return larger;
}
