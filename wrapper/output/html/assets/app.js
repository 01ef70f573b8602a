// The page: the numbers on top, and how map, filters, table and panel work together.

async function start() {
  const program = new Program(await read('report-data'));
  const root = tree(program);
  headline(program);
  banners(program);
  basis(program);
  const page = new Page(program, root);
  const plan = await read('plan-data');
  if (plan) page.plan(plan);
  page.restore();
  performance.measure('report-open', { start: 0 });
}

// headline writes the numbers that everybody wants first.
function headline(program) {
  const counts = statuses.map(() => 0);
  let lines = 0, dead = 0;
  for (let i = 0; i < program.size; i++) {
    counts[program.status(i)]++;
    lines += program.ownLines[i];
    dead += program.deadLines[i];
  }
  program.counts = counts;
  const set = (id, ...content) => document.getElementById(id).replaceChildren(...content);
  const mains = [...new Set(program.programs.map((p) => p.title))];
  set('kicker', mains.slice(0, 3).join(', ') + (mains.length > 3 ? ' and ' + (mains.length - 3) + ' more' : ''));
  set('title', element('b', {}, number(counts[NEVER])), ' of ' + plural(program.size, 'function') + ' never called');
  if (dead) set('subtitle', element('b', {}, number(dead)), ' of ' + plural(lines, 'line') + ' stand in them, ' + share(dead, lines) + ' %');
  const bar = document.getElementById('bar'), legend = document.getElementById('legend');
  statuses.forEach((s, k) => {
    if (!counts[k]) return;
    const part = element('i', { class: 's-' + s.key });
    part.style.flexGrow = counts[k];
    bar.append(part);
    legend.append(element('li', { class: 's-' + s.key }, element('i', { class: 'dot' }), number(counts[k]) + ' ' + s.label));
  });
  bar.setAttribute('aria-label', legend.innerText);
  const o = program.observed, facts = document.getElementById('facts');
  const fact = (name, value, more) => facts.append(element('div', {}, element('dt', {}, name), element('dd', {}, value, more ? element('small', {}, more) : null)));
  fact('Observed for', duration(o.for), period(o.from, o.to));
  fact('Processes', number(o.processes));
  fact('Hosts', number(o.hosts));
  fact('Environments', number(o.environments.length), o.environments.filter(Boolean).join(', '));
  fact('Builds', number(o.builds));
  fact('Data', program.complete ? 'complete' : 'incomplete', program.complete ? '' : 'see below');
}

// banners say how much the time proves, and what is missing.
function banners(program) {
  const o = program.observed, box = document.getElementById('banners');
  const say = (kind, ...content) => box.append(element('p', { class: 'banner ' + kind }, ...content));
  if (program.filter) say('', 'Only of ' + program.filter + '.');
  if (program.selected) say('', 'Only functions ' + program.selected + '.');
  for (const title of program.mute) say('warn', 'Nothing is known of what ' + title + ' calls in one of its builds: all its processes ended within a second, and wrote nothing of what they had called.');
  if (!program.complete) say('warn', 'This rests on incomplete data: functions may have been called that are reported as never called. ', element('a', { href: '#basis', onclick: () => { document.getElementById('basis').open = true; } }, 'What is missing'));
  if (program.baseline) box.append(changes(program.baseline));
  const day = 86400, from = new Date(o.from * 1000);
  const monthEnd = o.to >= Date.UTC(from.getUTCFullYear(), from.getUTCMonth() + 1, 1) / 1000 - day;
  if (!o.processes) return;
  if (o.for < 7 * day) say('weak', element('b', {}, 'Less than a week of running proves little.'), ' What runs weekly, or at the end of a month, may not have had its turn.');
  else if (!monthEnd) say('weak', element('b', {}, 'No end of a month was observed.'), ' What runs then looks as if nobody called it.');
  else if (o.to - o.from < 365 * day) say('', 'What runs once a year may not have had its turn in this time.');
}

// changes says what is different since an earlier report, and lists it when it is opened.
function changes(b) {
  const kinds = [['newly dead', b.newlyDead], ['came alive', b.cameAlive], ['new', b.new], ['gone', b.gone]];
  const box = element('details', { class: 'banner', id: 'changes' }, element('summary', {},
    'Since ' + b.file + (b.to ? ' (up to ' + minute(b.to) + ' UTC)' : '') + ': ', element('b', {}, number(b.newlyDead.length) + ' newly dead'),
    kinds.slice(1).map(([name, list]) => ', ' + number(list.length) + ' ' + name).join('')));
  box.append(...b.notes.map((note) => element('p', { class: 'note' }, note)));
  box.addEventListener('toggle', () => {
    for (const [name, list] of kinds) {
      if (!list.length) continue;
      const most = 500, items = list.slice(0, most).map((c) => element('li', {}, (c.receiver ? c.receiver + '.' : '') + c.name + ' ', element('span', { class: 'dim' }, c.package + ', ' + c.file + ':' + c.line)));
      if (list.length > most) items.push(element('li', {}, 'and ' + number(list.length - most) + ' more'));
      box.append(element('h4', {}, name), element('ul', {}, ...items));
    }
  }, { once: true });
  return box;
}

