/** Ticks every second while it is wanted. Browsers slow the timers of a hidden page down to one a minute, not its workers'. */

let ticking = 0;

onmessage = ({ data: isWanted }) => {
  clearInterval(ticking);
  if (isWanted) ticking = setInterval(() => postMessage("tick"), 1000);
};
