import { loadShown } from './data.js';
import { look } from './view.js';

/** A button, because the address of a link would hold the page's key. */
export const RequestLink = ({ requestId }: { readonly requestId: string }) => (
  <button
    type="button"
    class="link id"
    aria-haspopup="dialog"
    onClick={() => {
      look({ request: requestId });
      void loadShown();
    }}
  >
    {requestId}
  </button>
);
