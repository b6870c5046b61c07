import { signal } from '@preact/signals';

/** What became of something that the person did: shown, and read to who can't see it. */
export interface Notice {
  readonly kind: 'done' | 'trouble';
  readonly text: string;
  readonly lines: readonly string[];
}

const notice = signal<Notice | undefined>(undefined);

export const tell = (value: Notice): void => {
  notice.value = value;
};

export const Announcement = () => (
  <div role="status" class="notice-place">
    {notice.value && (
      <div class={`notice ${notice.value.kind}`}>
        <div>
          <p>{notice.value.text}</p>
          {notice.value.lines.length > 0 && (
            <ul>
              {notice.value.lines.map(line => (
                <li key={line}>{line}</li>
              ))}
            </ul>
          )}
        </div>
        <button
          type="button"
          aria-label="Dismiss this message"
          onClick={() => {
            notice.value = undefined;
          }}
        >
          Dismiss
        </button>
      </div>
    )}
  </div>
);
