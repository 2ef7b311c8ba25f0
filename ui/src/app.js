// On every page. The content security policy allows neither inline styles nor eval, so htmx is told
// to use none before it starts.
import htmx from "htmx.org";

htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;
htmx.config.selfRequestsOnly = true;
