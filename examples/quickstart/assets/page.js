"use strict";

// Without this script the page works too: its buttons are forms, and their answers are JSON.

const post = (action) => fetch(action, { method: "POST", headers: { Accept: "application/json" } });

function paragraph(text) {
  const p = document.createElement("p");
  p.textContent = text;
  return p;
}

const waves = document.getElementById("waves");

function showWaves(n) {
  waves.dataset.count = n;
  waves.textContent = `Waves so far: ${n}`;
}

function show(result, exchange) {
  const part = document.getElementById("exchange").content.cloneNode(true);
  const badge = part.querySelector(".badge");
  badge.textContent = exchange.status;
  part.querySelector(".reason").textContent = exchange.reason || "let through";
  const agrees = exchange.status === exchange.want.status && exchange.reason === exchange.want.reason;
  badge.classList.add(agrees ? "good" : "bad");
  part.querySelector(".comparison").textContent = agrees ? "as expected" : "not what was expected";
  part.querySelector(".request").textContent = exchange.request.join("\n");
  part.querySelector(".response").textContent = [exchange.status, ...exchange.header, "", exchange.body].join("\n");
  result.replaceChildren(part);
  if (exchange.status === 200 && exchange.request[0] === "POST /waves") showWaves(JSON.parse(exchange.body).waves);
}

async function send(form) {
  const result = form.parentElement.querySelector(".result");
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true"; // a disabled button would lose the keyboard's focus
  try {
    const answer = await (await post(form.action)).json();
    if (answer.problem) result.replaceChildren(paragraph(answer.problem));
    else show(result, answer);
  } catch {
    result.replaceChildren(paragraph("The server does not answer. Is it still running?"));
  }
  form.ariaBusy = null;
}

const forms = [...document.querySelectorAll(".trial form")];
for (const form of forms) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form);
  });
}

const all = document.getElementById("all");
all.hidden = false;
all.addEventListener("click", async () => {
  for (const form of forms) {
    if (!form.querySelector("button").disabled) await send(form);
  }
});

const wave = document.getElementById("wave");
wave.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const response = await post(wave.action);
    const answer = await response.json();
    if (response.ok) showWaves(answer.waves);
    else waves.textContent = `Refused: ${answer.errors[0].code}. Waves so far: ${waves.dataset.count}`;
  } catch {
    waves.textContent = "The server does not answer.";
  }
});

const left = document.getElementById("left");
if (left) {
  const end = performance.now() + left.dataset.left * 1000;
  const text = document.getElementById("left-text");
  const bar = left.querySelector("progress");
  const timer = setInterval(() => {
    const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
    bar.value = seconds;
    text.querySelector("strong").textContent = `${seconds} s`;
    if (seconds === 0) {
      clearInterval(timer);
      text.textContent = "The token has ended. The next page load renews it.";
    }
  }, 250);
}
