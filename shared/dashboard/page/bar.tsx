import { type Axis, place } from './axis.js';
import { type Life, tellLife } from './life.js';
import { endMark } from './state-mark.js';

/** A request's life along an axis, and in words for who can't see it. */
export const Bar = ({ life, axis }: { readonly life: Life; readonly axis: Axis }) => {
  const shift = axis.kind === 'age' ? life.from : 0;
  const at = (time: number): number => place(axis, time - shift);
  const isOutside = life.to - shift < axis.from;
  return (
    <div class="bar-place" role="img" aria-label={tellLife(life)}>
      {axis.marks.map(mark => (
        <span key={mark.at} class="gridline" style={{ left: `${place(axis, mark.at)}%` }} />
      ))}
      {isOutside ? (
        <span class="outside">◂ earlier</span>
      ) : (
        <>
          {life.segments.map(({ state, from, to, attempt, again }) => (
            <span
              key={`${attempt} ${state} ${from}`}
              class={`segment ${state}${again ? ' again' : ''}`}
              style={{ left: `${at(from)}%`, width: `${at(to) - at(from)}%` }}
            />
          ))}
          {life.end !== undefined && (
            <span
              class={`end ${life.end}${at(life.to) > 96 ? ' inside' : ''}`}
              style={{ left: `${at(life.to)}%` }}
            >
              {endMark(life.end)}
            </span>
          )}
        </>
      )}
    </div>
  );
};
