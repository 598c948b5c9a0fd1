// Asks the server every second and shows what has changed.

import { Chart, Meter } from "./chart.js";
import { Talk } from "./talk.js";
import { Voices } from "./voices.js";
import { WakeWords } from "./wake.js";
import { STAGES, colour, duration, el, plain, readTurn, renderTurn, roughly, stageName } from "./view.js";

const byId = (id) => document.getElementById(id);
const POLL_MS = 1000;
const HIDDEN_MS = 10000;
const CHART_MS = 5000;
const LATEST = 12;
const OLDER = 30;
const MOST_SHOWN = 600;
// So few waits say nothing about a stage.
const FEW = 5;
const METERS = {
  level_dbfs: { label: "Level of the microphone", least: -96, most: 0, unit: " dB" },
  speech: { label: "Probability of speech", least: 0, most: 1, unit: "" },
  wake: { label: "Score of wake word", least: 0, most: 1, unit: "" },
};

const state = { revision: -1, instance: "", turns: new Map(), open: new Set(), sources: [], series: [], charted: 0, follow: true, room: LATEST, chosen: false };
const chart = new Chart(byId("chart"));
const meters = new Map();
const talk = new Talk(byId("talk-button"), byId("talk-state"), byId("talk-level"));
let wakeWords = null;
let voices = null;

function budgets(source, stage) {
  const found = state.sources.find((one) => one.name === source && one.stages?.[stage]);
  return found?.stages[stage].budget_ms ?? null;
}

