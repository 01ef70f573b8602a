// The table of functions. Only the rows in sight exist.

// statusOrder is how sure it is that a function is called.
const statusOrder = [NEVER, UNKNOWN, HIDDEN, KEPT, CALLED];

// Each column is sorted by a number.
const columns = [
  { key: 'status', title: 'Status', value: (p, i) => statusOrder.indexOf(p.status(i)) },
  { key: 'name', title: 'Function', value: (p, i) => p.rank(i) },
  { key: 'place', title: 'Place', value: (p, i) => i },
  { key: 'lines', title: 'Lines', number: true, value: (p, i) => p.functions.lines[i] },
  { key: 'observed', title: 'Observed for', number: true, value: (p, i) => p.evidence(i).for },
  { key: 'last', title: 'Last call (UTC)', value: (p, i) => p.functions.last[i] },
];

class Table {
  // open is called with the function of a row.
  constructor(program, open) {
    Object.assign(this, { program, open, rows: [], at: 0, sort: 'lines', descending: true });
    this.grid = document.getElementById('grid');
    this.head = element('div', { class: 'row head', role: 'row', 'aria-rowindex': 1 });
    for (const c of columns) {
      this.head.append(element('div', { role: 'columnheader', class: 'c-' + c.key, 'data-key': c.key },
        element('button', { type: 'button', onclick: () => this.sortBy(c.key) }, c.title)));
    }
    this.body = element('div', { class: 'body', role: 'rowgroup' });
    this.grid.replaceChildren(element('div', { role: 'rowgroup', class: 'head-group' }, this.head), this.body);
    this.grid.addEventListener('scroll', () => this.later());
    this.grid.addEventListener('keydown', (e) => this.key(e));
    this.body.addEventListener('click', (e) => {
      const row = e.target.closest('.row');
      if (row) this.choose(Number(row.dataset.row), true);
    });
    new ResizeObserver(() => this.later()).observe(this.grid);
    window.addEventListener('beforeprint', () => { this.printing = true; this.draw(); });
    window.addEventListener('afterprint', () => { this.printing = false; this.draw(); });
  }

  later() {
    this.frame ??= requestAnimationFrame(() => { this.frame = null; this.draw(); });
  }

  // fill shows functions, sorted as before.
  fill(functions) {
    this.rows = functions;
    this.arrange();
  }

  sortBy(key) {
    const c = columns.find((c) => c.key === key);
    this.descending = key === this.sort ? !this.descending : c.number || key === 'last';
    this.sort = key;
    this.arrange();
    this.sorted?.();
  }

  // arrange sorts the rows; those that are equal stay in the order of the source. By lines,
  // what was never called comes first. One number for each row holds all of that, as
  // numbers are sorted fastest.
  arrange() {
    const p = this.program, { value } = columns.find((c) => c.key === this.sort);
    const values = Float64Array.from(this.rows, (i) => value(p, i)), span = values.reduce((a, b) => Math.max(a, b), 0) + 1;
    const group = (i) => this.sort === 'lines' ? statusOrder.indexOf(p.status(i)) : 0;
    const keys = values.map((v, r) => (group(this.rows[r]) * span + (this.descending ? span - 1 - v : v)) * p.size + this.rows[r]);
    this.rows = Array.from(keys.sort(), (key) => key % p.size);
    for (const h of this.head.children) {
      h.setAttribute('aria-sort', h.dataset.key !== this.sort ? 'none' : this.descending ? 'descending' : 'ascending');
    }
    this.grid.setAttribute('aria-rowcount', this.rows.length + 1);
    this.at = 0;
    this.grid.scrollTop = 0;
    this.draw();
  }

  draw() {
    const height = this.height = parseFloat(getComputedStyle(this.grid).getPropertyValue('--row'));
    const spare = 6, from = this.printing ? 0 : Math.max(0, Math.floor(this.grid.scrollTop / height) - spare);
    const to = this.printing ? Math.min(this.rows.length, 40) : Math.min(this.rows.length, Math.ceil((this.grid.scrollTop + this.grid.clientHeight) / height) + spare);
    this.body.style.height = this.printing ? '' : this.rows.length * height + 'px';
    const rows = [];
    for (let r = from; r < to; r++) rows.push(this.row(r, height));
    if (this.rows.length === 0) rows.push(element('p', { class: 'empty' }, 'No function is like that.'));
    this.body.replaceChildren(...rows);
    this.mark();
  }

  row(r, height) {
    const p = this.program, i = this.rows[r], status = statuses[p.status(i)], evidence = p.evidence(i);
    const cell = (key, ...content) => element('div', { role: 'gridcell', class: 'c-' + key }, ...content);
    const e = element('div', { class: 'row s-' + status.key, role: 'row', id: 'row-' + r, 'data-row': r, 'data-function': i, 'aria-rowindex': r + 2, 'aria-selected': i === this.opened },
      cell('status', element('i', { class: 'dot' }), status.label),
      cell('name', element('span', { class: 'dim' }, p.qualifier(i)), p.functions.name[i]),
      cell('place', element('bdi', { title: p.package(i) }, p.place(i))),
      cell('lines', p.functions.lines[i] ? number(p.functions.lines[i]) : ''),
      cell('observed', evidence.processes ? short(evidence.for) : ''),
      cell('last', minute(p.functions.last[i])));
    e.style.top = this.printing ? '' : r * height + 'px';
    return e;
  }

  // mark shows where the keyboard is.
  mark() {
    this.body.querySelector('.at')?.classList.remove('at');
    const row = document.getElementById('row-' + this.at);
    row?.classList.add('at');
    if (row) this.grid.setAttribute('aria-activedescendant', row.id);
    else this.grid.removeAttribute('aria-activedescendant');
  }

  // choose moves to a row, and opens its function.
  choose(r, open) {
    if (this.rows.length === 0) return;
    this.at = Math.max(0, Math.min(this.rows.length - 1, r));
    const top = this.at * this.height, head = this.head.offsetHeight, room = this.grid.clientHeight - head;
    if (top < this.grid.scrollTop) this.grid.scrollTop = top;
    else if (top + this.height > this.grid.scrollTop + room) this.grid.scrollTop = top + this.height - room;
    this.draw();
    if (open) this.open(this.rows[this.at]);
  }

  // show marks the row of a function that is open, and brings it into sight.
  show(i) {
    this.opened = i;
    const r = this.rows.indexOf(i);
    if (r >= 0) this.choose(r, false);
    else this.draw();
  }

  key(e) {
    if (e.target !== this.grid || e.ctrlKey || e.metaKey || e.altKey) return;
    const page = Math.max(1, Math.floor(this.grid.clientHeight / this.height) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (e.key in steps) this.choose(this.at + steps[e.key], this.opened >= 0 && !e.shiftKey);
    else if (e.key === 'Enter' || e.key === ' ') this.choose(this.at, true);
    else return;
    e.preventDefault();
  }
}
