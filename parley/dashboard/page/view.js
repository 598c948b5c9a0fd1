// How values and turns are shown. Text of people and programs goes in as text, never as markup.

export const STAGES = {
  listening: "You speak",
  "end-of-turn": "Noticing the end",
  stt: "Speech to text",
  llm: "Conversation",
  tts: "Text to speech",
  playback: "Reply plays",
  turn: "Whole turn",
};
const LANES = ["listening", "end-of-turn", "stt", "llm", "tts", "playback"];
// C0 and C1 controls but for line breaks, and characters that turn the direction of a text.
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function plain(value, most = 2000) {
  const text = String(value ?? "").replace(UNSEEN, "\ufffd");
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

export function duration(ms) {
  if (ms === null || ms === undefined || !Number.isFinite(Number(ms))) return "–";
  const value = Number(ms);
  if (Math.abs(value) < 9.95) return `${value.toFixed(1)} ms`;
  return Math.abs(value) < 999.5 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(2)} s`;
}

export function roughly(ms) {
  return duration(ms).replace(/(\.\d*?)0+ /, "$1 ").replace(". ", " ");
}

export function stageName(stage) {
  return STAGES[stage] ?? plain(stage, 40);
}

function clockTime(date) {
  const today = new Date().toDateString() === date.toDateString();
  const time = date.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
  return today ? time : `${date.toLocaleDateString([], { day: "numeric", month: "short" })} ${time}`;
}

// One entry a stage: what the satellite saw of it, and what the service that did it says.
function lanes(turn) {
  const found = new Map();
  for (const record of turn.records) {
    const seesAll = record.stages.some((stage) => stage.stage === "turn" || stage.stage === "listening");
    for (const stage of record.stages) {
      if (stage.stage === "turn") continue;
      const at = (key) => (Number.isFinite(stage[key]) ? record.offset_ms + stage[key] : null);
      const times = { facts: stage, record, start: at("start_ms"), ready: at("ready_ms"), first: at("first_ms"), end: at("end_ms") };
      const lane = found.get(stage.stage) ?? { name: stage.stage };
      lane[seesAll ? "outer" : "inner"] = times;
      found.set(stage.stage, lane);
    }
  }
  const rank = (name) => (LANES.includes(name) ? LANES.indexOf(name) : LANES.length);
  return [...found.values()].sort((a, b) => rank(a.name) - rank(b.name));
}

export function readTurn(turn, budgets) {
  const all = lanes(turn);
  const by = Object.fromEntries(all.map((lane) => [lane.name, lane]));
  const records = turn.records;
  const whole = records.flatMap((record) => record.stages.filter((stage) => stage.stage === "turn"))[0];
  const stt = by.stt?.inner ?? by.stt?.outer;
  const tts = by.tts?.inner ?? by.tts?.outer;
  const spoken = by.listening?.outer?.end ?? stt?.ready ?? stt?.start ?? 0;
  const heard = by.playback?.outer?.start ?? tts?.first ?? null;
  const slow = [];
  const troubles = [];
  for (const lane of all) {
    const side = lane.inner ?? lane.outer;
    const budget = budgets(side.record.source, lane.name) ?? budgets(lane.outer?.record.source, lane.name);
    // What the satellite waited for speech, it waited for words as well: the service knows better.
    const outer = lane.name === "tts" && lane.inner ? 0 : lane.outer?.facts.wait_ms ?? 0;
    const wait = Math.max(lane.inner?.facts.wait_ms ?? 0, outer);
    lane.wait = wait || null;
    lane.budget = budget;
    if (budget && wait > budget) {
      lane.slow = true;
      slow.push(lane);
    }
    for (const side2 of [lane.inner, lane.outer]) {
      if (side2?.facts.failed) troubles.push(`${stageName(lane.name)} failed${side2.facts.failed === true ? "" : `: ${plain(side2.facts.failed, 40)}`}`);
    }
  }
  const cancelled = whole?.cancelled || all.some((lane) => lane.inner?.facts.cancelled);
  if (whole?.failed && !troubles.length) troubles.push("Failed");
  const budget = whole ? budgets(records.find((record) => record.stages.includes(whole)).source, "turn") : null;
  const over = Boolean(budget && turn.total_ms > budget);
  const texts = Object.assign({}, ...records.map((record) => record.texts ?? {}));
  return { turn, all, spoken, heard, slow, troubles: [...new Set(troubles)], cancelled, over, budget, texts };
}

function range(read, whole) {
  const times = read.all.flatMap((lane) => [lane.inner, lane.outer]).filter(Boolean)
    .flatMap((side) => [side.start, side.first, side.end]).filter((time) => time !== null);
  const least = Math.min(...times, read.spoken);
  const most = Math.max(...times, read.spoken + 10);
  if (whole) return [least, most];
  const answered = read.heard ?? most;
  const wait = Math.max(50, answered - read.spoken);
  return [Math.max(least, read.spoken - wait * 0.12), Math.min(most, answered + wait * 0.3)];
}

function place(node, from, to, [least, most]) {
  const scale = 100 / (most - least);
  const left = Math.max(-1, Math.min(101, (from - least) * scale));
  const right = Math.max(-1, Math.min(101, (to - least) * scale));
  node.style.left = `${left}%`;
  node.style.width = `${Math.max(0, right - left)}%`;
  return node;
}

// What the wait was spent on: each stage until its answer, in the order of the answers.
function shares(read) {
  const answers = [];
  for (const lane of read.all) {
    if (lane.name === "listening" || lane.name === "playback") continue;
    const side = lane.outer ?? lane.inner;
    const answer = lane.name === "stt" || lane.name === "end-of-turn" ? side.end : side.first;
    if (answer !== null) answers.push([answer, lane.name]);
  }
  answers.sort((a, b) => a[0] - b[0]);
  if (read.heard !== null) answers.push([read.heard, "playback"]);
  let from = read.spoken;
  const found = [];
  for (const [answer, name] of answers) {
    if (answer <= from) continue;
    found.push({ name, from: from - read.spoken, to: answer - read.spoken });
    from = answer;
  }
  return found;
}

function strip(read) {
  const parts = shares(read);
  const total = Math.max(1, parts.at(-1)?.to ?? 0);
  const inner = el("span");
  inner.style.setProperty("--total", String(total));
  for (const { name, from, to } of parts) inner.append(place(el("i", { class: colour(name) }), from, to, [0, total]));
  return el("span", { class: "strip", "aria-hidden": "true" }, inner);
}

function longest(read) {
  const [most] = shares(read).sort((a, b) => b.to - b.from - (a.to - a.from));
  return most ? `Longest: ${stageName(most.name)} ${duration(most.to - most.from)}` : read.all.map((lane) => stageName(lane.name)).join(", ");
}

export function colour(stage) {
  return LANES.includes(stage) ? stage : "other";
}

function headline(read) {
  const said = el("span", { class: "said" });
  for (const trouble of read.troubles) said.append(el("span", { class: "flag" }, trouble));
  for (const lane of read.slow) said.append(el("span", { class: "flag", title: `Budget ${roughly(lane.budget)}` }, `Slow: ${stageName(lane.name)} ${duration(lane.wait)}`));
  if (read.cancelled) said.append(el("span", { class: "flag gentle" }, "Interrupted"));
  const words = read.texts.transcript;
  if (words !== undefined) said.append(el("bdi", {}, plain(words, 160) || "(nothing said)"));
  else if (!read.slow.length && !read.troubles.length && !read.cancelled) said.append(el("span", { class: "quiet" }, longest(read)));
  return said;
}

export function renderTurn(read, options) {
  const { turn } = read;
  const node = el("li", { "data-number": turn.number });
  const when = clockTime(new Date(Date.now() - (performance.now() / 1000 - turn.at) * 1000));
  const total = turn.total_ms === null ? "–" : duration(turn.total_ms);
  const summary = el("summary", {},
    el("span", { class: "when" }, when), headline(read), strip(read),
    el("span", { class: read.over ? "total bad" : "total" }, total, el("span", { class: "visually-hidden" }, " from your last word to the reply")));
  const details = el("details", {}, summary);
  // A closed turn costs nothing: its waterfall is drawn when it is opened.
  const fill = () => {
    if (details.childElementCount > 1) return;
    details.append(...body(read, options.whole));
  };
  summary.addEventListener("click", options.onTouch);
  details.addEventListener("toggle", () => {
    options.onToggle(turn.number, details.open);
    if (details.open) fill();
  });
  if (options.open) {
    details.open = true;
    fill();
  }
  node.append(details);
  return node;
}

function body(read, whole) {
  const parts = [];
  if (read.texts.transcript !== undefined || read.texts.reply !== undefined) {
    const texts = el("div", { class: "texts" });
    for (const [label, key] of [["Speaker", "speaker"], ["You", "transcript"], ["Heard", "heard"], ["Parley", "reply"]]) {
      if (read.texts[key] !== undefined) texts.append(el("p", {}, el("b", {}, label), el("bdi", {}, plain(read.texts[key]))));
    }
    parts.push(texts);
  }
  parts.push(waterfall(read, whole));
  const more = el("details", { class: "more" }, el("summary", {}, "Every number of this turn"));
  more.addEventListener("toggle", () => {
    if (more.open && more.childElementCount === 1) more.append(el("div", { class: "scroll" }, table(read)));
  });
  parts.push(more);
  return parts;
}

function waterfall(read, whole) {
  const bounds = range(read, whole);
  const words = read.all.map((lane) => `${stageName(lane.name)} ${duration(lane.wait ?? spanOf(lane))}`).join(", ");
  const fall = el("div", { class: "fall", role: "img", "aria-label": `Waterfall: ${words}` });
  fall.append(gridLines(read, bounds));
  for (const lane of read.all) fall.append(laneRow(lane, bounds));
  fall.append(el("div", { class: "axis" }));
  return fall;
}

function spanOf(lane) {
  const side = lane.outer ?? lane.inner;
  return side.end === null ? null : side.end - side.start;
}

function laneRow(lane, bounds) {
  const track = el("div", { class: "track" });
  const far = bounds[1] + (bounds[1] - bounds[0]);
  const put = (kind, from, to) => {
    if (from === null || to === null || to < from) return;
    track.append(place(el("div", { class: `bar ${kind} ${colour(lane.name)}` }), from, to, bounds));
  };
  const { outer, inner } = lane;
  let edge = bounds[0];
  if (outer && inner) put("outer", Math.max(outer.ready ?? outer.start, outer.start), outer.end ?? far);
  const side = inner ?? outer;
  const begin = side.ready ?? side.start;
  if (begin > side.start) put("before", side.start, begin);
  const answer = lane.name === "stt" || side.first === null ? side.end ?? far : side.first;
  const queued = Math.min(side.facts.queue_ms ?? 0, Math.max(0, answer - begin));
  if (queued > 1) put("queue", begin, begin + queued);
  put(lane.slow ? "slow" : "", begin + queued, answer);
  if (side.end !== null && answer < side.end) put("after", answer, side.end);
  edge = Math.max(answer, begin);
  const text = duration(lane.name === "playback" || lane.name === "listening" ? spanOf(lane) : lane.wait ?? spanOf(lane));
  const note = el("span", { class: lane.slow ? "note slow" : "note" }, lane.slow && window.innerWidth >= 720 ? `${text}, budget ${roughly(lane.budget)}` : text);
  const at = Math.max(0, Math.min(100, ((edge - bounds[0]) / (bounds[1] - bounds[0])) * 100));
  // A track is as wide as the window but for names and edges; a letter takes about 7 px.
  const room = (1 - at / 100) * Math.min(900, window.innerWidth - 150);
  if (at > 80 || room < note.textContent.length * 7 + 12) {
    note.style.right = `${Math.min(100, 100 - at)}%`;
    note.classList.add("inside");
  } else note.style.left = `${at}%`;
  track.append(note);
  return el("div", { class: "lane" }, el("span", {}, stageName(lane.name)), track);
}

function gridLines(read, bounds) {
  const grid = el("div", { class: "grid", "aria-hidden": "true" });
  const width = bounds[1] - bounds[0];
  const most = window.innerWidth < 720 ? 3 : 7;
  const step = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 60000].find((size) => width / size <= most) ?? 120000;
  // Zero is the end of speech: what comes after it, a person waits for.
  for (let at = Math.ceil((bounds[0] - read.spoken) / step) * step; at + read.spoken <= bounds[1]; at += step) {
    const share = ((at + read.spoken - bounds[0]) / width) * 100;
    const line = el("i", { class: at === 0 ? "event" : null });
    const label = el("b", { class: share < 4 ? "start" : share > 95 ? "end" : null }, at === 0 ? (most > 3 ? "end of speech" : "0") : roughly(at));
    line.style.left = label.style.left = `${share}%`;
    grid.append(line, label);
  }
  return grid;
}

const TIMES = ["start_ms", "ready_ms", "first_ms", "end_ms", "wait_ms", "queue_ms", "model_ms"];

function table(read) {
  const head = ["Stage", "Seen by", "Start", "Ready", "First", "End", "Wait", "Queue", "Model", "Also"];
  const body = el("tbody");
  for (const record of read.turn.records) {
    for (const stage of record.stages) {
      const times = TIMES.map((key, index) => el("td", {}, Number.isFinite(stage[key]) ? String(Math.round((stage[key] + (index < 4 ? record.offset_ms : 0)) * 10) / 10) : "–"));
      const also = Object.entries(stage).filter(([key]) => key !== "stage" && !TIMES.includes(key)).map(([key, value]) => `${plain(key, 30)} ${plain(value, 60)}`).join(", ");
      body.append(el("tr", {}, el("th", { scope: "row" }, stageName(stage.stage)), el("td", {}, plain(record.source, 40)), ...times, el("td", { class: "facts" }, also)));
    }
    if (record.clock_error_ms > 0) body.append(el("tr", {}, el("td", { colspan: 10 }, `The clock of ${plain(record.source, 40)} is on another machine: its times are right to ${duration(record.clock_error_ms)}.`)));
  }
  return el("table", {},
    el("caption", { class: "visually-hidden" }, "Milliseconds since the beginning of the turn"),
    el("thead", {}, el("tr", {}, ...head.map((name) => el("th", { scope: "col", class: name === "Also" ? "facts" : null }, name)))), body);
}
