"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const steps = data.steps, last = steps.length - 1;
  const by = (id) => document.getElementById(id);
  const svg = document.querySelector("#drawing svg"), slider = by("slider"), play = by("play"), frame = by("drawing");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let now = -1, timer = 0;
  document.body.classList.add("ready"); // from here on there are sizes

  // What is drawn, and from which step on it is known

  const drawn = (prefix) => [...svg.querySelectorAll("g.node, g.edge")].filter((g) => g.id.startsWith(prefix));
  const keyOf = (g) => "n" + g.id.match(/^box-n(\d+)/)[1];
  const nodes = drawn("box-n").map((g) => ({ g, key: keyOf(g), ...data.boxes[keyOf(g)] }));
  for (const node of nodes) {
    const told = [...node.g.querySelectorAll("text")].filter(
      (text) => !text.hasAttribute("font-weight") && /^grad |mean \|grad\|/.test(text.textContent));
    for (const text of told) text.classList.add("gradient");
    node.text = node.partial.length ? told[0] : null;
    if (!node.text) continue;
    const box = node.text.getBBox();
    node.whole = node.text.textContent;
    node.text.setAttribute("x", box.x + box.width / 2);
    node.text.setAttribute("text-anchor", "middle");
  }
  const edges = drawn("arrow-").map((g) => ({ g, ...data.arrows[g.id.slice(6)] }));

  function show(n, from) {
    n = Math.max(0, Math.min(last, n));
    if (n === now) return;
    if (now >= 0) by("step-" + now).hidden = true;
    now = n;
    const step = steps[n], back = step.phase === "backward";
    by("step-" + n).hidden = false;
    by("panels").scrollTop = 0;
    slider.value = n;
    slider.setAttribute("aria-valuetext", step.say);
    by("count").textContent = n + " / " + last;
    by("phase").textContent = step.phase;
    by("say").textContent = step.say;
    for (const node of nodes) {
      node.g.classList.toggle("todo", n < node.value_at);
      node.g.classList.toggle("no-gradient", n < node.gradient_at);
      if (node.text) { // the sum as far as it has come
        const arrived = node.partial.filter(([at]) => at <= n).pop();
        const open = n < node.gradient_at && arrived;
        node.g.classList.toggle("partial", Boolean(open));
        node.so_far = open ? "grad " + arrived[1] + " + \u2026" : node.whole;
        node.text.textContent = node.so_far;
      }
      node.g.classList.toggle("active", node.key === step.box);
      node.g.classList.toggle("touched", step.touched.includes(node.key));
    }
    for (const edge of edges) {
      edge.g.classList.toggle("todo", n < edge.forward_at);
      edge.g.classList.toggle("no-gradient", n < edge.backward_at);
      edge.g.classList.toggle("active", n === (back ? edge.backward_at : edge.forward_at));
    }
    for (const row of document.querySelectorAll("#all tr.now")) row.classList.remove("now");
    by("row-" + n).classList.add("now");
    Object.assign(document.body.dataset, {
      step: n, steps: last, phase: step.phase, box: step.box || "",
      value: JSON.stringify(step.value), gradient: JSON.stringify(step.gradient), sums: JSON.stringify(step.sums),
    });
    // Not disabled: a button that is would lose the focus.
    for (const id of ["first", "back"]) by(id).setAttribute("aria-disabled", n === 0);
    for (const id of ["next", "last"]) by(id).setAttribute("aria-disabled", n === last);
    if (n === last) stop();
    follow();
    if (from !== "hash") history.replaceState(null, "", "#step=" + n);
  }

  // Playing

  function stop() {
    clearInterval(timer);
    timer = 0;
    play.setAttribute("aria-pressed", "false");
    play.setAttribute("aria-label", "Play");
  }
  function toggle() {
    if (timer) return stop();
    if (now === last) show(0);
    timer = setInterval(() => show(now + 1), 1500);
    play.setAttribute("aria-pressed", "true");
    play.setAttribute("aria-label", "Pause");
  }
  const go = (n) => { stop(); show(n); };

  // The view: a part of the drawing

  const whole = svg.viewBox.baseVal, full = { x: whole.x, y: whole.y, w: whole.width, h: whole.height };
  const READABLE = 0.8, CLOSEST = 4; // pixels for each unit of the drawing, in which text is 9 to 11 high
  let view = { scale: 1, x: 0, y: 0 }, fitted = true;

  const room = () => ({ w: frame.clientWidth || 1, h: frame.clientHeight || 1 });
  const fitting = () => Math.min(room().w / full.w, room().h / full.h, 2);
  function look(scale, x, y) {
    const { w, h } = room();
    scale = Math.max(Math.min(fitting(), READABLE), Math.min(CLOSEST, scale));
    const within = (at, start, size, seen) => size <= seen
      ? start + size / 2 : Math.max(start + seen / 2, Math.min(start + size - seen / 2, at));
    view = { scale, x: within(x, full.x, full.w, w / scale), y: within(y, full.y, full.h, h / scale) };
    svg.setAttribute("viewBox", [view.x - w / scale / 2, view.y - h / scale / 2, w / scale, h / scale].join(" "));
    fitted = scale <= fitting() * 1.001;
    document.body.dataset.scale = scale.toFixed(3);
  }
  const fit = () => look(fitting(), full.x + full.w / 2, full.y + full.h / 2);
  const zoom = (factor) => { look(view.scale * factor, view.x, view.y); if (factor > 1) follow(); };
  function follow() {
    const active = nodes.find((node) => node.key === steps[now].box);
    if (!active || fitted) return;
    const box = active.g.getBoundingClientRect(), seen = frame.getBoundingClientRect();
    if (box.left >= seen.left && box.right <= seen.right && box.top >= seen.top && box.bottom <= seen.bottom) return;
    const dx = (box.left + box.right - seen.left - seen.right) / 2, dy = (box.top + box.bottom - seen.top - seen.bottom) / 2;
    look(view.scale, view.x + dx / view.scale, view.y + dy / view.scale);
  }
  frame.addEventListener("wheel", (event) => {
    event.preventDefault();
    const seen = frame.getBoundingClientRect(), before = view.scale;
    const px = event.clientX - seen.left - seen.width / 2, py = event.clientY - seen.top - seen.height / 2;
    const at = { x: view.x + px / before, y: view.y + py / before };
    const scale = Math.max(fitting(), Math.min(CLOSEST, before * Math.exp(-event.deltaY / 400)));
    look(scale, at.x - px / scale, at.y - py / scale);
  }, { passive: false });
  let held = null, moved = false;
  frame.addEventListener("pointerdown", (event) => {
    held = { x: event.clientX, y: event.clientY, at: view };
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!held) return;
    const dx = event.clientX - held.x, dy = event.clientY - held.y;
    if (Math.abs(dx) + Math.abs(dy) > 4) moved = true;
    if (moved) look(view.scale, held.at.x - dx / view.scale, held.at.y - dy / view.scale);
  });
  addEventListener("pointerup", () => { held = null; });
  addEventListener("pointercancel", () => { held = null; });

  // To the step of a box that is clicked: forward, or if that is shown, backward

  svg.addEventListener("click", (event) => {
    const g = event.target.closest("g.node");
    if (!g || moved) return;
    const found = steps.flatMap((step, i) => (step.box === keyOf(g) ? [i] : []));
    if (found.length) go(found.find((i) => i > now) ?? found[0]);
  });

  // Keys and buttons

  const buttons = {
    first: () => go(0), back: () => go(now - 1), play: toggle, next: () => go(now + 1), last: () => go(last),
    closer: () => zoom(1.25), farther: () => zoom(0.8), fit,
  };
  for (const [id, act] of Object.entries(buttons)) by(id).addEventListener("click", act);
  slider.max = last;
  slider.addEventListener("input", () => go(Number(slider.value)));
  const keys = {
    ArrowRight: buttons.next, ArrowLeft: buttons.back, ArrowDown: buttons.next, ArrowUp: buttons.back,
    Home: buttons.first, End: buttons.last, " ": toggle, "+": buttons.closer, "=": buttons.closer,
    "-": buttons.farther, "0": fit,
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in keys)) return;
    const on = event.target.tagName;
    if (event.key === " " && (on === "BUTTON" || on === "A")) return; // which it presses
    if (event.target.id === "panels" && /^Arrow(Up|Down)$/.test(event.key)) return; // which it scrolls
    event.preventDefault();
    keys[event.key]();
  });
  const asked = () => Number((location.hash.match(/step=(\d+)/) || [0, 0])[1]);
  addEventListener("hashchange", () => { stop(); show(asked(), "hash"); });
  addEventListener("resize", () => (fitted ? fit() : look(view.scale, view.x, view.y)));

  // Paper has all of it: the whole drawing, and the gradients instead of sums so far

  const told = (which) => { for (const node of nodes) if (node.text) node.text.textContent = node[which]; };
  addEventListener("beforeprint", () => {
    svg.setAttribute("viewBox", [full.x, full.y, full.w, full.h].join(" "));
    told("whole");
  });
  addEventListener("afterprint", () => { told("so_far"); look(view.scale, view.x, view.y); });

  fit();
  if (fitting() < 0.8 * READABLE) look(READABLE, full.x + full.w / 2, full.y);
  show(asked());
  if (still.matches) document.body.classList.add("still");
})();
