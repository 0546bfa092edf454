// Zoom along the x axis of the plots over time, by buttons, keys, dragging and Ctrl + wheel.
// Without this script the page shows the same plots whole.
"use strict";

const STEP = 2; // of one zoom in or out
const LABELS = 5; // below a zoomed plot

function zoomable(holder) {
  const svg = holder.querySelector("svg");
  const strips = [...svg.querySelectorAll(".values rect")].map((rect) => {
    const [x, width] = [rect.x.baseVal.value, rect.width.baseVal.value];
    return { rect, x, width, time: rect.textContent.split("\n")[0] };
  });
  if (strips.length < 4) return;
  const first = strips[0].rect;
  const left = strips[0].x;
  const wide = strips.at(-1).x + strips.at(-1).width - left;
  const bottom = first.y.baseVal.value + first.height.baseVal.value;
  const narrowest = 3 / strips.length;
  let [low, high] = [0, 1]; // of the width that is shown
  let parts; // found at first use: plots that are not open have no size

  const labels = element("g", { fill: "var(--grey)", "font-size": 9, "text-anchor": "middle" });
  const marked = element("rect", { y: first.y.baseVal.value, height: bottom - first.y.baseVal.value, class: "marked" });
  svg.append(labels, marked);
  const tools = document.createElement("div");
  tools.className = "tools";
  const shown = document.createElement("output");
  const move = { "Zoom in": "+", "Zoom out": "−", Earlier: "←", Later: "→", "Show all": "All" };
  for (const [name, sign] of Object.entries(move)) {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: sign, title: name });
    button.setAttribute("aria-label", name);
    button.onclick = () => act(name);
    tools.append(button);
  }
  tools.append(shown);
  holder.before(tools);

  function act(name) {
    const span = high - low;
    if (name === "Zoom in") zoom(1 / STEP, high > 0.999 ? 1 : (low + high) / 2);
    else if (name === "Zoom out") zoom(STEP, high > 0.999 ? 1 : (low + high) / 2);
    else if (name === "Earlier") show(low - span / 4, high - span / 4);
    else if (name === "Later") show(low + span / 4, high + span / 4);
    else show(0, 1);
  }

  const zoom = (factor, centre) => show(centre - factor * (centre - low), centre + factor * (high - centre));

  function show(from, to) {
    const span = Math.min(Math.max(to - from, narrowest), 1);
    low = Math.min(Math.max((from + to - span) / 2, 0), 1 - span);
    high = low + span;
    parts ??= moving(svg, left, wide);
    const place = (x) => left + (x - left - low * wide) / span;
    const inside = [];
    for (const { rect, x, width, time } of strips) {
      const [start, end] = [Math.max(place(x), left), Math.min(place(x + width), left + wide)];
      rect.setAttribute("x", start);
      rect.setAttribute("width", Math.max(end - start, 0));
      const middle = place(x + width / 2);
      if (middle >= left && middle <= left + wide) inside.push([middle, time]);
    }
    for (const part of parts) part(place);
    const whole = span > 0.999;
    svg.querySelector('[id="matplotlib.axis_1"]').style.display = whole ? "" : "none";
    labels.replaceChildren();
    const every = Math.ceil(inside.length / LABELS);
    for (let i = Math.floor(every / 2); !whole && i < inside.length; i += every) {
      const label = element("text", { x: inside[i][0], y: bottom + 14 });
      label.textContent = inside[i][1];
      labels.append(label);
    }
    shown.textContent = whole ? "" : `${inside[0][1]} to ${inside.at(-1)[1]}`;
  }

  const fraction = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return low + (high - low) * Math.min(Math.max((point.x - left) / wide, 0), 1);
  };
  tools.onkeydown = (event) => {
    const names = { "+": "Zoom in", "-": "Zoom out", ArrowLeft: "Earlier", ArrowRight: "Later", Escape: "Show all" };
    if (!names[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(names[event.key]);
  };
  svg.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    zoom(event.deltaY < 0 ? 1 / STEP : STEP, fraction(event));
  }, { passive: false });
  svg.ondblclick = () => act("Show all");
  svg.onpointerdown = (event) => {
    if (event.pointerType === "touch" || event.button !== 0) return; // a finger scrolls
    const start = fraction(event);
    const ends = (other) => [start, fraction(other)].sort((a, b) => a - b);
    svg.setPointerCapture(event.pointerId);
    svg.onpointermove = (other) => {
      const [from, to] = ends(other).map((part) => left + (wide * (part - low)) / (high - low));
      marked.setAttribute("x", from);
      marked.setAttribute("width", to - from);
    };
    svg.onpointerup = svg.onpointercancel = (other) => {
      svg.onpointermove = svg.onpointerup = svg.onpointercancel = null;
      marked.setAttribute("width", 0);
      const [from, to] = ends(other);
      if (other.type === "pointerup" && to - from > 0.02 * (high - low)) show(from, to);
    };
    event.preventDefault(); // no text is selected
  };
}

/** Functions that move what lies in the coordinates of the data: paths, markers, and labels beside vertical lines. */
function moving(svg, left, wide) {
  const found = [];
  const addPath = (path) => {
    const given = path.getAttribute("d");
    found.push((place) => path.setAttribute("d", given.replace(/(-?[\d.]+) (-?[\d.]+)/g, (_, x, y) => `${place(+x)} ${y}`)));
  };
  svg.querySelectorAll("path[clip-path]").forEach(addPath);
  for (const use of svg.querySelectorAll("[clip-path] use")) {
    const x = use.x.baseVal.value;
    if (x) found.push((place) => use.setAttribute("x", place(x))); // a marker
    else addPath(svg.querySelector(use.getAttribute("xlink:href"))); // a band
  }
  const lines = [...svg.querySelectorAll("path[clip-path]")].map((path) => path.getBBox()).filter((box) => !box.width);
  for (const text of svg.querySelectorAll('[id="axes_1"] > [id^="text_"]')) {
    const box = text.getBBox();
    const middle = box.x + box.width / 2;
    if (middle < left || middle > left + wide) continue; // beside the plot
    const anchor = lines.map((line) => line.x).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle))[0] ?? middle;
    found.push((place) => {
      const shift = place(anchor) - anchor;
      text.setAttribute("transform", `translate(${shift} 0)`);
      text.style.display = middle + shift < left || middle + shift > left + wide ? "none" : "";
    });
  }
  return found;
}

function element(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

document.querySelectorAll(".latest").forEach(zoomable);