// basis lists programs and builds, what is left out, and what is damaged.
function basis(program) {
  const box = document.getElementById('programs');
  const head = (...names) => element('thead', {}, element('tr', {}, ...names.map((n) => element('th', { scope: 'col' }, n))));
  const row = (...cells) => element('tr', {}, ...cells.map((c) => element('td', {}, String(c))));
  for (const p of program.programs) {
    box.append(element('h3', {}, p.title),
      element('div', { class: 'scroll' }, element('table', {}, head('Versions', 'Environments', 'Functions', 'Processes', 'From (UTC)', 'To (UTC)', 'Ran for', 'Listed'),
        element('tbody', {}, ...p.builds.map((b) => row(b.versions.filter(Boolean).join(', ') || '–', b.environments.filter(Boolean).join(', ') || '–', number(b.functions), number(b.processes), minute(b.from), minute(b.to), duration(b.for), b.inUse ? 'yes' : 'no'))))));
  }
  const note = (text) => box.append(element('p', {}, text));
  if (program.removed) note('Left out: ' + plural(program.removed, 'function') + ' of older builds, which the newest one does not have.');
  if (program.unseen) note('Left out: the functions of ' + plural(program.unseen, 'build') + ' without a process whose calls could be read.');
  if (program.observed.environments.length > 1) note('A function counts as called if it was called in any environment. scavenger-wrap report --environment=NAME reports on one alone.');
  const differ = program.files.source.filter((s) => s === 'differs').length;
  if (differ) note('Source: ' + plural(differ, 'file') + ' in the checkout ' + (differ === 1 ? 'is' : 'are') + ' not what was built.');
  if (program.problems.length) {
    note('Damaged, or maybe missing:');
    box.append(element('ul', {}, ...program.problems.map((p) => element('li', {}, p))));
  }
}

// A Page holds what is looked for, and keeps it in the address, so that a link to the file
// shows the same.
class Page {
  constructor(program, root) {
    Object.assign(this, { program, root, at: root });
    this.fields = Object.fromEntries(['search', 'scope', 'observed', 'exported', 'kind', 'count'].map((id) => [id, document.getElementById(id)]));
    this.panel = new Panel(program, () => { this.table.show(-1); this.remember(); });
    this.table = new Table(program, (i) => this.open(i));
    this.table.sorted = () => this.remember();
    this.map = new TreeMap(program, root, (n) => this.enter(n), (i) => this.open(i));
    this.chips();
    this.options();
    document.getElementById('filters').addEventListener('input', () => this.filter());
    document.getElementById('filters').addEventListener('submit', (e) => e.preventDefault());
    document.addEventListener('keydown', (e) => this.key(e));
  }

  // chips are the switches for statuses; none that is on means all.
  chips() {
    const box = document.getElementById('statuses');
    this.switches = statuses.map((s, k) => {
      const input = element('input', { type: 'checkbox', value: s.key });
      if (this.program.counts[k]) box.append(element('label', { class: 'chip s-' + s.key }, input, element('i', { class: 'dot' }), s.label));
      return input;
    });
  }

  options() {
    this.folders = [];
    const walk = (n, depth) => {
      if (n.file >= 0) return;
      this.fields.scope.append(element('option', { value: this.folders.length }, n === this.root ? 'everything' : '\u00a0\u00a0'.repeat(depth - 1) + n.name));
      this.folders.push(n);
      n.children.filter((c) => c.file < 0).sort((a, b) => (a.name < b.name ? -1 : 1)).forEach((c) => walk(c, depth + 1));
    };
    walk(this.root, 0);
    const has = (digits) => digits.includes('1'), kinds = [['', 'all kinds']];
    if (has(this.program.functions.linkedOut)) kinds.push(['linkedOut', 'not in the binary']);
    if (has(this.program.functions.generated)) kinds.push(['written', 'not generated'], ['generated', 'generated']);
    this.fields.kind.append(...kinds.map(([value, name]) => element('option', { value }, name)));
    this.fields.kind.hidden = kinds.length === 1;
    const day = 86400;
    for (const [seconds, name] of [[0, 'any time'], [3600, 'an hour'], [day, 'a day'], [7 * day, 'a week'], [30 * day, '30 days'], [90 * day, '90 days'], [365 * day, 'a year']]) {
      this.fields.observed.append(element('option', { value: seconds }, seconds ? name + ' or more' : name));
    }
  }

  // enter shows a folder or a file in map and table.
  enter(n) {
    this.at = n;
    let folder = n;
    while (folder.file >= 0) folder = folder.parent;
    this.fields.scope.value = this.folders.indexOf(folder);
    this.filter();
  }

