"use strict";
// Shows the events of the run. The markup in them is written by the server, which escapes all text from outside.

const byId = (id) => document.getElementById(id);
const NOTES = {
  starting: "The load begins in a moment.",
  setup: "The steps of the setup are done once. The load begins after them.",
  running: "",
  stopping: "Waiting for the requests that are under way.",
  teardown: "The load is over. The steps of the teardown are done once.",
  over: "The run is over. Opening its report.",
  lost: "The connection to vas is lost: it has ended, as its terminal says, or cannot be reached.",
  full: "Too many pages watch this run already. Close one, and load this page again.",
};
const source = new EventSource("events");
let state = "starting";
let page = "";

function show(next) {
  state = next;
  byId("head").className = next === "full" ? "lost" : next;
  byId("state").textContent = (next === "full" ? "lost" : next).toUpperCase();
  byId("note").textContent = NOTES[next];
  byId("stop").disabled = next !== "running" && next !== "setup";
}

source.addEventListener("page", (event) => {
  page = event.data;
});

source.addEventListener("run", (event) => {
  const run = JSON.parse(event.data);
  if (run.name) {
    byId("name").textContent = run.name;
    byId("target").textContent = run.target;
    document.title = run.state + " " + run.name + ": vas test";
    byId("live").innerHTML = run.html;
  }
  show(run.state);
  if (run.state === "over") {
    // The stream stays open meanwhile: vas takes a page whose stream ends for one that was closed.
    location.replace("report?page=" + page);
  }
});

source.addEventListener("error", () => {
  if (state !== "over") {
    show(source.readyState === EventSource.CLOSED && state === "starting" ? "full" : "lost");
  }
});

byId("stop").addEventListener("click", async () => {
  byId("stop").disabled = true;
  try {
    const answer = await fetch("stop", { method: "POST", credentials: "omit" });
    if (!answer.ok) {
      throw new Error(await answer.text());
    }
  } catch (error) {
    byId("note").textContent = "The run could not be stopped: " + error.message;
    byId("stop").disabled = false;
  }
});
