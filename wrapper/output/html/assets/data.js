// The data: how the columns of the file become functions, and words for numbers.

const statuses = [
  { key: 'never', label: 'never called' },
  { key: 'called', label: 'called' },
  { key: 'hidden', label: 'not observable' },
  { key: 'unknown', label: 'unknown' },
  { key: 'kept', label: 'kept' }, // never called, and somebody said why it stays
];
const [NEVER, CALLED, HIDDEN, UNKNOWN, KEPT] = [0, 1, 2, 3, 4];

// read returns the value in a block of JSON, which may be compressed.
async function read(id) {
  const block = document.getElementById(id);
  if (!block) return null;
  if (block.dataset.encoding !== 'gzip') return JSON.parse(block.textContent);
  const text = atob(block.textContent);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Response(stream).json();
}

// A Program answers questions about functions, which are numbers: positions in the columns.
class Program {
  constructor(data) {
    Object.assign(this, data);
    this.size = this.functions.name.length;
    this.fileOf = new Int32Array(this.size);
    this.ownLines = new Int32Array(this.size); // a literal's lines count for the function around it
    this.deadLines = new Int32Array(this.size);
    let i = 0;
    this.files.functions.forEach((n, file) => {
      let end = 0, deadEnd = 0;
      for (const last = i + n; i < last; i++) {
        const from = this.functions.line[i], to = from + this.functions.lines[i];
        this.fileOf[i] = file;
        this.ownLines[i] = Math.max(0, to - Math.max(from, end));
        end = Math.max(end, to);
        if (this.status(i) !== NEVER) continue;
        this.deadLines[i] = Math.max(0, to - Math.max(from, deadEnd));
        deadEnd = Math.max(deadEnd, to);
      }
    });
    this.hasLines = this.functions.lines.some((n) => n > 0);
  }

  status(i) { return this.functions.status.charCodeAt(i) - 48; }
  file(i) { return this.files.name[this.fileOf[i]]; }
  package(i) { return this.packages[this.files.package[this.fileOf[i]]]; }
  module(i) { return this.modules[this.files.module[this.fileOf[i]]]; }
  receiver(i) { return this.receivers[this.functions.receiver[i]]; }
  keep(i) { return this.keeps[this.functions.keep[i]]; }
  generated(i) { return this.functions.generated[i] === '1'; }
  evidenceOfCall(i) { return this.presumed[this.functions.presumed[i]]; } // by which it has no mark
  linkedOut(i) { return this.functions.linkedOut[i] === '1'; }
  evidence(i) { return this.evidences[this.functions.evidence[i]]; }
  place(i) { return this.file(i) + ':' + this.functions.line[i]; }

  // qualifier is what a stack trace has between package and name.
  qualifier(i) {
    const receiver = this.receiver(i);
    if (!receiver) return '';
    return receiver.startsWith('*') ? '(' + receiver + ').' : receiver + '.';
  }

  // signature completes what the columns have: most begin with the name.
  signature(i) {
    const s = this.signatures[this.functions.signature[i]];
    if (!s.startsWith('(')) return s;
    let type = this.receiver(i).replace(/^\*/, '') || 'func';
    if (this.receiver(i) && !/^[A-Z]/.test(type)) type += '~type';
    return [this.package(i).replaceAll('/', '.'), type, this.functions.name[i]].join('.') + s;
  }

  // exported reports whether other packages can name the function.
  exported(i) {
    const upper = /^\*?\p{Lu}/u, receiver = this.receiver(i), name = this.functions.name[i];
    return upper.test(name) && !name.includes('.') && (!receiver || upper.test(receiver));
  }

  // rank is the place of a function's name among all names. Equal names have the same one.
  rank(i) {
    if (!this.ranks) {
      const names = this.functions.name.map((name) => name.toLowerCase());
      const places = new Map([...new Set(names)].sort().map((name, place) => [name, place]));
      this.ranks = names.map((name) => places.get(name));
    }
    return this.ranks[i];
  }

  // text is what a search looks at.
  text(i) {
    this.texts ??= new Array(this.size);
    return this.texts[i] ??= (this.package(i) + '.' + this.qualifier(i) + this.functions.name[i] + ' ' + this.place(i)).toLowerCase();
  }
}

const number = (n) => n.toLocaleString('en');
const plural = (n, noun, many = noun + 's') => number(n) + ' ' + (n === 1 ? noun : many);

// share is a percentage that is 0 or 100 only if it is exactly that.
function share(part, whole) {
  if (!whole) return 0;
  const p = Math.round(100 * part / whole);
  return part > 0 && p === 0 ? 1 : part < whole && p === 100 ? 99 : p;
}

// duration rounds down to the largest unit of which there are two.
function duration(seconds) {
  for (const [unit, size] of [['day', 86400], ['hour', 3600], ['minute', 60]]) {
    if (seconds >= 2 * size) return plural(Math.floor(seconds / size), unit);
  }
  return seconds ? plural(seconds, 'second') : 'less than a second';
}

// minute is a time of the data, which has seconds since 1970, in UTC.
const minute = (t) => t ? new Date(t * 1000).toISOString().slice(0, 16).replace('T', ' ') : '';

// period is a span of time, without what its two ends have in common.
function period(from, to) {
  if (!from || !to) return '';
  const [a, b] = [minute(from), minute(to)];
  return (a === b ? a : a + ' to ' + (a.slice(0, 10) === b.slice(0, 10) ? b.slice(11) : b)) + ' UTC';
}

// short is a duration for a column.
function short(seconds) {
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['min', 60]]) {
    if (seconds >= 2 * size) return number(Math.floor(seconds / size)) + ' ' + unit;
  }
  return seconds ? seconds + ' s' : '< 1 s';
}

// element makes an element. Text is never read as markup.
function element(tag, attributes = {}, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) e.addEventListener(name.slice(2), value);
    else if (value !== false && value != null) e.setAttribute(name, value === true ? '' : value);
  }
  e.append(...children.filter((c) => c != null));
  return e;
}
