// Values under the pointer, and zoom by dragging across the equity chart. The page says everything without this script.
"use strict";

const svgNamespace = "http://www.w3.org/2000/svg";
const isoDate = (day) => new Date(day * 864e5).toISOString().slice(0, 10);

function showTips() {
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll(".cells title, .bars title, circle title")) {
    title.parentElement.dataset.tip = title.textContent;
    title.parentElement.setAttribute("aria-label", title.textContent);
    title.remove();
  }
  document.addEventListener("pointermove", (event) => {
    const text = event.target.dataset ? event.target.dataset.tip : undefined;
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    const room = document.documentElement.clientWidth - tip.offsetWidth - 8;
    tip.style.left = `${Math.min(event.clientX + 12, room)}px`;
    tip.style.top = `${event.clientY + 16}px`;
  });
}

const ladders = [[1], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]];

function logTicks(least, most) {
  const rounded = (value) => Number(value.toPrecision(10));
  for (const ladder of ladders) {
    const ticks = [];
    for (let power = Math.floor(Math.log10(least)); 10 ** power <= most; power += 1) {
      ticks.push(...ladder.map((rung) => rounded(rung * 10 ** power)));
    }
    const inside = ticks.filter((tick) => tick >= least && tick <= most);
    if (inside.length >= 4) return inside;
  }
  const raw = (most - least) / 6;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999) * power;
  const ticks = [];
  for (let k = Math.ceil(least / step); k * step <= most; k += 1) ticks.push(rounded(k * step));
  return ticks;
}

function timeChart(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const chart = root.querySelector(".chart");
  const cursor = root.querySelector(".cursor");
  const brush = root.querySelector(".brush");
  const equityTicks = root.querySelector(".equity-ticks");
  const dateTicks = root.querySelector(".date-ticks");
  const wholeTicks = [[...equityTicks.children], [...dateTicks.children]];
  const [left, width, top, height] = data.plot;
  const days = data.days;
  const whole = [0, days.length - 1];
  const [lowest, highest] = data.scale.map(Math.log);
  const placeOfDay = (day) => ((day - days[0]) / (days[days.length - 1] - days[0])) * width;
  const place = (index) => placeOfDay(days[index]);
  let shown = whole;
  let at = days.length - 1;
  let pressed = null;

  const zoom = () => (place(shown[1]) - place(shown[0])) / width;
  const across = (index) => left + (place(index) - place(shown[0])) / zoom();

  function nearest(event) {
    const box = chart.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * chart.viewBox.baseVal.width - left;
    const wanted = x * zoom() + place(shown[0]);
    let [low, high] = shown;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (place(middle) < wanted) low = middle; else high = middle;
    }
    return wanted - place(low) < place(high) - wanted ? low : high;
  }

  function read(index) {
    at = index;
    root.querySelector(".when").textContent = isoDate(days[index]);
    for (const cell of root.querySelectorAll("[data-line]")) {
      const value = data.equity[cell.dataset.line][index];
      cell.textContent = value === null ? "-" : value.toFixed(3);
    }
    for (const cell of root.querySelectorAll("[data-drawdown]")) {
      cell.textContent = `${(data.drawdown[cell.dataset.drawdown][index] * 100).toFixed(1)}%`;
    }
    cursor.setAttribute("x1", across(index));
    cursor.setAttribute("x2", across(index));
    cursor.style.opacity = 0.5;
  }

  function shownRange() {
    let [low, high] = [Infinity, -Infinity];
    for (const values of Object.values(data.equity)) {
      for (let k = shown[0]; k <= shown[1]; k += 1) {
        if (values[k] === null) continue;
        low = Math.min(low, Math.log(values[k]));
        high = Math.max(high, Math.log(values[k]));
      }
    }
    const room = Math.max((high - low) * 0.05, 0.002);
    return shown === whole ? [lowest, highest] : [low - room, high + room];
  }

  function label(group, x, y, text, anchor, line) {
    const rule = group.appendChild(document.createElementNS(svgNamespace, "line"));
    for (const [name, value] of Object.entries(line)) rule.setAttribute(name, value);
    const written = group.appendChild(document.createElementNS(svgNamespace, "text"));
    written.setAttribute("x", x);
    written.setAttribute("y", y);
    written.setAttribute("text-anchor", anchor);
    written.textContent = text;
  }

  function drawEquityTicks(low, high) {
    const [least, most] = [Math.exp(low), Math.exp(high)];
    for (const tick of logTicks(least, most)) {
      const y = top + ((high - Math.log(tick)) / (high - low)) * height;
      label(equityTicks, left - 8, y + 4, String(tick), "end", { class: "rule", x1: left, x2: left + width, y1: y, y2: y });
    }
  }

  function drawDateTicks() {
    const bottom = data.plot[4] + data.plot[5];
    const [first, last] = shown.map((index) => new Date(days[index] * 864e5));
    const from = first.getUTCFullYear() * 12 + first.getUTCMonth();
    const to = last.getUTCFullYear() * 12 + last.getUTCMonth();
    const step = [1, 2, 3, 6, 12, 24, 60, 120].find((size) => (to - from + 1) / size <= 12) || 240;
    for (let month = Math.ceil(from / step) * step; month <= to; month += step) {
      const day = Date.UTC(Math.floor(month / 12), month % 12, 1) / 864e5;
      if (day < days[shown[0]]) continue;
      const x = left + (placeOfDay(day) - place(shown[0])) / zoom();
      const text = isoDate(day).slice(0, step % 12 === 0 ? 4 : 7);
      label(dateTicks, x, bottom + 17, text, "middle", { class: "rule date", x1: x, x2: x, y1: top, y2: bottom });
    }
  }

  function show(range) {
    shown = range;
    const [low, high] = shownRange();
    const [from, span] = [place(shown[0]), place(shown[1]) - place(shown[0])];
    const y = ((highest - high) / (highest - lowest)) * height;
    const share = (high - low) / (highest - lowest);
    root.querySelector(".plot.equity").setAttribute("viewBox", `${from} ${y} ${span} ${share * height}`);
    root.querySelector(".plot.drawdown").setAttribute("viewBox", `${from} 0 ${span} ${data.plot[5]}`);
    if (shown === whole) {
      equityTicks.replaceChildren(...wholeTicks[0]);
      dateTicks.replaceChildren(...wholeTicks[1]);
    } else {
      equityTicks.replaceChildren();
      dateTicks.replaceChildren();
      drawEquityTicks(low, high);
      drawDateTicks();
    }
  }

  chart.tabIndex = 0;
  chart.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) pressed = nearest(event);
  });
  chart.addEventListener("pointermove", (event) => {
    read(nearest(event));
    if (pressed === null) return;
    const [a, b] = [across(pressed), across(at)].sort((one, other) => one - other);
    brush.setAttribute("x", a);
    brush.setAttribute("width", b - a);
  });
  window.addEventListener("pointerup", () => {
    if (pressed === null) return;
    const range = [pressed, at].sort((one, other) => one - other);
    pressed = null;
    brush.setAttribute("width", 0);
    if (range[1] - range[0] >= 5) show(range);
  });
  chart.addEventListener("dblclick", () => show(whole));
  chart.addEventListener("pointerleave", () => { cursor.style.opacity = 0; });
  chart.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21 }[event.key];
    if (event.key === "Escape") show(whole);
    if (!steps) return;
    event.preventDefault();
    read(Math.max(shown[0], Math.min(shown[1], at + steps)));
  });
}

showTips();
document.querySelectorAll(".time-chart").forEach(timeChart);
