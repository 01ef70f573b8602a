// The evidence of one function, with its source.

const sourceNotes = {
  none: 'Its source was not at hand when the report was made.',
  differs: 'Its file in the checkout is not the one that was built, so it is not shown.',
  limit: 'Its file is left out: a report holds a limited amount of source.',
};

class Panel {
  constructor(program, closed) {
    Object.assign(this, { program, closed, fn: -1 });
    this.aside = document.getElementById('panel');
    this.aside.addEventListener('keydown', (e) => {
      if (e.key === 'Escape') this.close();
    });
  }

  // close gives the focus back to where it came from.
  close() {
    this.fn = -1;
    this.aside.hidden = true;
    this.aside.parentElement.classList.remove('open');
    this.closed();
    this.from?.focus();
  }

  // show shows a function beside a list.
  async show(i, beside) {
    const p = this.program;
    this.fn = i;
    if (this.aside.hidden) {
      this.from = document.activeElement;
      beside.append(this.aside);
      beside.classList.add('open');
      this.aside.hidden = false;
      beside.scrollIntoView({ block: 'end' });
    }
    const status = statuses[p.status(i)];
    const source = element('div', { class: 'source' });
    this.aside.replaceChildren(
      element('div', { class: 'panel-head' },
        element('h3', {}, element('span', { class: 'dim' }, p.qualifier(i)), p.functions.name[i]),
        element('button', { type: 'button', class: 'close', 'aria-label': 'Close', onclick: () => this.close() }, '×')),
      element('p', { class: 'verdict s-' + status.key }, element('i', { class: 'dot' }), this.verdict(i)),
      this.evidence(i), source);
    this.aside.scrollTop = 0;
    const state = p.files.source[p.fileOf[i]];
    if (sourceNotes[state]) return source.append(element('p', { class: 'note' }, sourceNotes[state]));
    p.sources ??= read('source-data'); // once, and not before somebody asks
    const text = (await p.sources)[p.fileOf[i]];
    if (this.fn === i) new Source(p, i, text).show(source);
  }

  // verdict says in a sentence what is known.
  verdict(i) {
    const p = this.program, e = p.evidence(i), reason = p.reasons[p.functions.reason[i]];
    switch (p.status(i)) {
      case NEVER: return 'Never called in ' + duration(e.for) + (e.for ? ' of running.' : '.');
      case KEPT: return 'Never called in ' + duration(e.for) + ', and kept: ' + p.keep(i).reason;
      case CALLED: return (p.evidenceOfCall(i) ? 'Presumed to be called: it has no mark, as ' + p.evidenceOfCall(i) + ' knows of a call' : 'Called')
        + ', last at ' + minute(p.functions.last[i]) + ' UTC.';
      case HIDDEN: return 'Whether it is called cannot be seen' + (reason ? ' (' + reason + ').' : '.');
    }
    return 'Nothing is known: ' + reason + '.';
  }

  evidence(i) {
    const p = this.program, e = p.evidence(i), lines = p.functions.lines[i], list = element('dl', { class: 'evidence' });
    const add = (name, value) => { if (value) list.append(element('div', {}, element('dt', {}, name), element('dd', {}, value))); };
    add('Place', p.place(i) + (lines ? ', ' + plural(lines, 'line') : ''));
    add('Package', p.package(i));
    if (!p.package(i).startsWith(p.module(i))) add('Module', p.module(i));
    add('Signature', p.signature(i));
    add('Observed', e.processes ? 'since ' + (minute(e.since) || 'unknown') + ' UTC, for ' + duration(e.for) : 'never');
    if (e.processes) add('Observed in', [plural(e.processes, 'process', 'processes'), plural(e.hosts, 'host'), plural(e.environments, 'environment'), plural(e.applications, 'application')].join(', '));
    const keep = p.keep(i);
    add(keep.expired ? 'No longer kept' : 'Kept', keep.from && [keep.reason, keep.until && 'until ' + keep.until, 'from ' + keep.from].filter(Boolean).join(', '));
    add('Binary', p.linkedOut(i) && 'not in it: the linker left it out');
    add('File', p.generated(i) && 'generated');
    add('Last call', p.functions.last[i] ? minute(p.functions.last[i]) + ' UTC' : '');
    add('Called in', p.calledIn[p.functions.calledIn[i]].map((name) => name || '(no name)').join(', '));
    return list;
  }
}

// A Source is the text of a file, with functions in the colour of their status.
class Source {
  constructor(program, i, text) {
    Object.assign(this, { program, i, lines: highlight(text) });
  }

  show(box) {
    const p = this.program, first = p.functions.line[this.i], last = first + Math.max(1, p.functions.lines[this.i]) - 1;
    const around = 200, from = Math.max(1, first - around), to = Math.min(this.lines.length, last + around);
    const status = this.statuses();
    const code = element('div', { class: 'code', tabindex: 0, role: 'region', 'aria-label': 'Source of ' + p.file(this.i) });
    let target;
    for (let n = from; n <= to; n++) {
      const line = element('div', { class: 'line' + (status[n] === undefined ? '' : ' s-' + statuses[status[n]].key) + (first <= n && n <= last ? ' here' : '') },
        element('span', { class: 'no', 'aria-hidden': true }, String(n)), element('span', { class: 'text' }, ...this.lines[n - 1]));
      if (n === Math.max(from, first - 2)) target = line;
      code.append(line);
    }
    box.append(element('p', { class: 'note' }, p.file(this.i) + ' as the checkout has it. Its functions stand where the build has them.'), code);
    code.scrollTop = target.offsetTop - code.offsetTop;
  }

  // statuses returns the status of each line that is in a function, the innermost one.
  statuses() {
    const p = this.program, file = p.fileOf[this.i], list = [];
    for (let i = p.fileOf.indexOf(file); i < p.size && p.fileOf[i] === file; i++) {
      for (let n = 0; n < Math.max(1, p.functions.lines[i]); n++) list[p.functions.line[i] + n] = p.status(i);
    }
    return list;
  }
}

const keywords = 'break|case|chan|const|continue|default|defer|else|fallthrough|for|func|go|goto|if|import|interface|map|package|range|return|select|struct|switch|type|var';
const token = new RegExp('//[^\\n]*|/\\*[^]*?\\*/|`[^`]*`|"(?:[^"\\\\\\n]|\\\\.)*"|\'(?:[^\'\\\\\\n]|\\\\.)*\'|\\b(?:' + keywords + ')\\b', 'g');

// highlight splits Go source into lines of text and elements.
function highlight(text) {
  const lines = [[]];
  const put = (s, kind) => s.split('\n').forEach((part, n) => {
    if (n) lines.push([]);
    if (part) lines.at(-1).push(kind ? element('span', { class: kind }, part) : part);
  });
  let at = 0;
  text = text.replaceAll('\r\n', '\n');
  for (const m of text.matchAll(token)) {
    put(text.slice(at, m.index));
    put(m[0], m[0][0] === '/' ? 'comment' : /["'`]/.test(m[0][0]) ? 'string' : 'keyword');
    at = m.index + m[0].length;
  }
  put(text.slice(at));
  return lines;
}
