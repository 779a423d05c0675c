// What a page must keep so that everybody can use it: after WCAG 2.2 (levels A and AA) as far as a
// program can tell, and no text that is cut off. Run in the page under test (page_checks.h); names of
// images, controls and links are judged by Chromium itself (Browser::nameless).
//
// pageChecks.page(): faults of the page as it is shown now; pageChecks.focus(): faults of what has
// the focus, null if that is nothing or was seen before; pageChecks.cut(): text that is cut off.
// A fault is {check, element, detail}.
globalThis.pageChecks = (() => {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const pen = canvas.getContext('2d', {willReadFrequently: true});
  const colors = new Map();

  /// [red, green, blue, alpha] of a CSS colour: 0 to 255, alpha 0 to 1.
  function rgba(css) {
    if (!colors.has(css)) {
      pen.clearRect(0, 0, 1, 1);
      pen.fillStyle = css;
      pen.fillRect(0, 0, 1, 1);
      const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
      colors.set(css, [r, g, b, a / 255]);
    }
    return colors.get(css);
  }

  function over(top, bottom) {
    const alpha = top[3] + bottom[3] * (1 - top[3]);
    const mixed = [0, 1, 2].map(
        i => alpha ? (top[i] * top[3] + bottom[i] * bottom[3] * (1 - top[3])) / alpha : 0);
    return [...mixed, alpha];
  }

  /// Relative luminance and contrast ratio as WCAG 2.2 defines them.
  function luminance([r, g, b]) {
    const [x, y, z] = [r, g, b].map(v => {
      v /= 255;
      return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  }
  function contrast(a, b) {
    const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  }

  function canvasColor() {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.setProperty('background-color', 'Canvas');
    const color = rgba(getComputedStyle(probe).backgroundColor);
    probe.remove();
    return color;
  }

  const parents = element => {
    const chain = [];
    for (let e = element; e; e = e.parentElement) {
      chain.push(e);
    }
    return chain;
  };

  /// What lies behind an element's text; null where that is a picture. Filled rectangles of a
  /// drawing count where they lie under the point.
  function background(element, x, y, base) {
    let color = [0, 0, 0, 0];
    for (const e of parents(element)) {
      if (color[3] > 0.999) {
        break;
      }
      if (e instanceof SVGElement && e.localName === 'svg') {
        const rects = [...e.querySelectorAll('rect')].filter(rect => {
          const box = rect.getBoundingClientRect();
          return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom && shown(rect) &&
              rect.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
        });
        for (const rect of rects.reverse()) {
          const style = getComputedStyle(rect);
          if (style.fill !== 'none' && !style.fill.startsWith('url')) {
            const [r, g, b, a] = rgba(style.fill);
            color = over(color, [r, g, b, a * style.fillOpacity * style.opacity]);
          }
        }
      }
      const style = getComputedStyle(e);
      if (style.backgroundImage !== 'none') {
        return null;
      }
      color = over(color, rgba(style.backgroundColor));
    }
    return over(color, base);
  }

  const shown = e => e.checkVisibility({opacityProperty: true, visibilityProperty: true});
  /// Text for screen readers alone is put into a box of a pixel.
  const hiddenBox = e => parents(e).some(p => {
    const box = p.getBoundingClientRect();
    return getComputedStyle(p).overflow !== 'visible' && (box.width <= 1 || box.height <= 1);
  });

  function name(e) {
    const own = e.id ? '#' + e.id :
        e.dataset && e.dataset.cell ? `[data-cell="${e.dataset.cell}"]` :
        e.classList.length ? '.' + [...e.classList].join('.') : '';
    const inside = e.closest('section[id], table, svg, figure');
    const where = inside && inside !== e ? ` in ${inside.localName}${inside.id ? '#' + inside.id : ''}` : '';
    const text = e.textContent.trim().replace(/\s+/g, ' ').slice(0, 40);
    return `<${e.localName}${own}>${where}${text ? ` "${text}"` : ''}`;
  }

  const all = selector => [...document.querySelectorAll(selector)];
  const kFocusable = 'a[href], button, input, select, textarea, summary, [tabindex]';

  function page() {
    const faults = [];
    const fault = (check, element, detail = '') =>
        faults.push({check, element: element ? name(element) : '', detail});
    const root = document.documentElement;

    // The document.
    if (document.compatMode !== 'CSS1Compat') fault('doctype', root);
    if (document.characterSet !== 'UTF-8') fault('charset', root, document.characterSet);
    if (!root.lang.trim()) fault('lang', root);
    if (!document.title.trim()) fault('title', root);
    const viewport = document.querySelector('meta[name=viewport]');
    if (!viewport || !/width=device-width/.test(viewport.content)) fault('viewport', viewport);
    if (viewport && /user-scalable\s*=\s*(no|0)|maximum-scale/.test(viewport.content)) {
      fault('viewport', viewport, 'readers cannot zoom');
    }
    if (all('meta[http-equiv=refresh]').length) fault('refresh', root);

    // Outline.
    const headings = all('h1, h2, h3, h4, h5, h6').filter(shown);
    if (headings.filter(h => h.localName === 'h1').length !== 1) fault('one-h1', root);
    let level = 0;
    for (const h of headings) {
      const own = Number(h.localName[1]);
      if (own > level + 1) fault('heading-order', h, `h${own} after h${level}`);
      level = own;
    }
    if (all('main').length !== 1) fault('landmark', root, 'one main is needed');
    if (!all('nav').length) fault('landmark', root, 'a nav is needed');
    const labels = all('nav, aside').map(
        e => e.localName + (e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || ''));
    labels.forEach((l, i) => labels.indexOf(l) < i && fault('landmark', root, `two of the name ${l}`));

    // References.
    const ids = new Map();
    for (const e of all('[id]')) {
      if (ids.has(e.id)) fault('unique-id', e, e.id);
      ids.set(e.id, e);
    }
    for (const attribute of ['aria-labelledby', 'aria-describedby', 'aria-controls', 'aria-owns',
                             'aria-details', 'aria-activedescendant', 'for', 'headers']) {
      for (const e of all(`[${attribute}]`)) {
        for (const id of e.getAttribute(attribute).split(/\s+/).filter(Boolean)) {
          if (!ids.has(id)) fault('reference', e, `${attribute}: no element has the id ${id}`);
        }
      }
    }
    for (const e of all('a[href^="#"]')) {
      const id = decodeURIComponent(e.getAttribute('href').slice(1));
      if (id && !ids.has(id)) fault('reference', e, `no element has the id ${id}`);
    }
    for (const e of all('svg *')) {
      const own = e.closest('svg');
      for (const {localName, value} of e.attributes) {
        const id = (value.match(/^url\(["']?#([^"')]+)/) || [])[1] ||
            (localName === 'href' && value.startsWith('#') && value.slice(1));
        if (id && (!ids.has(id) || !own.contains(ids.get(id)))) {
          fault('reference', e, `no element of its drawing has the id ${id}`);
        }
      }
    }

    // Tables.
    for (const table of all('table')) {
      const caption = table.caption && table.caption.textContent.trim();
      if (!caption && !table.hasAttribute('aria-label') && !table.hasAttribute('aria-labelledby')) {
        fault('table-caption', table);
      }
      if (!table.querySelector('th')) fault('table-header', table);
      for (const th of table.querySelectorAll('th')) {
        if (!['row', 'col', 'rowgroup', 'colgroup'].includes(th.scope)) fault('table-scope', th);
      }
      const widths = new Set([...table.rows].filter(row => !row.closest('thead')).map(
          row => [...row.cells].reduce((sum, cell) => sum + cell.colSpan, 0)));
      if (widths.size > 1 && !table.querySelector('tbody [rowspan]')) {
        fault('table-rows', table, `rows of ${[...widths].join(', ')} cells`);
      }
    }

    // Controls.
    for (const e of all('[tabindex]')) {
      if (e.tabIndex > 0) fault('tabindex', e);
    }
    const keys = all('[accesskey]').map(e => e.accessKey);
    keys.forEach((key, i) => keys.indexOf(key) < i && fault('accesskey', root, key));
    for (const e of all('a[href], button')) {
      if (e.parentElement.closest('a[href], button')) fault('nested-control', e);
    }
    for (const e of all('[aria-hidden=true]')) {
      const inside = [e, ...e.querySelectorAll(kFocusable)].find(
          x => x.matches(kFocusable) && x.tabIndex >= 0 && shown(x));
      if (inside) fault('hidden-focus', inside);
    }
    for (const e of all('button, summary, select, input, [role=button]').filter(shown)) {
      const boxes = [e, e.closest('label') || e].map(x => x.getBoundingClientRect());
      if (boxes.every(box => box.width < 24 || box.height < 24)) {
        fault('target-size', e, boxes.map(b => `${b.width.toFixed(1)} x ${b.height.toFixed(1)} px`)[0]);
      }
    }
    // Cells of no heading cannot say how their column is sorted.
    for (const e of all('[aria-sort]')) {
      if (e.localName !== 'th' && !/^(col|row)header$/.test(e.getAttribute('role'))) fault('aria-sort', e);
    }
    for (const e of all('[role=region]')) {
      if (!e.getAttribute('aria-label') && !e.getAttribute('aria-labelledby')) fault('name', e);
    }
    // An image has a name or says that it is decoration. Chromium's tree leaves out the rest.
    for (const e of all('img:not([alt])')) fault('image-name', e);
    for (const e of all('svg').filter(x => !x.parentElement.closest('svg'))) {
      if (e.getAttribute('role') !== 'img' && !e.closest('[aria-hidden=true]')) {
        fault('image-name', e, 'neither role="img" nor aria-hidden');
      }
    }

    // Width: the page never scrolls sideways; boxes that do can be scrolled by keyboard.
    const width = root.clientWidth;
    if (document.scrollingElement.scrollWidth > width) {
      const wide = all('body *').filter(e => e.getBoundingClientRect().right > width + 1 && shown(e) &&
          !parents(e.parentElement).some(p => getComputedStyle(p).overflowX !== 'visible'));
      fault('overflow', wide[0] || root, `${document.scrollingElement.scrollWidth} px in ${width}`);
    }
    for (const e of all('body *').filter(shown)) {
      const style = getComputedStyle(e);
      if (/auto|scroll/.test(style.overflowX + style.overflowY) &&
          (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1)) {
        const reached = e.tabIndex >= 0 && e.hasAttribute('tabindex') ||
            [...e.querySelectorAll(kFocusable)].some(x => x.tabIndex >= 0);
        if (!reached) fault('scroll-focus', e);
      }
    }
    faults.push(...cut());

    // Text.
    const base = canvasColor();
    const low = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const range = document.createRange();
    for (let node; (node = walker.nextNode());) {
      const e = node.parentElement;
      if (!node.data.trim() || !shown(e) || hiddenBox(e)) continue;
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      if (box.width <= 1 || box.height <= 1) continue;
      const style = getComputedStyle(e);
      const drawn = e instanceof SVGElement;
      const scale = drawn && e.getScreenCTM ? Math.sqrt(Math.abs(e.getScreenCTM().a * e.getScreenCTM().d -
          e.getScreenCTM().b * e.getScreenCTM().c)) : 1;
      const size = parseFloat(style.fontSize) * scale;
      const large = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
      if (size < 8) {  // a choice: WCAG names no size
        low.set(`text-size ${e.closest('svg, table, section')?.id}`,
                ['text-size', e, `${size.toFixed(1)} px`]);
      }
      const behind = background(e, box.x + box.width / 2, box.y + box.height / 2, base);
      const paint = drawn ? style.fill : style.color;
      if (!behind || paint.startsWith('url')) {
        fault('contrast', e, 'text on a picture: not to be judged');
        continue;
      }
      if (e.closest('button:disabled, [aria-disabled=true]') || paint === 'none') continue;
      let ink = [...rgba(paint)];
      ink[3] *= parents(e).reduce((o, p) => o * getComputedStyle(p).opacity,
                                  drawn ? Number(style.fillOpacity) : 1);
      const ratio = contrast(over(ink, behind), behind);
      if (ratio < (large ? 3 : 4.5) - 0.005) {
        low.set(`contrast ${paint} ${behind}`,
                ['contrast', e, `${ratio.toFixed(2)}:1, ${paint} on ${behind.map(Math.round)}`]);
      }
    }
    low.forEach(each => fault(...each));
    // Colours that tell methods apart in the figures.
    const custom = new Set();
    for (const sheet of document.styleSheets) {
      for (const rule of sheet.cssRules) {
        [...rule.style || []].filter(p => p.startsWith('--method-')).forEach(p => custom.add(p));
      }
    }
    const body = background(document.body, 0, 0, base);
    for (const property of custom) {
      const ink = rgba(getComputedStyle(root).getPropertyValue(property).trim());
      if (body && contrast(over(ink, body), body) < 3) {
        fault('contrast', root, `${property}: ${contrast(over(ink, body), body).toFixed(2)}:1`);
      }
    }
    return faults;
  }

  /// Boxes that hide a part of their content with no way to scroll to it.
  function cut() {
    const print = matchMedia('print').matches;
    return all('body *').filter(e => {
      const {overflowX, overflowY, display} = getComputedStyle(e);
      const hides = print ? /auto|scroll|hidden|clip/ : /hidden|clip/;
      return e instanceof HTMLElement && display !== 'inline' && shown(e) && !hiddenBox(e) &&
          (hides.test(overflowX) && e.scrollWidth > e.clientWidth + 1 ||
           hides.test(overflowY) && e.scrollHeight > e.clientHeight + 1);
    }).map(e => ({check: 'cut-off', element: name(e), detail: `${e.scrollWidth} x ${e.scrollHeight} px in ${
        e.clientWidth} x ${e.clientHeight}`}));
  }

  let seen = new WeakSet();
  function focus() {
    const e = document.activeElement;
    if (!e || e === document.body || seen.has(e)) {
      seen = new WeakSet();
      return null;
    }
    seen.add(e);
    const faults = [];
    const style = getComputedStyle(e);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    if (!outlined) {
      faults.push({check: 'focus-visible', element: name(e), detail: ''});
    } else if (style.outlineStyle !== 'auto') {
      const behind = background(e.parentElement, 0, 0, canvasColor());
      if (behind && contrast(over(rgba(style.outlineColor), behind), behind) < 3) {
        faults.push({check: 'focus-visible', element: name(e), detail: `${style.outlineColor} on ${behind}`});
      }
    }
    const whole = e.getBoundingClientRect();  // of which the part in sight counts
    const box = {x: Math.max(whole.x, 0), y: Math.max(whole.y, 0)};
    box.width = Math.min(whole.right, innerWidth) - box.x;
    box.height = Math.min(whole.bottom, innerHeight) - box.y;
    const hit = [[0.5, 0.5], [0.1, 0.1], [0.9, 0.9], [0.1, 0.9], [0.9, 0.1]].some(([x, y]) => {
      const top = document.elementFromPoint(box.x + x * box.width, box.y + y * box.height);
      return top && (e.contains(top) || top.contains(e));
    });
    if (!hit) {
      faults.push({check: 'focus-obscured', element: name(e), detail: ''});
    }
    return faults;
  }

  return {page, cut, focus};
})();
