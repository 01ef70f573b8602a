// The plan: what to delete first, and what goes with it.

class Plan {
  // open is called with a function that the report has.
  constructor(program, data, open) {
    Object.assign(this, { program, data, open });
    this.box = element('div', { class: 'plan-list', tabindex: 0, role: 'region', 'aria-label': 'What can be deleted' });
    document.getElementById('plan').append(this.box);
    this.numbers = new Map();
    for (let i = 0; i < program.size; i++) this.numbers.set(this.key(program.package(i), program.receiver(i), program.functions.name[i]), i);
    this.most = Math.max(1, ...data.entries.map((e) => e.fallsLines));
    this.differences();
    const lines = (list) => list.reduce((sum, f) => sum + f.lines, 0);
    const { unreachable, entries, shared, mustStay } = data, size = (list) => plural(list.length, 'function') + ', ' + plural(lines(list), 'line');
    this.section('Delete now', size(unreachable) + '. No path leads there from main. Tests may call them: go vet ./... says which.', unreachable, (f) => this.row(f, f.lines, '', this.place(f)));
    this.section('Decide', plural(entries.length, 'place') + ' where code that stays refers to what was never called. With these, ' + plural(entries.reduce((n, e) => n + e.fallsFunctions, 0), 'function') + ' and ' + plural(entries.reduce((n, e) => n + e.fallsLines, 0), 'line') + ' fall.', entries, (e) => this.entry(e));
    this.section('Falls with several of these', size(shared) + '.', shared, (f) => this.row(f, f.lines, '', 'when all go: ' + f.entries.map((name) => this.shorten(name)).join(', ')));
    this.section('Must stay', size(mustStay) + '. Never called, and the program needs them.', mustStay, (f) => this.row(f, f.lines, '', f.reason + (f.site ? ': ' + f.site.file + ':' + f.site.line : '')));
  }

  key(pkg, receiver, name) { return [pkg, (receiver ?? '').replace(/^\*/, ''), name].join('\n'); }

  // shorten leaves out what all names have in common.
  shorten(name) { return name.slice(name.lastIndexOf('/') + 1); }

  place(f) { return f.file + ':' + f.line; }

  differences() {
    const { missing, moved, packages, unobserved } = this.data.difference;
    const all = unobserved.length === this.data.programs.length;
    if (unobserved.length) this.box.append(element('p', { class: 'banner warn' }, plural(unobserved.length, 'program') + ' of the plan left no data, such as ' + unobserved[0] + '. What ' + (all ? 'was never called elsewhere is here all the same.' : (unobserved.length === 1 ? 'it may call is in no group until it leaves some.' : 'they may call is in no group until they leave some.'))));
    const parts = [];
    if (missing.length) parts.push(plural(missing.length, 'function') + ' of the report are not in the source');
    if (moved) parts.push(plural(moved, 'function') + ' stand elsewhere in it');
    if (packages.length) parts.push('the program does not import ' + plural(packages.length, 'package') + ' of the report');
    if (parts.length) this.box.append(element('p', { class: 'banner warn' }, 'The source is not what was observed: ' + parts.join(', ') + '.'));
  }

  // section lists functions, at first as many as anybody reads.
  section(title, text, list, row) {
    if (!list.length) return;
    const part = element('section', {}, element('h3', {}, title), element('p', { class: 'note' }, text),
      element('div', { class: 'p-row p-head', 'aria-hidden': true }, ...[['p-lines', 'Lines'], ['p-functions', ''], ['p-name', 'Function'], ['p-why', 'Where']].map(([c, name]) => element('span', { class: c }, name))));
    let at = 0;
    const more = element('button', { type: 'button', class: 'more', onclick: () => show(list.length) });
    const show = (to) => {
      more.before(...list.slice(at, to).map(row));
      at = Math.min(to, list.length);
      more.textContent = 'and ' + number(list.length - at) + ' more';
      more.hidden = at === list.length;
    };
    part.append(more);
    show(60);
    this.box.append(part);
  }

  // name is a function, which opens its evidence if the report has it.
  name(f) {
    const i = this.numbers.get(this.key(f.package, f.receiver, f.name));
    const text = (f.receiver?.startsWith('*') ? '(' + f.receiver + ').' : f.receiver ? f.receiver + '.' : '') + f.name;
    if (i === undefined) return element('span', { class: 'mono', title: f.package }, text);
    return element('button', { type: 'button', class: 'mono', title: f.package, onclick: (e) => { e.preventDefault(); this.open(i); } }, text);
  }

  cells(f, lines, functions, why) {
    const bar = element('i', { class: 'share-bar', 'aria-hidden': true });
    bar.style.setProperty('--share', 100 * lines / this.most + '%');
    return [element('span', { class: 'p-lines' }, bar, number(lines)), element('span', { class: 'p-functions' }, functions), element('span', { class: 'p-name' }, this.name(f)), element('span', { class: 'p-why', title: why }, why)];
  }

  row(f, lines, functions, why) { return element('div', { class: 'p-row' }, ...this.cells(f, lines, functions, why)); }

  // entry is a branch that was not taken. What falls is listed when somebody opens it.
  entry(e) {
    const first = e.sites[0], more = e.sites.length - 1;
    const why = first ? (first.kind === 'call' ? 'called' : 'used') + ' at ' + first.file + ':' + first.line + ' in ' + this.shorten(first.caller) + (more ? ' and ' + plural(more, 'other place') : '') : '';
    const box = element('details', { class: 'p-entry' }, element('summary', { class: 'p-row' }, ...this.cells(e, e.fallsLines, e.fallsFunctions > 1 ? number(e.fallsFunctions) + ' functions' : '', why)));
    box.addEventListener('toggle', () => {
      box.append(element('p', { class: 'note' }, this.place(e) + ', ' + plural(e.lines, 'line') + '. Referred to at:'),
        element('ul', {}, ...e.sites.map((s) => element('li', {}, s.file + ':' + s.line + ' ', element('span', { class: 'dim' }, s.kind + ' in ' + s.caller + ' (' + s.status + ')')))));
      if (e.falls.length) box.append(element('p', { class: 'note' }, 'Falls with it:'), ...e.falls.map((f) => this.row(f, f.lines, '', this.place(f))));
    }, { once: true });
    return box;
  }
}

// Tabs switch between the plan and the functions.
function tabs(views, changed) {
  const box = document.getElementById('tabs');
  const show = (k, focus) => {
    views.forEach((v, n) => {
      v.tab.setAttribute('aria-selected', n === k);
      v.tab.tabIndex = n === k ? 0 : -1;
      document.getElementById(v.id).hidden = n !== k;
    });
    if (focus) views[k].tab.focus();
    changed(views[k].id);
  };
  views.forEach((v, k) => {
    v.tab = element('button', { type: 'button', role: 'tab', 'aria-controls': v.id, onclick: () => show(k) }, v.title);
    v.tab.addEventListener('keydown', (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (step) show((k + step + views.length) % views.length, true);
    });
    box.append(v.tab);
  });
  box.hidden = false;
  return (id) => show(views.findIndex((v) => v.id === id));
}
