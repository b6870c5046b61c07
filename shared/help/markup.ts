const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** A text as it may stand in an element or in an attribute between quotation marks. */
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, each => entities[each] ?? '');
