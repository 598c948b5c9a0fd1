// Percentiles over time, and what the microphone hears, drawn with uPlot.

const LINES = [["wait", "Each", "--soft"], ["p50", "Half", "--good"], ["p95", "95 %", "--warn"], ["p99", "99 %", "--bad"]];

function paint(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function axis(extra = {}) {
  return { stroke: paint("--soft"), grid: { stroke: paint("--line"), width: 1 }, ticks: { stroke: paint("--line"), width: 1 }, ...extra };
}

export class Chart {
  #node; #plot = null; #shape = "";

  constructor(node) {
    this.#node = node;
    new ResizeObserver(() => this.#plot?.setSize({ width: node.clientWidth, height: 200 })).observe(node);
  }

  clear() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  percentiles(points, budget, label) {
    const now = Date.now() / 1000;
    const time = points.map((point) => now - point.ago_s);
    const series = LINES.map(([key]) => points.map((point) => point[key]));
    if (budget) series.push(points.map(() => budget));
    const shape = `${label}|${budget}|${document.documentElement.dataset.theme}`;
    if (this.#plot && this.#shape === shape) {
      this.#plot.setData([time, ...series]);
      return;
    }
    this.clear();
    this.#shape = shape;
    const lines = LINES.map(([key, name, colour]) => ({ label: name, stroke: paint(colour), width: key === "wait" ? 0 : 2, points: { show: key === "wait", size: 4, fill: paint(colour) }, value: (_, value) => (value === null ? "–" : `${Math.round(value)} ms`) }));
    if (budget) lines.push({ label: "Budget", stroke: paint("--soft"), width: 1.5, dash: [6, 5], points: { show: false }, value: (_, value) => `${Math.round(value ?? budget)} ms` });
    this.#plot = new window.uPlot({
      width: this.#node.clientWidth || 600, height: 200,
      // A few turns are not spread over years.
      scales: { x: { range: (_, least, most) => (most - least < 60 ? [most - 60, most + 5] : [least, most]) }, y: { range: (_, __, most) => [0, Math.max(most, budget ?? 0, 10) * 1.1] } },
      axes: [axis(), axis({ size: 58, values: (_, values) => values.map((value) => (value >= 1000 ? `${value / 1000} s` : `${value} ms`)) })],
      cursor: { y: false }, series: [{}, ...lines],
    }, [time, ...series], this.#node);
  }
}

export class Meter {
  #plot = null; #node; #what; #theme = "";

  constructor(parent, what) {
    this.#what = what;
    this.#node = document.createElement("div");
    this.#node.setAttribute("role", "img");
    parent.append(this.#node);
    new ResizeObserver(() => this.#plot?.setSize({ width: this.#node.clientWidth, height: 130 })).observe(this.#node);
  }

  show(points, now) {
    const time = points.map(([at]) => at - now);
    const values = points.map(([, value]) => value);
    const { label, least, most, unit } = this.#what;
    this.#node.setAttribute("aria-label", `${label}: ${values.length ? `${Math.round(values.at(-1) * 100) / 100}${unit}` : "nothing"}`);
    if (this.#plot && this.#theme === document.documentElement.dataset.theme) {
      this.#plot.setData([time, values]);
      return;
    }
    this.#theme = document.documentElement.dataset.theme;
    this.#plot?.destroy();
    this.#plot = new window.uPlot({
      width: this.#node.clientWidth || 300, height: 130,
      scales: { x: { time: false, range: [-5, 0] }, y: { range: [least, most] } },
      axes: [axis({ values: (_, ticks) => ticks.map((tick) => `${tick} s`) }), axis({ size: 56, values: (_, ticks) => ticks.map((tick) => `${tick}${unit}`) })],
      cursor: { show: false },
      legend: { show: false },
      series: [{}, { label, stroke: paint("--accent"), fill: `${paint("--accent")}22`, fillTo: () => least, width: 2, points: { show: false } }],
    }, [time, values], this.#node);
    const title = document.createElement("p");
    title.className = "empty";
    title.textContent = label;
    this.#node.prepend(title);
    this.#node.querySelectorAll("p ~ p").forEach((old) => old.remove());
  }
}