async function get(path, query) {
  const response = await fetch(`${path}?${new URLSearchParams(query)}`, { cache: "no-store" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

const wantsText = () => (byId("show-text").checked ? "1" : "0");

// Turns are known by how long ago they were: when the clock is put right, so are their times.
let zero = Date.now() - performance.now();

function minuteHand() {
  const now = Date.now() - performance.now();
  if (Math.abs(now - zero) < 30000) return;
  zero = now;
  redraw();
  drawChart();
}

async function poll() {
  minuteHand();
  try {
    const answer = await get("api/state", { revision: state.revision, text: wantsText() });
    byId("banner").hidden = true;
    if (state.instance && answer.instance !== state.instance) {
      // Another server counts anew: everything is asked for again.
      forget();
      state.instance = answer.instance;
      setTimeout(poll, 0);
      return;
    }
    state.instance = answer.instance;
    take(answer);
  } catch (err) {
    byId("banner").textContent = `The dashboard's server does not answer (${plain(err.message, 80)}); trying again. What you see is what was last known.`;
    byId("banner").hidden = false;
    verdict("", "Not connected");
  }
  setTimeout(poll, document.hidden ? HIDDEN_MS : POLL_MS);
}

function forget() {
  state.revision = -1;
  state.turns.clear();
  state.open.clear();
  state.follow = true;
  state.room = LATEST;
  byId("turns").replaceChildren();
}

function keep(turns) {
  const now = performance.now() / 1000;
  for (const turn of turns) state.turns.set(turn.number, { ...turn, at: now - (turn.ago_s ?? 0) });
}

function take(answer) {
  Object.assign(state, { revision: answer.revision, sources: answer.sources, series: answer.series });
  byId("talk").hidden = !answer.may_talk;
  if (answer.may_train) wakeWords ??= new WakeWords();
  if (answer.may_enrol) voices ??= new Voices();
  byId("show-text").disabled = !answer.may_read;
  byId("show-text").closest("label").title = answer.may_read ? "" : "Only on the machine itself, or with parley dashboard --text";
  keep(answer.turns);
  if (answer.turns.length) {
    const changed = new Set(answer.turns.map((turn) => turn.number));
    if (state.follow) follow(changed);
    drawTurns([...changed]);
    chartSoon();
  }
  byId("no-turns").hidden = state.turns.size > 0;
  byId("older").hidden = !state.turns.size || Math.min(...state.turns.keys()) === 0 || state.turns.size >= MOST_SHOWN;
  drawTiles(answer);
  drawStages();
  drawSources();
  drawMeters();
  drawVerdict();
}

// The latest turn stands open until a person opens or closes one.
function follow(changed) {
  const latest = Math.max(...state.turns.keys());
  for (const number of state.open) changed.add(number);
  state.open = new Set([latest]);
  changed.add(latest);
}

function drawTurns(numbers) {
  const list = byId("turns");
  const focused = document.activeElement?.closest?.("#turns > li")?.dataset.number;
  for (const number of [...numbers].filter((one) => state.turns.has(one)).sort((a, b) => a - b)) {
    const options = {
      whole: byId("whole").checked,
      open: state.open.has(number),
      onTouch: () => { state.follow = false; },
      onToggle: (which, open) => (open ? state.open.add(which) : state.open.delete(which)),
    };
    const node = renderTurn(readTurn(state.turns.get(number), budgets), options);
    const old = list.querySelector(`:scope > li[data-number="${number}"]`);
    if (old) old.replaceWith(node);
    else {
      const after = [...list.children].find((item) => Number(item.dataset.number) < number);
      list.insertBefore(node, after ?? null);
    }
    if (focused === String(number)) node.querySelector("summary").focus({ preventScroll: true });
  }
  const waits = [...state.turns.values()].map((turn) => turn.total_ms ?? 0);
  list.style.setProperty("--longest", String(Math.max(1000, ...waits)));
  while (list.childElementCount > state.room) {
    const number = Number(list.lastElementChild.dataset.number);
    state.turns.delete(number);
    state.open.delete(number);
    list.lastElementChild.remove();
  }
}

function redraw() {
  byId("turns").replaceChildren();
  drawTurns([...state.turns.keys()]);
}

async function older() {
  const before = Math.min(...state.turns.keys());
  try {
    const answer = await get("api/turns", { before, limit: OLDER, text: wantsText() });
    state.room = Math.min(MOST_SHOWN, state.room + OLDER);
    keep(answer.turns);
    drawTurns(answer.turns.map((turn) => turn.number));
    if (!answer.turns.length) byId("older").hidden = true;
  } catch {
    byId("older").focus();
  }
}

function drawTiles(answer) {
  const whole = state.series.find((entry) => entry.stage === "turn") ?? null;
  const shown = [...state.turns.values()].map((turn) => turn.total_ms).filter((total) => total !== null);
  const last = [...state.turns.values()].sort((a, b) => b.number - a.number).find((turn) => turn.total_ms !== null);
  const stats = whole ?? rough(shown);
  const budget = whole ? budgets(whole.source, "turn") : null;
  const tile = (value, text, bad = false) => {
    const [number, unit = ""] = String(value).split(" ");
    return el("div", { class: bad ? "tile bad" : "tile" }, el("b", {}, number, el("small", {}, unit)), el("span", {}, text));
  };
  const tiles = [
    tile(duration(last?.total_ms), "last word to reply, latest turn", Boolean(budget && last?.total_ms > budget)),
    tile(duration(stats?.p50), "half of all turns within"),
    tile(duration(stats?.p95), "95 % of turns within", Boolean(budget && stats?.p95 > budget)),
    tile(`${answer.kept}`, answer.kept === 1 ? "turn" : "turns"),
  ];
  replace(byId("tiles"), tiles);
}

function rough(values) {
  if (!values.length) return null;
  const ordered = [...values].sort((a, b) => a - b);
  const at = (part) => ordered[Math.round((ordered.length - 1) * part)];
  return { p50: at(0.5), p95: at(0.95) };
}

// Leaves the page alone where nothing has changed, so that a reader is not interrupted.
function replace(node, children) {
  const next = el("div", {}, ...children);
  if (next.innerHTML !== node.innerHTML) node.replaceChildren(...next.childNodes);
}

function violations(entry) {
  const source = state.sources.find((one) => one.name === entry.source && one.stages?.[entry.stage]);
  const summary = source?.stages[entry.stage];
  return summary?.count ? { share: summary.violations / summary.count, ...summary } : null;
}

function drawStages() {
  const rows = state.series.map((entry) => {
    const beyond = violations(entry);
    const share = beyond && beyond.budget_ms !== null ? `${(beyond.share * 100).toFixed(1)} %` : "–";
    return el("tr", {},
      el("th", { scope: "row" }, stageName(entry.stage)), el("td", {}, plain(entry.source, 40)), el("td", {}, String(entry.count)),
      ...["p50", "p95", "p99"].map((part) => el("td", {}, duration(entry[part]))),
      el("td", {}, roughly(beyond?.budget_ms)), el("td", { class: beyond && beyond.share >= 0.01 && beyond.budget_ms !== null ? "bad" : null }, share));
  });
  replace(byId("stages"), rows);
  const select = byId("series");
  const keys = state.series.map((entry) => `${entry.stage}\n${entry.source}`);
  if (keys.join() === [...select.options].map((option) => option.value).join()) return;
  const chosen = (state.chosen && select.value) || keys.find((key) => key.startsWith("turn\n")) || keys[0];
  select.replaceChildren(...state.series.map((entry, index) => el("option", { value: keys[index], selected: keys[index] === chosen }, `${stageName(entry.stage)} (${plain(entry.source, 40)})`)));
  drawChart();
}

function chartSoon() {
  if (performance.now() - state.charted > CHART_MS) drawChart();
}

async function drawChart() {
  const [stage, source] = byId("series").value.split("\n");
  if (!stage) return;
  state.charted = performance.now();
  try {
    const { points } = await get("api/series", { stage, source });
    const last = points.at(-1);
    byId("chart").setAttribute("aria-label", last ? `${stageName(stage)} over time: lately half within ${duration(last.p50)}, 95 % within ${duration(last.p95)}` : "No waits yet");
    chart.percentiles(points, budgets(source, stage), `${stage} ${source}`);
  } catch {
    state.charted = 0;
  }
}

function drawSources() {
  byId("no-sources").hidden = state.sources.length > 0;
  replace(byId("sources"), state.sources.map(card));
}

function card(source) {
  const now = source.state ?? {};
  const ready = now.ready !== false;
  const [kind, word] = source.problem ? ["bad", "no answer"] : source.foreign ? ["", "no traces"] : ready ? ["good", "ready"] : ["", "loading"];
  const facts = [];
  const fact = (name, value) => facts.push(el("dt", {}, name), el("dd", {}, value));
  if (source.problem) fact("Problem", plain(source.problem, 200));
  if (now.models?.length) fact(now.models.length > 1 ? "Models" : "Model", now.models.slice(0, 4).map((name) => plain(name, 60)).join(", "));
  if (now.waiting !== undefined) fact("In work", String(now.waiting));
  if (now.connections !== undefined) fact("Connections", String(now.connections));
  if (now.memory_mb) fact("Memory", `${Math.round(now.memory_mb)} MB`);
  const cpu = cpuShare(source);
  if (cpu !== null) fact("Processor", `${Math.round(cpu * 100)} % of a core`);
  const errors = Object.entries(source.counts ?? {}).filter(([name]) => /^(errors|rejects|underruns)/.test(name) && source.counts[name] > 0);
  for (const [name, count] of errors) fact(plain(name.replace(":", ": "), 40), String(count));
  for (const [name, count] of Object.entries(source.counts ?? {}).filter(([name]) => name.startsWith("wake:"))) fact(`“${plain(name.slice(5), 40)}” heard`, String(count));
  if (source.counts?.["room:yielded"]) fact("Left to another satellite", String(source.counts["room:yielded"]));
  if (source.clock_error_ms !== null && !source.foreign) {
    fact("Clock", source.same_machine ? "this machine’s" : `${source.clock_offset_ms < 0 ? "−" : "+"}${duration(Math.abs(source.clock_offset_ms))} ± ${duration(source.clock_error_ms)}`);
  }
  if (source.problem && source.seen_s !== null) fact("Last seen", `${Math.round(source.seen_s)} s ago`);
  return el("li", { class: "card" },
    el("span", { class: `state ${kind}` }, word), el("h3", {}, plain(source.name, 60)),
    el("div", { class: "where" }, plain([source.host, source.uri].filter(Boolean).join(" · "), 120)), el("dl", {}, ...facts));
}

const spent = new Map();

function cpuShare(source) {
  const used = source.state?.cpu_s;
  if (used === undefined) return null;
  const now = performance.now() / 1000;
  const marks = (spent.get(source.uri) ?? []).filter(([at, total]) => now - at < 12 && total <= used);
  marks.push([now, used]);
  spent.set(source.uri, marks);
  const [from, before] = marks[0];
  return now - from < 2 ? null : (used - before) / (now - from);
}

function drawMeters() {
  const source = state.sources.find((one) => !one.problem && Object.keys(one.meters ?? {}).length);
  byId("microphone").hidden = !source;
  if (!source) return;
  const now = source.clock?.monotonic ?? 0;
  for (const [name, points] of Object.entries(source.meters)) {
    const what = METERS[name] ?? METERS[name.split(":")[0]];
    if (!what) continue;
    const word = name.includes(":") ? ` “${plain(name.slice(name.indexOf(":") + 1), 40)}”` : "";
    if (!meters.has(name)) meters.set(name, new Meter(byId("meters"), { ...what, label: what.label + word }));
    meters.get(name).show(points, now);
  }
  const heard = Object.entries(source.counts ?? {}).filter(([name]) => name.startsWith("wake:"));
  byId("microphone-text").textContent = heard.map(([name, count]) => `“${plain(name.slice(5), 40)}” heard ${count} ${count === 1 ? "time" : "times"}`).join(", ");
}

function verdict(kind, text) {
  const node = byId("verdict");
  if (node.textContent !== text) node.textContent = text;
  node.className = kind;
}

function drawVerdict() {
  const silent = state.sources.filter((source) => source.problem && source.problem !== "connecting");
  const slow = state.series.map((entry) => ({ entry, beyond: violations(entry) }))
    .filter(({ beyond }) => beyond && beyond.budget_ms !== null && beyond.share >= 0.01 && beyond.count >= FEW)
    .sort((a, b) => Number(a.entry.stage === "turn") - Number(b.entry.stage === "turn") || b.beyond.share - a.beyond.share);
  if (!state.sources.length) verdict("", "Looking for services");
  else if (silent.length) verdict("bad", `${silent.map((source) => plain(source.name, 60)).join(", ")} ${silent.length === 1 ? "does" : "do"} not answer`);
  else if (slow.length) {
    const [{ entry, beyond }] = slow;
    verdict("bad", `${stageName(entry.stage)} is slow: beyond its budget of ${roughly(beyond.budget_ms)} in ${Math.round(beyond.share * 100)} % of turns`);
  } else if (state.series.some((entry) => entry.count >= FEW)) verdict("good", "Every stage keeps within its budget");
  else if (state.series.length) verdict("", "Too few turns yet to judge by");
  else verdict("good", `${state.sources.length} ${state.sources.length === 1 ? "service answers" : "services answer"}`);
}

function switchText() {
  // What was said leaves the page at once; it comes back from the server, if at all.
  for (const turn of state.turns.values()) for (const record of turn.records) delete record.texts;
  state.revision = -1;
  byId("text-hint").hidden = !byId("show-text").checked;
  redraw();
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme === "dark" ? "Light" : "Dark";
  drawChart();
}

function start() {
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const stored = () => { try { return localStorage.getItem("theme"); } catch { return null; } };
  setTheme(stored() ?? (dark.matches ? "dark" : "light"));
  dark.addEventListener("change", () => { if (!stored()) setTheme(dark.matches ? "dark" : "light"); });
  byId("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    try { localStorage.setItem("theme", theme); } catch { /* a private window keeps nothing */ }
    setTheme(theme);
  });
  byId("legend").append(...Object.entries(STAGES).filter(([stage]) => stage !== "turn").map(([stage, name]) => el("li", {}, el("i", { class: colour(stage) }), name)));
  byId("whole").addEventListener("change", redraw);
  window.matchMedia("(max-width: 720px)").addEventListener("change", redraw);
  byId("older").addEventListener("click", older);
  byId("series").addEventListener("change", () => { state.chosen = true; chart.clear(); drawChart(); });
  byId("show-text").addEventListener("change", switchText);
  window.addEventListener("pagehide", () => { talk.end(); wakeWords?.end(); voices?.end(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) state.charted = 0; });
  poll();
}

start();
