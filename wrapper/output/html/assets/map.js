// The map of the program: boxes in boxes, by lines.

class TreeMap {
  // show is called with the node that is zoomed to, open with a function.
  constructor(program, root, show, open) {
    Object.assign(this, { program, root, show, open, at: root });
    this.box = document.getElementById('map');
    this.box.addEventListener('click', (e) => {
      const cell = e.target.closest('[data-n]');
      if (cell) this.enter(this.cells[cell.dataset.n].node);
    });
    this.box.addEventListener('keydown', (e) => this.key(e));
    let size = '';
    new ResizeObserver(() => {
      const now = this.box.clientWidth + ' ' + this.box.clientHeight;
      if (now !== size) { size = now; this.draw(); }
    }).observe(this.box);
  }

  // enter zooms to a node, or opens a function.
  enter(n) {
    if (n.fn >= 0) return this.open(n.fn);
    this.zoom(n);
    this.show(n);
  }

  zoom(n) {
    const focused = this.box.contains(document.activeElement);
    this.at = n;
    this.draw();
    if (focused) this.cells[0]?.element.focus();
  }

  draw() {
    this.cells = [];
    this.drawCrumbs();
    const style = getComputedStyle(this.box);
    this.header = parseFloat(style.getPropertyValue('--group-head')) || 18;
    this.fragment = document.createDocumentFragment();
    this.fill(this.at, 0, 0, this.box.clientWidth, this.box.clientHeight, 0);
    this.box.replaceChildren(this.fragment);
    if (this.cells.length === 0) this.box.append(element('p', { class: 'empty' }, 'No lines are known here.'));
    else this.cells[0].element.tabIndex = 0;
  }

  fill(n, x, y, width, height, depth) {
    const children = n.file >= 0 ? inFile(this.program, n) : n.children;
    squarify(children, x, y, width, height, (c, cx, cy, w, h) => {
      if (w < 3 || h < 3) return; // not to be seen; its place says that something is there
      // Of a large file its functions are seen, too.
      const group = c.fn < 0 && (c.file < 0 ? w > 46 && h > 2.4 * this.header : w > 180 && h > 120 && c.functions > 1);
      this.cell(c, cx, cy, w, h, group, depth);
      if (group) this.fill(c, cx + 2, cy + this.header, w - 4, h - this.header - 2, depth + 1);
    });
  }

  cell(n, x, y, width, height, group, depth) {
    const percent = share(n.dead, n.lines), unit = this.program.hasLines ? 'line' : 'function';
    const what = n.fn >= 0 ? statuses[this.program.status(n.fn)].label
      : percent + ' % never called, ' + number(n.never) + ' of ' + plural(n.functions, 'function');
    const label = (n.path || n.name) + ': ' + plural(n.lines, unit) + ', ' + what;
    const e = element('div', {
      class: (group ? 'cell group' : 'cell') + (n.fn >= 0 ? ' s-' + statuses[this.program.status(n.fn)].key : ''),
      role: 'button', tabindex: -1, 'aria-label': label, title: label, 'data-n': this.cells.length,
    });
    const style = e.style;
    style.left = x + 'px';
    style.top = y + 'px';
    style.width = width + 'px';
    style.height = height + 'px';
    style.setProperty('--low', Math.min(100, 2 * percent) + '%');
    style.setProperty('--high', Math.max(0, 2 * percent - 100) + '%');
    if (group || width > 34 && height > 15) {
      e.append(element('span', { class: 'name' }, group ? n.name + (n.file < 0 ? '/' : '') : n.short && width < 9 * n.name.length ? n.short : n.name));
      if (group && width > 130 || !group && height > 32 && width > 40) e.append(element('span', { class: 'share' }, n.fn >= 0 ? number(n.lines) : percent + ' %'));
    }
    this.fragment.append(e);
    this.cells.push({ node: n, element: e, x: x + width / 2, y: y + height / 2, x1: x, y1: y, x2: x + width, y2: y + height, depth });
  }

  drawCrumbs() {
    const path = [];
    for (let n = this.at; n; n = n.parent) path.unshift(n);
    document.getElementById('crumbs').replaceChildren(...path.flatMap((n, i) => {
      const last = i === path.length - 1, name = n.name || 'all';
      const crumb = last ? element('b', { 'aria-current': 'location' }, name) : element('button', { type: 'button', onclick: () => this.enter(n) }, name);
      return i ? [element('span', { 'aria-hidden': true }, '/'), crumb] : [crumb];
    }));
  }

  key(e) {
    const cell = e.target.closest('[data-n]');
    if (!cell || e.ctrlKey || e.metaKey || e.altKey) return;
    const here = this.cells[cell.dataset.n];
    if (e.key === 'Enter' || e.key === ' ') this.enter(here.node);
    else if ((e.key === 'Backspace' || e.key === 'Escape') && this.at.parent) this.enter(this.at.parent);
    else if (e.key.startsWith('Arrow')) this.move(here, e.key);
    else return;
    e.preventDefault();
    e.stopPropagation();
  }

  // move moves the focus to the nearest box in a direction: into a group comes before
  // past it.
  move(here, key) {
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    let best = null, least = Infinity;
    for (const c of this.cells) {
      const ahead = dx ? dx * ((dx > 0 ? c.x1 : c.x2) - (dx > 0 ? here.x1 : here.x2)) : dy * ((dy > 0 ? c.y1 : c.y2) - (dy > 0 ? here.y1 : here.y2));
      if (c === here || ahead <= 0.5) continue;
      const aside = dx ? Math.max(0, c.y1 - here.y2, here.y1 - c.y2) + Math.abs(c.y1 - here.y1) / 4 : Math.max(0, c.x1 - here.x2, here.x1 - c.x2) + Math.abs(c.x1 - here.x1) / 4;
      const distance = ahead + 3 * aside;
      if (distance < least) [best, least] = [c, distance];
    }
    if (!best) return;
    here.element.tabIndex = -1;
    best.element.tabIndex = 0;
    best.element.focus();
  }
}
