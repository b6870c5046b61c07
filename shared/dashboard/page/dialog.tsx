import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/**
 * The browser's own dialog: it keeps the focus in, closes on Esc, and gives the focus back to where it came from.
 */
export const Dialog = ({
  open,
  labelledBy,
  kind,
  onClose,
  children,
}: {
  readonly open: boolean;
  readonly labelledBy: string;
  readonly kind: 'panel' | 'question';
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}) => {
  const element = useRef<HTMLDialogElement>(null);
  // Before it is painted: what it was about is gone by then.
  useLayoutEffect(() => {
    const dialog = element.current;
    if (open && dialog?.open === false) dialog.showModal();
    if (!open && dialog?.open === true) dialog.close();
  }, [open]);
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- a click beside it does what Esc does
    <dialog
      ref={element}
      class={kind}
      aria-labelledby={labelledBy}
      onClose={onClose}
      onClick={event => {
        if (event.target === element.current) element.current?.close();
      }}
    >
      <div class="sheet">{children}</div>
    </dialog>
  );
};
