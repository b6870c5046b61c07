const shownAtMost = 4;

/** A line has room for a few; all of them are in the detail of the request. */
export const Tags = ({ tags }: { readonly tags: Readonly<Record<string, string>> }) => {
  const all = Object.entries(tags);
  return (
    <>
      {all.slice(0, shownAtMost).map(([name, value]) => (
        <span key={name} class="tag" title={`${name}=${value}`}>
          {name}={value}
        </span>
      ))}
      {all.length > shownAtMost && <span>+{all.length - shownAtMost}</span>}
    </>
  );
};
