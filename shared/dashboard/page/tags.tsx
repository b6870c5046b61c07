export const Tags = ({ tags }: { readonly tags: Readonly<Record<string, string>> }) => (
  <>
    {Object.entries(tags).map(([name, value]) => (
      <span key={name} class="tag" title={`${name}=${value}`}>
        {name}={value}
      </span>
    ))}
  </>
);
