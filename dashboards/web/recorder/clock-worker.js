/** Ticks every second. Browsers slow the timers of a hidden page down to one a minute, but not those of its workers. */

setInterval(() => postMessage("tick"), 1000);