  filter() {
    const p = this.program, words = this.fields.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const folder = this.folders[this.fields.scope.value];
    // The list of folders was used if it is not where the map is.
    let shown = this.at;
    while (shown.file >= 0) shown = shown.parent;
    if (folder !== shown) { this.at = folder; this.map.zoom(folder); }
    const on = this.switches.map((s) => s.checked), all = !on.includes(true);
    const least = Number(this.fields.observed.value), exported = this.fields.exported.value, kind = this.fields.kind.value;
    const { from, to } = this.at, rows = [];
    let lines = 0;
    for (let i = 0; i < p.size; i++) {
      const place = p.leaves[p.fileOf[i]].from;
      if (place < from || place >= to || !(all || on[p.status(i)]) || p.evidence(i).for < least) continue;
      if (exported && p.exported(i) !== (exported === '1')) continue;
      if (kind && !(kind === 'linkedOut' ? p.linkedOut(i) : p.generated(i) === (kind === 'generated'))) continue;
      if (words.length && !words.every((w) => p.text(i).includes(w))) continue;
      rows.push(i);
      lines += p.ownLines[i];
    }
    this.fields.count.textContent = plural(rows.length, 'function') + (p.hasLines ? ', ' + plural(lines, 'line') : '');
    this.table.fill(rows);
    this.remember();
  }

  open(i) {
    this.panel.show(i, document.getElementById('split'));
    this.table.show(i);
    this.remember();
  }

  // plan shows a plan before the functions.
  plan(data) {
    const beside = document.getElementById('plan');
    new Plan(this.program, data, (i) => { this.panel.show(i, beside); this.remember(); });
    this.view = tabs([{ id: 'plan', title: 'Plan' }, { id: 'functions', title: 'Functions' }], (id) => {
      if (this.panel.fn >= 0 && this.restored) this.panel.close();
      this.shown = id;
      this.remember();
    });
  }

  // remember puts what is shown into the address.
  remember() {
    const state = new URLSearchParams(), f = this.fields;
    const put = (name, value, usual) => { if (value !== usual) state.set(name, value); };
    put('q', f.search.value, '');
    put('status', statuses.filter((s, k) => this.switches[k].checked).map((s) => s.key).join(), '');
    put('in', this.at.path, this.root.path);
    put('observed', f.observed.value, '0');
    put('exported', f.exported.value, '');
    put('kind', f.kind.value, '');
    put('sort', (this.table.descending ? '-' : '') + this.table.sort, '-lines');
    if (this.view) put('view', this.shown, 'plan');
    if (this.panel.fn >= 0 && this.shown !== 'plan') state.set('f', this.panel.fn);
    if (this.restored) history.replaceState(null, '', '#' + state);
  }

  // restore reads it from there.
  restore() {
    const state = new URLSearchParams(location.hash.slice(1)), f = this.fields;
    f.search.value = state.get('q') ?? '';
    (state.get('status') ?? '').split(',').forEach((key) => {
      const k = statuses.findIndex((s) => s.key === key);
      if (k >= 0) this.switches[k].checked = true;
    });
    for (const name of ['observed', 'exported', 'kind']) {
      if ([...f[name].options].some((o) => o.value === state.get(name))) f[name].value = state.get(name);
    }
    const sort = /^(-?)(\w+)$/.exec(state.get('sort') ?? '');
    if (sort && columns.some((c) => c.key === sort[2])) Object.assign(this.table, { sort: sort[2], descending: sort[1] === '-' });
    this.at = state.has('in') ? find(this.root, state.get('in')) ?? this.root : this.root;
    this.map.zoom(this.at);
    this.enter(this.at);
    const i = Number(state.get('f') ?? -1);
    this.view?.(state.get('view') === 'functions' || i >= 0 ? 'functions' : 'plan');
    if (Number.isInteger(i) && i >= 0 && i < this.program.size) this.open(i);
    this.restored = true;
  }

  key(e) {
    const typing = /^(INPUT|TEXTAREA)$/.test(e.target.tagName) && e.target.type !== 'checkbox';
    if (e.key === '/' && !typing && !e.ctrlKey && !e.metaKey) {
      e.preventDefault();
      if (this.shown === 'plan') this.view('functions');
      this.fields.search.select();
      this.fields.search.focus();
    } else if (e.key === 'Escape' && e.target === this.fields.search) {
      this.fields.search.value = '';
      this.filter();
      this.table.grid.focus();
    } else if (e.key === 'Escape' && this.panel.fn >= 0) {
      this.panel.close();
    } else if (e.key === 'ArrowDown' && e.target === this.fields.search) {
      e.preventDefault();
      this.table.grid.focus();
    }
  }
}

// find returns the node with a path.
function find(n, path) {
  if (n.path === path) return n;
  for (const c of n.children) {
    const found = find(c, path);
    if (found) return found;
  }
  return null;
}

start().catch((err) => {
  document.getElementById('banners').append(element('p', { class: 'banner warn' }, 'This browser cannot show the report: ' + err.message));
  throw err;
});
