/** Parts of a drawing, as Graphviz is told them. */

/** On white and on black a page shows these; a card brings its own ground. */
const ink = '#7d8590';
const card = { fill: '#ffffff', line: '#8c959f', title: '#1f2328', text: '#57606a' };

export interface Box {
  readonly id: string;
  readonly title: string;
  /** What kind of thing it is, in small letters above the title. */
  readonly kind: string;
  readonly lines: readonly string[];
  /** Color of its left edge. */
  readonly color: string;
}

export interface Group {
  readonly id: string;
  readonly title: string;
  readonly members: readonly (Box | Group)[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
  readonly look?: 'plain' | 'dashed' | 'hidden';
  /** Drawn from its second end to its first, which stands to the left all the same. */
  readonly back?: boolean;
}

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const text = (color: string, size: number, content: string): string =>
  `<FONT COLOR="${color}" POINT-SIZE="${size}">${content}</FONT>`;

/** The font that is there when it is shown may be wider than the one that it is measured with. */
const roomy = (content: string): string =>
  escape(content) + '&#160;'.repeat(Math.ceil(content.length * 0.22));

function boxDot({ id, title, kind, lines, color }: Box): string {
  const rows = [
    text(card.text, 9, roomy(kind)),
    text(card.title, 12, `<B>${roomy(title)}</B>`),
    ...lines.map(line => text(card.text, 10, roomy(line))),
  ].map(row => `<TR><TD ALIGN="LEFT" BALIGN="LEFT" CELLPADDING="1">${row}</TD></TR>`);
  const inner = `<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="2">${rows.join('')}</TABLE>`;
  const label = `<TABLE BORDER="1" COLOR="${card.line}" BGCOLOR="${card.fill}" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"><TR><TD WIDTH="6" BGCOLOR="${color}"></TD><TD CELLPADDING="5">${inner}</TD></TR></TABLE>`;
  return `"${id}" [label=<${label}>];`;
}

const isGroup = (member: Box | Group): member is Group => 'members' in member;

function groupDot({ id, title, members }: Group, depth: number): string {
  const style =
    depth === 0
      ? 'style="rounded"; penwidth=1.6;'
      : 'style="rounded,filled"; fillcolor="#7d859022"; penwidth=0.8;';
  const content = members.map(member => (isGroup(member) ? groupDot(member, depth + 1) : boxDot(member)));
  const label = text(ink, depth === 0 ? 13 : 11, `<B>${roomy(title)}</B>`);
  return `subgraph "cluster_${id}" { label=<${label}>; labeljust="l"; color="${ink}"; margin=14; ${style}\n${content.join('\n')}\n}`;
}

const looks = {
  plain: `color="${ink}", penwidth=1.3`,
  dashed: `color="${ink}", penwidth=1.1, style="dashed"`,
  hidden: 'style="invis"',
} as const;

const arrowDot = ({ from, to, label, look = 'plain', back }: Arrow): string => {
  const name = label === undefined ? '' : `, label=<${text(ink, 10, escape(label))}>`;
  return `"${from}" -> "${to}" [${looks[look]}${name}${back ? ', dir="back"' : ''}];`;
};

export const dot = (members: readonly (Box | Group)[], arrows: readonly Arrow[]): string => `digraph {
graph [rankdir="LR", bgcolor="transparent", fontname="Helvetica", nodesep=0.22, ranksep=0.75, pad=0.2, newrank=true];
node [shape="plain", fontname="Helvetica"];
edge [fontname="Helvetica", arrowsize=0.7];
${members.map(member => (isGroup(member) ? groupDot(member, 0) : boxDot(member))).join('\n')}
${arrows.map(arrowDot).join('\n')}
}
`;
