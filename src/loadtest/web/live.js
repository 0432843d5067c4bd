"use strict";
// Shows the events of the run. The markup in them is written by the server, which escapes all text from outside.

const byId = (id) => document.getElementById(id);
const NOTES = {
  starting: "The load begins in a moment.",
  running: "",
  stopping: "Waiting for the requests that are under way.",
  over: "The run is over. Opening its report.",
  lost: "The connection to vas is lost: it has ended, or cannot be reached.",
  full: "Too many pages watch this run already. Close one, and load this page again.",
};
const source = new EventSource("events");
let state = "starting";

function show(next) {
  state = next;
  byId("head").className = next === "full" ? "lost" : next;
  byId("state").textContent = (next === "full" ? "lost" : next).toUpperCase();
  byId("note").textContent = NOTES[next];
  byId("stop").disabled = next !== "running";
}

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
    source.close();
    location.replace("report");
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
