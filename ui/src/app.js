// On every page. The content security policy allows neither inline styles nor eval, so htmx is told
// to use none before it starts. Everything here makes a page that already works more comfortable.
import htmx from "htmx.org";
import { startFields } from "./lib/fields.js";
import { startFocus } from "./lib/focus.js";
import { startFlows } from "./lib/flows.js";
import { startUploads } from "./lib/uploads.js";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0; // pages hold personal data

const csrf = () => document.querySelector('meta[name="csrf"]')?.content ?? "";
document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = csrf();
});

startFocus();
startFields();
startUploads();
startFlows();
