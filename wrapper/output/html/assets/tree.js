// The tree of folders and files, with what the map shows of each, and the layout of boxes.

// A node is a folder, a file or, in a file, a function.
function node(name, parent) {
  return { name, parent, children: [], lines: 0, dead: 0, functions: 0, never: 0, file: -1, fn: -1 };
}

// tree returns the root. Folders with a single folder in them become one with it.
function tree(program) {
  const root = node('', null), folders = new Map([['', root]]);
  const folder = (path) => {
    if (folders.has(path)) return folders.get(path);
    const cut = path.lastIndexOf('/');
    const parent = folder(cut < 0 ? '' : path.slice(0, cut));
    const n = node(path.slice(cut + 1), parent);
    parent.children.push(n);
    folders.set(path, n);
    return n;
  };
  program.files.name.forEach((name, file) => {
    const parent = folder(program.packages[program.files.package[file]]);
    const n = node(name.slice(name.lastIndexOf('/') + 1), parent);
    n.file = file;
    parent.children.push(n);
  });
  const leaves = count(program, [...folders.values()]);
  collapse(root);
  const top = root.children.length === 1 && root.children[0].file < 0 ? root.children[0] : root;
  top.parent = null;
  order(top, '');
  program.leaves = leaves;
  return top;
}

// count adds up files, and returns them.
function count(program, folders) {
  const leaves = [];
  for (const f of folders) for (const c of f.children) if (c.file >= 0) leaves[c.file] = c;
  for (let i = 0; i < program.size; i++) {
    const leaf = leaves[program.fileOf[i]], never = program.status(i) === NEVER ? 1 : 0;
    leaf.lines += program.hasLines ? program.ownLines[i] : 1;
    leaf.dead += program.hasLines ? program.deadLines[i] : never;
    leaf.functions++;
    leaf.never += never;
  }
  return leaves;
}

function collapse(n) {
  while (n.parent && n.children.length === 1 && n.children[0].file < 0) {
    const only = n.children[0];
    n.name += '/' + only.name;
    n.children = only.children;
    for (const c of n.children) c.parent = n;
  }
  n.children.forEach(collapse);
}

// order sums up, sorts by size, and gives each node the range of the files below it.
let ordered = 0;
function order(n, path) {
  n.path = path && n.name ? path + '/' + n.name : path || n.name;
  n.from = ordered;
  if (n.file >= 0) ordered++;
  for (const c of n.children) {
    order(c, n.path);
    n.lines += c.lines;
    n.dead += c.dead;
    n.functions += c.functions;
    n.never += c.never;
  }
  n.to = ordered;
  n.children.sort((a, b) => b.lines - a.lines);
}

// inFile returns the functions of a file as nodes.
function inFile(program, leaf) {
  if (leaf.inside) return leaf.inside;
  leaf.inside = [];
  for (let i = program.fileOf.indexOf(leaf.file); i < program.size && program.fileOf[i] === leaf.file; i++) {
    const n = node(program.qualifier(i) + program.functions.name[i], leaf);
    n.fn = i;
    n.short = program.functions.name[i];
    n.functions = 1;
    n.never = program.status(i) === NEVER ? 1 : 0;
    n.lines = program.hasLines ? program.ownLines[i] : 1;
    n.dead = n.never * n.lines;
    if (n.lines) leaf.inside.push(n);
  }
  leaf.inside.sort((a, b) => b.lines - a.lines);
  return leaf.inside;
}

// squarify lays nodes, the largest first, into a box so that they are near to squares
// (Bruls, Huizing, van Wijk: Squarified Treemaps). It calls place for each.
function squarify(nodes, x, y, width, height, place) {
  let rest = nodes.reduce((sum, n) => sum + n.lines, 0), i = 0;
  while (i < nodes.length && rest > 0 && width > 0 && height > 0) {
    const side = Math.min(width, height), scale = width * height / rest;
    let sum = 0, best = Infinity, end = i;
    for (; end < nodes.length; end++) {
      const next = sum + nodes[end].lines;
      const worst = (n) => Math.max(side * side * n / (next * next * scale), next * next * scale / (side * side * n));
      const ratio = Math.max(worst(nodes[i].lines), worst(Math.max(nodes[end].lines, 1e-9)));
      if (ratio > best) break;
      best = ratio;
      sum = next;
    }
    const thick = sum * scale / side;
    let at = 0;
    for (; i < end; i++) {
      const length = nodes[i].lines * scale / thick;
      if (width >= height) place(nodes[i], x, y + at, thick, length);
      else place(nodes[i], x + at, y, length, thick);
      at += length;
    }
    if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
    rest -= sum;
  }
}
